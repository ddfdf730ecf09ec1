//! When a request ends: after its body, or with an error, a panic or a client that leaves. Nothing stays in flight.

use std::{convert::Infallible, future::pending, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    routing::{get, post},
};
use futures::{FutureExt as _, StreamExt as _};
use http_instrument::{EndpointCounts, Format, HttpMetrics};
use metric_contract::DialectId;
use tower::ServiceExt as _;

use crate::{drained, instrumented, request, requests, send, value};

#[tokio::test]
async fn a_stream_counts_when_it_ends_and_a_body_of_unknown_size_by_what_was_read() {
    let metrics = HttpMetrics::default();
    let stream = || async {
        let chunks = futures::stream::iter([Ok::<_, Infallible>("abc"), Ok("de")]);
        Body::from_stream(chunks)
    };
    let echo = |body: Bytes| async move { body.len().to_string() };
    let app = instrumented(&metrics, Router::new().route("/s", get(stream)).route("/e", post(echo)));

    let response = send(&app, request("GET", "/s")).await;
    assert_eq!(metrics.in_flight(), 1);
    assert_eq!(requests(&metrics, "GET", "/s", 200), None);
    let mut body = response.into_body().into_data_stream();
    while body.next().await.is_some() {}
    assert_eq!(metrics.in_flight(), 0);
    assert_eq!(requests(&metrics, "GET", "/s", 200), Some(1.0));
    assert_eq!(
        value(&metrics, "http_response_size_bytes_sum{method=\"GET\",route=\"/s\"}"),
        Some(5.0)
    );

    let chunks = futures::stream::iter([Ok::<_, Infallible>("12345"), Ok("678")]);
    let request = Request::post("/e").body(Body::from_stream(chunks)).unwrap();
    assert_eq!(drained(&app, request).await.1, "8");
    assert_eq!(
        value(&metrics, "http_request_size_bytes_sum{method=\"POST\",route=\"/e\"}"),
        Some(8.0)
    );
    assert_eq!(
        value(&metrics, "http_request_size_bytes_count{method=\"POST\",route=\"/e\"}"),
        Some(1.0)
    );
}

#[tokio::test]
async fn a_response_that_the_client_does_not_finish_is_counted_and_no_longer_in_flight() {
    let metrics = HttpMetrics::default();
    let endless = || async { Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>("x"))) };
    let app = instrumented(&metrics, Router::new().route("/", get(endless)));
    let mut body = send(&app, request("GET", "/")).await.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    assert_eq!(metrics.in_flight(), 0);
    assert_eq!(requests(&metrics, "GET", "/", 200), Some(1.0));
}

#[tokio::test]
async fn a_request_that_is_cancelled_leaves_nothing_in_flight_and_counts_as_499() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/", get(pending::<()>)));
    let waiting = tokio::time::timeout(Duration::from_millis(1), app.oneshot(request("GET", "/"))).await;
    assert!(waiting.is_err());
    assert_eq!(metrics.in_flight(), 0);
    assert_eq!(requests(&metrics, "GET", "/", 499), Some(1.0));
    let durations = "http_request_duration_seconds_count{method=\"GET\",route=\"/\"}";
    assert_eq!(value(&metrics, durations), Some(1.0));
}

#[tokio::test]
async fn every_dialect_counts_a_request_that_its_client_leaves() {
    for id in DialectId::WRITTEN {
        let metrics = HttpMetrics::builder(*id).build();
        let app = instrumented(&metrics, Router::new().route("/held", get(pending::<()>)));
        let waiting = tokio::time::timeout(Duration::from_millis(1), app.oneshot(request("GET", "/held"))).await;
        assert!(waiting.is_err());
        let page = metrics.render(Format::Text);
        let is_counted = |line: &str| {
            let is_abandoned = line.contains("\"499\"") || line.contains("\"4xx\"");
            is_abandoned && line.contains("/held") && line.ends_with(" 1")
        };
        assert!(page.lines().any(is_counted), "{id}: {page}");
    }
}

#[tokio::test]
async fn a_handler_that_panics_counts_as_500_and_leaves_nothing_in_flight() {
    let metrics = HttpMetrics::default();
    async fn fall() -> &'static str {
        panic!("deliberately")
    }
    let app = instrumented(&metrics, Router::new().route("/", get(fall)));
    let result = std::panic::AssertUnwindSafe(app.oneshot(request("GET", "/")))
        .catch_unwind()
        .await;
    assert!(result.is_err());
    assert_eq!(metrics.in_flight(), 0);
    assert_eq!(requests(&metrics, "GET", "/", 500), Some(1.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_on_many_threads_are_all_counted() {
    let metrics = HttpMetrics::default();
    let app = instrumented(
        &metrics,
        Router::new().route("/", get(|| async { tokio::task::yield_now().await })),
    )
    .with_state(());
    let tasks = (0..32).map(|_| {
        let app = app.clone();
        tokio::spawn(async move {
            for _ in 0..100 {
                drained(&app, request("GET", "/")).await;
            }
        })
    });
    futures::future::join_all(tasks).await;
    assert_eq!(requests(&metrics, "GET", "/", 200), Some(3_200.0));
    assert_eq!(metrics.in_flight(), 0);
}

#[tokio::test]
async fn a_service_reads_its_own_counts_as_numbers_and_finds_an_endpoint_where_it_was() {
    let metrics = HttpMetrics::builder(DialectId::Native)
        .duration_buckets([0.5, 60.0])
        .build();
    let app = instrumented(
        &metrics,
        Router::new()
            .route("/ok", get(|| async { "ok" }))
            .route("/bad", get(|| async { StatusCode::BAD_GATEWAY }))
            .route("/wait", get(pending::<()>)),
    );
    drained(&app, request("GET", "/ok")).await;
    assert_eq!(metrics.duration_bounds(), [0.5, 60.0]);
    for _ in 0..2 {
        drained(&app, request("GET", "/bad")).await;
    }
    let mut waiting = Box::pin(send(&app, request("GET", "/wait")));
    assert!((&mut waiting).now_or_never().is_none());
    let endpoints = metrics.endpoints();
    let [ok, bad, wait] = &endpoints[..] else {
        panic!("{endpoints:?}")
    };
    let counts = |endpoint: &EndpointCounts| (endpoint.requests, endpoint.server_errors, endpoint.in_flight);
    assert_eq!((ok.method, ok.route, counts(ok)), ("GET", "/ok", (1, 0, 0)));
    assert_eq!((bad.route, counts(bad)), ("/bad", (2, 2, 0)));
    assert_eq!((wait.route, counts(wait)), ("/wait", (0, 0, 1)));
    assert_eq!(bad.buckets, [2, 0, 0]);
    assert!(bad.nanoseconds > 0);
}

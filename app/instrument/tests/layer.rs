//! The layer in an axum router: what is counted, under which labels, and what happens when a request does not end well.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::{convert::Infallible, future::pending, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, Request, StatusCode},
    response::Response,
    routing::{get, post},
};
use futures::{FutureExt as _, StreamExt as _};
use http_instrument::{EndpointCounts, FamilyError, Format, HttpMetrics};
use metric_contract::{DialectId, Family, MetricKind, Unit};
use tower::ServiceExt as _;

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

async fn drained(app: &Router, request: Request<Body>) -> (StatusCode, Bytes) {
    let response = send(app, request).await;
    let status = response.status();
    (
        status,
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap(),
    )
}

/// The value of the one sample whose line starts so.
fn value(metrics: &HttpMetrics, series: &str) -> Option<f64> {
    let page = metrics.render(Format::Text);
    let mut lines = page
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = lines.next().map(|value| value.parse().unwrap());
    assert_eq!(lines.next(), None, "{series} stands twice on the page");
    value
}

fn requests(metrics: &HttpMetrics, method: &str, route: &str, status: u16) -> Option<f64> {
    value(
        metrics,
        &format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"),
    )
}

fn instrumented(metrics: &HttpMetrics, router: Router) -> Router {
    router.layer(metrics.layer())
}

#[tokio::test]
async fn a_request_is_counted_by_its_route_template_and_never_by_its_path() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/users/{id}", get(|| async { "Ada" })));
    for id in 0..3 {
        drained(&app, request("GET", &format!("/users/{id}?q=1"))).await;
    }
    assert_eq!(requests(&metrics, "GET", "/users/{id}", 200), Some(3.0));
    let labels = "method=\"GET\",route=\"/users/{id}\"";
    assert_eq!(
        value(&metrics, &format!("http_request_duration_seconds_count{{{labels}}}")),
        Some(3.0)
    );
    assert_eq!(
        value(&metrics, &format!("http_response_size_bytes_sum{{{labels}}}")),
        Some(9.0)
    );
    assert_eq!(
        value(
            &metrics,
            &format!("http_response_size_bytes_bucket{{{labels},le=\"100.0\"}}")
        ),
        Some(3.0)
    );
    assert_eq!(
        value(&metrics, &format!("http_requests_in_progress{{{labels}}}")),
        Some(0.0)
    );
}

#[tokio::test]
async fn requests_without_a_route_share_one_route_and_unknown_methods_one_method() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/", get(|| async {})));
    for path in ["/a", "/b?x=1", "/wp-admin/../c"] {
        assert_eq!(drained(&app, request("GET", path)).await.0, StatusCode::NOT_FOUND);
    }
    drained(&app, request("BREW", "/")).await;
    drained(&app, request("PROPFIND", "/")).await;
    assert_eq!(requests(&metrics, "_OTHER", "unmatched", 404), Some(3.0));
    assert_eq!(requests(&metrics, "_OTHER", "/", 405), Some(2.0));
}

fn files() -> Router {
    let page =
        tower::service_fn(|_request: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("x"))) });
    Router::new()
        .route("/api/orders", get(|| async { "[]" }))
        .nest_service("/static", page)
}

#[tokio::test]
async fn a_nested_service_is_a_route_and_what_nothing_matches_is_not() {
    for ignores_unmatched in [false, true] {
        let metrics = HttpMetrics::builder(DialectId::Native)
            .ignore_unmatched(ignores_unmatched)
            .build();
        let app = instrumented(&metrics, files());
        for path in ["/static/a.css", "/static/deep/b.svg"] {
            drained(&app, request("GET", path)).await;
            drained(&app, request("HEAD", path)).await;
        }
        drained(&app, request("POST", "/static/form")).await;
        drained(&app, request("GET", "/static")).await;
        drained(&app, request("GET", "/api/orders")).await;
        assert_eq!(drained(&app, request("GET", "/.env")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(requests(&metrics, "GET", "/static", 200), Some(3.0));
        assert_eq!(requests(&metrics, "HEAD", "/static", 200), Some(2.0));
        assert_eq!(requests(&metrics, "POST", "/static", 200), Some(1.0));
        assert_eq!(requests(&metrics, "GET", "/api/orders", 200), Some(1.0));
        let unmatched = (!ignores_unmatched).then_some(1.0);
        assert_eq!(requests(&metrics, "_OTHER", "unmatched", 404), unmatched);
    }
}

#[tokio::test]
async fn a_service_nested_in_nested_routers_has_the_whole_path_under_each() {
    let metrics = HttpMetrics::default();
    let inner = instrumented(&metrics, files());
    let app = Router::new()
        .nest("/a", inner.clone())
        .nest("/b/{tenant}", inner.clone())
        .nest_service("/c", inner);
    for _ in 0..2 {
        for path in [
            "/a/static/x",
            "/b/1/static/x",
            "/b/2/static/y",
            "/c/static/x",
            "/c/none",
        ] {
            drained(&app, request("GET", path)).await;
        }
    }
    assert_eq!(requests(&metrics, "GET", "/a/static", 200), Some(2.0));
    assert_eq!(requests(&metrics, "GET", "/b/{tenant}/static", 200), Some(4.0));
    assert_eq!(requests(&metrics, "GET", "/c/static", 200), Some(2.0));
    assert_eq!(requests(&metrics, "_OTHER", "unmatched", 404), Some(2.0));
}

#[tokio::test]
async fn head_is_counted_as_head_and_sends_no_body() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/", get(|| async { "content" })));
    drained(&app, request("HEAD", "/")).await;
    drained(&app, request("GET", "/")).await;
    assert_eq!(requests(&metrics, "HEAD", "/", 200), Some(1.0));
    assert_eq!(requests(&metrics, "GET", "/", 200), Some(1.0));
    assert_eq!(
        value(&metrics, "http_response_size_bytes_sum{method=\"HEAD\",route=\"/\"}"),
        Some(0.0)
    );
}

#[tokio::test]
async fn one_handler_under_two_paths_is_counted_under_each() {
    let metrics = HttpMetrics::default();
    let shared = get(|| async {}).post(|| async {}).layer(metrics.layer());
    let app = Router::new()
        .route("/a", shared.clone())
        .route("/b", shared.clone())
        .route("/c/{x}", shared);
    for _ in 0..2 {
        for path in ["/a", "/b", "/c/1", "/c/2"] {
            drained(&app, request("GET", path)).await;
            drained(&app, request("POST", path)).await;
            drained(&app, request("HEAD", path)).await;
        }
    }
    for method in ["GET", "POST"] {
        assert_eq!(requests(&metrics, method, "/a", 200), Some(2.0));
        assert_eq!(requests(&metrics, method, "/b", 200), Some(2.0));
        assert_eq!(requests(&metrics, method, "/c/{x}", 200), Some(4.0));
    }
}

#[tokio::test]
async fn a_nested_routers_template_is_whole() {
    let metrics = HttpMetrics::default();
    let inner = Router::new().route("/items/{id}", get(|| async {}));
    let app = instrumented(&metrics, Router::new().nest("/v1", inner));
    drained(&app, request("GET", "/v1/items/7")).await;
    assert_eq!(requests(&metrics, "GET", "/v1/items/{id}", 200), Some(1.0));
}

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
    for id in DialectId::ALL {
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

#[tokio::test]
async fn probes_and_scrapes_are_excluded_by_default() {
    let metrics = HttpMetrics::default();
    let routes = || {
        Router::new()
            .route("/health/live", get(|| async {}))
            .route("/x", get(|| async {}))
    };
    let app = metrics.instrument(routes());
    drained(&app, request("GET", "/health/live")).await;
    drained(&app, request("GET", "/metrics")).await;
    assert!(!metrics.render(Format::Text).contains("/health/live"));
    assert!(!metrics.render(Format::Text).contains("\"/metrics\""));

    let metrics = HttpMetrics::builder(DialectId::Native).excluded_routes(["/x"]).build();
    let app = metrics.instrument(routes());
    drained(&app, request("GET", "/health/live")).await;
    drained(&app, request("GET", "/x")).await;
    assert_eq!(requests(&metrics, "GET", "/health/live", 200), Some(1.0));
    assert!(!metrics.render(Format::Text).contains("route=\"/x\""));
}

#[tokio::test]
async fn the_cap_on_series_holds_and_what_it_refuses_is_counted() {
    let metrics = HttpMetrics::builder(DialectId::Native).max_series(100).build();
    let mut router = Router::new();
    for route in 0..50 {
        router = router.route(&format!("/{route}"), get(|| async {}));
    }
    let app = instrumented(&metrics, router);
    for _ in 0..2 {
        for route in 0..50 {
            drained(&app, request("GET", &format!("/{route}"))).await;
        }
    }
    let page = metrics.render(Format::Text);
    let samples = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("unmatched"))
        .count();
    assert!(samples <= 101, "{samples} samples");
    let refused = value(&metrics, "http_series_refused_total").unwrap();
    assert!(refused >= 90.0, "{refused}");
    let total: f64 = page
        .lines()
        .filter(|line| line.starts_with("http_requests_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert_eq!(total, 100.0, "no request is lost");
}

#[tokio::test]
async fn an_endpoint_with_endless_statuses_is_bounded_too() {
    let metrics = HttpMetrics::default();
    let any =
        |axum::extract::Path(status): axum::extract::Path<u16>| async move { StatusCode::from_u16(status).unwrap() };
    let app = instrumented(&metrics, Router::new().route("/{status}", get(any)));
    for status in 200..250 {
        drained(&app, request("GET", &format!("/{status}"))).await;
    }
    let page = metrics.render(Format::Text);
    let series = page
        .lines()
        .filter(|line| line.starts_with("http_requests_total{") && line.contains("{status}"))
        .count();
    assert_eq!(series, 16);
    assert_eq!(value(&metrics, "http_series_refused_total"), Some(34.0));
}

#[tokio::test]
async fn options_leave_families_out_and_change_buckets() {
    let metrics = HttpMetrics::builder(DialectId::Native)
        .in_flight(false)
        .body_sizes(false)
        .duration_buckets([2.0, 0.5, f64::NAN, 0.5])
        .build();
    let app = instrumented(&metrics, Router::new().route("/", get(|| async {})));
    drained(&app, request("GET", "/")).await;
    let page = metrics.render(Format::Text);
    assert!(!page.contains("in_progress") && !page.contains("size_bytes"), "{page}");
    let buckets: Vec<_> = page
        .lines()
        .filter_map(|line| line.split("le=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(buckets, ["0.5", "2.0", "+Inf"]);
}

#[tokio::test]
async fn expected_series_exist_at_zero_and_stay_the_same_series() {
    let metrics = HttpMetrics::default();
    metrics.expect(&Method::POST, "/orders", &[201]);
    metrics.expect(&Method::GET, "/metrics", &[200]);
    assert_eq!(requests(&metrics, "POST", "/orders", 201), Some(0.0));
    assert_eq!(requests(&metrics, "POST", "/orders", 500), Some(0.0));
    assert_eq!(requests(&metrics, "GET", "/metrics", 200), None);
    let app = instrumented(
        &metrics,
        Router::new().route("/orders", post(|| async { StatusCode::CREATED })),
    );
    drained(&app, request("POST", "/orders")).await;
    assert_eq!(requests(&metrics, "POST", "/orders", 201), Some(1.0));
}

#[tokio::test]
async fn a_users_own_metrics_stand_on_the_same_page_in_both_formats() {
    let metrics = HttpMetrics::default();
    let orders = prometheus::IntCounter::new("orders", "Orders \"placed\".").unwrap();
    let sizes = prometheus::Histogram::with_opts(
        prometheus::HistogramOpts::new("order_size", "Items.").buckets(vec![1.0, 5.0]),
    )
    .unwrap();
    let twice = prometheus::IntCounter::new("http_requests_total", "Taken.").unwrap();
    metrics.registry().register(Box::new(orders.clone())).unwrap();
    metrics.registry().register(Box::new(sizes.clone())).unwrap();
    assert!(
        metrics.registry().register(Box::new(twice)).is_err(),
        "the layer has this name"
    );
    orders.inc_by(3);
    sizes.observe(2.0);

    let text = metrics.render(Format::Text);
    assert!(text.contains("# TYPE orders counter\norders 3\n"), "{text}");
    assert!(
        text.contains("order_size_bucket{le=\"5.0\"} 1\norder_size_bucket{le=\"+Inf\"} 1\norder_size_sum 2\n"),
        "{text}"
    );
    assert_eq!(text.matches("# TYPE http_requests_total ").count(), 1);

    let open = metrics.render(Format::OpenMetrics);
    assert!(
        open.contains("# HELP orders Orders \\\"placed\\\".\n# TYPE orders counter\norders_total 3\n"),
        "{open}"
    );
    assert!(open.contains("# TYPE http_requests counter\n"), "{open}");
    assert!(open.ends_with("# EOF\n"));
}

#[test]
fn a_users_metric_may_have_a_name_of_the_dialect_that_is_not_in_use() {
    let metrics = HttpMetrics::default();
    let orders = prometheus::IntCounter::new("orders_total", "Orders placed.").unwrap();
    let labels = prometheus::Opts::new("cache_operations_total", "Of a cache of one's own.");
    let caches = prometheus::IntCounterVec::new(labels, &["cache"]).unwrap();
    metrics.registry().register(Box::new(orders.clone())).unwrap();
    metrics.registry().register(Box::new(caches.clone())).unwrap();
    orders.inc_by(2);
    caches.with_label_values(&["pages"]).inc();
    assert_eq!(value(&metrics, "orders_total"), Some(2.0));
    assert_eq!(value(&metrics, "cache_operations_total{cache=\"pages\"}"), Some(1.0));
    assert!(metrics.render(Format::OpenMetrics).contains("\norders_total 2\n"));
}

#[test]
fn a_name_that_is_taken_is_refused_whoever_comes_second() {
    static OWN: Family = Family {
        name: "parcels_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Parcels sent.",
        signal: None,
    };
    for name in [
        "http_requests_total",
        "http_requests",
        "http_request_duration_seconds",
        "http_request_duration_seconds_count",
        "http_requests_in_progress",
        "http_series_refused_total",
    ] {
        let metrics = HttpMetrics::default();
        let labels = prometheus::Opts::new(name, "Taken.").const_label("a", "b");
        for taken in [
            prometheus::IntCounter::new(name, "Taken.").unwrap(),
            prometheus::IntCounter::with_opts(labels).unwrap(),
        ] {
            assert!(metrics.registry().register(Box::new(taken)).is_err(), "{name}");
        }
    }
    let parcels = || Box::new(prometheus::IntCounter::new("parcels_total", "Parcels.").unwrap());
    let metrics = HttpMetrics::default();
    metrics.counter(&OWN, &[]).unwrap();
    metrics.counter(&OWN, &[]).unwrap();
    assert!(metrics.registry().register(parcels()).is_err(), "a handle has it");

    let metrics = HttpMetrics::default();
    metrics.registry().register(parcels()).unwrap();
    let error = metrics.counter(&OWN, &[]).unwrap_err();
    assert!(error.to_string().contains("parcels_total: another metric"), "{error}");
}

#[test]
fn a_family_of_ones_own_with_a_name_of_the_layer_is_refused() {
    static TAKEN: Family = Family {
        name: "http_requests_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Taken.",
        signal: None,
    };
    let error = HttpMetrics::default().counter(&TAKEN, &[]).unwrap_err();
    assert_eq!(error, FamilyError::NameTaken { what: (&TAKEN).into() });
}

#[tokio::test]
async fn the_page_has_the_content_type_of_the_format_that_was_asked_for() {
    let app = HttpMetrics::default().instrument(Router::new());
    let content_type = |response: &Response| response.headers()["content-type"].to_str().unwrap().to_owned();
    let plain = send(&app, request("GET", "/metrics")).await;
    assert_eq!(content_type(&plain), "text/plain; version=0.0.4; charset=utf-8");
    let mut asking = request("GET", "/metrics");
    asking
        .headers_mut()
        .insert("accept", "application/openmetrics-text;version=1.0.0".parse().unwrap());
    let open = send(&app, asking).await;
    assert_eq!(
        content_type(&open),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
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

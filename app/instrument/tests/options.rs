//! The layer's options, each as a user meets it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

#[path = "../examples/custom_metrics.rs"]
#[allow(dead_code, reason = "its main is the example's")]
mod custom_metrics;

#[path = "../examples/business.rs"]
#[allow(dead_code, reason = "its main is the example's")]
mod business;

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, Request, StatusCode},
    response::Response,
    routing::{get, post},
};
use http_instrument::{Builder, ErrorName, Format, HttpMetrics, TraceId};
use metric_contract::{DialectId, MetricId};
use tower::ServiceExt as _;

fn native() -> Builder {
    HttpMetrics::builder(DialectId::Native)
}

fn routes() -> Router {
    Router::new()
        .route(
            "/users/{id}",
            get(|| async { "Ada" }).post(|body: String| async move { body }),
        )
        .route("/health/live", get(|| async {}))
        .route("/internal/a", get(|| async {}))
        .route("/internal/b/{x}", get(|| async {}))
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Response::from_parts(head, Body::from(body))
}

async fn gets(metrics: &HttpMetrics, app: Router, paths: &[&str]) -> String {
    let app = metrics.instrument(app).with_state(());
    for path in paths {
        send(&app, Request::get(*path).body(Body::empty()).unwrap()).await;
    }
    metrics.render(Format::Text)
}

fn values<'p>(page: &'p str, label: &str) -> BTreeSet<&'p str> {
    let before = format!("{label}=\"");
    page.lines()
        .filter_map(|line| line.split(&before).nth(1)?.split('"').next())
        .collect()
}

#[tokio::test]
async fn status_codes_can_be_grouped() {
    let metrics = native().group_status_codes(true).build();
    let page = gets(&metrics, routes(), &["/users/1", "/users/2", "/nowhere"]).await;
    assert_eq!(values(&page, ",status"), ["2xx", "4xx"].into());
    assert!(
        page.contains("http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"2xx\"} 2\n"),
        "{page}"
    );
}

#[tokio::test]
async fn requests_without_a_route_can_be_ignored() {
    let metrics = native().ignore_unmatched(true).build();
    let page = gets(&metrics, routes(), &["/users/1", "/nowhere"]).await;
    assert_eq!(values(&page, "route"), ["/users/{id}"].into());
}

#[tokio::test]
async fn routes_are_excluded_by_pattern_and_probes_by_their_own_switch() {
    let paths = ["/users/1", "/internal/a", "/internal/b/7", "/health/live"];
    let metrics = native().excluded_routes(["/internal/*"]).build();
    let page = gets(&metrics, routes(), &paths).await;
    assert_eq!(values(&page, "route"), ["/users/{id}", "/health/live"].into());
    let metrics = native().excluded_routes(["/internal/*"]).ignore_probes(true).build();
    let page = gets(&metrics, routes(), &paths).await;
    assert_eq!(values(&page, "route"), ["/users/{id}"].into());
}

#[tokio::test]
async fn a_variable_is_a_switch_that_is_off_unless_it_says_true() {
    // Cargo sets it for tests; no variable can be set without `unsafe`.
    let metrics = native().env_var("CARGO_MANIFEST_DIR").build();
    assert!(!metrics.is_on(), "any other value is off");
    let metrics = native().env_var("HTTP_INSTRUMENT_TEST_UNSET").build();
    assert!(!metrics.is_on());
    let app = metrics.instrument(routes());
    assert_eq!(
        send(&app, Request::get("/metrics").body(Body::empty()).unwrap())
            .await
            .status(),
        404
    );
    let app = routes().layer(metrics.layer());
    assert_eq!(
        send(&app, Request::get("/users/1").body(Body::empty()).unwrap())
            .await
            .status(),
        200
    );
    assert!(!metrics.render(Format::Text).contains("route="));
    assert!(native().build().is_on(), "on without a switch");
}

#[tokio::test]
async fn requests_in_flight_have_the_name_and_the_labels_that_were_asked_for() {
    let metrics = native()
        .in_flight_name("my app:inprogress")
        .in_flight_labels(false)
        .build();
    let page = gets(&metrics, routes(), &["/users/1"]).await;
    assert!(
        page.contains("# TYPE my_app:inprogress gauge\nmy_app:inprogress 0\n"),
        "{page}"
    );
    assert!(!page.contains("http_requests_in_progress"), "{page}");
    let metrics = HttpMetrics::builder(DialectId::S0).in_flight_labels(true).build();
    let page = gets(&metrics, routes(), &["/users/1"]).await;
    assert!(
        page.contains("http_requests_active{method=\"GET\",endpoint=\"/users/{id}\"} 0\n"),
        "{page}"
    );
}

#[tokio::test]
async fn the_page_can_have_a_path_of_its_own() {
    let app = native().metrics_path("/internal/metrics").build().instrument(routes());
    assert_eq!(
        send(&app, Request::get("/metrics").body(Body::empty()).unwrap())
            .await
            .status(),
        404
    );
    for _ in 0..2 {
        let page = send(&app, Request::get("/internal/metrics").body(Body::empty()).unwrap()).await;
        assert_eq!(page.status(), 200);
        let page = axum::body::to_bytes(page.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8(page.to_vec()).unwrap().contains("route=\"/internal"));
    }
}

#[tokio::test]
async fn durations_can_be_rounded() {
    let metrics = native().round_durations(1).build();
    let slow = || tokio::time::sleep(Duration::from_millis(60));
    let app = Router::new().route("/slow", get(slow)).route("/fast", get(|| async {}));
    let page = gets(&metrics, app, &["/slow", "/fast"]).await;
    let sum = |route: &str| {
        let before = format!("http_request_duration_seconds_sum{{method=\"GET\",route=\"{route}\"}} ");
        page.lines()
            .find_map(|line| line.strip_prefix(&before))
            .unwrap()
            .to_owned()
    };
    assert!(
        sum("/slow").ends_with("00000000") && sum("/slow") != "0.000000000",
        "{}",
        sum("/slow")
    );
    assert_eq!(sum("/fast"), "0.000000000");
}

#[tokio::test]
async fn messages_without_a_body_can_be_left_out_of_sizes() {
    for (empty_bodies, gets_counted) in [(true, 2), (false, 0)] {
        let metrics = native().empty_bodies(empty_bodies).build();
        let app = metrics.instrument(routes()).with_state(());
        for _ in 0..2 {
            send(&app, Request::get("/users/1").body(Body::empty()).unwrap()).await;
            send(&app, Request::post("/users/1").body(Body::from("abc")).unwrap()).await;
        }
        let page = metrics.render(Format::Text);
        for (method, count) in [("GET", gets_counted), ("POST", 2)] {
            let line =
                format!("http_request_size_bytes_count{{method=\"{method}\",route=\"/users/{{id}}\"}} {count}\n");
            assert!(page.contains(&line), "{line}{page}");
        }
    }
}

#[tokio::test]
async fn a_request_over_the_threshold_is_slow() {
    let metrics = native().slow_requests(Duration::from_millis(20)).build();
    let app = Router::new()
        .route("/slow", get(|| tokio::time::sleep(Duration::from_millis(30))))
        .route("/fast", get(|| async {}));
    let page = gets(&metrics, app, &["/slow", "/slow", "/fast"]).await;
    assert!(
        page.contains("http_slow_requests_total{method=\"GET\",route=\"/slow\"} 2\n"),
        "{page}"
    );
}

#[tokio::test]
async fn functions_on_request_and_answer_make_metrics_of_their_own() {
    let lines = custom_metrics::lines().await.unwrap();
    assert_eq!(lines, "fast_requests_total 3\ngood_requests_total 3");
}

#[tokio::test]
async fn a_function_reads_both_heads() {
    let seen = prometheus::IntCounterVec::new(
        prometheus::Opts::new("languages_total", "Requests by language asked for and given."),
        &["asked", "given", "route", "method", "bytes"],
    )
    .unwrap();
    let counted = seen.clone();
    let metrics = native()
        .function(move |exchange| {
            let text = |value: Option<&axum::http::HeaderValue>| {
                value.map_or("none", |value| value.to_str().unwrap()).to_owned()
            };
            let asked = text(exchange.request_headers.get("accept-language"));
            let given = text(exchange.response_headers.get("content-language"));
            let bytes = exchange.response_bytes.to_string();
            counted
                .with_label_values(&[&asked, &given, exchange.route, exchange.method.as_str(), &bytes])
                .inc();
        })
        .build();
    let app = Router::new().route("/{page}", get(|| async { ([("content-language", "de")], "Hallo") }));
    let app = metrics.instrument(app).with_state(());
    let request = Request::get("/x")
        .header("accept-language", "de")
        .body(Body::empty())
        .unwrap();
    send(&app, request).await;
    assert_eq!(seen.with_label_values(&["de", "de", "/{page}", "GET", "5"]).get(), 1);
}

#[tokio::test]
async fn a_trace_is_named_beside_the_bucket_of_its_request_and_only_if_asked() {
    for on in [true, false] {
        let metrics = native().exemplars(on).build();
        let app = metrics.instrument(routes()).with_state(());
        let mut request = Request::get("/users/1").body(Body::empty()).unwrap();
        request.extensions_mut().insert(TraceId::new([0xab; 16]));
        send(&app, request).await;
        send(&app, Request::get("/users/2").body(Body::empty()).unwrap()).await;
        let page = metrics.render(Format::OpenMetrics);
        let with: Vec<&str> = page.lines().filter(|line| line.contains(&"ab".repeat(16))).collect();
        assert_eq!(with.len(), usize::from(on), "{with:?}");
        assert!(
            with.iter()
                .all(|line| line.starts_with("http_request_duration_seconds_bucket{method=\"GET\""))
        );
        assert!(!metrics.render(Format::Text).contains("trace_id"));
    }
}

#[tokio::test]
async fn an_answer_that_names_its_error_is_an_exception_if_it_is_the_servers() {
    const BROKEN: ErrorName = ErrorName {
        slug: "broken",
        exception: "BrokenError",
    };
    for (dialect, label, name) in [
        (DialectId::Native, "route", "broken"),
        (DialectId::S2Advanced, "endpoint", "BrokenError"),
    ] {
        let metrics = HttpMetrics::new(dialect);
        let named = |status: StatusCode| async move { (status, axum::Extension(BROKEN)) };
        let app = Router::new()
            .route("/500", get(move || named(StatusCode::INTERNAL_SERVER_ERROR)))
            .route("/400", get(move || named(StatusCode::BAD_REQUEST)));
        let page = gets(&metrics, app, &["/500", "/400", "/500"]).await;
        let line = format!("http_exceptions_total{{exception_type=\"{name}\",{label}=\"/500\"}} 2\n");
        assert!(page.contains(&line), "{page}");
        assert!(
            !page.contains(&format!("{label}=\"/400\",exception"))
                && !page.contains("exception_type=\"broken\",route=\"/400\"")
        );
    }
}

#[tokio::test]
async fn a_declared_route_has_no_other_methods() {
    let metrics = native().build();
    metrics.expect(&axum::http::Method::GET, "/users/{id}", &[200]);
    let app = metrics.instrument(routes()).with_state(());
    for method in ["GET", "HEAD", "POST", "DELETE", "BREW", "OPTIONS"] {
        send(
            &app,
            Request::builder()
                .method(method)
                .uri("/users/1")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    }
    let page = metrics.render(Format::Text);
    assert_eq!(values(&page, "{method"), ["GET", "_OTHER"].into());
    assert!(
        page.contains("http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\"} 2\n"),
        "{page}"
    );
    assert!(
        page.contains("http_requests_total{method=\"_OTHER\",route=\"unmatched\",status=\"405\"} 3\n"),
        "{page}"
    );
}

#[tokio::test]
async fn known_versions_of_an_api_are_recorded_apart() {
    let metrics = HttpMetrics::builder(DialectId::S2Advanced)
        .api_versions(HeaderName::from_static("accept-version"), ["2024", "2025"])
        .build();
    let app = metrics.instrument(routes()).with_state(());
    for version in ["2025", "2025", "1999", "1998"] {
        let request = Request::get("/users/1").header("accept-version", version);
        send(&app, request.body(Body::empty()).unwrap()).await;
    }
    send(&app, Request::get("/users/1").body(Body::empty()).unwrap()).await;
    let page = metrics.render(Format::Text);
    for (version, count) in [("2024", 1), ("2025", 2), ("other", 2)] {
        assert!(page.contains(&format!("version=\"{version}\"}} {count}\n")), "{page}");
    }
}

#[tokio::test]
async fn histograms_of_several_endpoints_add_up_where_a_dialect_leaves_a_label_out() {
    let metrics = HttpMetrics::new(DialectId::S1);
    let app = metrics.instrument(routes()).with_state(());
    for _ in 0..2 {
        send(&app, Request::get("/users/1").body(Body::empty()).unwrap()).await;
        send(&app, Request::post("/users/1").body(Body::empty()).unwrap()).await;
    }
    let page = metrics.render(Format::Text);
    assert!(
        page.contains("http_request_duration_seconds_count{endpoint=\"/users/{id}\"} 4\n"),
        "{page}"
    );
    assert_eq!(page.matches("http_request_duration_seconds_count").count(), 1);
}

#[tokio::test]
async fn coarse_and_fine_buckets_hold_the_same_requests() {
    let metrics = HttpMetrics::new(DialectId::S2Instrumentator);
    let slow = || tokio::time::sleep(Duration::from_millis(110));
    let app = Router::new()
        .route("/slow", get(slow))
        .route("/fast", post(|| async {}).get(|| async {}));
    let page = gets(&metrics, app, &["/slow", "/fast", "/fast"]).await;
    let bounds = |family: &str| {
        page.lines()
            .filter(|line| line.starts_with(&format!("{family}_bucket")))
            .count()
    };
    assert_eq!(bounds("http_request_duration_highr_seconds"), 22);
    assert_eq!(bounds("http_request_duration_seconds"), 2 * 4);
    for line in [
        "http_request_duration_highr_seconds_bucket{le=\"0.1\"} 2",
        "http_request_duration_highr_seconds_count 3",
        "http_request_duration_seconds_bucket{method=\"GET\",handler=\"/slow\",le=\"0.1\"} 0",
        "http_request_duration_seconds_bucket{method=\"GET\",handler=\"/slow\",le=\"0.5\"} 1",
        "http_response_size_bytes_count{handler=\"/fast\"} 2",
        "fastapi_inprogress{method=\"GET\",handler=\"/fast\"} 0",
    ] {
        assert!(page.contains(&format!("{line}\n")), "{line}\n{page}");
    }
}

#[tokio::test]
async fn open_telemetry_tells_status_version_and_error() {
    let metrics = HttpMetrics::new(DialectId::OtelHttp);
    let app = Router::new()
        .route("/a", get(|| async {}))
        .route("/b", get(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    let page = gets(&metrics, app, &["/a", "/b", "/nowhere"]).await;
    let count = "http_server_request_duration_seconds_count{http_request_method=";
    for line in [
        "\"GET\",http_route=\"/a\",http_response_status_code=\"200\",url_scheme=\"http\",network_protocol_version=\"1.1\"} 1",
        "\"GET\",http_route=\"/b\",http_response_status_code=\"503\",url_scheme=\"http\",network_protocol_version=\"1.1\",error_type=\"503\"} 1",
        "\"_OTHER\",http_response_status_code=\"404\",url_scheme=\"http\",network_protocol_version=\"1.1\"} 1",
    ] {
        assert!(page.contains(&format!("{count}{line}\n")), "{line}\n{page}");
    }
}

#[tokio::test]
async fn micrometer_tells_the_longest_of_late() {
    let metrics = HttpMetrics::new(DialectId::Micrometer);
    let app = Router::new().route("/slow", get(|| tokio::time::sleep(Duration::from_millis(30))));
    let page = gets(&metrics, app, &["/slow", "/slow"]).await;
    let labels = "{error=\"none\",exception=\"none\",method=\"GET\",outcome=\"SUCCESS\",status=\"200\",uri=\"/slow\"} ";
    let value = |family: &str| -> f64 {
        let before = format!("{family}{labels}");
        page.lines()
            .find_map(|line| line.strip_prefix(&before))
            .unwrap()
            .parse()
            .unwrap()
    };
    let (max, sum) = (
        value("http_server_requests_seconds_max"),
        value("http_server_requests_seconds_sum"),
    );
    assert!(max >= 0.03 && sum >= max && sum <= 2.0 * max, "{max} {sum}");
    assert_eq!(value("http_server_requests_seconds_count"), 2.0);
}

#[test]
fn a_shops_metrics_are_spelled_by_the_dialect() {
    let wanted = [
        "auth_events_total{event=\"login\",result=\"granted\"} 1",
        "auth_events_total{event=\"login\",result=\"denied\"} 2",
        "external_requests_total{service=\"payment\",status=\"200\"} 2",
        "external_requests_total{service=\"payment\",status=\"timeout\"} 1",
        "external_request_duration_seconds_bucket{service=\"payment\",le=\"0.1\"} 1",
        "external_request_duration_seconds_bucket{service=\"payment\",le=\"1.0\"} 2",
        "external_request_duration_seconds_bucket{service=\"payment\",le=\"+Inf\"} 2",
        "external_request_duration_seconds_sum{service=\"payment\"} 0.320000000",
        "external_request_duration_seconds_count{service=\"payment\"} 2",
        "orders_total{status=\"placed\"} 2",
        "orders_total{status=\"shipped\"} 1",
        "revenue_minor_units_total{currency=\"EUR\"} 2449",
    ];
    assert_eq!(business::lines().unwrap().lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn a_metric_that_the_dialect_does_not_spell_is_counted_and_not_exported() {
    let metrics = HttpMetrics::new(DialectId::S1);
    let counter = metrics.counter(MetricId::CacheOperations, &["get", "hit"]).unwrap();
    counter.add(3);
    assert_eq!(
        metrics
            .counter(MetricId::CacheOperations, &["get", "hit"])
            .unwrap()
            .value(),
        3,
        "the same handle"
    );
    assert_eq!(
        metrics
            .counter(MetricId::CacheOperations, &["get", "miss"])
            .unwrap()
            .value(),
        0
    );
    assert!(!metrics.render(Format::Text).contains("cache"));
    let wrong = metrics.counter(MetricId::CacheOperations, &["get"]).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "CacheOperations: 1 is not a valid number of label values: use 2"
    );
    assert!(metrics.counter(MetricId::Requests, &[]).is_err(), "the layer's");
}

#[test]
fn a_sum_holds_only_the_series_with_the_value() {
    for dialect in [DialectId::Native, DialectId::S1] {
        let metrics = HttpMetrics::new(dialect);
        for (result, count) in [("hit", 3), ("miss", 4)] {
            let counter = metrics.counter(MetricId::CacheOperations, &["get", result]).unwrap();
            counter.add(count);
        }
        assert_eq!(
            metrics.sum(MetricId::CacheOperations, Some("hit")),
            Some(3.0),
            "{dialect}"
        );
        assert_eq!(metrics.sum(MetricId::CacheOperations, None), Some(7.0), "{dialect}");
        assert_eq!(
            metrics.sum(MetricId::CacheOperations, Some("hi")),
            None,
            "{dialect}: a part of a value"
        );
    }
}

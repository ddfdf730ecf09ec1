//! The service's report on itself: every analysis endpoint, in process.

mod common;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};

use crate::common::{App, flags};

const ROUTES: &[&str] = &[
    "/metrics/summary",
    "/metrics/custom",
    "/metrics/prometheus-queries",
    "/metrics/health-score",
    "/metrics/alerts",
    "/metrics/trends",
    "/metrics/export",
    "/config/alerting",
    "/health/detailed",
];

/// A service that has taken a sample, then answered eight requests well and two with an error.
async fn used() -> App {
    let app = App::in_memory().await;
    app.state.self_report().collect();
    for _ in 0..8 {
        assert_eq!(app.get("/").await.status, StatusCode::OK);
    }
    for _ in 0..2 {
        assert_eq!(app.get("/api/error").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    app
}

#[tokio::test]
async fn the_summary_counts_what_was_asked_since_the_window_began() {
    let app = used().await;
    let text = app.get("/metrics/summary").await;
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    for word in ["requests", "10 in all", "20.00 %", "p95", "GET /api/error", "in flight"] {
        assert!(text.text.contains(word), "{word}:\n{}", text.text);
    }
    let request = Request::get("/metrics/summary?window=60").header("accept", "application/json");
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    let summary = answer.json();
    assert_eq!(summary["total"]["requests"], 10);
    assert_eq!(summary["total"]["error_ratio"], 0.2);
    assert!(summary["total"]["rate_per_second"].as_f64().unwrap() > 0.0);
    assert!(summary["total"]["p95_seconds"].as_f64().unwrap() > 0.0);
    let busiest = &summary["endpoints"][0];
    assert_eq!((&busiest["method"], &busiest["route"]), (&"GET".into(), &"/".into()));
    assert_eq!(
        (&busiest["requests"], &busiest["error_ratio"]),
        (&8.into(), &0.0.into())
    );
    assert_eq!(summary["endpoints"][1]["error_ratio"], 1.0);
    assert_eq!(
        summary["endpoints"].as_array().unwrap().len(),
        2,
        "routes that nobody asked are left out"
    );
}

#[tokio::test]
async fn requests_for_these_pages_are_not_counted() {
    let app = used().await;
    for route in ROUTES {
        app.get(route).await;
    }
    let page = app.get("/metrics").await.text;
    for route in ROUTES {
        assert!(!page.contains(&format!("route=\"{route}\"")), "{route} is counted");
    }
    assert_eq!(app.json("/metrics/custom").await["total_requests"], 10);
}

#[tokio::test]
async fn analysis_answers_when_the_service_takes_no_more_requests() {
    let flags = app::config::Flags {
        max_concurrent_requests: Some("1".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new().route("/wait", get(std::future::pending::<()>))).await;
    let router = app.router.clone();
    let held = tokio::spawn(tower::ServiceExt::oneshot(
        router,
        Request::get("/wait").body(Body::empty()).unwrap(),
    ));
    common::eventually("the request is in flight", async || {
        app.state.metrics().http().in_flight() == 1
    })
    .await;
    assert_eq!(app.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    for route in ROUTES {
        assert_eq!(app.get(route).await.status, StatusCode::OK, "{route}");
    }
    held.abort();
}

#[tokio::test]
async fn without_metrics_there_is_no_analysis_but_health() {
    let flags = app::config::Flags {
        enable_metrics: Some("false".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    assert_eq!(app.get("/metrics/summary").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/config/alerting").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.json("/health/detailed").await["status"], "healthy");
}

#[tokio::test]
async fn the_custom_page_counts_requests_users_and_database_operations() {
    let app = used().await;
    app.call("POST", "/api/v1/data", Some(r#"{"name":"a","category":"b","value":1}"#))
        .await;
    app.state.metrics().active_users().set(7);
    let custom = app.json("/metrics/custom").await;
    assert_eq!(custom["total_requests"], 11);
    assert_eq!(custom["active_users"], 7.0);
    assert_eq!(custom["database_operations"], 1.0);
    assert!(custom.get("active_connections").is_some() && custom.get("cache_hit_rate").is_some());
}

#[tokio::test]
async fn errors_cost_score_and_make_an_alert_pending() {
    let app = used().await;
    let score = app.json("/metrics/health-score").await;
    let factors = score["factors"].as_array().unwrap();
    let errors = factors.iter().find(|factor| factor["name"] == "error_ratio").unwrap();
    assert_eq!(
        (&errors["value"], &errors["threshold"], &errors["penalty"]),
        (&0.2.into(), &0.05.into(), &35.0.into())
    );
    let penalties: f64 = factors.iter().map(|factor| factor["penalty"].as_f64().unwrap()).sum();
    assert!((score["score"].as_f64().unwrap() + penalties - 100.0).abs() < 1e-9);
    let alerts = app.json("/metrics/alerts").await;
    let row = |name: &str| {
        let rows = alerts["alerts"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap().clone()
    };
    let errors = row("ApiCriticalErrorRatio");
    assert_eq!(errors["state"], "pending");
    assert_eq!(errors["for_seconds"], 120.0);
    let since: jiff::Timestamp = errors["since"].as_str().unwrap().parse().unwrap();
    assert!(since <= jiff::Timestamp::now());
    assert_eq!(row("ApiTooManyInFlight")["state"], "inactive");
    assert!(row("ApiTooManyInFlight")["since"].is_null());
    assert_eq!((&alerts["pending"], &alerts["firing"]), (&1.into(), &0.into()));
    assert_eq!(app.json("/health/detailed").await["status"], "degraded");
}

#[tokio::test]
async fn trends_name_every_signal_and_say_when_there_is_too_little_to_tell() {
    let app = used().await;
    let trends = app.json("/metrics/trends").await;
    let rows = trends["trends"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row["direction"] == "unknown"), "{rows:?}");
    assert!(
        trends["recommendations"][0]
            .as_str()
            .unwrap()
            .starts_with("Too many requests fail")
    );
}

#[tokio::test]
async fn export_holds_every_family_of_the_page_in_each_format() {
    let app = used().await;
    let page = app.get("/metrics").await.text;
    let on_page: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let exported = app.json("/metrics/export").await;
    let families: Vec<_> = exported["families"]
        .as_array()
        .unwrap()
        .iter()
        .map(|family| family["name"].as_str().unwrap())
        .collect();
    assert_eq!(families, on_page);
    let samples = page.lines().filter(|line| !line.starts_with('#')).count();
    let csv = app.get("/metrics/export?format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert_eq!(csv.text.trim_end().split("\r\n").count(), samples + 1);
    let open = app.get("/metrics/export?format=openmetrics").await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text"));
    assert!(open.text.ends_with("# EOF\n"));
    let unknown = app.get("/metrics/export?format=xml").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unknown.text.contains("format"));
}

#[tokio::test]
async fn every_query_parses_and_is_pinned_to_the_target_that_was_asked_for() {
    let app = used().await;
    let answer = app
        .json("/metrics/prometheus-queries?namespace=shop&job=orders&window=60")
        .await;
    let queries = answer["queries"].as_array().unwrap();
    let titles: Vec<_> = queries.iter().map(|query| query["title"].as_str().unwrap()).collect();
    for title in [
        "Request rate",
        "Request throughput per minute",
        "Requests by endpoint",
        "Status code distribution",
        "Error ratio",
        "Errors by type",
        "Latency P50",
        "Latency P95",
        "Latency P99",
        "Average latency",
        "Average latency by endpoint",
        "Slow request rate",
        "Active requests",
        "Active requests against the load threshold",
        "CPU rate",
        "CPU usage",
        "Memory usage in MB",
        "Active users",
        "Uptime",
    ] {
        assert!(titles.contains(&title), "{title}");
    }
    assert_eq!(answer["left_out"], serde_json::json!(["Garbage collection rate"]));
    for query in queries {
        let promql = query["promql"].as_str().unwrap();
        promql_parser::parser::parse(promql).unwrap_or_else(|error| panic!("{promql}: {error}"));
        assert!(
            promql.contains(r#"namespace="shop""#) && promql.contains(r#"job="orders""#),
            "{promql}"
        );
        assert!(!promql.contains('$'), "{promql}");
    }
    for bad in ["job=%22%7D", "namespace=A", "window=0", "target=pod"] {
        let refused = app.get(&format!("/metrics/prometheus-queries?{bad}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
}

#[tokio::test]
async fn the_load_is_compared_with_its_threshold_as_the_alert_compares_it() {
    let flags = app::config::Flags {
        in_flight_alert: Some("33".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let queries = app.json("/metrics/prometheus-queries").await;
    let query = queries["queries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|query| query["title"] == "Active requests against the load threshold")
        .unwrap();
    let alerting = app.json("/config/alerting").await;
    let groups = alerting["prometheus"]["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    let rule = rules
        .into_iter()
        .find(|rule| rule["alert"] == "ApiTooManyInFlight")
        .unwrap();
    let left_side = rule["expr"].as_str().unwrap().strip_suffix(" > 33").unwrap();
    assert_eq!(query["promql"], format!("{left_side} / 33"));
}

#[tokio::test]
async fn many_requests_for_analysis_wait_for_each_other_and_too_many_are_refused() {
    let app = App::in_memory().await;
    let all = (0..30).map(|_| app.get("/metrics/summary"));
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer.status, StatusCode::OK);
    }
    let places = app.state.analysis_permits();
    let all_places = u32::try_from(app::state::ANALYSES).unwrap();
    let held = places.acquire_many_owned(all_places).await.unwrap();
    for route in ["/metrics/export", "/config/alerting", "/health/detailed"] {
        let refused = app.get(route).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{route}");
        assert_eq!(refused.json()["type"], "urn:problem:overloaded", "{route}");
    }
    for route in ["/metrics", "/health/ready", "/health/live", "/products"] {
        assert_eq!(app.get(route).await.status, StatusCode::OK, "{route}");
    }
    drop(held);
    assert_eq!(app.get("/metrics/export").await.status, StatusCode::OK);
}

#[tokio::test]
async fn detailed_health_tells_each_component_and_is_503_only_if_one_is_down() {
    let app = used().await;
    let health = app.json("/health/detailed").await;
    for component in ["store", "collector", "background_tasks", "serving", "thresholds"] {
        assert!(health["components"][component]["status"].is_string(), "{component}");
    }
    assert!(health["components"]["store"]["answered_in_seconds"].as_f64().unwrap() < 1.0);
    assert_eq!(health["thresholds"].as_array().unwrap().len(), 5);
    let starting = App::starting(flags("sqlite::memory:"), Router::new());
    let health = starting.get("/health/detailed").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        health.json()["components"]["store"]["reason"],
        "migrations have not ended"
    );
    app.state.store().close().await;
    let health = app.get("/health/detailed").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(health.json()["components"]["store"]["status"], "unhealthy");
}

#[tokio::test]
async fn queries_of_the_processor_have_the_same_unit_in_every_dialect() {
    for (dialect, cores, percent) in [
        ("native", "rate(process_cpu_seconds_total", "app_cpu_usage_percent"),
        ("micrometer", "rate(process_cpu_time_ns_total", "process_cpu_usage"),
    ] {
        let flags = app::config::Flags {
            metrics_dialect: Some(dialect.to_owned()),
            ..flags("sqlite::memory:")
        };
        let app = App::with(flags, Router::new()).await;
        let answer = app.json("/metrics/prometheus-queries").await;
        let promql = |title: &str| {
            let mut queries = answer["queries"].as_array().unwrap().iter();
            let query = queries.find(|query| query["title"] == title).unwrap();
            query["promql"].as_str().unwrap().to_owned()
        };
        let converts = dialect == "micrometer";
        let rate = promql("CPU rate");
        assert!(rate.contains(cores), "{rate}");
        assert_eq!(rate.ends_with("/ 1000000000"), converts, "{rate}");
        let usage = promql("CPU usage");
        assert!(usage.contains(percent), "{usage}");
        assert_eq!(usage.ends_with("* 100"), converts, "{usage}");
    }
}

#[tokio::test]
async fn the_summary_and_the_queries_work_in_every_dialect() {
    for dialect in metric_contract::DialectId::WRITTEN {
        let flags = app::config::Flags {
            metrics_dialect: Some(dialect.as_str().to_owned()),
            ..flags("sqlite::memory:")
        };
        let app = App::with(flags, Router::new()).await;
        app.state.self_report().collect();
        app.get("/api/error").await;
        let request = Request::get("/metrics/summary").header("accept", "application/json");
        let summary = app.send(request.body(Body::empty()).unwrap()).await.json();
        assert_eq!(summary["total"]["error_ratio"], 1.0, "{dialect}");
        assert!(summary["total"]["p50_seconds"].is_number(), "{dialect}");
        let answer = app.json("/metrics/prometheus-queries?target=service-monitor").await;
        assert_eq!(answer["dialect"], dialect.as_str());
        let queries = answer["queries"].as_array().unwrap();
        assert!(queries.len() > 5, "{dialect}: {queries:?}");
        for query in queries {
            let promql = query["promql"].as_str().unwrap();
            promql_parser::parser::parse(promql).unwrap_or_else(|error| panic!("{dialect}: {promql}: {error}"));
        }
    }
}

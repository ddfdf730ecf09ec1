//! Figures of process, host, container and runtime on the page, and where the percent of CPU comes from.

mod common;

use app::{config::Flags, telemetry::system::Collector};
use axum::{Router, body::Body, http::Request};

use crate::common::{App, flags, process::Program};

#[tokio::test]
async fn a_reading_puts_process_host_and_runtime_on_the_page() {
    let app = App::in_memory().await;
    let mut collector = Collector::new(app.state.metrics(), None).unwrap();
    collector.collect();
    assert_eq!(
        app.state.metrics().system().get().cpu_percent,
        None,
        "one reading has nothing to compare with"
    );
    collector.collect();
    let figures = app.state.metrics().system().get();
    assert!((0.0..=100.0).contains(&figures.cpu_percent.unwrap()));
    assert!(figures.cores > 0.0);
    for series in [
        "process_resident_memory_bytes",
        "process_threads",
        "process_open_fds",
        "app_memory_usage_percent",
        "memory_alert_threshold_bytes",
        "host_memory_used_bytes",
        "tokio_workers",
        "allocator_used_bytes",
        "allocator_held_bytes",
    ] {
        assert!(app.sample(series).await.is_some_and(|value| value > 0.0), "{series}");
    }
    assert_eq!(app.sample("cpu_alert_threshold_percent").await, Some(80.0));
    let used = app.sample("host_memory_used_bytes").await;
    assert!(used < app.sample("host_memory_size_bytes").await);
    assert!(app.sample("allocator_used_bytes").await <= app.sample("allocator_held_bytes").await);
    let threshold = app.sample("memory_alert_threshold_bytes").await.unwrap();
    let limit = figures.memory_limit_bytes().unwrap() as f64;
    assert!((threshold / limit - 0.8).abs() < 1e-6);
}

#[tokio::test]
async fn micrometer_has_the_processor_in_its_own_units() {
    let flags = Flags {
        metrics_dialect: Some("micrometer".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let mut collector = Collector::new(app.state.metrics(), None).unwrap();
    collector.collect();
    collector.collect();
    let figures = app.state.metrics().system().get();
    let seconds = figures.process.unwrap().cpu_seconds;
    let nanoseconds = app.sample("process_cpu_time_ns_total").await.unwrap();
    assert!(
        seconds > 0.0 && (nanoseconds / 1e9 - seconds).abs() < 1e-6,
        "{nanoseconds} {seconds}"
    );
    let share = app.sample("process_cpu_usage").await.unwrap();
    assert!((share - figures.cpu_percent.unwrap() / 100.0).abs() < 1e-9, "{share}");
    assert!((0.0..=1.0).contains(&app.sample("system_cpu_usage").await.unwrap()));
    assert_eq!(app.sample("system_cpu_count").await, Some(figures.cores));
    assert_eq!(app.sample("system_load_average_1m").await, figures.host_load_average);
    assert!(app.sample("jvm_threads_live_threads").await.unwrap() >= 1.0);
    let open_metrics = Request::get("/metrics").header("accept", "application/openmetrics-text");
    let page = app.send(open_metrics.body(Body::empty()).unwrap()).await.text;
    assert!(page.contains("\n# TYPE process_cpu_time_ns counter\n"), "{page}");
}

#[test]
fn connections_to_the_store_are_shown_as_they_are() {
    let program = Program::ready(&[("METRICS_COLLECTION_INTERVAL", "100ms")]);
    // In memory there is one.
    program.wait_until("the connection", |program| {
        let page = program.get("/metrics").map(|answer| answer.body).unwrap_or_default();
        [
            "\ndatabase_connections{state=\"idle\"} 1\n",
            "\ndatabase_connections{state=\"used\"} 0\n",
            "\ndatabase_connections_max 1\n",
        ]
        .iter()
        .all(|line| page.contains(line))
    });
}

#[tokio::test]
async fn a_memory_threshold_that_is_set_is_the_one_on_the_page() {
    let app = App::in_memory().await;
    Collector::new(app.state.metrics(), Some(123_456)).unwrap().collect();
    assert_eq!(app.sample("memory_alert_threshold_bytes").await, Some(123_456.0));
}

#[tokio::test]
async fn the_cpu_use_that_a_client_sets_hides_the_measured_one() {
    let app = App::in_memory().await;
    let mut collector = Collector::new(app.state.metrics(), None).unwrap();
    collector.collect();
    app.state.metrics().cpu().set(87.5);
    collector.collect();
    assert_eq!(app.sample("app_cpu_usage_percent").await, Some(87.5));
}

#[test]
fn system_metrics_are_read_on_a_timer_unless_they_are_turned_off() {
    let on = Program::ready(&[]);
    on.wait_until("figures of the process", |program| {
        program
            .get("/metrics")
            .is_some_and(|page| page.body.contains("\nprocess_resident_memory_bytes "))
    });
    let off = Program::ready(&[("ENABLE_SYSTEM_METRICS", "false")]);
    let page = off.get("/metrics").unwrap().body;
    assert!(!page.contains("process_resident_memory_bytes"));
    assert!(page.contains("\nhttp_requests_total{"));
}

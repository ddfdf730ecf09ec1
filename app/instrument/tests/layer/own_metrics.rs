//! Metrics of the service's own on the same page, and names that are taken already.

use http_instrument::{FamilyError, Format, HttpMetrics};
use metric_contract::{Family, MetricKind, Unit};

use crate::value;

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
    };
    let error = HttpMetrics::default().counter(&TAKEN, &[]).unwrap_err();
    assert_eq!(error, FamilyError::NameTaken { what: (&TAKEN).into() });
}

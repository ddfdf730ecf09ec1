//! What may be written into `spec.metrics.custom`, and what is said of each mistake.

use std::sync::Arc;

use controller_api::MonitoredApi;
use metric_contract::{StatusStyle, Unit};
use serde_json::{Value, json};

use super::*;
use crate::facts::PageFacts;
use crate::{dialect_choice::DialectChoice, facts::Settings, render::render, valid::ValidApi, violation::Violation};

fn check_spec(spec: &Value) -> Result<ValidApi, Vec<Violation>> {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
    }))
    .unwrap();
    render(&api, &Settings::default()).map(|rendered| rendered.api)
}

fn check(custom: &Value) -> Result<ValidApi, Vec<Violation>> {
    check_spec(&json!({"image": "i", "metrics": {"dialect": "custom", "custom": custom}}))
}

/// The one violation, as `path: message`.
fn told(checked: Result<ValidApi, Vec<Violation>>) -> String {
    let violations = checked.map(|_| ()).unwrap_err();
    let [violation] = violations.as_slice() else {
        panic!("{violations:#?}");
    };
    violation.to_string()
}

fn whole() -> Value {
    json!({
        "requests": {"name": "my_requests_total", "labels": {"method": "verb", "route": "path", "status": "code"}},
        "duration": {"name": "my_latency_ms", "type": "Histogram", "unit": "Milliseconds", "labels": {"method": "verb", "route": "path"}},
        "inFlight": {"name": "my_active"},
    })
}

#[test]
fn names_labels_type_and_unit_become_a_spelling() {
    let api = check(&whole()).unwrap();
    let Some(DialectChoice::Custom(spelling)) = &api.metrics.dialect else {
        panic!("{:?}", api.metrics.dialect);
    };
    assert_eq!(api.spelling(), Some(&**spelling));
    assert_eq!(
        (&*spelling.dialect, spelling.status_style),
        ("custom", StatusStyle::Exact)
    );
    let requests = spelling.requests().unwrap();
    assert_eq!(requests.series, "my_requests_total");
    assert_eq!(
        (requests.method, requests.route, requests.status),
        (Some("verb"), Some("path"), Some("code"))
    );
    let duration = spelling.duration().unwrap();
    assert_eq!(
        (&*duration.histogram.name, duration.histogram.unit),
        ("my_latency_ms", Unit::Milliseconds)
    );
    assert!(duration.histogram.has_buckets() && duration.histogram.bounds().is_none());
    assert_eq!(duration.histogram.label(Attribute::Status), None);
    assert_eq!(spelling.metric(MetricId::InFlight).unwrap().name, "my_active");
}

#[test]
fn a_duration_alone_is_a_histogram_in_seconds_that_counts_the_requests() {
    let api = check(&json!({"duration": {"name": "t", "labels": {"status": "code"}}})).unwrap();
    let spelling = api.spelling().unwrap();
    let requests = spelling.requests().unwrap();
    assert_eq!((&*requests.series, requests.status), ("t_count", Some("code")));
    let histogram = spelling.duration().unwrap().histogram;
    assert_eq!((histogram.kind, histogram.unit), (MetricKind::Histogram, Unit::Seconds));
}

#[test]
fn a_summary_has_no_buckets() {
    let api = check(&json!({"duration": {"name": "t", "type": "Summary"}})).unwrap();
    assert!(!api.spelling().unwrap().duration().unwrap().histogram.has_buckets());
}

#[test]
fn a_counter_or_a_gauge_may_end_in_count() {
    check(&json!({"requests": {"name": "http_requests_count"}, "inFlight": {"name": "active_count"}})).unwrap();
    // Another metric's.
    check(&json!({"requests": {"name": "a_count"}, "duration": {"name": "b"}})).unwrap();
}

#[test]
fn names_by_hand_and_the_dialect_custom_need_each_other() {
    let missing = told(check_spec(&json!({"image": "i", "metrics": {"dialect": "custom"}})));
    assert!(
        missing.starts_with("spec.metrics.custom: is missing: dialect custom needs the names"),
        "{missing}"
    );
    for metrics in [
        json!({"custom": whole()}),
        json!({"custom": whole(), "dialect": "auto"}),
        json!({"custom": whole(), "dialect": "native"}),
    ] {
        assert_eq!(
            told(check_spec(&json!({"image": "i", "metrics": metrics}))),
            "spec.metrics.custom: is read with dialect custom only: set spec.metrics.dialect: custom, or remove it"
        );
    }
    // The preset's dialect is none that the author wrote.
    let of_preset = json!({"image": "i", "preset": "native", "metrics": {"custom": whole()}});
    assert!(told(check_spec(&of_preset)).contains("set spec.metrics.dialect: custom"));
}

#[test]
fn an_unknown_dialect_is_told_of_custom_too() {
    let told = told(check_spec(&json!({"image": "i", "metrics": {"dialect": "costum"}})));
    assert!(told.ends_with("auto, custom"), "{told}");
}

#[test]
fn each_mistake_in_a_name_is_told_with_its_field_and_what_to_write() {
    let cases = [
        (
            json!({"inFlight": {"name": "a"}}),
            "spec.metrics.custom: requests and duration are both missing: use at least one of them, for example requests: {name: \
             my_requests_total}",
        ),
        (
            json!({"requests": {"name": "my-requests"}}),
            "spec.metrics.custom.requests.name: \"my-requests\" is not a valid name of a metric: use letters, digits, _ and :, with \
             no digit at the beginning, for example my_requests_total",
        ),
        (
            json!({"requests": {"name": "r"}, "inFlight": {"name": "1a"}}),
            "spec.metrics.custom.inFlight.name: \"1a\" is not a valid name of a metric: use letters, digits, _ and :, with no digit \
             at the beginning, for example my_requests_total",
        ),
        (
            json!({"duration": {"name": ""}}),
            "spec.metrics.custom.duration.name: \"\" is not a valid name of a metric: use letters, digits, _ and :, with no digit at \
             the beginning, for example my_requests_total",
        ),
        (
            json!({"requests": {"name": "t"}, "duration": {"name": "t"}}),
            "spec.metrics.custom.duration.name: \"t\" is the name of requests already: use the metric's own name, or remove one of \
             the two (without requests, duration counts them too)",
        ),
        (
            json!({"duration": {"name": "t_bucket"}}),
            "spec.metrics.custom.duration.name: \"t_bucket\" is one series of a histogram or a summary: use the name without \
             _bucket, t",
        ),
        (
            json!({"duration": {"name": "t_count"}}),
            "spec.metrics.custom.duration.name: \"t_count\" is one series of a histogram or a summary: use the name without _count, t",
        ),
        (
            json!({"duration": {"name": "t_sum", "type": "Summary"}}),
            "spec.metrics.custom.duration.name: \"t_sum\" is one series of a histogram or a summary: use the name without _sum, t",
        ),
        (
            json!({"requests": {"name": "t_count"}, "duration": {"name": "t"}}),
            "spec.metrics.custom.requests.name: \"t_count\" is the count of duration, which counts requests without this field too: \
             remove requests, and write its labels into duration.labels",
        ),
        (
            json!({"requests": {"name": "r"}, "duration": {"name": "t"}, "inFlight": {"name": "t_sum"}}),
            "spec.metrics.custom.inFlight.name: \"t_sum\" is a series of duration: use the name of another metric, or remove inFlight",
        ),
        (
            json!({"requests": {"name": "t_bucket"}}),
            "spec.metrics.custom.requests.name: \"t_bucket\" is one series of a histogram, and not the number of requests: use the \
             histogram's name, t, in spec.metrics.custom.duration.name",
        ),
    ];
    for (custom, expected) in cases {
        assert_eq!(told(check(&custom)), expected);
    }
}

#[test]
fn each_mistake_in_a_label_is_told_with_its_field_and_what_to_write() {
    let cases = [
        (
            json!({"requests": {"name": "r", "labels": {"route": "a.b"}}}),
            "spec.metrics.custom.requests.labels.route: \"a.b\" is not a valid name of a label: use letters, digits and _, with no \
             digit at the beginning, for example path",
        ),
        (
            json!({"requests": {"name": "r", "labels": {"method": "a:b"}}}),
            "spec.metrics.custom.requests.labels.method: \"a:b\" is not a valid name of a label: use letters, digits and _, with no \
             digit at the beginning, for example path",
        ),
        (
            json!({"duration": {"name": "t", "labels": {"status": "le"}}}),
            "spec.metrics.custom.duration.labels.status: \"le\" is the label of a histogram's buckets: use a label that the \
             application sets, for example path, or remove this field",
        ),
        (
            json!({"duration": {"name": "t", "labels": {"route": "quantile"}}}),
            "spec.metrics.custom.duration.labels.route: \"quantile\" is the label of a summary's quantiles: use a label that the \
             application sets, for example path, or remove this field",
        ),
        (
            json!({"requests": {"name": "r", "labels": {"route": "__name__"}}}),
            "spec.metrics.custom.requests.labels.route: \"__name__\" is Prometheus's own, which it stores nowhere: use a label that \
             the application sets, for example path, or remove this field",
        ),
        (
            json!({"requests": {"name": "r", "labels": {"route": "x", "status": "x"}}}),
            "spec.metrics.custom.requests.labels.status: \"x\" is the label of the route already: use the label of the status, or \
             remove this field",
        ),
    ];
    for (custom, expected) in cases {
        assert_eq!(told(check(&custom)), expected);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let custom = json!({
        "requests": {"name": "a b", "labels": {"method": "", "status": "le"}},
        "duration": {"name": "t_sum", "labels": {"route": "__r"}},
    });
    let paths: Vec<_> = check(&custom).unwrap_err().into_iter().map(|one| one.path).collect();
    assert_eq!(
        paths,
        [
            "spec.metrics.custom.duration.labels.route",
            "spec.metrics.custom.duration.name",
            "spec.metrics.custom.requests.labels.method",
            "spec.metrics.custom.requests.labels.status",
            "spec.metrics.custom.requests.name",
        ]
    );
}

#[test]
fn an_autoscaler_reads_the_counter_by_hand_or_says_what_to_do() {
    let with = |custom: Value| {
        check_spec(&json!({
            "image": "i", "metrics": {"dialect": "custom", "custom": custom},
            "autoscaling": {"maxReplicas": 3, "targetRequestsPerSecond": "50"},
        }))
    };
    let api = with(whole()).unwrap();
    assert_eq!(api.autoscaling.unwrap().requests.unwrap().metric, "my_requests");
    let told = told(with(json!({"duration": {"name": "t"}})));
    assert!(
        told.starts_with("spec.autoscaling.targetRequestsPerSecond: dialect custom has no counter of requests"),
        "{told}"
    );
}

#[test]
fn a_page_that_was_read_for_other_names_is_not_used() {
    let mut api = check(&whole()).unwrap();
    let mut page = api.spelling().unwrap().clone();
    page.metrics[1].buckets = Cow::Owned(vec![5.0, 10.0]);
    let shown = |page: &Spelling| Some(PageFacts::shown(Arc::new(page.clone())));
    api.set_page(shown(&page).as_ref());
    assert_eq!(api.spelling(), Some(&page));
    page.metrics[1].name = Cow::Borrowed("my_other_latency_ms");
    api.set_page(shown(&page).as_ref());
    assert_eq!(
        api.spelling().unwrap().duration().unwrap().histogram.name,
        "my_latency_ms"
    );
    api.metrics.dialect = None;
    api.set_page(shown(&page).as_ref());
    assert_eq!(api.spelling(), None, "a page for names that nobody gives any more");
}

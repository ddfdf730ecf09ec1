//! Spellings by hand on pages: bounds and types are the page's, names are the author's, and what is not there is named.

use std::{collections::BTreeSet, sync::Arc};

use controller_api::MonitoredApi;
use controller_core::{
    detect::{CustomOnPage, Page, client_labels_by_hand, custom_on_page, read_page},
    facts::Settings,
    render::render_with_page,
    validate::custom_spelling,
};
use exposition::{Format, Limits};
use metric_contract::{MetricKind, Spelling};
use serde_json::{Value, json};

use crate::captured::captured;

const HISTOGRAM: &str = r#"# TYPE my_requests_total counter
my_requests_total{verb="GET",path="/orders",code="200"} 3
# TYPE my_latency_ms histogram
my_latency_ms_bucket{verb="GET",path="/orders",le="100"} 1
my_latency_ms_bucket{verb="GET",path="/orders",le="250.0"} 2
my_latency_ms_bucket{verb="GET",path="/orders",le="+Inf"} 3
my_latency_ms_sum{verb="GET",path="/orders"} 500
my_latency_ms_count{verb="GET",path="/orders"} 3
# TYPE my_active gauge
my_active 1
"#;

fn page(text: &str) -> Page {
    read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap()
}

fn whole() -> Value {
    json!({
        "requests": {"name": "my_requests_total", "labels": {"method": "verb", "route": "path", "status": "code"}},
        "duration": {"name": "my_latency_ms", "unit": "Milliseconds", "labels": {"method": "verb", "route": "path"}},
        "inFlight": {"name": "my_active"},
    })
}

/// `shop/orders` with these names, and a latency objective.
fn orders(custom: &Value, threshold: &str) -> MonitoredApi {
    serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "image": "orders:1", "metrics": {"dialect": "custom", "custom": custom},
            "objectives": [{"name": "fast", "type": "Latency", "target": "99", "threshold": threshold}],
        },
    }))
    .unwrap()
}

fn by_hand(custom: &Value) -> Spelling {
    custom_spelling(&orders(custom, "250ms").spec).unwrap()
}

/// What the page says of the names.
fn on(text: &str, custom: &Value) -> (Spelling, Vec<String>) {
    let CustomOnPage { spelling, absent } = custom_on_page(&by_hand(custom), &page(text));
    (spelling, absent.iter().map(ToString::to_string).collect())
}

#[test]
fn a_histogram_gets_the_bounds_of_the_page_and_nothing_else_changes() {
    let (spelling, absent) = on(HISTOGRAM, &whole());
    assert_eq!(absent, [""; 0]);
    assert_eq!(
        spelling.duration().unwrap().histogram.bounds(),
        Some(&[100.0, 250.0][..])
    );
    let mut expected = by_hand(&whole());
    expected.metrics[1].buckets = vec![100.0, 250.0].into();
    assert_eq!(spelling, expected);
}

#[test]
fn the_pages_type_wins_over_the_authors() {
    let summary = "# TYPE my_latency_ms summary\nmy_latency_ms_sum 1\nmy_latency_ms_count 1\n";
    let (spelling, _) = on(summary, &whole());
    assert_eq!(spelling.duration().unwrap().histogram.kind, MetricKind::Summary);
    let mut custom = whole();
    custom["duration"]["type"] = json!("Summary");
    let (spelling, _) = on(HISTOGRAM, &custom);
    assert_eq!(
        spelling.duration().unwrap().histogram.bounds(),
        Some(&[100.0, 250.0][..])
    );
    // No percentile can be told of the one bucket that counts everything.
    let one_bucket = "# TYPE t histogram\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 1\n";
    let (spelling, _) = on(one_bucket, &json!({"duration": {"name": "t"}}));
    assert!(!spelling.duration().unwrap().histogram.has_buckets());
    // Nobody can time by a gauge.
    let (spelling, _) = on("# TYPE t gauge\nt 1\n", &json!({"duration": {"name": "t"}}));
    assert_eq!(spelling.duration().unwrap().histogram.kind, MetricKind::Histogram);
}

#[test]
fn requests_that_are_named_by_a_histogram_are_counted_by_its_count() {
    let (spelling, absent) = on(
        HISTOGRAM,
        &json!({"requests": {"name": "my_latency_ms", "labels": {"route": "path"}}}),
    );
    assert_eq!(absent, [""; 0]);
    assert_eq!(spelling.requests().unwrap().series, "my_latency_ms_count");
    let (spelling, absent) = on(HISTOGRAM, &json!({"requests": {"name": "my_latency_ms_count"}}));
    assert_eq!(
        (absent, spelling.requests().unwrap().series),
        (Vec::new(), "my_latency_ms_count".into())
    );
}

#[test]
fn a_histogram_without_samples_keeps_its_bounds_unknown() {
    let (spelling, absent) = on(
        "# TYPE my_latency_ms histogram\n",
        &json!({"duration": {"name": "my_latency_ms"}}),
    );
    let histogram = spelling.duration().unwrap().histogram;
    assert!(histogram.has_buckets() && histogram.bounds().is_none());
    assert_eq!(absent, [""; 0]);
}

#[test]
fn a_page_without_types_is_read_by_the_names_of_its_series() {
    let untyped = "t_bucket{le=\"0.1\"} 1\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 1\n";
    let (spelling, absent) = on(untyped, &json!({"duration": {"name": "t"}}));
    assert_eq!(
        (spelling.duration().unwrap().histogram.bounds(), absent),
        (Some(&[0.1][..]), Vec::new())
    );
    let (spelling, absent) = on("s_sum 1\ns_count 1\n", &json!({"duration": {"name": "s"}}));
    assert_eq!(
        (spelling.duration().unwrap().histogram.has_buckets(), absent),
        (false, Vec::new())
    );
}

#[test]
fn families_and_labels_that_the_page_does_not_have_are_named_and_stay() {
    let custom = json!({
        "requests": {"name": "my_requests", "labels": {"method": "verb"}},
        "duration": {"name": "my_latency_ms", "labels": {"method": "method", "route": "path", "status": "code"}},
        "inFlight": {"name": "in_flight"},
    });
    let (spelling, absent) = on(HISTOGRAM, &custom);
    assert_eq!(
        absent,
        [
            "spec.metrics.custom.requests.name: the page has no metric my_requests: use my_requests_total, which it has",
            "spec.metrics.custom.duration.labels.method: the page has no label method: use a name that is on the page, or send the \
             application a request first",
            "spec.metrics.custom.duration.labels.status: the page has no label code: use a name that is on the page, or send the \
             application a request first",
            "spec.metrics.custom.inFlight.name: the page has no metric in_flight: use a name that is on the page, or send the \
             application a request first",
        ]
    );
    assert_eq!(spelling.requests().unwrap().series, "my_requests");
    assert_eq!(spelling.metrics.len(), 3);
}

/// The objective's omission, and whether the rules have a bucket of this bound.
fn of_objective(threshold: &str, text: Option<&str>, bound: &str) -> (Option<String>, bool) {
    let page = text.map(|text| Arc::new(on(text, &whole()).0));
    let rendered = render_with_page(&orders(&whole(), threshold), &Settings::default(), page.as_ref()).unwrap();
    let omission = rendered.omissions.iter().find(|omission| omission.name == "fast");
    let mut objects = rendered.objects.iter().map(|intent| intent.object());
    let rules = objects.find(|object| object["kind"] == "PrometheusRule").unwrap();
    (
        omission.map(|omission| omission.reason.clone()),
        rules.to_string().contains(&format!("le=~\\\"{bound}")),
    )
}

#[test]
fn a_latency_objective_has_rules_once_the_page_is_read_and_says_so_before() {
    let (omitted, has_bound) = of_objective("250ms", None, "250");
    assert_eq!(
        omitted.as_deref(),
        Some(
            "the upper bounds of the histogram's buckets are not known, and the threshold must be one of them: they stand on the \
             API's page of metrics, which the operator reads of a ready pod, and render and test by --metrics URL|FILE"
        )
    );
    assert!(!has_bound);
    assert_eq!(of_objective("250ms", Some(HISTOGRAM), "250([.]0)?"), (None, true));
    let (omitted, has_bound) = of_objective("200ms", Some(HISTOGRAM), "200");
    assert_eq!(
        (omitted.as_deref(), has_bound),
        (
            Some("200ms is no upper bound of the histogram's buckets: use 100ms or 250ms"),
            false
        )
    );
}

#[test]
fn programs_that_count_by_hand_are_monitored_by_the_names_on_their_pages() {
    let mut tried = 0;
    let by_hand = |name: &str| name.starts_with("promclient-");
    for captured in captured().iter().filter(|page| by_hand(&page.name) && page.is_after()) {
        let duration = captured
            .page
            .families
            .iter()
            .find(|family| family.kind == Some(MetricKind::Histogram) && family.samples > 0);
        let Some(duration) = duration else { continue };
        let labels: BTreeSet<_> = duration.labels.keys().collect();
        let status = labels.iter().find(|label| duration.labels[**label].are_statuses());
        let custom = json!({"duration": {"name": duration.name, "labels": {"status": status}}});
        let spelling = custom_spelling(&orders(&custom, "250ms").spec).unwrap();
        let CustomOnPage { spelling, absent } = custom_on_page(&spelling, &captured.page);
        assert_eq!(absent, [], "{}", captured.name);
        assert!(
            spelling.duration().unwrap().histogram.bounds().is_some(),
            "{}",
            captured.name
        );
        // What the lint finds is a violation.
        let page = Arc::new(spelling);
        let rendered = render_with_page(&orders(&custom, "250ms"), &Settings::default(), Some(&page));
        rendered.unwrap_or_else(|violations| panic!("{}: {violations:?}", captured.name));
        tried += 1;
    }
    assert!(tried > 1, "{tried}");
}

/// What is said of labels by hand that clients choose.
fn of_clients(custom: &Value, text: Option<&str>) -> Vec<String> {
    let page = text.map(page);
    let found = client_labels_by_hand(&by_hand(custom), page.as_ref());
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_label_by_hand_that_has_what_clients_wrote_is_told_by_the_library_or_by_the_page() {
    let gin = json!({"requests": {"name": "gin_requests_total", "labels": {"route": "url", "status": "code"}}});
    let told = of_clients(&gin, None);
    assert_eq!(told.len(), 1, "{told:?}");
    let start =
        "spec.metrics.custom.requests.labels.route: the library of the dialect gin writes into url what clients wrote";
    assert!(
        told[0].starts_with(start) && told[0].contains("ReqCntURLLabelMappingFn"),
        "{told:?}"
    );
    let counted = |paths: &[&str]| {
        let series = paths
            .iter()
            .map(|path| format!("gin_requests_total{{code=\"200\",url=\"{path}\"}} 1\n"));
        format!("# TYPE gin_requests_total counter\n{}", series.collect::<String>())
    };
    assert_eq!(of_clients(&gin, Some(&counted(&["/items", "/items/:id"]))), [""; 0]);
    let raw = of_clients(&gin, Some(&counted(&["/items/1", "/items/2", "/items/3"])));
    assert!(
        raw[0].contains("on the page, url has paths as clients wrote them"),
        "{raw:?}"
    );
    let own = json!({"requests": {"name": "my_requests_total", "labels": {"route": "url"}}});
    assert_eq!(of_clients(&own, None), [""; 0]);
}

//! Pages that are made here: of tables, of programs that count by hand, and at random.

use std::{fs, path::Path};

use controller_core::detect::{Outcome, Page, detect, detect_with_proxies, read_page};
use exposition::{Format, Limits};
use metric_contract::{Attribute, DialectId, MetricKind, StatusStyle};
use proptest::{
    collection::{btree_map, vec},
    prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest},
    sample::select,
};

use crate::captured::{PAGES, dialect};

/// The dialect as which a table is found: some are settings of another.
pub(crate) const fn detected_as(id: DialectId) -> DialectId {
    match id {
        DialectId::S4 => DialectId::Native,
        DialectId::S3 | DialectId::S2Instrumentator => DialectId::FastapiInstrumentator,
        DialectId::Micrometer => DialectId::SpringBoot,
        other => other,
    }
}

/// A page on which every row of a dialect's table has one sample.
pub(crate) fn page_of_table(id: DialectId) -> Page {
    let families = id.dialect().rows.iter().map(|row| {
        let value = |attribute| match (attribute, id.dialect().status_style) {
            (Attribute::Status, StatusStyle::Exact) => "404",
            (Attribute::Status, StatusStyle::Class) => "4xx",
            (Attribute::Status, StatusStyle::ClassDigit) => "4",
            (Attribute::Method, _) => "GET",
            _ => "x",
        };
        let labels: Vec<String> = row
            .labels()
            .map(|(name, attribute)| format!("{name}=\"{}\"", value(attribute)))
            .collect();
        let (name, labels) = (row.family.name, labels.join(","));
        let kind = match row.family.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
            MetricKind::Summary => "summary",
        };
        let samples = match row.family.kind {
            MetricKind::Counter | MetricKind::Gauge => format!("{name}{{{labels}}} 1\n"),
            MetricKind::Histogram | MetricKind::Summary => {
                format!("{name}_count{{{labels}}} 1\n{name}_sum{{{labels}}} 1\n")
            }
        };
        format!("# HELP {name} {}\n# TYPE {name} {kind}\n{samples}", row.family.help)
    });
    let text: String = families.collect();
    read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap()
}

#[test]
fn every_table_is_detected_as_its_dialect_or_as_the_one_it_is_a_setting_of() {
    // These are known by the texts of their libraries, which tables do not have, or need a runtime's metrics beside them.
    let by_text = [
        "promhttp",
        "go-http-metrics",
        "express-prom-bundle",
        "fastify-metrics",
        "actix-web-prom",
        "quarkus",
        "micronaut",
    ];
    for id in DialectId::ALL {
        let expected = detected_as(*id);
        let page = page_of_table(*id);
        let found = dialect(&detect_with_proxies(&page));
        if id.proxy().is_some() {
            let of_application = dialect(&detect(&page));
            assert!(
                of_application.is_none_or(|found| found == DialectId::OtelHttp),
                "{id}: {of_application:?}"
            );
        }
        let is_right = found == Some(expected) || (found.is_none() && by_text.contains(&id.as_str()));
        assert!(is_right, "{id}: {found:?}");
    }
}

#[test]
fn pages_of_programs_that_copy_a_librarys_texts_or_labels_are_of_none() {
    let counter = |name: &str, help: &str, labels: &str| {
        format!("# HELP {name} {help}\n# TYPE {name} counter\n{name}{{{labels}}} 3\n")
    };
    let histogram = |name: &str, help: &str, labels: &str| {
        format!(
            "# HELP {name} {help}\n# TYPE {name} histogram\n{name}_bucket{{{labels},le=\"1\"}} 3\n\
             {name}_bucket{{{labels},le=\"+Inf\"}} 3\n{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 3\n"
        )
    };
    let status = |name: &str| format!("method=\"GET\",path=\"/\",{name}=\"200\"");
    let pages = [
        histogram("http_request_duration_seconds", "The latency of the HTTP requests.", "handler=\"/\",method=\"GET\",code=\"200\""),
        counter("http_requests_total", "Count all http requests by status code, method and path.", &status("status")),
        histogram("request_duration_seconds", "A histogram of latencies for requests.", &(status("status") + ",release=\"1\"")),
        histogram("http_request_duration_seconds", "request duration in seconds", &status("status")),
        // Rocket's.
        counter("rocket_http_requests_total", "Total number of HTTP requests", "endpoint=\"/\",method=\"GET\",status=\"200\"")
            + &histogram(
                "rocket_http_requests_duration_seconds",
                "HTTP request duration in seconds for all requests",
                "endpoint=\"/\",method=\"GET\",status=\"200\"",
            ),
        // Of a widely used dashboard for FastAPI, counted by hand.
        counter("fastapi_requests_total", "Total count of requests by method and path.", "app_name=\"a\",method=\"GET\",path=\"/\"")
            + &counter(
                "fastapi_responses_total",
                "Total count of responses by method, path and status codes.",
                &(status("status_code") + ",app_name=\"a\""),
            )
            + &histogram(
                "fastapi_requests_duration_seconds",
                "Histogram of requests processing time by path (in seconds)",
                "app_name=\"a\",method=\"GET\",path=\"/\"",
            ),
        // What Spring's client asks of others.
        "# TYPE http_client_requests_seconds summary\nhttp_client_requests_seconds_count{client_name=\"a\",error=\"none\",\
         exception=\"none\",method=\"GET\",outcome=\"SUCCESS\",status=\"200\",uri=\"/\"} 3\n"
            .to_owned(),
    ];
    for text in pages {
        let detection = detect(&read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap());
        assert_eq!(detection.found.map(|found| found.dialect), None, "{text}");
    }
}

#[test]
fn a_page_with_a_prefix_for_each_of_many_families_is_looked_at_in_bounded_work() {
    let family = |number: usize| {
        let name = format!("a{number}_http_requests_total");
        format!("# TYPE {name} counter\n{name}{{code=\"200\"}} 1\n")
    };
    let text: String = (0..20_000).map(family).collect();
    let detection = detect(&read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap());
    assert_eq!(detection.outcome, Outcome::Unknown);
}

#[test]
fn families_that_a_sidecar_adds_to_an_applications_page_change_nothing() {
    let application = fs::read_to_string(Path::new(PAGES).join("flask/pages/0.23.2/default.after.text")).unwrap();
    let labels = "reporter=\"destination\",destination_workload=\"orders\",destination_workload_namespace=\"shop\",\
                  response_code=\"200\",source_workload=\"web\"";
    let sidecar = format!("# TYPE istio_requests_total counter\nistio_requests_total{{{labels}}} 3\n");
    let read = |text: &str| read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap();
    let both = read(&(application + &sidecar));
    assert_eq!(dialect(&detect(&both)), Some(DialectId::Flask));
    assert_eq!(dialect(&detect_with_proxies(&both)), Some(DialectId::Flask));
    // Alone it is the sidecar's, but not to those who ask a pod.
    let alone = read(&sidecar);
    assert_eq!(dialect(&detect(&alone)), None);
    assert_eq!(dialect(&detect_with_proxies(&alone)), Some(DialectId::Istio));
}

#[test]
fn two_libraries_on_one_page_are_ambiguous() {
    let read = |name: &str| fs::read_to_string(Path::new(PAGES).join(name)).unwrap();
    let text = read("flask/pages/0.23.2/default.after.text") + &read("gin/pages/v1.0.2/default.after.text");
    let detection = detect(&read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap());
    assert_eq!(detection.outcome, Outcome::Ambiguous);
    assert_eq!(detection.candidates, [DialectId::Flask, DialectId::Gin]);
}

/// Names, labels and texts of the catalogue, of which pages are made at random.
fn vocabulary() -> (Vec<&'static str>, Vec<&'static str>, Vec<&'static str>) {
    let signatures = DialectId::ALL.iter().filter_map(|id| id.dialect().signature);
    let forms = || signatures.clone().flat_map(|signature| signature.forms);
    let names = forms().map(|form| form.row.family.name).collect();
    let optional = forms().flat_map(|form| form.optional.iter().map(|(label, _)| *label));
    let labels = forms()
        .flat_map(|form| form.row.family.labels.iter().copied())
        .chain(optional)
        .collect();
    let helps = forms().flat_map(|form| form.helps.iter().copied()).collect();
    (names, labels, helps)
}

fn page_at_random() -> impl Strategy<Value = String> {
    let (names, labels, helps) = vocabulary();
    let value = select(vec!["GET", "404", "5xx", "/a", "", "x\\n"]);
    let pairs = btree_map(select(labels), value, 0..5);
    let kind = select(vec!["counter", "gauge", "histogram", "summary", "untyped"]);
    let prefix = select(vec!["", "shop_", "a_b_"]);
    let family = (prefix, select(names), kind, select(helps), pairs, any::<bool>());
    let text = family.prop_map(|(prefix, name, kind, help, labels, has_samples)| {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        let (name, labels) = (format!("{prefix}{name}"), labels.join(","));
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        let samples = match kind {
            "histogram" => format!("{name}_bucket{{{labels}}} 1\n{name}_count{{{labels}}} 1\n"),
            "summary" => format!("{name}_count{{{labels}}} 1\n"),
            _ => format!("{name}{{{labels}}} 1\n"),
        };
        if has_samples {
            text.push_str(&samples);
        }
        text
    });
    vec(text, 0..8).prop_map(|families| families.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spelling_names_nothing_that_is_not_on_the_page(text in page_at_random()) {
        let page = read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap();
        let detection = detect(&page);
        prop_assert_eq!(detection.found.is_some(), detection.outcome == Outcome::Match);
        for metric in detection.found.iter().flat_map(|found| &found.spelling.metrics) {
            let family = page.families.iter().find(|family| family.name == metric.name);
            let family = family.unwrap_or_else(|| panic!("{} is not on the page", metric.name));
            // A histogram without bounds has no percentiles, as a summary.
            let is_bare = family.kind == Some(MetricKind::Histogram) && family.bounds.is_empty();
            let kind = if is_bare { Some(MetricKind::Summary) } else { family.kind };
            prop_assert_eq!(kind, Some(metric.kind));
            prop_assert!(metric.labels.iter().map(|(label, _)| &**label).eq(family.labels.keys().map(String::as_str)));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        if let Ok(page) = read_page(&bytes, Format::of_page(&bytes), Limits::default()) {
            let detection = detect(&page);
            prop_assert!(detection.candidates.len() <= DialectId::ALL.len());
        }
    }
}

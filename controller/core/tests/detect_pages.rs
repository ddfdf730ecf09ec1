//! Detection on the captured pages of real libraries (`tests/dialects`), whole and with parts taken away: a page is of its own
//! library, or of none that can be told. It is never of another.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test's own helpers fail the test, and read the pages"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use controller_api::MonitoredApi;
use controller_core::{
    detect::{Confidence, Detection, Outcome, Page, PageFamily, detect, format_of, read_page},
    facts::Settings,
    render::render_with_page,
};
use exposition::{Format, Limits};
use metric_contract::{Attribute, DialectId, MetricKind, Signal, StatusStyle};
use proptest::{
    collection::{btree_map, vec},
    prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest},
    sample::select,
};
use serde_json::json;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialects");

/// A captured page.
struct Captured {
    /// Its place below `tests/dialects`.
    name: String,
    page: Page,
}

impl Captured {
    /// The dialect whose library wrote it; `None` where the program has none that we know.
    fn expected(&self) -> Option<DialectId> {
        let has = |ending: &str| self.page.families.iter().any(|family| family.name.ends_with(ending));
        let is_stable = has("http_server_request_duration_seconds") || has("http_server_request_duration");
        let folder = self.name.split('/').next().unwrap();
        match folder {
            // Programs that count by hand, and programs that count no requests.
            "promclient-node" | "promclient-python" | "runtime-only" => None,
            // The newest version writes OpenTelemetry's names alone.
            "axum-otel-metrics" if is_stable && !has("requests_total") => Some(DialectId::OtelHttp),
            "otel-http" if is_stable => Some(DialectId::OtelHttp),
            "otel-http" => Some(DialectId::OtelHttpOld),
            _ => Some(folder.parse().unwrap()),
        }
    }

    fn is_after(&self) -> bool {
        self.name.contains(".after.")
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.parent().unwrap().parent().unwrap().ends_with("pages") {
            found.push(path);
        }
    }
}

/// Every captured page, but those in OpenMetrics whose names hold dots, as Go's exporter of OpenTelemetry writes them.
fn captured() -> Vec<Captured> {
    let mut paths = Vec::new();
    files(Path::new(PAGES), &mut paths);
    paths.sort();
    assert!(paths.len() > 500, "only {} pages in {PAGES}", paths.len());
    let pages = paths.iter().map(|path| {
        let text = fs::read(path).unwrap();
        let page = read_page(&text, format_of(&text), Limits::default());
        Captured {
            name: path.strip_prefix(PAGES).unwrap().display().to_string(),
            page: page.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    });
    let has_dots = |captured: &Captured| captured.page.families.iter().any(|family| family.name.contains('.'));
    pages.filter(|captured| !has_dots(captured)).collect()
}

/// Those with different families or labels: the other versions and formats show nothing new.
fn distinct() -> Vec<Captured> {
    let shape = |page: &Page| {
        let family = |family: &PageFamily| {
            let labels: Vec<_> = family.labels.keys().cloned().collect();
            (family.name.clone(), family.kind, family.help.clone(), labels)
        };
        page.families
            .iter()
            .filter(|known| is_of_requests(known))
            .map(family)
            .collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for page in captured().into_iter().filter(Captured::is_after) {
        let shape = shape(&page.page);
        if !seen.contains(&shape) {
            seen.push(shape);
            kept.push(page);
        }
    }
    kept
}

fn is_of_requests(family: &PageFamily) -> bool {
    let name = &family.name;
    (name.contains("request") || name.contains("http")) && !name.starts_with("nodejs_")
}

fn dialect(detection: &Detection) -> Option<DialectId> {
    detection.found.as_ref().map(|found| found.dialect)
}

#[test]
fn every_page_after_requests_is_of_its_own_library() {
    let mut wrong = Vec::new();
    for page in captured().iter().filter(|page| page.is_after()) {
        // Spring Boot without its metrics of HTTP.
        let is_bare = page.name.contains("no-http");
        let expected = page.expected().filter(|_| !is_bare);
        let detection = detect(&page.page);
        // Programs that count by hand copy the texts of these, with labels of their own.
        let has_other_labels = ["go-http-metrics", "fastify-metrics", "actix-web-prom"]
            .iter()
            .any(|library| page.name.starts_with(library) && page.name.contains("renamed"));
        let expected = expected.filter(|_| !has_other_labels);
        if dialect(&detection) != expected {
            wrong.push(format!(
                "{}: {:?} {:?}",
                page.name,
                detection.outcome,
                dialect(&detection)
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_page_before_the_first_request_says_so_and_is_of_no_other_library() {
    let mut wrong = Vec::new();
    for page in captured().iter().filter(|page| !page.is_after()) {
        let detection = detect(&page.page);
        let is_waiting = matches!(
            detection.outcome,
            Outcome::NoSamplesYet | Outcome::NoHttpMetrics | Outcome::Empty
        );
        // A library that counts the scrape itself, or begins its series at 0, is known already.
        let is_known = dialect(&detection).is_some() && dialect(&detection) == page.expected();
        let could_be = page
            .expected()
            .is_none_or(|expected| detection.candidates.is_empty() || detection.candidates.contains(&expected));
        if !(is_waiting || is_known) || !could_be {
            wrong.push(format!(
                "{}: {:?} {:?}",
                page.name, detection.outcome, detection.candidates
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The same page with one thing changed, and what that was.
fn changes(page: &Page) -> Vec<(String, Page)> {
    let mut changed = Vec::new();
    let mut change = |what: String, change: &dyn Fn(&mut Page)| {
        let mut page = page.clone();
        change(&mut page);
        changed.push((what, page));
    };
    let mut all_labels: Vec<&String> = Vec::new();
    for (place, family) in page
        .families
        .iter()
        .enumerate()
        .filter(|(_, family)| is_of_requests(family))
    {
        change(format!("without {}", family.name), &|page| {
            page.families.remove(place);
        });
        change(format!("without the help of {}", family.name), &|page| {
            page.families[place].help.clear();
        });
        change(format!("{} renamed", family.name), &|page| {
            page.families[place].name.insert_str(0, "renamed_");
        });
        change(format!("{} with another label", family.name), &|page| {
            page.families[place]
                .labels
                .insert("tenant".to_owned(), Default::default());
        });
        for label in family.labels.keys() {
            change(format!("{} without {label}", family.name), &|page| {
                page.families[place].labels.remove(label);
            });
            all_labels.push(label);
        }
    }
    all_labels.sort();
    all_labels.dedup();
    for label in all_labels {
        change(format!("without {label}"), &|page| {
            page.families.iter_mut().for_each(|family| {
                family.labels.remove(label);
            });
        });
        change(format!("{label} renamed"), &|page| {
            for family in &mut page.families {
                if let Some(values) = family.labels.remove(label) {
                    family.labels.insert("renamed".to_owned(), values);
                }
            }
        });
    }
    change("without any help".to_owned(), &|page| {
        page.families.iter_mut().for_each(|family| family.help.clear());
    });
    change("with a prefix".to_owned(), &|page| {
        page.families
            .iter_mut()
            .for_each(|family| family.name.insert_str(0, "acme_"));
    });
    change("with a prefix, without any help".to_owned(), &|page| {
        for family in &mut page.families {
            family.name.insert_str(0, "acme_");
            family.help.clear();
        }
    });
    changed
}

#[test]
fn a_page_with_something_removed_or_renamed_is_never_of_another_library() {
    let (mut wrong, mut right, mut tried) = (Vec::new(), 0, 0);
    for captured in distinct() {
        let expected = captured.expected();
        for (what, page) in changes(&captured.page) {
            let found = dialect(&detect(&page));
            tried += 1;
            right += usize::from(found == expected);
            // Both of OpenTelemetry's names stand on one page while a program moves; without the newer the older is right.
            let is_older = expected == Some(DialectId::OtelHttp) && found == Some(DialectId::OtelHttpOld);
            if found.is_some() && found != expected && !is_older {
                wrong.push(format!("{} {what}: {found:?}", captured.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}: {wrong:#?}", wrong.len());
    assert!(tried > 2_000, "{tried} changes only");
    // Most changes leave enough to know the library by.
    assert!(right * 100 > tried * 75, "{right} of {tried} are still known");
    println!("{right} of {tried} are still known");
}

/// A page on which every row of a dialect's table has one sample.
fn page_of_table(id: DialectId) -> Page {
    let families = id.dialect().rows.iter().map(|row| {
        let value = |attribute| match (attribute, id.dialect().status_style) {
            (Attribute::Status, StatusStyle::Exact) => "404",
            (Attribute::Status, StatusStyle::Class) => "4xx",
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
    use DialectId::{FastapiInstrumentator, Micrometer, Native, S2Instrumentator, S3, S4, SpringBoot};
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
        let expected = match id {
            S4 => Native,
            S3 | S2Instrumentator => FastapiInstrumentator,
            Micrometer => SpringBoot,
            other => *other,
        };
        let found = dialect(&detect(&page_of_table(*id)));
        let is_right = found == Some(expected) || (found.is_none() && by_text.contains(&id.as_str()));
        assert!(is_right, "{id}: {found:?}");
    }
}

/// What is found on one captured page.
fn found_on(name: &str) -> Detection {
    let text = fs::read(Path::new(PAGES).join(name)).unwrap();
    detect(&read_page(&text, format_of(&text), Limits::default()).unwrap())
}

#[test]
fn the_spelling_has_names_labels_and_bounds_as_they_stand_on_the_page() {
    let detection = found_on("express-prom-bundle/pages/8.0.0/renamed.after.text");
    let found = detection.found.unwrap();
    assert_eq!(found.confidence, Confidence::Renamed);
    let duration = found.spelling.duration().unwrap();
    assert_eq!(duration.histogram.name, "shop_request_seconds");
    assert_eq!((duration.method, duration.route), (Some("method"), Some("path")));
    assert_eq!(duration.histogram.label(Attribute::Status), Some("status_code"));
    assert_eq!(duration.histogram.buckets.len(), 6);

    let detection = found_on("flask/pages/0.23.2/prefixed.after.text");
    let found = detection.found.unwrap();
    assert_eq!(found.prefix.as_deref(), Some("shop_"));
    assert_eq!(found.spelling.duration().unwrap().route, Some("path"));

    let detection = found_on("spring-boot/pages/3.5.7/default.after.text");
    let found = detection.found.unwrap();
    assert_eq!(found.confidence, Confidence::Exact);
    assert_eq!(found.missing, [Signal::LatencyBuckets]);

    let detection = found_on("fastapi-instrumentator/pages/8.1.0/exact-status.after.text");
    assert_eq!(detection.found.unwrap().spelling.status_style, StatusStyle::Exact);
    let detection = found_on("fastapi-instrumentator/pages/8.1.0/default.after.text");
    assert_eq!(detection.found.unwrap().spelling.status_style, StatusStyle::Class);
    let detection = found_on("fastapi-instrumentator/pages/8.1.0/custom-labels.after.text");
    assert_eq!(detection.found.unwrap().confidence, Confidence::Superset);
    let detection = found_on("fastapi-instrumentator/pages/8.1.0/fewer-labels.after.text");
    assert!(detection.found.unwrap().missing.contains(&Signal::Routes));
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
fn two_libraries_on_one_page_are_ambiguous() {
    let read = |name: &str| fs::read_to_string(Path::new(PAGES).join(name)).unwrap();
    let text = read("flask/pages/0.23.2/default.after.text") + &read("gin/pages/v1.0.2/default.after.text");
    let detection = detect(&read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap());
    assert_eq!(detection.outcome, Outcome::Ambiguous);
    assert_eq!(detection.candidates, [DialectId::Flask, DialectId::Gin]);
}

/// `shop/orders` with monitoring, an objective and nothing said of its metrics.
fn orders() -> MonitoredApi {
    serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "image": "orders:1", "monitoring": {"enabled": true},
            "objectives": [{"name": "availability", "type": "Availability", "target": "99.9"}],
        },
    }))
    .unwrap()
}

#[test]
fn rules_and_panels_of_every_page_read_what_stands_there_and_pass_the_lint() {
    let mut tried = 0;
    for captured in distinct() {
        let Some(found) = detect(&captured.page).found else {
            continue;
        };
        tried += 1;
        let counting = found.spelling.requests().unwrap();
        let (series, page) = (counting.series.into_owned(), Arc::new(found.spelling.clone()));
        // An object in which the lint finds a mistake is a violation.
        let rendered = render_with_page(&orders(), &Settings::default(), Some(&page));
        let rendered = rendered.unwrap_or_else(|violations| panic!("{}: {violations:?}", captured.name));
        for kind in ["PrometheusRule", "ConfigMap"] {
            let mut objects = rendered.objects.iter().map(|intent| intent.object());
            let object = objects.find(|object| object["kind"] == kind).unwrap();
            assert!(
                object.to_string().contains(&series),
                "{}: no {series} in the {kind}",
                captured.name
            );
        }
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn a_dialect_that_the_author_names_is_kept_and_its_own_page_is_read_closer() {
    let mut api = orders();
    let flask = Arc::new(
        found_on("flask/pages/0.23.2/prefixed.after.text")
            .found
            .unwrap()
            .spelling,
    );
    let rules = |api: &MonitoredApi| {
        let rendered = render_with_page(api, &Settings::default(), Some(&flask)).unwrap();
        let mut objects = rendered.objects.iter().map(|intent| intent.object());
        objects
            .find(|object| object["kind"] == "PrometheusRule")
            .unwrap()
            .to_string()
    };
    let name = |api: &mut MonitoredApi, dialect: &str| {
        api.spec.metrics = Some(serde_json::from_value(json!({"dialect": dialect})).unwrap());
    };
    name(&mut api, "flask");
    assert!(rules(&api).contains("shop_http_request_duration_seconds_count"));
    name(&mut api, "gin");
    let gin = rules(&api);
    assert!(
        gin.contains("gin_requests_total") && !gin.contains("shop_http_request"),
        "{gin}"
    );
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
    fn whatever_is_on_a_page_a_spelling_names_nothing_that_is_not_there(text in page_at_random()) {
        let page = read_page(text.as_bytes(), Format::Text, Limits::default()).unwrap();
        let detection = detect(&page);
        prop_assert_eq!(detection.found.is_some(), detection.outcome == Outcome::Match);
        for metric in detection.found.iter().flat_map(|found| &found.spelling.metrics) {
            let family = page.families.iter().find(|family| family.name == metric.name);
            let family = family.unwrap_or_else(|| panic!("{} is not on the page", metric.name));
            prop_assert_eq!(family.kind, Some(metric.kind));
            prop_assert!(metric.labels.iter().map(|(label, _)| &**label).eq(family.labels.keys().map(String::as_str)));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        if let Ok(page) = read_page(&bytes, format_of(&bytes), Limits::default()) {
            let detection = detect(&page);
            prop_assert!(detection.candidates.len() <= DialectId::ALL.len());
        }
    }
}

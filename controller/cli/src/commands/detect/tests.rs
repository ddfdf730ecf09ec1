use controller_core::detect::{detect_with_proxies, read_page};
use exposition::{Format, Limits};
use serde_json::{Value, json};

use super::report::Report;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialects/");

fn report_of_text(page: &[u8]) -> Report {
    match read_page(page, Format::of_page(page), Limits::default()) {
        Ok(page) => Report::of(&detect_with_proxies(&page)),
        Err(error) => Report::malformed(&error),
    }
}

fn report(page: &str) -> Report {
    report_of_text(&std::fs::read(format!("{PAGES}{page}")).unwrap())
}

fn data(report: &Report) -> Value {
    serde_json::to_value(report).unwrap()
}

#[test]
fn a_match_says_what_answers_which_signal_and_how_to_turn_on_what_is_missing() {
    let spring = report("spring-boot/pages/3.5.7/default.after.text");
    let data = data(&spring);
    assert_eq!(data["outcome"], "match");
    assert_eq!(data["dialect"], "spring-boot");
    assert_eq!(data["confidence"], "Exact");
    assert_eq!(data["routeLabel"], "uri");
    assert_eq!(data["statusStyle"], "Exact");
    assert_eq!(data["unit"], "seconds");
    assert_eq!(data["bucketsSeconds"], json!([]));
    assert_eq!(data["missing"][0]["signal"], "latency buckets");
    let table = spring.table("standard input");
    for part in [
        "dialect     spring-boot (Spring Boot, Micrometer without buckets)\n",
        "latency",
        "http_server_requests_seconds",
        "method, status, uri (route)",
        "management.metrics.distribution.percentiles-histogram.http.server.requests=true",
        "spec.metrics.dialect: spring-boot",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn a_dialect_is_only_advised_where_its_table_fits_the_page() {
    for (page, words) in [
        (
            "spring-boot/pages/3.5.7/default.after.text",
            "spec.metrics.dialect: spring-boot",
        ),
        (
            "spring-boot/pages/3.5.7/histogram.after.text",
            "spec.metrics.dialect: micrometer",
        ),
        ("flask/pages/0.23.2/default.after.text", "spec.metrics.dialect: flask"),
        ("flask/pages/0.23.2/prefixed.after.text", "--metrics"),
        ("flask/pages/0.23.2/url-rule.after.text", "--metrics"),
        (
            "fastapi-instrumentator/pages/8.1.0/fewer-labels.after.text",
            "--metrics",
        ),
    ] {
        let next = data(&report(page))["next"].as_str().unwrap().to_owned();
        assert!(next.contains(words), "{page}: {next}");
    }
}

#[test]
fn milliseconds_are_told_in_seconds() {
    let data = data(&report("otel-http/python/pages/0.66b1/default.after.text"));
    assert_eq!(data["unit"], "milliseconds");
    assert_eq!(data["bucketsSeconds"][1], "0.005");
}

#[test]
fn each_outcome_without_a_dialect_has_a_next_step_of_its_own() {
    let pages = [
        ("", "empty"),
        ("process_cpu_seconds_total 1\n", "no-http-metrics"),
        ("# TYPE http_requests_total counter\n", "no-samples-yet"),
        (
            "# TYPE shop_http_requests_total counter\nshop_http_requests_total{kind=\"a\"} 3\n",
            "unknown",
        ),
        ("http_requests_total{a=\"b} 3\n", "malformed"),
    ];
    let mut steps = Vec::new();
    for (page, outcome) in pages {
        let data = data(&report_of_text(page.as_bytes()));
        assert_eq!(data["outcome"], outcome, "{page}");
        assert_eq!(data["dialect"], Value::Null);
        let next = data["next"].as_str().unwrap().to_owned();
        assert!(!next.is_empty() && !steps.contains(&next), "{next}");
        steps.push(next);
    }
}

#[test]
fn a_line_that_prometheus_refuses_is_told_with_number_and_reason() {
    let report = report_of_text(b"a 1\nb{c=\"d\" 2\n");
    assert_eq!(data(&report)["line"], 2);
    let table = report.table("page");
    assert!(table.contains("line 2") && table.contains("expected"), "{table}");
}

#[test]
fn two_libraries_on_one_page_are_the_candidates() {
    let read = |page: &str| std::fs::read_to_string(format!("{PAGES}{page}")).unwrap();
    let both = read("flask/pages/0.23.2/default.after.text") + &read("gin/pages/v1.0.2/default.after.text");
    let data = data(&report_of_text(both.as_bytes()));
    assert_eq!(data["outcome"], "ambiguous");
    assert_eq!(data["candidates"], json!(["flask", "gin"]));
}

#[test]
fn the_page_of_a_proxy_is_named_with_what_to_set_for_the_workloads_behind_it() {
    let page = b"# TYPE traefik_service_requests_total counter\n\
        traefik_service_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",service=\"shop-orders-80@kubernetes\"} 3\n";
    let data = data(&report_of_text(page));
    assert_eq!(data["outcome"], "match");
    assert_eq!(data["dialect"], "traefik");
    let next = data["next"].as_str().unwrap();
    assert!(next.starts_with("This is the page of a proxy"), "{next}");
    assert!(next.contains("spec.metrics.dialect: traefik"), "{next}");
}

//! Detection on the captured pages of real libraries (`tests/dialects`), whole and with parts taken away: a page is of its own
//! library, or of none that can be told. It is never of another.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test's own helpers fail the test, and read the pages"
)]

mod captured;
mod changed;
mod custom;
mod made;
mod rules;

use controller_core::detect::{Chosen, Confidence, Outcome, detect, detect_with_proxies};
use metric_contract::{Attribute, DialectId, Signal, StatusStyle};

use captured::{captured, dialect, found_on};

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
fn a_proxys_own_page_is_named_where_proxies_are_looked_for_too_and_it_counts_for_services() {
    let pages = captured();
    let of_traefik = pages.iter().filter(|page| page.name.starts_with("traefik/"));
    let mut named = 0;
    for page in of_traefik {
        let counts_for_services = page.is_after() && !page.name.contains("no-services");
        let expected = counts_for_services.then_some(DialectId::Traefik);
        let detection = detect_with_proxies(&page.page);
        assert_eq!(dialect(&detection), expected, "{}", page.name);
        named += usize::from(counts_for_services);
    }
    assert!(named >= 5, "{named}");
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
    let duration = found.spelling.duration().unwrap();
    assert_eq!((duration.route, duration.path), (None, Some("path")));

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
fn the_path_as_clients_wrote_it_is_told_from_the_template_of_the_route() {
    let raw = [
        ("gin/pages/v0.1.0/default.after.text", "url"),
        ("gin/pages/v1.0.2/default.after.text", "url"),
        ("gin/pages/v1.0.2/subsystem.after.text", "url"),
        ("flask/pages/0.18.7/default.after.text", "path"),
        ("flask/pages/0.23.2/prefixed.after.text", "path"),
        ("starlette-exporter/pages/0.11.0/default.after.text", "path"),
        ("starlette-exporter/pages/0.24.0/ungrouped.after.text", "path"),
        ("axum-prometheus/pages/0.10.1/exact-path.after.text", "endpoint"),
        ("go-http-metrics/pages/v0.13.0/raw-path.after.text", "handler"),
        (
            "chi-prometheus/pages/v0.0.0-20211217152057-87afa9aa2ca8/default.after.text",
            "path",
        ),
    ];
    for (page, label) in raw {
        let found = found_on(page).found.unwrap();
        let requests = found.spelling.requests().unwrap();
        assert_eq!((requests.route, requests.path), (None, Some(label)), "{page}");
        assert!(found.missing.contains(&Signal::Routes), "{page}: {:?}", found.missing);
        let told = found.client_labels.iter().find(|told| told.label == label).unwrap();
        assert!(
            matches!(told.chosen, Chosen::Paths(paths) if paths >= 7),
            "{page}: {told:?}"
        );
    }
    let routes = [
        ("gin/pages/v1.0.2/url-template.after.text", "url"),
        ("flask/pages/0.23.2/url-rule.after.text", "url_rule"),
        ("flask/pages/0.23.2/endpoint.after.text", "endpoint"),
        ("starlette-exporter/pages/0.24.0/default.after.text", "path"),
        ("axum-prometheus/pages/0.10.1/fallback-path.after.text", "endpoint"),
        ("go-http-metrics/pages/v0.13.0/default.after.text", "handler"),
        ("go-chi/pages/v0.1.1/default.after.text", "endpoint"),
        ("otel-http/python/pages/0.66b1/default.after.text", "http_target"),
    ];
    for (page, label) in routes {
        let found = found_on(page).found.unwrap();
        let requests = found.spelling.requests().unwrap();
        assert_eq!((requests.route, requests.path), (Some(label), Some(label)), "{page}");
        let told = found.client_labels.iter().find(|told| told.label == label);
        assert_eq!(told, None, "{page}");
    }
}

#[test]
fn routes_beside_the_paths_of_unrouted_requests_are_grouped_by_and_warned_of() {
    for (page, label) in [
        ("axum-prometheus/pages/0.10.1/default.after.text", "endpoint"),
        ("actix-web-prom/pages/0.10.0/default.after.text", "endpoint"),
        ("echo/pages/v0.50.1/default.after.text", "url"),
        ("fastapi-instrumentator/pages/8.1.0/no-templates.after.text", "handler"),
    ] {
        let found = found_on(page).found.unwrap();
        assert_eq!(found.spelling.requests().unwrap().route, Some(label), "{page}");
        let told = found.client_labels.iter().find(|told| told.label == label).unwrap();
        assert_eq!(told.chosen, Chosen::UnmatchedPaths(1), "{page}");
        let sentence = told.to_string();
        assert!(
            sentence.contains("the template of the route instead: "),
            "{page}: {sentence}"
        );
    }
}

#[test]
fn the_host_that_clients_ask_for_is_warned_of() {
    for (page, label) in [
        ("gin/pages/v1.0.2/default.after.text", "host"),
        ("echo/pages/v0.12.0/default.after.text", "host"),
        ("go-chi/pages/v0.1.1/host-and-proto.after.text", "host"),
        ("axum-otel-metrics/pages/0.8.0/default.after.text", "server_address"),
        ("otel-http/go/pages/v0.72.0/default.after.text", "server_address"),
        ("otel-http/python/pages/0.66b1/default.after.text", "http_server_name"),
    ] {
        let found = found_on(page).found.unwrap();
        let told = found.client_labels.iter().find(|told| told.label == label).unwrap();
        assert_eq!(told.chosen, Chosen::Texts, "{page}");
    }
}

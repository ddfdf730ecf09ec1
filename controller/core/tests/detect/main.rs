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

use controller_core::detect::{Confidence, Outcome, detect};
use metric_contract::{Attribute, Signal, StatusStyle};

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

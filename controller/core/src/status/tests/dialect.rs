//! `DialectKnown` and `status.metrics`.

use metric_contract::DialectId;

use super::*;
use crate::{
    detect::{Confidence, Outcome as PageOutcome},
    probe::{PageError, Trouble, from_status},
};

/// A world without a dialect of its spec.
fn undeclared() -> World {
    World::new(json!({"image": "i"}))
}

fn with_trouble(mut world: World, trouble: Trouble) -> World {
    world.page.trouble = Some(trouble);
    world
}

fn page(dialect: DialectId) -> KnownPage {
    KnownPage {
        confidence: Some(Confidence::Exact),
        ..KnownPage::of_table(dialect)
    }
}

fn with_page(mut world: World, dialect: DialectId) -> World {
    world.page.known = Some(Arc::new(page(dialect)));
    world.page.template = Some("6d4b75cb6d".into());
    world
}

#[test]
fn each_answer_of_a_pod_has_a_reason_and_a_fix_of_its_own() {
    let unclear = |outcome, candidates: &[DialectId]| Trouble::Unclear(outcome, candidates.to_vec());
    let two = [DialectId::FastapiInstrumentator, DialectId::StarletteExporter];
    let cases = [
        (
            Trouble::Unread(PageError::NotFound),
            "Unknown/PageUnread",
            "set spec.metrics.path",
        ),
        (
            unclear(PageOutcome::Ambiguous, &two),
            "False/AmbiguousDialect",
            "fastapi-instrumentator, starlette-exporter",
        ),
        (
            unclear(PageOutcome::Unknown, &[]),
            "False/UnknownMetrics",
            "spec.metrics.custom",
        ),
        (
            unclear(PageOutcome::NoHttpMetrics, &[]),
            "False/NoHttpMetrics",
            "send a request",
        ),
        (
            unclear(PageOutcome::NoSamplesYet, &two),
            "Unknown/NoSamplesYet",
            "send a request",
        ),
        (unclear(PageOutcome::Empty, &[]), "False/EmptyPage", "spec.metrics.path"),
    ];
    for (trouble, expected, fix) in cases {
        let status = with_trouble(undeclared(), trouble.clone()).fold();
        assert_eq!(says(&status, "DialectKnown"), expected, "{trouble:?}");
        let message = &condition(&status, "DialectKnown").message;
        assert!(message.contains(fix), "{message}");
        assert_ne!(says(&status, "Monitored"), "True/Monitored", "{trouble:?}");
    }
    for error in PageError::ALL {
        let status = with_trouble(undeclared(), Trouble::Unread(error)).fold();
        let message = &condition(&status, "DialectKnown").message;
        assert!(message.contains(error.fix()), "{message}");
    }
}

#[test]
fn a_page_that_was_not_read_yet_does_not_count_against_the_chain() {
    let mut world = undeclared();
    assert_eq!(says(&world.fold(), "DialectKnown"), "Unknown/NotDetectedYet");
    assert_eq!(says(&world.fold(), "Monitored"), "True/Monitored");
    world.reads_pages = false;
    let status = world.fold();
    assert_eq!(says(&status, "DialectKnown"), "Unknown/NotDetectedYet");
    assert!(condition(&status, "DialectKnown").message.contains("detection.enabled"));
}

#[test]
fn a_dialect_that_pods_showed_is_known_and_recorded() {
    let status = with_page(undeclared(), DialectId::FastapiInstrumentator).fold();
    assert_eq!(says(&status, "DialectKnown"), "True/Detected");
    let metrics = status.metrics.unwrap();
    assert_eq!(metrics.dialect.as_deref(), Some("fastapi-instrumentator"));
    assert_eq!(metrics.confidence.as_deref(), Some("Exact"));
    assert_eq!(metrics.route_label.as_deref(), Some("handler"));
    assert_eq!(metrics.status_style.as_deref(), Some("Class"));
    assert_eq!(metrics.pod_template_hash.as_deref(), Some("6d4b75cb6d"));
    assert_eq!(from_status(&metrics).unwrap(), page(DialectId::FastapiInstrumentator));
}

#[test]
fn a_label_with_the_path_as_clients_wrote_it_is_told_with_the_setting_of_the_library() {
    let declared = World::new(json!({"image": "i", "metrics": {"dialect": "gin"}})).fold();
    let detected = with_page(undeclared(), DialectId::Gin).fold();
    for (status, expected) in [(declared, "True/Declared"), (detected, "True/Detected")] {
        assert_eq!(says(&status, "DialectKnown"), expected);
        let message = &condition(&status, "DialectKnown").message;
        assert!(
            message.contains("; the label url has the path as clients wrote it")
                && message.contains("ReqCntURLLabelMappingFn"),
            "{message}"
        );
        assert_eq!(status.metrics.unwrap().route_label, None);
    }
    let message = condition(&World::well().fold(), "DialectKnown").message.clone();
    assert!(!message.contains("clients"), "{message}");
}

#[test]
fn metrics_that_were_known_and_are_not_any_more_are_told_while_their_rules_stay() {
    let unclear = Trouble::Unclear(PageOutcome::Unknown, Vec::new());
    let status = with_trouble(with_page(undeclared(), DialectId::Promhttp), unclear).fold();
    assert_eq!(says(&status, "DialectKnown"), "False/DialectChanged");
    assert_eq!(status.metrics.unwrap().dialect.as_deref(), Some("promhttp"));
    let unread = Trouble::Unread(PageError::TooSlow);
    let status = with_trouble(with_page(undeclared(), DialectId::Promhttp), unread).fold();
    assert_eq!(says(&status, "DialectKnown"), "True/Detected");
}

#[test]
fn a_dialect_of_the_spec_wins_and_one_that_the_pods_contradict_is_told_with_the_right_one() {
    let status = World::well().fold();
    assert_eq!(says(&status, "DialectKnown"), "True/Declared");
    assert_eq!(status.metrics.unwrap().families, []);
    let other = Trouble::Other(DialectId::Promhttp);
    let status = with_trouble(World::well(), other).fold();
    assert_eq!(says(&status, "DialectKnown"), "False/DialectMismatch");
    let message = &condition(&status, "DialectKnown").message;
    assert!(message.contains("set spec.metrics.dialect: promhttp"), "{message}");
    let status = with_page(World::well(), DialectId::Promhttp).fold();
    let metrics = status.metrics.unwrap();
    assert_eq!(metrics.dialect.as_deref(), Some("native"));
    assert_eq!(metrics.pod_template_hash, None, "the pods showed another dialect");
}

#[test]
fn names_by_hand_that_the_pods_do_not_have_are_told_with_their_fields() {
    let custom = json!({"requests": {"name": "my_requests_total"}});
    let spec = json!({"image": "i", "metrics": {"dialect": "custom", "custom": custom}});
    let status = World::new(spec.clone()).fold();
    assert_eq!(says(&status, "DialectKnown"), "True/Declared");
    let absent = Trouble::Absent(vec!["my_requests_total (spec.metrics.custom.requests.name)".to_owned()]);
    let status = with_trouble(World::new(spec), absent).fold();
    assert_eq!(says(&status, "DialectKnown"), "False/DialectMismatch");
    let message = &condition(&status, "DialectKnown").message;
    assert!(
        message.contains("does not have my_requests_total (spec.metrics.custom.requests.name)"),
        "{message}"
    );
}

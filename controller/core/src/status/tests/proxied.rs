//! Conditions of an API whose requests a proxy counts: nobody scrapes its pods.

use super::*;
use crate::probe::Trouble;

fn world() -> World {
    let mut world = World::new(json!({"image": "i", "metrics": {"dialect": "istio"}}));
    let children = world.applied.as_mut().unwrap();
    children
        .children
        .retain(|child| child.kind != ChildKind::SERVICE_MONITOR);
    world
}

#[test]
fn nothing_is_said_of_a_scrape_that_nobody_wants_and_the_chain_holds_without_it() {
    let status = world().fold();
    for absent in ["MonitorSelected", "Scraped"] {
        assert!(
            status.conditions.iter().all(|condition| condition.type_ != absent),
            "{absent}"
        );
    }
    assert_eq!(says(&status, "RulesSelected"), "True/Selected");
    assert_eq!(says(&status, "RulesHealthy"), "True/RulesEvaluated");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn targets_that_prometheus_lacks_are_no_trouble_of_an_api_without_any() {
    let mut world = world();
    world.finding.scrape = Answer::Known(ScrapeFinding::NoTarget);
    assert_eq!(says(&world.fold(), "Monitored"), "True/Monitored");
}

#[test]
fn the_dialect_is_declared_with_what_prometheus_has_to_scrape() {
    let mut world = world();
    // From before the spec named the proxy.
    world.page.trouble = Some(Trouble::Other(metric_contract::DialectId::Flask));
    let status = world.fold();
    assert_eq!(says(&status, "DialectKnown"), "True/Declared");
    let message = &condition(&status, "DialectKnown").message;
    for part in [
        "Istio",
        "Prometheus must scrape the sidecars",
        "own page of metrics is not read",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(status.metrics.unwrap().dialect.as_deref(), Some("istio"));
}

#[test]
fn a_dialect_of_a_proxy_that_the_spec_no_longer_names_is_forgotten() {
    let mut before = world();
    before.previous = before.fold();
    assert_eq!(
        before.previous.metrics.as_ref().unwrap().dialect.as_deref(),
        Some("istio")
    );
    let mut after = World::new(json!({"image": "i"}));
    after.previous = before.previous;
    after.page.known = crate::probe::from_status(after.previous.metrics.as_ref().unwrap()).map(Arc::new);
    let status = after.fold();
    assert_eq!(says(&status, "DialectKnown"), "Unknown/NotDetectedYet");
}

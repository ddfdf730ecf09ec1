//! Objectives: whether they have rules and figures, and what is left of their budgets.

use controller_rules::promql::PromDuration;
use serde_json::Value;

use super::*;
use crate::prometheus::{AskError, ObjectiveFigures, WindowFigures};

fn with_objectives(dialect: &str, objectives: &Value) -> World {
    World::new(json!({"image": "i", "metrics": {"dialect": dialect}, "objectives": objectives}))
}

fn latency(threshold: &str) -> Value {
    json!([
        {"name": "availability", "type": "Availability", "target": "99.9"},
        {"name": "fast", "type": "Latency", "target": "99", "threshold": threshold},
    ])
}

#[test]
fn a_threshold_between_buckets_is_named_with_both_neighbours() {
    let status = with_objectives("native", &latency("300ms")).fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "False/NotABucketBound");
    assert_eq!(says(&status, "Monitored"), "False/NotABucketBound");
    assert_eq!(
        condition(&status, "ObjectivesEvaluated").message,
        "objective fast: 300ms is no upper bound of the histogram's buckets: use 250ms or 500ms"
    );
}

/// Of an API whose names stand in the spec, with a histogram.
fn with_names_by_hand(objectives: &Value) -> World {
    let custom = json!({"duration": {"name": "t", "labels": {"status": "code"}}});
    let metrics = json!({"dialect": "custom", "custom": custom});
    World::new(json!({"image": "i", "metrics": metrics, "objectives": objectives}))
}

#[test]
fn a_threshold_of_a_histogram_whose_bounds_are_not_known_waits_for_the_page() {
    let status = with_names_by_hand(&latency("250ms")).fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "Unknown/BoundsUnknown");
    assert_eq!(says(&status, "DialectKnown"), "True/Declared");
    assert_eq!(
        condition(&status, "DialectKnown").message,
        "the metrics are named as spec.metrics.custom says"
    );
    assert_eq!(status.metrics.as_ref().unwrap().dialect.as_deref(), Some("custom"));
    let message = &condition(&status, "ObjectivesEvaluated").message;
    assert!(
        message.starts_with("objective fast: the upper bounds of the histogram's buckets are not known")
            && message.contains("--metrics"),
        "{message}"
    );
}

#[test]
fn a_mistake_comes_before_bounds_that_are_not_known_yet() {
    let objectives = json!([
        {"name": "fast", "type": "Latency", "target": "99", "threshold": "1s"},
        {"name": "reads", "type": "Availability", "target": "99", "selector": {"methods": ["GET"]}},
    ]);
    let status = with_names_by_hand(&objectives).fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "False/ObjectiveWithoutMetric");
    let message = &condition(&status, "ObjectivesEvaluated").message;
    assert!(
        message.contains("objective fast: ") && message.contains("objective reads: "),
        "{message}"
    );
}

#[test]
fn objectives_that_have_rules_are_unknown_without_an_address_of_a_prometheus() {
    let mut world = with_objectives("native", &latency("250ms"));
    world.finding.objectives = Answer::NoAddress;
    let status = world.fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "Unknown/NoPrometheusUrl");
    assert_eq!(says(&status, "Monitored"), "Unknown/NoPrometheusUrl");
    assert_eq!(status.error_budget_remaining, None);
    assert_eq!(status.objectives.len(), 2);
}

#[test]
fn objectives_of_an_unknown_dialect_wait_for_it() {
    let status = with_objectives("auto", &latency("250ms")).fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "Unknown/NotDetectedYet");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
}

fn figures(name: &str, budget: &str, sli: Option<&str>) -> ObjectiveFigures {
    ObjectiveFigures {
        name: name.to_owned(),
        target: (if name == "fast" { "99" } else { "99.9" }).to_owned(),
        window: Some(WindowFigures {
            budget_remaining: budget.to_owned(),
            sli: sli.map(str::to_owned),
        }),
        burn_rate_1h: Some("<1"),
        burn_rate_6h: Some("1-6"),
    }
}

fn answered(figures: Vec<ObjectiveFigures>) -> World {
    let mut world = with_objectives("native", &latency("250ms"));
    world.finding.objectives = Answer::Known(figures);
    world
}

fn both(availability: &str, fast: &str) -> World {
    answered(vec![
        figures("availability", availability, Some("99.98")),
        figures("fast", fast, Some("99.5")),
    ])
}

#[test]
fn budgets_that_are_recorded_are_shown_with_the_lowest_in_the_column() {
    let status = both("87%", "50%").fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "True/BudgetsRecorded");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
    assert_eq!(status.error_budget_remaining.as_deref(), Some("50%"));
    let shown = json!(status.objectives);
    assert_eq!(
        shown.pointer("/0").unwrap(),
        &json!({
            "name": "availability", "target": "99.9", "sli": "99.98", "budgetRemaining": "87%",
            "burnRate1h": "<1", "burnRate6h": "1-6",
        })
    );
}

#[test]
fn the_lowest_budget_is_lowest_as_a_number() {
    for (one, other, lowest) in [
        ("100%", "9%", "9%"),
        ("-5%", "3%", "-5%"),
        ("-50%", "-400%", "-400%"),
        ("-999%", "<-999%", "<-999%"),
    ] {
        let status = both(one, other).fold();
        assert_eq!(status.error_budget_remaining.as_deref(), Some(lowest), "{one} {other}");
    }
}

#[test]
fn an_objective_that_counted_nothing_is_named_and_one_without_figures_is_waited_for() {
    let idle = answered(vec![
        figures("availability", "100%", None),
        figures("fast", "100%", Some("100.0")),
    ]);
    let status = idle.fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "False/NoTraffic");
    let message = &condition(&status, "ObjectivesEvaluated").message;
    assert!(message.contains("of objective availability:"), "{message}");
    assert_eq!(says(&status, "Ready"), "True/Ready");

    let status = answered(vec![figures("fast", "100%", Some("100.0"))]).fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "Unknown/NotRecordedYet");
    assert_eq!(says(&status, "Monitored"), "Unknown/NotRecordedYet");
    assert_eq!(status.objectives[0].budget_remaining, None);
    assert_eq!(status.error_budget_remaining.as_deref(), Some("100%"));
}

#[test]
fn a_prometheus_that_keeps_its_data_for_less_than_a_window_is_told_apart_from_one_that_does_not_say() {
    let mut world = both("87%", "50%");
    world.finding.retention = Some(PromDuration::from_minutes(15 * 24 * 60));
    let status = world.fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "False/RetentionTooShort");
    let message = &condition(&status, "ObjectivesEvaluated").message;
    assert!(
        message.contains("for 15d") && message.contains("objectives availability, fast"),
        "{message}"
    );
    assert!(message.contains("to 28d or more"), "{message}");
    assert_eq!(
        status.error_budget_remaining.as_deref(),
        Some("50%"),
        "it is shown all the same"
    );
    world.finding.retention = Some(PromDuration::from_minutes(28 * 24 * 60));
    assert_eq!(says(&world.fold(), "ObjectivesEvaluated"), "True/BudgetsRecorded");
    world.finding.retention = None;
    assert_eq!(says(&world.fold(), "ObjectivesEvaluated"), "True/BudgetsRecorded");
}

#[test]
fn figures_of_an_earlier_target_are_not_shown() {
    let mut old = figures("availability", "-50%", Some("99.0"));
    old.target = "99.95".to_owned();
    let status = answered(vec![old, figures("fast", "50%", Some("99.5"))]).fold();
    assert_eq!(says(&status, "ObjectivesEvaluated"), "Unknown/NotRecordedYet");
    assert_eq!(status.error_budget_remaining.as_deref(), Some("50%"));
}

#[test]
fn without_an_answer_the_budgets_are_unknown_and_nothing_else_is_disturbed() {
    let well = both("87%", "50%").fold();
    for error in [AskError::TooSlow, AskError::TooManySeries, AskError::NotUnderstood] {
        let mut world = both("87%", "50%");
        world.previous = well.clone();
        world.finding.objectives = Answer::Failed(error);
        let status = world.fold();
        assert_eq!(says(&status, "ObjectivesEvaluated"), "Unknown/PrometheusUnanswered");
        for type_ in ["Ready", "Scraped", "RulesHealthy", "DashboardPlaced"] {
            assert_eq!(condition(&status, type_), condition(&well, type_));
        }
        assert_eq!(status.error_budget_remaining, None);
        assert_eq!(status.objectives[0].name, "availability");
        assert_eq!(status.firing_alerts, well.firing_alerts);
    }
}

#[test]
fn after_a_restart_the_budgets_stay_until_prometheus_was_asked() {
    let mut world = both("87%", "50%");
    world.previous = world.fold();
    world.finding = Finding::default();
    assert_eq!(world.fold(), world.previous);
    world.spec["objectives"][0]["target"] = json!("99.95");
    let status = world.fold();
    assert_eq!(status.objectives[0].budget_remaining, None, "another target");
    assert_eq!(status.error_budget_remaining.as_deref(), Some("50%"));
}

#[test]
fn a_reason_that_needs_no_prometheus_does_not_outlive_its_cause() {
    let mut world = with_objectives("native", &latency("300ms"));
    world.previous = world.fold();
    world.spec["objectives"] = latency("250ms");
    world.finding = Finding::default();
    assert_eq!(says(&world.fold(), "ObjectivesEvaluated"), "Unknown/NotAskedYet");
}

#[test]
fn without_objectives_or_monitoring_nothing_is_said_of_them() {
    let none = World::well();
    let mut off = both("87%", "50%");
    off.spec["monitoring"] = json!({"enabled": false});
    for world in [none, off] {
        let status = world.fold();
        let said = status
            .conditions
            .iter()
            .any(|condition| condition.type_ == "ObjectivesEvaluated");
        assert!(!said && status.objectives.is_empty() && status.error_budget_remaining.is_none());
    }
}

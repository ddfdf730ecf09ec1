//! What a Prometheus says, as conditions.

use controller_rules::promql::PromDuration;

use super::*;
use crate::prometheus::{
    AskError,
    answer::{RuleError, ScrapeError},
};

fn world(scrape: ScrapeFinding) -> World {
    let mut world = World::well();
    world.finding.scrape = Answer::Known(scrape);
    world
}

#[test]
fn a_target_that_is_down_is_named_with_the_fix_and_the_api_is_not_monitored() {
    let cases = [
        (ScrapeFinding::NoTarget, "False/NoTarget", "ServiceMonitor"),
        (
            ScrapeFinding::Down(Some(ScrapeError::ConnectionRefused)),
            "False/TargetDown",
            "spec.metrics.port",
        ),
        (
            ScrapeFinding::Down(Some(ScrapeError::NotFound)),
            "False/TargetDown",
            "spec.metrics.path",
        ),
        (
            ScrapeFinding::PartlyDown(Some(ScrapeError::LimitExceeded)),
            "False/TargetDown",
            "spec.metrics.limits",
        ),
        (ScrapeFinding::Down(None), "False/TargetDown", "/targets"),
    ];
    for (finding, expected, part) in cases {
        let status = world(finding.clone()).fold();
        assert_eq!(says(&status, "Scraped"), expected, "{finding:?}");
        assert_eq!(says(&status, "Monitored"), expected, "{finding:?}");
        assert_eq!(says(&status, "Ready"), "True/Ready");
        let message = &condition(&status, "Scraped").message;
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn pods_that_another_job_scrapes_too_are_a_warning_and_no_failure() {
    let status = world(ScrapeFinding::Up(vec!["kubernetes-pods".to_owned()])).fold();
    assert_eq!(says(&status, "Scraped"), "True/AlsoScrapedBy");
    assert!(condition(&status, "Scraped").message.contains("kubernetes-pods"));
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
}

#[test]
fn a_rule_that_fails_is_named_with_its_reason() {
    let mut world = World::well();
    world.finding.rules = Answer::Known(RulesFinding::Failing("ApiDown".to_owned(), RuleError::ManyMatches));
    let status = world.fold();
    assert_eq!(says(&status, "RulesHealthy"), "False/RuleFails");
    let message = &condition(&status, "RulesHealthy").message;
    assert!(
        message.contains("ApiDown") && message.contains("scraped twice"),
        "{message}"
    );
    assert_eq!(says(&status, "Monitored"), "False/RuleFails");
    world.finding.rules = Answer::Known(RulesFinding::NotLoaded);
    assert_eq!(says(&world.fold(), "RulesHealthy"), "False/RulesNotLoaded");
}

#[test]
fn alerts_that_look_back_a_week_are_named_where_the_data_is_not_kept_so_long() {
    let mut world = World::well();
    world.finding.retention = Some(PromDuration::from_minutes(24 * 60));
    let status = world.fold();
    assert_eq!(says(&status, "RulesHealthy"), "True/RetentionTooShort");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
    let message = &condition(&status, "RulesHealthy").message;
    for part in ["for 1d", "ApiLatencyRegression, ApiTrafficDrop, ApiTrafficSpike", "8d"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let off = ["ApiLatencyRegression", "ApiTrafficDrop", "ApiTrafficSpike"];
    world.spec["alerts"] = json!({"overrides": off.map(|name| json!({"name": name, "enabled": false}))});
    assert_eq!(says(&world.fold(), "RulesHealthy"), "True/RulesEvaluated");
    world.spec["alerts"] = json!({});
    world.finding.retention = Some(PromDuration::from_minutes(15 * 24 * 60));
    assert_eq!(says(&world.fold(), "RulesHealthy"), "True/RulesEvaluated");
}

#[test]
fn a_prometheus_without_an_answer_makes_its_conditions_unknown_and_no_other() {
    let well = World::well().fold();
    for error in [
        AskError::Unreachable,
        AskError::TooSlow,
        AskError::Refused,
        AskError::Redirected,
        AskError::Failed,
        AskError::TooLarge,
        AskError::TooManySeries,
        AskError::NotUnderstood,
        AskError::NotPrometheus,
    ] {
        let mut world = World::well();
        world.finding = Finding {
            scrape: Answer::Failed(error),
            rules: Answer::Failed(error),
            firing: Answer::Failed(error),
            objectives: Answer::Failed(error),
            retention: None,
            overall: Answer::NotYet,
        };
        let status = world.fold();
        for type_ in ["Scraped", "RulesHealthy", "Monitored"] {
            assert_eq!(condition(&status, type_).status, "Unknown", "{error:?} {type_}");
        }
        for type_ in ["Ready", "MonitorSelected", "RulesSelected", "DashboardPlaced"] {
            assert_eq!(condition(&status, type_), condition(&well, type_), "{error:?}");
        }
        assert_eq!((status.firing_alerts, status.first_failing), (None, None), "{error:?}");
    }
}

#[test]
fn without_an_address_nothing_is_known_and_the_message_names_the_value() {
    let mut world = World::well();
    world.finding = Finding::no_address();
    let status = world.fold();
    assert_eq!(says(&status, "Scraped"), "Unknown/NoPrometheusUrl");
    assert_eq!(says(&status, "RulesHealthy"), "Unknown/NoPrometheusUrl");
    assert_eq!(says(&status, "Monitored"), "Unknown/NoPrometheusUrl");
    assert!(condition(&status, "Scraped").message.contains("prometheusUrl"));
}

#[test]
fn after_a_restart_the_status_stays_until_prometheus_was_asked() {
    let mut world = world(ScrapeFinding::Down(Some(ScrapeError::TimedOut)));
    world.finding.firing = Answer::Known(2);
    world.previous = world.fold();
    assert_eq!(world.previous.firing_alerts, Some(2));
    world.finding = Finding::default();
    assert_eq!(world.fold(), world.previous);
    world.finding = Finding::no_address();
    world.prometheus = PrometheusFacts::NotReadYet;
    let status = world.fold();
    for type_ in ["Scraped", "RulesHealthy"] {
        assert_eq!(condition(&status, type_), condition(&world.previous, type_));
    }
    world.finding = Finding::default();
    world.previous = MonitoredApiStatus::default();
    assert_eq!(says(&world.fold(), "Scraped"), "Unknown/NotAskedYet");
}

#[test]
fn where_no_pod_is_wanted_nothing_has_to_be_scraped() {
    let mut world = world(ScrapeFinding::NoTarget);
    world.workload.deployment = Some(deployment(0));
    assert_eq!(says(&world.fold(), "Scraped"), "True/ScaledToZero");
    assert_eq!(says(&world.fold(), "Monitored"), "True/Monitored");
}

/// Prometheus objects that select everything, with so many shards each.
fn with_shards(shards: &[i32]) -> PrometheusFacts {
    let PrometheusFacts::Known { all: one, .. } = World::well().prometheus else {
        unreachable!()
    };
    let of = |(number, shards): (usize, &i32)| PrometheusSelectors {
        name: format!("p{number}"),
        shards: Some(*shards),
        ..one[0].clone()
    };
    known(shards.iter().enumerate().map(of).collect())
}

#[test]
fn one_of_several_shards_is_not_taken_for_the_whole() {
    let objectives = json!([{"name": "available", "type": "Availability", "target": "99.9"}]);
    let spec = json!({"image": "i", "preset": "native", "objectives": objectives});
    let answers = [
        (ScrapeFinding::Up(Vec::new()), RulesFinding::Healthy),
        (ScrapeFinding::NoTarget, RulesFinding::NotLoaded),
        (ScrapeFinding::Down(None), RulesFinding::NotLoaded),
    ];
    for (scrape, rules) in answers {
        let mut world = World::new(spec.clone());
        world.prometheus = with_shards(&[3]);
        world.finding.scrape = Answer::Known(scrape);
        world.finding.rules = Answer::Known(rules);
        let status = world.fold();
        for type_ in ["Scraped", "RulesHealthy", "ObjectivesEvaluated", "Monitored"] {
            assert_eq!(says(&status, type_), "Unknown/SeveralShards");
        }
        assert_eq!(status.firing_alerts, None, "of one shard");
        let told = &condition(&status, "Scraped").message;
        assert!(
            told.contains("monitoring/p0") && told.contains("spec.shards: 1"),
            "{told}"
        );
        for type_ in ["MonitorSelected", "RulesSelected"] {
            assert_eq!(says(&status, type_), "True/Selected");
            let told = &condition(&status, type_).message;
            assert!(
                told.contains("3 shards") && told.contains("a part of the targets"),
                "{told}"
            );
        }
    }
}

#[test]
fn a_prometheus_that_is_one_is_believed_beside_one_with_shards() {
    for shards in [&[1][..], &[0], &[3, 1]] {
        let mut world = World::well();
        world.prometheus = with_shards(shards);
        let status = world.fold();
        assert_eq!(says(&status, "Scraped"), "True/TargetUp", "{shards:?}");
        assert_eq!(says(&status, "Monitored"), "True/Monitored", "{shards:?}");
    }
}

#[test]
fn a_querier_over_all_shards_tells_budgets_and_alerts() {
    let mut world = World::well();
    world.prometheus = with_shards(&[2]);
    world.finding.scrape = Answer::Failed(AskError::NotPrometheus);
    world.finding.rules = Answer::Failed(AskError::NotPrometheus);
    world.finding.firing = Answer::Known(2);
    let status = world.fold();
    assert_eq!(says(&status, "Scraped"), "Unknown/NotPrometheus");
    assert_eq!(status.firing_alerts, Some(2));
}

//! Conditions of an API whose requests a proxy counts: nobody scrapes its pods.

use super::*;
use crate::probe::Trouble;
use crate::prometheus::{AskError, NearLabel};

/// The API `orders` behind a proxy, of whose requests Prometheus has series.
fn behind(metrics: Value) -> World {
    let mut world = World::new(json!({"image": "i", "metrics": metrics}));
    let children = world.applied.as_mut().unwrap();
    children
        .children
        .retain(|child| child.kind != ChildKind::SERVICE_MONITOR);
    world.finding.scrape = Answer::Known(ScrapeFinding::Counted);
    world
}

fn world() -> World {
    behind(json!({"dialect": "istio"}))
}

fn not_counted(near: &[(&str, &[&str])]) -> Answer<ScrapeFinding> {
    let near = near.iter().map(|(label, values)| NearLabel {
        label: (*label).to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    });
    Answer::Known(ScrapeFinding::NotCounted(near.collect()))
}

#[test]
fn nothing_is_said_of_a_monitor_that_nobody_wants_and_the_chain_holds_without_it() {
    let status = world().fold();
    let absent = "MonitorSelected";
    assert!(
        status.conditions.iter().all(|condition| condition.type_ != absent),
        "{absent}"
    );
    assert_eq!(says(&status, "Scraped"), "True/RequestsCounted");
    assert_eq!(says(&status, "RulesSelected"), "True/Selected");
    assert_eq!(says(&status, "RulesHealthy"), "True/RulesEvaluated");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn series_that_are_not_there_are_told_with_what_was_looked_for_and_the_fix() {
    let istio = json!({"dialect": "istio"});
    let traefik = json!({"dialect": "traefik", "proxy": {"service": "orders-web", "port": 80}});
    let cases: [(_, _, _, &[&str]); 5] = [
        (
            &istio,
            Answer::Known(ScrapeFinding::ProxyUnread),
            "False/ProxyNotScraped",
            &[
                "no series of istio_requests_total, of whatever workload",
                "envoy-stats-monitor",
                "no request",
            ],
        ),
        (
            &istio,
            not_counted(&[
                ("destination_workload", &["orders-v2", "web"]),
                ("reporter", &["source"]),
            ]),
            "False/RequestsNotCounted",
            &[
                "istio_requests_total where reporter is destination or waypoint, destination_workload is orders, \
                 destination_workload_namespace is shop",
                "(but some where destination_workload is orders-v2 or web; and some where reporter is source)",
                "counts from the first request on",
                "istio-proxy",
            ],
        ),
        (
            &traefik,
            not_counted(&[]),
            "False/RequestsNotCounted",
            &[
                "exported_service is shop-orders-web-80@kubernetes or shop-orders-web-80@kubernetescrd; or exported_service is nothing, service is shop-",
                "kubernetescrd: the proxy counts",
                "spec.metrics.proxy.names",
            ],
        ),
        (
            &istio,
            Answer::Failed(AskError::NotPrometheus),
            "Unknown/NotPrometheus",
            &["whether Prometheus has series of the API's requests"],
        ),
        (
            &istio,
            Answer::NoAddress,
            "Unknown/NoPrometheusUrl",
            &["selects the PrometheusRule", "prometheusUrl"],
        ),
    ];
    for (metrics, scrape, expected, parts) in cases {
        let mut world = behind(metrics.clone());
        world.finding.scrape = scrape;
        let status = world.fold();
        assert_eq!(says(&status, "Scraped"), expected);
        assert_eq!(says(&status, "Monitored"), expected);
        assert_eq!(says(&status, "Ready"), "True/Ready");
        let message = &condition(&status, "Scraped").message;
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(message.len() < 1_024, "an event has it whole: {message}");
    }
}

#[test]
fn an_api_that_was_counted_and_has_no_request_any_more_is_unknown_and_one_under_another_name_is_not() {
    let mut world = behind(json!({"dialect": "traefik"}));
    world.previous = world.fold();
    world.finding.scrape = not_counted(&[]);
    for _ in 0..3 {
        world.previous = world.fold();
        assert_eq!(says(&world.previous, "Scraped"), "Unknown/NoRecentRequests");
        assert_eq!(says(&world.previous, "Monitored"), "Unknown/NoRecentRequests");
    }
    // The proxy itself is gone, or its scrapes.
    world.finding.scrape = Answer::Known(ScrapeFinding::ProxyUnread);
    assert_eq!(says(&world.fold(), "Scraped"), "False/ProxyNotScraped");
    world.finding.scrape = not_counted(&[]);
    // An edit that changes nothing of the names, and one that does.
    world.generation += 1;
    world.spec["image"] = json!("j");
    assert_eq!(says(&world.fold(), "Scraped"), "Unknown/NoRecentRequests");
    world.spec["metrics"]["proxy"] = json!({"service": "web", "port": 80});
    assert_eq!(says(&world.fold(), "Scraped"), "False/RequestsNotCounted");
}

#[test]
fn before_prometheus_was_asked_about_these_very_series_nothing_is_told_of_them() {
    let mut scraped = World::new(json!({"image": "i"}));
    scraped.previous = scraped.fold();
    assert_eq!(says(&scraped.previous, "Scraped"), "True/TargetUp");
    let mut counted = world();
    counted.previous = counted.fold();
    let edited = behind(json!({"dialect": "linkerd"}));
    for (previous, spec, expected) in [
        (&counted.previous, counted.spec.clone(), "True/RequestsCounted"),
        (&counted.previous, edited.spec, "Unknown/NotAskedYet"),
        (&counted.previous, json!({"image": "i"}), "Unknown/NotAskedYet"),
        (&scraped.previous, counted.spec.clone(), "Unknown/NotAskedYet"),
        (&scraped.previous, json!({"image": "i"}), "True/TargetUp"),
    ] {
        let mut world = world();
        world.spec = spec;
        world.applied = Some(applied(|_| Outcome::Unchanged));
        world.previous = previous.clone();
        world.finding.scrape = Answer::NotYet;
        assert_eq!(says(&world.fold(), "Scraped"), expected, "{}", world.spec);
    }
}

#[test]
fn of_many_long_names_four_are_told_each_cut() {
    let names: Vec<_> = (10..42).map(|index| format!("{index}{}", "n".repeat(400))).collect();
    let mut world = behind(json!({"dialect": "envoy", "proxy": {"names": names}}));
    world.finding.scrape = not_counted(&[]);
    let message = condition(&world.fold(), "Scraped").message.clone();
    assert!(message.contains("n or 28 others:"), "{message}");
    assert!(message.len() < 1_024, "{message}");
}

#[test]
fn nothing_is_counted_where_no_pod_is_wanted_or_has_run() {
    let mut world = world();
    world.finding.scrape = not_counted(&[]);
    world.workload.deployment = Some(deployment(0));
    assert_eq!(says(&world.fold(), "Scraped"), "True/ScaledToZero");
    world.workload.deployment = Some(DeploymentFacts {
        ready: 0,
        available: 0,
        ..deployment(3)
    });
    assert_eq!(says(&world.fold(), "Scraped"), "Unknown/NeverRan");
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

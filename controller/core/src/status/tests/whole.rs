//! The status as a whole: its times, its summary conditions, suspension.

use super::*;

#[test]
fn when_all_is_well_every_condition_says_so() {
    let status = World::well().fold();
    for type_ in [
        "Accepted",
        "ChildrenApplied",
        "WorkloadReady",
        "ServiceMatchesPods",
        "MonitorSelected",
        "Scraped",
        "DialectKnown",
        "RulesSelected",
        "RulesHealthy",
        "DashboardPlaced",
        "Monitored",
        "Ready",
    ] {
        assert_eq!(
            condition(&status, type_).status,
            "True",
            "{type_}: {}",
            condition(&status, type_).message
        );
    }
    assert_eq!(says(&status, "Reconciling"), "False/Settled");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
    assert_eq!(status.first_failing, None);
    assert_eq!(status.observed_generation, 3);
    assert_eq!((status.replicas, status.ready_replicas), (Some(3), Some(3)));
    assert_eq!(status.url.as_deref(), Some("http://orders.shop.svc"));
    assert_eq!(
        status.selector.as_deref(),
        Some("app.kubernetes.io/name=orders,monitoredapi.io/name=orders")
    );
    assert_eq!(status.metrics.unwrap().dialect.as_deref(), Some("native"));
    assert!(
        status
            .conditions
            .iter()
            .all(|condition| condition.observed_generation == Some(3))
    );
}

#[test]
fn folding_the_same_again_changes_nothing_not_even_times() {
    let mut world = World::well();
    let first = world.fold();
    world.previous = first.clone();
    world.now = "2026-11-21T09:00:00.5Z";
    assert_eq!(world.fold(), first);
}

#[test]
fn a_time_moves_only_with_its_status() {
    let mut world = waiting("ContainerCreating", "");
    world.previous = world.fold();
    world.now = "2026-11-21T09:00:00Z";
    world.workload.pods[0].waiting = Some(("ImagePullBackOff".to_owned(), String::new()));
    let second = world.fold();
    let (before, after) = (
        condition(&world.previous, "WorkloadReady"),
        condition(&second, "WorkloadReady"),
    );
    assert_ne!(before.reason, after.reason);
    assert_eq!(before.last_transition_time, after.last_transition_time);
    world.previous = second;
    world.workload = World::well().workload;
    let third = world.fold();
    assert_ne!(
        condition(&third, "WorkloadReady").last_transition_time,
        after_time(&world.previous)
    );
}

fn after_time(status: &MonitoredApiStatus) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
    condition(status, "WorkloadReady").last_transition_time.clone()
}

#[test]
fn a_suspended_resource_says_so_and_keeps_its_records() {
    let mut world = World::well();
    world.previous = world.fold();
    world.spec = json!({"image": "i", "preset": "native", "suspend": true});
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "Reconciling"), "False/Suspended");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!(status.children, world.previous.children);
}

#[test]
fn reconciling_and_stalled_are_never_both_true() {
    let outcomes = [
        Outcome::Unchanged,
        Outcome::Conflict(String::new()),
        Outcome::Failed(String::new()),
        Outcome::Waiting(String::new()),
        Outcome::Pending(String::new()),
        Outcome::CrdMissing,
    ];
    for outcome in outcomes {
        for (wanted, failed) in [(3, false), (4, false), (4, true), (0, false)] {
            for suspend in [false, true] {
                let mut world = World::new(json!({"image": "i", "suspend": suspend}));
                world.applied = Some(applied(|_| outcome.clone()));
                let mut facts = DeploymentFacts {
                    wanted,
                    ..deployment(3)
                };
                facts.progress_failed = failed.then(|| ("ProgressDeadlineExceeded".to_owned(), String::new()));
                world.workload.deployment = Some(facts);
                let status = world.fold();
                let both = ["Reconciling", "Stalled"].map(|type_| condition(&status, type_).status == "True");
                assert_ne!(both, [true, true], "{outcome:?} {wanted} {failed} {suspend}");
            }
        }
    }
}

#[test]
fn a_panic_is_said_once_and_leaves_the_rest_of_the_status() {
    let previous = World::well().fold();
    let now = "2026-11-21T09:00:00Z".parse().unwrap();
    let status = internal_error(&previous, 4, now).unwrap();
    assert_eq!(says(&status, "Ready"), "False/InternalError");
    assert_eq!(condition(&status, "Ready").observed_generation, Some(4));
    assert_eq!(says(&status, "Accepted"), "True/Valid");
    assert_eq!(
        (status.conditions.len(), &status.children),
        (previous.conditions.len(), &previous.children)
    );
    assert_eq!(internal_error(&status, 4, now), None);
}

#[test]
fn a_change_while_suspended_is_not_told_as_written() {
    let mut world = World::well();
    world.previous = world.fold();
    world.generation = 4;
    world.spec = json!({"image": "another", "preset": "native", "suspend": true});
    world.applied = None;
    world.as_written = false;
    for replicas in [0, 3] {
        world.workload.deployment = Some(deployment(replicas));
        let status = world.fold();
        for type_ in [
            "ChildrenApplied",
            "WorkloadReady",
            "MonitorSelected",
            "Scraped",
            "RulesSelected",
            "RulesHealthy",
            "DashboardPlaced",
            "Monitored",
            "Ready",
        ] {
            assert_eq!(says(&status, type_), "Unknown/Suspended", "{type_}");
        }
        assert_eq!(says(&status, "Reconciling"), "False/Suspended");
        assert_eq!(says(&status, "Stalled"), "False/NotStalled");
        assert_eq!(status.observed_generation, 4);
    }
    // Only `suspend` itself was set: everything is as the spec wants it.
    world.as_written = true;
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "True/Applied");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    // A change that is reverted after a status has reported it.
    world.as_written = false;
    world.previous = world.fold();
    world.as_written = true;
    let status = world.fold();
    for type_ in ["Ready", "Monitored"] {
        assert_eq!(says(&status, type_), format!("True/{type_}"));
    }
}

/// Conditions about the spec alone: they need no object.
const OF_THE_SPEC: [&str; 2] = ["Accepted", "DialectKnown"];

#[test]
fn a_resource_that_is_suspended_from_its_creation_says_nothing_good_of_objects_that_do_not_exist() {
    let spec = json!({
        "image": "i", "preset": "native", "suspend": true,
        "objectives": [{"name": "available", "type": "Availability", "target": "99.9"}],
    });
    // Also if an API of this name left figures in the Prometheus, and whatever the Prometheus selects.
    for selector in [LabelSelector::default(), label("release", "prom")] {
        let mut world = World::new(spec.clone());
        world.applied = None;
        world.as_written = false;
        world.workload = WorkloadFacts::default();
        world.prometheus = prometheus(Some(selector), Some(LabelSelector::default()));
        for _ in 0..2 {
            let status = world.fold();
            for condition in &status.conditions {
                let type_ = condition.type_.as_str();
                let good = OF_THE_SPEC.contains(&type_);
                assert_eq!(condition.status == "True", good, "{type_}: {}", condition.message);
            }
            for type_ in [
                "MonitorSelected",
                "Scraped",
                "DashboardPlaced",
                "Monitored",
                "ChildrenApplied",
            ] {
                assert_eq!(says(&status, type_), "Unknown/Suspended");
            }
            world.previous = status;
        }
    }
}

#[test]
fn an_object_that_came_to_nothing_before_the_suspension_is_not_judged_by_its_labels() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| {
        if kind.optional {
            Outcome::CrdMissing
        } else {
            Outcome::Unchanged
        }
    }));
    for child in &mut world.applied.as_mut().unwrap().children {
        child.record = child.record.take().filter(|_| child.outcome != Outcome::CrdMissing);
    }
    world.previous = world.fold();
    assert_eq!(says(&world.previous, "MonitorSelected"), "False/CrdMissing");
    // The CRDs come while it is suspended.
    world.spec = json!({"image": "ghcr.io/acme/orders:1", "preset": "native", "suspend": true});
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "True/Applied");
    for type_ in ["MonitorSelected", "Scraped", "Monitored"] {
        assert_eq!(says(&status, type_), "Unknown/Suspended");
    }
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn failures_are_told_while_a_change_waits_for_the_end_of_the_suspension() {
    let mut world = World::well();
    world.previous = world.fold();
    world.spec = json!({"image": "another", "preset": "native", "suspend": true});
    world.applied = None;
    world.as_written = false;
    world.finding.scrape = Answer::Known(ScrapeFinding::Down(None));
    world.finding.rules = Answer::Known(RulesFinding::NotLoaded);
    let status = world.fold();
    assert_eq!(says(&status, "Scraped"), "False/TargetDown");
    assert_eq!(says(&status, "RulesHealthy"), "False/RulesNotLoaded");
    // What was said of the suspension is forgotten with it.
    world.finding.scrape = Answer::Known(ScrapeFinding::Up(Vec::new()));
    world.previous = world.fold();
    assert_eq!(says(&world.previous, "Scraped"), "Unknown/Suspended");
    world.spec = json!({"image": "another", "preset": "native"});
    world.applied = World::well().applied;
    world.finding = Finding::default();
    assert_eq!(says(&world.fold(), "Scraped"), "Unknown/NotAskedYet");
}

#[test]
fn a_requested_reconcile_is_answered_once_the_objects_were_compared() {
    let mut world = World::well();
    world.reconcile_at = Some("now");
    let applied = world.applied.take();
    let before = world.fold();
    assert_eq!(before.last_handled_reconcile_at, None);
    assert!(is_reconcile_requested(world.reconcile_at, &before));
    world.applied = applied;
    let after = world.fold();
    assert_eq!(after.last_handled_reconcile_at.as_deref(), Some("now"));
    assert!(!is_reconcile_requested(Some("now"), &after));
    assert!(is_reconcile_requested(Some("later"), &after));
    assert!(!is_reconcile_requested(None, &after));
    // A value longer than the status may hold is answered too.
    let long: &'static str = "é".repeat(1000).leak();
    world.reconcile_at = Some(long);
    assert!(!is_reconcile_requested(Some(long), &world.fold()));
}

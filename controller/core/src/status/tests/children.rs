//! `ChildrenApplied`, and the write records.

use super::*;

#[test]
fn a_conflict_of_a_core_kind_stalls_and_is_named() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        kind if kind == ChildKind::SERVICE => Outcome::Conflict("it is not ours".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "False/Conflict");
    assert_eq!(
        condition(&status, "ChildrenApplied").message,
        "Service orders: Conflict: it is not ours"
    );
    assert_eq!(says(&status, "Ready"), "False/Conflict");
    assert_eq!(says(&status, "Stalled"), "True/Conflict");
}

#[test]
fn a_deployment_that_could_not_be_written_is_not_awaited() {
    let mut world = World::well();
    world.workload.deployment = None;
    world.applied = Some(applied(|kind| match kind {
        kind if kind == ChildKind::DEPLOYMENT => Outcome::Invalid("spec.template is wrong".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "False/NoDeployment");
    assert!(
        condition(&status, "WorkloadReady")
            .message
            .contains("see ChildrenApplied")
    );
    assert_eq!(says(&status, "Stalled"), "True/Invalid");
}

#[test]
fn a_conflict_of_the_dashboard_leaves_the_workload_ready() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        kind if kind == ChildKind::CONFIG_MAP => Outcome::Conflict("it is not ours".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "False/Conflict");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
}

#[test]
fn failures_of_several_children_are_all_named_in_a_fixed_order() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        kind if kind == ChildKind::PROMETHEUS_RULE => Outcome::Failed("timed out".to_owned()),
        kind if kind == ChildKind::SERVICE_MONITOR => Outcome::Forbidden("no right to patch".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    let expected = "ServiceMonitor orders: Forbidden: no right to patch; PrometheusRule orders: Failed: timed out";
    assert_eq!(condition(&status, "ChildrenApplied").message, expected);
}

#[test]
fn a_missing_optional_crd_is_neither_stalled_nor_reconciling_and_named_in_monitored() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        kind if [ChildKind::SERVICE_MONITOR, ChildKind::PROMETHEUS_RULE].contains(&kind) => Outcome::CrdMissing,
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(condition(&status, "ChildrenApplied").status, "True");
    assert!(condition(&status, "ChildrenApplied").message.contains("CrdMissing"));
    assert_eq!(says(&status, "Monitored"), "False/CrdMissing");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!(says(&status, "Reconciling"), "False/Settled");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
}

#[test]
fn a_record_that_stands_twice_is_kept_once() {
    let mut world = World::well();
    let mut applied = applied(|_| Outcome::Unchanged);
    applied.leftovers = vec![
        record(ChildKind::SERVICE),
        ChildRecord {
            name: "old".to_owned(),
            ..record(ChildKind::SERVICE)
        },
    ];
    world.applied = Some(applied);
    let status = world.fold();
    assert_eq!(
        status.children.iter().filter(|record| record.kind == "Service").count(),
        2
    );
    assert_eq!(says(&status, "ChildrenApplied"), "False/Pruning");
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn a_cluster_that_is_not_ready_is_reported_once_and_without_a_warning() {
    let mut world = World::well();
    world.applied = Some(applied(|_| {
        Outcome::Pending("the API server is not ready: wait".to_owned())
    }));
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "False/Pending");
    assert_eq!(
        condition(&status, "ChildrenApplied").message,
        "the API server is not ready: wait"
    );
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
    let warned = crate::events::events(&MonitoredApiStatus::default(), &status);
    assert!(warned.is_empty(), "{warned:?}");
}

#[test]
fn objects_that_pods_of_the_old_revision_need_are_reported_and_fail_nothing() {
    let mut world = World::well();
    let mut applied = applied(|_| Outcome::Unchanged);
    applied.in_use = vec![ChildRecord {
        name: "old".to_owned(),
        ..record(ChildKind::SERVICE_ACCOUNT)
    }];
    world.applied = Some(applied);
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "True/Applied");
    let message = &condition(&status, "ChildrenApplied").message;
    assert!(message.contains("ServiceAccount old is no longer wanted"), "{message}");
    assert!(status.children.iter().any(|record| record.name == "old"));
}

#[test]
fn an_object_stays_until_the_one_that_takes_its_place_exists() {
    let mut world = World::well();
    let mut applied = applied(|kind| match kind {
        kind if kind == ChildKind::SERVICE_MONITOR => Outcome::CrdMissing,
        _ => Outcome::Unchanged,
    });
    applied.in_use = vec![ChildRecord {
        name: "old".to_owned(),
        ..record(ChildKind::GRAFANA_DASHBOARD)
    }];
    world.applied = Some(applied);
    let status = world.fold();
    let message = &condition(&status, "ChildrenApplied").message;
    let expected =
        "GrafanaDashboard old is no longer wanted and is deleted when the object that takes its place exists";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn rules_and_a_dashboard_that_fail_the_lint_are_reported_where_people_look_and_leave_the_workload_ready() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        kind if [ChildKind::PROMETHEUS_RULE, ChildKind::CONFIG_MAP].contains(&kind) => {
            Outcome::LintFailed("alert ApiDown: up > 1 never holds".to_owned())
        }
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    for name in ["ChildrenApplied", "RulesHealthy", "RulesSelected", "DashboardPlaced"] {
        assert_eq!(says(&status, name), "False/LintFailed");
        assert!(
            condition(&status, name)
                .message
                .contains("alert ApiDown: up > 1 never holds")
        );
    }
    assert!(
        condition(&status, "RulesHealthy")
            .message
            .contains("the last good one stays")
    );
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

//! Does the API answer? Decided by `up` and by what the operator reports of the workload, never by missing requests:
//! no traffic is no outage.
//!
//! Exactly one of the two alerts can hold: none up is `ApiDown`, some up but fewer than there should be is
//! `ApiTargetsMissing`. Both work on `up` alone where this Prometheus does not scrape the operator.

use metric_contract::Signal;

use super::{AlertDef, AlertFamily, Condition, DEFAULT_FOR, DOWN_FOR, Severity, SourceSystem};
use crate::{
    dashboards::PanelId,
    promql::Expr,
    series::{Built, Series},
};

pub(super) const API_DOWN: AlertDef = AlertDef {
    name: "ApiDown",
    family: AlertFamily::Availability,
    severity: Severity::Critical,
    sources: &[SourceSystem::S0],
    signals: &[Signal::Up],
    condition: Condition::Plain(down),
    for_: DOWN_FOR,
    panel: PanelId::TargetsUp,
    summary: "{api} is down",
    description: "No target of {api} has answered Prometheus for {for}, and the API is not scaled to zero.",
};

pub(super) const API_TARGETS_MISSING: AlertDef = AlertDef {
    name: "ApiTargetsMissing",
    family: AlertFamily::Availability,
    severity: Severity::Warning,
    sources: &[],
    signals: &[Signal::Up],
    condition: Condition::Plain(targets_missing),
    for_: DEFAULT_FOR,
    panel: PanelId::TargetsUp,
    summary: "Some targets of {api} are missing",
    description: "Only {value} of the targets that {api} should have answer Prometheus, for {for} now.",
};

/// No target up: all that are known are down, or none is known though replicas are wanted. Not while scaled to zero.
fn down(series: &Series<'_>) -> Built {
    let wanted = series.replicas_wanted();
    let up = series.targets_up().or(Expr::from(0).times(wanted.clone()));
    Ok(up.equals(0).unless(wanted.equals(0)))
}

/// Some up, but fewer than replicas are wanted; than targets are known, where nothing tells what is wanted.
///
/// Targets that are up count, not targets that are known: during a rolling update the old pods are still known, and
/// a pod that is known but down is missing too.
fn targets_missing(series: &Series<'_>) -> Built {
    let should_be = series.replicas_wanted().or(series.targets_known());
    let some_up = series.targets_up().above(0);
    Ok(series.targets_up().below(should_be).and(some_up))
}

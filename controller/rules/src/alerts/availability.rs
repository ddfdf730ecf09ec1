//! Whether the API answers. Decided by `up` and by the replicas that the operator reports, never by missing requests:
//! an API without traffic is not down.
//!
//! At most one of these alerts fires: `ApiDown` if no target answers and no pod is known to be ready, `ApiScrapeFailing` (in `scrape.rs`)
//! if pods are ready but no known target answers, `ApiTargetsMissing` if some targets are up but fewer than there should be.
//! The first and the last use `up` alone if this Prometheus does not scrape the operator. A Prometheus that scrapes only
//! some of the API's targets, or none of them, is not by itself a reason for any of these alerts: another Prometheus may
//! scrape the rest.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, DOWN_FOR, SourceSystem};
use crate::{
    PanelId, Severity,
    queries::{ApiQueries, MissingSignal, QueryResult},
};

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiDown",
        family: AlertFamily::Availability,
        severity: Severity::Critical,
        sources: &[SourceSystem::S0],
        // Without targets the pods decide.
        signals: &[],
        condition: AlertCondition::Plain(down),
        for_: DOWN_FOR,
        panel: PanelId::TargetsUp,
        summary: "{api} is down",
        description: "For {for}, no target of {api} has answered Prometheus and no pod is known to be ready.",
    },
    AlertDef {
        name: "ApiTargetsMissing",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Up],
        condition: AlertCondition::Plain(targets_missing),
        for_: DEFAULT_FOR,
        panel: PanelId::TargetsUp,
        summary: "Some targets of {api} are missing",
        description: "Only {value} of the targets of {api} answered Prometheus during the last {for}; more should answer.",
    },
];

/// No target is up and no pod is ready. Never while the API is scaled to zero.
///
/// If Prometheus knows no target, the number of ready pods alone decides: a pod that never started has no target, and nobody
/// scrapes the pods of an API whose requests a proxy counts. While a
/// pod is ready, users are served, even if its metrics can't be read.
fn down(queries: &ApiQueries<'_>) -> QueryResult {
    let ready = queries.replicas_ready();
    let answering = match queries.targets_up() {
        Ok(up) => up.or(ready.clone()),
        Err(MissingSignal(_)) => ready.clone(),
    };
    let scaled_to_zero = queries.replicas_wanted().where_equal(0);
    Ok(answering
        .where_equal(0)
        .unless(ready.where_above(0))
        .unless(scaled_to_zero))
}

/// Some targets are up, but fewer than there should be: fewer than the known targets, or fewer than the wanted replicas
/// while some of those are not ready.
///
/// If more targets are known than replicas are wanted (during a rolling update the old pods are still known), only the
/// wanted number must be up. If fewer are known, another shard of Prometheus may scrape the rest, so those count as missing
/// only while their pods are not ready.
fn targets_missing(queries: &ApiQueries<'_>) -> QueryResult {
    let (up, known) = (queries.targets_up()?, queries.targets_known()?);
    let (wanted, ready) = (queries.replicas_wanted(), queries.replicas_ready());
    // The smaller of the two numbers.
    let expected_here = wanted.clone().where_at_most(known.clone()).or(known);
    let below_known = up.clone().where_below(expected_here);
    let below_wanted = up
        .clone()
        .where_below(wanted.clone())
        .unless(ready.where_at_least(wanted));
    Ok(below_known.or(below_wanted).and(up.where_above(0)))
}

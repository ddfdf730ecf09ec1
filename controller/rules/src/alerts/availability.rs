//! Whether the API answers. Decided by `up` and by the replicas that the operator reports, never by missing requests:
//! an API without traffic is not down.
//!
//! At most one of these alerts fires: `ApiDown` if nobody is served as far as can be known, `ApiScrapeFailing` if pods are
//! ready but no known target answers, `ApiTargetsMissing` if some targets are up but fewer than there should be. The first
//! and the last use `up` alone if this Prometheus does not scrape the operator. None fires because this Prometheus scrapes
//! only some targets of the API, or none: another one may scrape the rest.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, DOWN_FOR, Severity, SourceSystem};
use crate::{
    PanelId,
    queries::{ApiQueries, QueryResult},
};

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiDown",
        family: AlertFamily::Availability,
        severity: Severity::Critical,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Up],
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
        description: "Only {value} of the targets that {api} should have answered Prometheus during the last {for}.",
    },
    AlertDef {
        name: "ApiScrapeFailing",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Up, Signal::ReplicasReady],
        condition: AlertCondition::Plain(scrape_failing),
        for_: DEFAULT_FOR,
        panel: PanelId::TargetsUp,
        summary: "The metrics of {api} cannot be read",
        description: "For {for}, no target of {api} has answered Prometheus although pods are ready ({value}). Until one \
                      answers, no alert on errors or latency can fire.",
    },
];

/// No target is up and no pod is ready. Never while the API is scaled to zero.
///
/// If Prometheus knows no target, the number of ready pods alone decides: a pod that never started has no target. While a
/// pod is ready, users are served, even if its metrics can't be read.
fn down(queries: &ApiQueries<'_>) -> QueryResult {
    let ready = queries.replicas_ready();
    let served = queries.targets_up().or(ready.clone());
    let scaled_to_zero = queries.replicas_wanted().equals(0);
    Ok(served.equals(0).unless(ready.above(0)).unless(scaled_to_zero))
}

/// Some targets are up, but fewer than there should be: fewer than the known targets, or fewer than the wanted replicas
/// while some of those are not ready.
///
/// Of more known targets than wanted replicas, only as many as are wanted must be up: during a rolling update the old pods
/// are still known. Of fewer, the others may belong to another shard of Prometheus, so they count as missing only if their
/// pods are not ready.
fn targets_missing(queries: &ApiQueries<'_>) -> QueryResult {
    let (up, known) = (queries.targets_up(), queries.targets_known());
    let (wanted, ready) = (queries.replicas_wanted(), queries.replicas_ready());
    let expected_here = wanted.clone().at_most(known.clone()).or(known);
    let below_known = up.clone().below(expected_here);
    let below_wanted = up.clone().below(wanted.clone()).unless(ready.at_least(wanted));
    Ok(below_known.or(below_wanted).and(up.above(0)))
}

/// Prometheus knows targets and none of them is up, while pods are ready. The value is the number of ready pods.
fn scrape_failing(queries: &ApiQueries<'_>) -> QueryResult {
    let ready = queries.replicas_ready().above(0);
    Ok(ready.and(queries.targets_up().equals(0)))
}

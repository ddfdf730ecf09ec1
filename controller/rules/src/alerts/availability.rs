//! Whether the API answers. Decided by `up` and by the replicas that the operator reports, never by missing requests:
//! an API without traffic is not down.
//!
//! At most one of the two alerts fires: `ApiDown` if no target is up, `ApiTargetsMissing` if some are up but fewer than
//! there should be. Both use `up` alone if this Prometheus does not scrape the operator.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, DOWN_FOR, Severity, SourceSystem};
use crate::{
    PanelId,
    promql::Expr,
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
        description: "No target of {api} has answered Prometheus for {for}, and the API is not scaled to zero.",
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
];

/// No target is up: all known targets are down, or none is known although replicas are wanted. Never while the API is
/// scaled to zero.
fn down(queries: &ApiQueries<'_>) -> QueryResult {
    let wanted = queries.replicas_wanted();
    let up = queries.targets_up().or(Expr::from(0).times(wanted.clone()));
    Ok(up.equals(0).unless(wanted.equals(0)))
}

/// Some targets are up, but fewer than the wanted replicas, or, if those are not reported, fewer than the known targets.
///
/// Only targets that are up count: during a rolling update the old pods are still known, and a target that is known but
/// down is missing too.
fn targets_missing(queries: &ApiQueries<'_>) -> QueryResult {
    let should_be = queries.replicas_wanted().or(queries.targets_known());
    let some_up = queries.targets_up().above(0);
    Ok(queries.targets_up().below(should_be).and(some_up))
}

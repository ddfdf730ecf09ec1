//! Whether the API's pods start, run and stay ready, as the operator reports them. Silent where this Prometheus does not
//! scrape the operator.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, ThresholdUnit};
use crate::{
    PanelId, Severity,
    promql::Decimal,
    queries::{ApiQueries, QueryResult},
};

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiReplicasMismatch",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::ReplicasWanted, Signal::ReplicasReady],
        condition: AlertCondition::Plain(fewer_ready_than_wanted),
        for_: DEFAULT_FOR,
        panel: PanelId::Replicas,
        summary: "{api} has fewer ready pods than wanted",
        description: "For {for}, only {value} pods of {api} have been ready; more are wanted.",
    },
    AlertDef {
        name: "ApiPodNotReady",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::PodsNotReady],
        condition: AlertCondition::Plain(pods_not_ready),
        for_: DEFAULT_FOR,
        panel: PanelId::Replicas,
        summary: "A pod of {api} does not become ready",
        description: "For {for}, {value} of the pods of {api} have not been ready. If it is a new version, its rollout does not go on.",
    },
    AlertDef {
        name: "ApiFlapping",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Up],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(3),
            build: target_changes_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::TargetsUp,
        summary: "A target of {api} goes up and down",
        description: "In the last quarter of an hour a target of {api} went up or down {value} times; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiRestartLoop",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Restarts],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(3),
            build: restarts_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Restarts,
        summary: "The containers of {api} restart again and again",
        description: "In the last half hour the containers of {api} were restarted {value} times; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiOomKilled",
        family: AlertFamily::Availability,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::LastTermination, Signal::Restarts],
        condition: AlertCondition::Plain(oom_killed),
        for_: DEFAULT_FOR,
        panel: PanelId::Restarts,
        summary: "{api} was killed because it reached its memory limit",
        description: "Of the pods of {api}, {value} were killed the last time because they reached their memory limit, and there was a restart in the last half hour.",
    },
];

/// Never while the API is scaled to zero, because then no pod is wanted.
fn fewer_ready_than_wanted(queries: &ApiQueries<'_>) -> QueryResult {
    Ok(queries.replicas_ready().where_below(queries.replicas_wanted()))
}

/// Sees a rollout that does not go on although the old pods are still ready.
fn pods_not_ready(queries: &ApiQueries<'_>) -> QueryResult {
    Ok(queries.pods_not_ready().where_above(0))
}

fn target_changes_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.target_changes()?.where_above(threshold))
}

fn restarts_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.restarts().where_above(threshold))
}

/// Why a container ended the last time is known long after; only with a recent restart is it news.
fn oom_killed(queries: &ApiQueries<'_>) -> QueryResult {
    Ok(queries
        .pods_oom_killed()
        .where_above(0)
        .and(queries.restarts().where_above(0)))
}

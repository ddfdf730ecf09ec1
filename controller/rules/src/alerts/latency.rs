//! Whether the API is slow: percentiles of its own histogram, if there are enough requests for one.

use metric_contract::{
    Signal,
    recorded_series::{LATENCY_BUCKETS, REQUESTS},
};

use super::{
    AlertCondition, AlertDef, AlertFamily, CRITICAL_FOR, DEFAULT_FOR, MIN_REQUESTS, SourceSystem, ThresholdUnit,
};
use crate::{
    PanelId, Severity,
    promql::{Decimal, Expr},
    queries::{ApiQueries, QueryResult},
};

const P95_SUMMARY: &str = "{api} is slow: one request in 20 takes longer than {threshold}";
const P95_DESCRIPTION: &str =
    "Of the requests to {api}, one in 20 takes longer than {value}; the threshold is {threshold}.";
/// Fewest requests of an hour a week ago with which the present is compared.
const MIN_REQUESTS_A_WEEK_AGO: u64 = 10;

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiHighLatencyP95",
        family: AlertFamily::Latency,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Duration, Signal::LatencyBuckets],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Duration,
            default: Decimal::thousandths(500),
            build: p95_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Latency,
        summary: P95_SUMMARY,
        description: P95_DESCRIPTION,
    },
    AlertDef {
        name: "ApiCriticalLatencyP95",
        family: AlertFamily::Latency,
        severity: Severity::Critical,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Duration, Signal::LatencyBuckets],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Duration,
            default: Decimal::whole(1),
            build: p95_above,
        },
        for_: CRITICAL_FOR,
        panel: PanelId::Latency,
        summary: P95_SUMMARY,
        description: P95_DESCRIPTION,
    },
    AlertDef {
        name: "ApiHighLatencyP99",
        family: AlertFamily::Latency,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Duration, Signal::LatencyBuckets],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Duration,
            default: Decimal::whole(2),
            build: p99_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Latency,
        summary: "{api} is slow: one request in 100 takes longer than {threshold}",
        description: "Of the requests to {api}, one in 100 takes longer than {value}; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiSlowRequests",
        family: AlertFamily::Latency,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Requests, Signal::SlowRequests],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(10),
            build: slow_ratio_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Latency,
        summary: "More than {threshold} of the requests to {api} are slow",
        description: "Of the requests to {api}, {value} took longer than its own threshold for slow requests; the threshold of this alert is {threshold}.",
    },
    AlertDef {
        name: "ApiLatencyRegression",
        family: AlertFamily::Latency,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Duration, Signal::LatencyBuckets],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(2),
            build: slower_than_a_week_ago,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Latency,
        summary: "{api} is slower than a week ago",
        description: "One request in 20 to {api} takes {value} times as long as at this hour a week ago, or longer; the threshold is {threshold} times.",
    },
];

fn p95_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    percentile_above(queries, 95, threshold)
}

fn p99_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    percentile_above(queries, 99, threshold)
}

fn percentile_above(queries: &ApiQueries<'_>, percent: u64, threshold: Decimal) -> QueryResult {
    Ok(queries
        .recorded_quantile(&LATENCY_BUCKETS, percent)?
        .where_above(threshold)
        .and(enough_timed(queries)))
}

/// Has a value if there are enough timed requests for a percentile.
fn enough_timed(queries: &ApiQueries<'_>) -> Expr {
    let requests = queries.recorded_bucket_total(&LATENCY_BUCKETS);
    queries.at_least_events(requests, MIN_REQUESTS)
}

fn slow_ratio_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let requests = queries.recorded(&REQUESTS);
    Ok(queries
        .share_of_enough(queries.slow_request_rate()?, requests, MIN_REQUESTS)
        .where_above(threshold))
}

/// How many times as long one request in 20 takes as at the same hour a week ago.
fn slower_than_a_week_ago(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let then = queries.latency_a_week_ago(&LATENCY_BUCKETS, 95)?.where_above(0);
    let requests_then = queries.timed_requests_a_week_ago(&LATENCY_BUCKETS);
    Ok(queries
        .recorded_quantile(&LATENCY_BUCKETS, 95)?
        .per(then)
        .where_above(threshold)
        .and(enough_timed(queries))
        .and(requests_then.where_at_least(MIN_REQUESTS_A_WEEK_AGO)))
}

//! Whether the API is slow: percentiles of its own histogram, if there are enough requests for one.

use metric_contract::{Signal, recorded_series::LATENCY_BUCKETS};

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, MIN_REQUESTS, Severity, SourceSystem, ThresholdUnit};
use crate::{
    PanelId,
    promql::{Decimal, histogram_quantile},
    queries::{ApiQueries, MissingSignal, QueryResult},
};

pub(super) const ALERTS: &[AlertDef] = &[AlertDef {
    name: "ApiHighLatencyP95",
    family: AlertFamily::Latency,
    severity: Severity::Warning,
    sources: &[SourceSystem::S0],
    signals: &[Signal::Duration],
    condition: AlertCondition::Threshold {
        unit: ThresholdUnit::Duration,
        default: Decimal::thousandths(500),
        build: p95_above,
    },
    for_: DEFAULT_FOR,
    panel: PanelId::Latency,
    summary: "{api} is slow: one request in 20 takes longer than {threshold}",
    description: "Of the requests to {api}, one in 20 takes longer than {value}; the threshold is {threshold}.",
}];

fn p95_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    if !queries.answers(Signal::Duration) {
        return Err(MissingSignal(Signal::Duration));
    }
    let p95 = histogram_quantile(Decimal::hundredths(95), queries.recorded_buckets(&LATENCY_BUCKETS));
    let requests = queries.recorded_bucket_total(&LATENCY_BUCKETS);
    Ok(p95
        .where_above(threshold)
        .and(queries.at_least_events(requests, MIN_REQUESTS)))
}

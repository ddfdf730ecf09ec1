//! Is the API slow? Percentiles from its own histogram, where there is enough traffic to speak of one.

use metric_contract::{Signal, recorded_series::LATENCY_BUCKETS};

use super::{AlertDef, AlertFamily, Condition, DEFAULT_FOR, MIN_REQUESTS, Severity, SourceSystem, ThresholdUnit};
use crate::{
    dashboards::PanelId,
    promql::{Decimal, histogram_quantile},
    series::{Built, Missing, Series},
};

pub(super) const API_HIGH_LATENCY_P95: AlertDef = AlertDef {
    name: "ApiHighLatencyP95",
    family: AlertFamily::Latency,
    severity: Severity::Warning,
    sources: &[SourceSystem::S0],
    signals: &[Signal::Duration],
    condition: Condition::Threshold {
        unit: ThresholdUnit::Duration,
        default: Decimal::thousandths(500),
        build: p95_above,
    },
    for_: DEFAULT_FOR,
    panel: PanelId::Latency,
    summary: "{api} is slow: one request in 20 takes longer than {threshold}",
    description: "Of the requests to {api}, one in 20 takes longer than {value}; the threshold is {threshold}.",
};

fn p95_above(series: &Series<'_>, threshold: Decimal) -> Built {
    if !series.answers(Signal::Duration) {
        return Err(Missing(Signal::Duration));
    }
    let p95 = histogram_quantile(Decimal::hundredths(95), series.recorded_buckets(&LATENCY_BUCKETS));
    let requests = series.recorded_bucket_total(&LATENCY_BUCKETS);
    Ok(p95.above(threshold).and(series.at_least_events(requests, MIN_REQUESTS)))
}

//! Recording rules: what several alerts read is computed once per API, whatever the number of its routes.

use metric_contract::recorded_series::{ERRORS, LATENCY_BUCKETS, REQUESTS, RecordedSeries};

use crate::{
    RecordingRule,
    promql::{Expr, MetricName, metrics},
    series::{Built, Series},
};

/// A recording rule, as one row.
#[derive(Debug, Clone, Copy)]
pub struct RecordingDef {
    /// The series that it makes.
    pub series: &'static RecordedSeries,
    /// What it is made of.
    pub expr: fn(&Series<'_>) -> Built,
}

/// Every recording rule, in the order of evaluation.
pub const RECORDINGS: &[RecordingDef] = &[
    RecordingDef {
        series: &REQUESTS,
        expr: |series| series.request_rate(&[]),
    },
    RecordingDef {
        series: &ERRORS,
        expr: |series| series.error_rate(),
    },
    RecordingDef {
        series: &LATENCY_BUCKETS,
        expr: |series| series.latency_buckets(),
    },
];

/// The recording rules that these expressions read; a series that nobody reads is not made.
pub(crate) fn build_recordings<'a>(series: &Series<'_>, readers: impl Iterator<Item = &'a Expr>) -> Vec<RecordingRule> {
    let read: std::collections::BTreeSet<MetricName> = readers.flat_map(metrics).collect();
    RECORDINGS
        .iter()
        .map(|def| (series.recorded_name(def.series), def.expr))
        .filter(|(name, _)| read.contains(&MetricName::new(name)))
        // An alert was built from the same signal, so the signal is answered.
        .filter_map(|(record, expr)| expr(series).ok().map(|expr| RecordingRule { record, expr }))
        .collect()
}

//! Recording rules: a series that several alerts read is computed once per API.

use std::collections::BTreeSet;

use metric_contract::recorded_series::{ERRORS, LATENCY_BUCKETS, REQUESTS, RecordedSeries};

use crate::{
    RecordingRule,
    promql::{Expr, MetricName, metrics},
    queries::{ApiQueries, QueryResult},
};

/// A recording rule, as one row.
#[derive(Debug, Clone, Copy)]
pub struct RecordingDef {
    /// The series that it makes.
    pub series: &'static RecordedSeries,
    /// The query whose result it holds.
    pub expr: fn(&ApiQueries<'_>) -> QueryResult,
}

/// Every recording rule, in the order of evaluation.
pub const RECORDINGS: &[RecordingDef] = &[
    RecordingDef {
        series: &REQUESTS,
        expr: |queries| queries.request_rate(&[]),
    },
    RecordingDef {
        series: &ERRORS,
        expr: |queries| queries.error_rate(),
    },
    RecordingDef {
        series: &LATENCY_BUCKETS,
        expr: |queries| queries.latency_buckets(),
    },
];

/// The recording rules of the series that these expressions read; no others are made.
pub(crate) fn build_recordings<'a>(
    queries: &ApiQueries<'_>,
    readers: impl Iterator<Item = &'a Expr>,
) -> Vec<RecordingRule> {
    let read: BTreeSet<_> = readers.flat_map(metrics).map(MetricName::as_str).collect();
    RECORDINGS
        .iter()
        .map(|def| (queries.recorded_name(def.series), def.expr))
        .filter(|(name, _)| read.contains(name.as_str()))
        // An alert that reads the series needs the same signal, so the query can be built.
        .filter_map(|(record, expr)| expr(queries).ok().map(|expr| RecordingRule { record, expr }))
        .collect()
}

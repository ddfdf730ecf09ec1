//! Recording rules: a series that several alerts read is computed once per API.

use std::collections::{BTreeMap, BTreeSet};

use metric_contract::recorded_series::{ERRORS, LATENCY_BUCKETS, MEMORY, REQUESTS, REQUESTS_BY_STATUS, RecordedSeries};

use crate::{
    RecordingRule,
    promql::{Expr, metrics},
    queries::{ApiQueries, EventLabel, QueryResult},
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
        series: &REQUESTS_BY_STATUS,
        expr: |queries| queries.request_rate(&[EventLabel::Status]),
    },
    RecordingDef {
        series: &REQUESTS,
        expr: |queries| queries.answered_rate(),
    },
    RecordingDef {
        series: &ERRORS,
        expr: |queries| queries.error_rate(),
    },
    RecordingDef {
        series: &LATENCY_BUCKETS,
        expr: |queries| queries.latency_buckets(),
    },
    RecordingDef {
        series: &MEMORY,
        expr: |queries| queries.most_memory(),
    },
];

/// The recording rules of the series that these expressions read, and of those that such a rule reads; no others are made.
pub(crate) fn build_recordings<'a>(
    queries: &ApiQueries<'_>,
    readers: impl Iterator<Item = &'a Expr>,
) -> Vec<RecordingRule> {
    let mut read: BTreeSet<String> = readers.flat_map(names).collect();
    let mut made = Vec::new();
    // A rule may read those above it.
    for def in RECORDINGS.iter().rev() {
        let record = queries.recorded_name(def.series);
        if !read.contains(&record) {
            continue;
        }
        // An alert that reads the series needs the same signal, so the query can be built.
        let Ok(expr) = (def.expr)(queries) else { continue };
        read.extend(names(&expr));
        made.push(RecordingRule {
            record,
            expr,
            labels: BTreeMap::new(),
        });
    }
    made.reverse();
    made
}

fn names(expr: &Expr) -> impl Iterator<Item = String> {
    metrics(expr).into_iter().map(|name| name.as_str().to_owned())
}

//! PromQL for each question about this service, with the metric names of the dialect in use: the named queries of the operator's
//! own engine (`controller-rules`).

use controller_rules::{
    ApiFacts,
    named_queries::NAMED_QUERIES,
    promql::{Decimal, PromDuration},
};
use schemars::JsonSchema;
use serde::Serialize;

/// A query, by what it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Query {
    /// What it answers.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// The PromQL.
    pub promql: String,
}

/// All queries that this dialect can answer, and the titles of those that it cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Queries {
    /// The queries that this dialect can answer.
    pub queries: Vec<Query>,
    /// Titles of the queries for which the dialect has no metric.
    pub left_out: Vec<&'static str>,
}

/// The queries, over a window of so many seconds.
#[must_use]
pub fn queries(api: &ApiFacts<'_>, window_seconds: u32, in_flight_threshold: u64) -> Queries {
    let mut all = Queries {
        queries: Vec::new(),
        left_out: Vec::new(),
    };
    let window = PromDuration::from_seconds(window_seconds);
    // Nothing can be divided by 0.
    let threshold = Decimal::whole(in_flight_threshold.max(1));
    for query in NAMED_QUERIES {
        match query.promql(api, window, threshold) {
            Some(promql) => all.queries.push(Query {
                title: query.title,
                unit: query.unit,
                promql,
            }),
            None => all.left_out.push(query.title),
        }
    }
    all
}

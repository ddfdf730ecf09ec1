//! What the layer has counted, as numbers: for a service that looks at itself. The page is for others.
//!
//! Reads what the page reads, at the same cost to requests: none.

use std::sync::PoisonError;

use crate::{
    endpoint::Endpoint,
    families::MetricKey,
    metrics::HttpMetrics,
    scale::{BUCKETS, SUM},
};

/// What one method on one route has counted since the process started. No figure ever falls but `in_flight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointCounts {
    /// The method, as its label has it.
    pub method: &'static str,
    /// The route's template, or the dialect's word for a request that matched none.
    pub route: &'static str,
    /// Requests answered.
    pub requests: u64,
    /// Those of them that were answered 5xx.
    pub server_errors: u64,
    /// Requests being served now.
    pub in_flight: u64,
    /// Requests by duration, one number for each of [`HttpMetrics::duration_bounds`] and one for what took longer; not
    /// cumulative.
    pub buckets: Vec<u64>,
    /// Time that all requests took together.
    pub nanoseconds: u64,
}

impl HttpMetrics {
    /// What every endpoint has counted. The order never changes: an endpoint that comes later stands behind.
    #[must_use]
    pub fn endpoints(&self) -> Vec<EndpointCounts> {
        let endpoints = self.registry.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        endpoints.iter().map(|endpoint| endpoint.counts()).collect()
    }

    /// The sum over all counters and gauges of a metric or family, or over those alone that have this label value; also of
    /// what the dialect does not export. `None`: nobody has key for such a handle.
    #[must_use]
    pub fn sum(&self, what: impl Into<MetricKey>, with: Option<&str>) -> Option<f64> {
        self.registry.families.sum(what.into(), with)
    }

    /// Upper bounds of the duration histogram in seconds, ascending, without `+Inf`.
    #[must_use]
    pub fn duration_bounds(&self) -> Vec<f64> {
        self.registry.recording.duration_bounds.upper().collect()
    }
}

impl Endpoint {
    fn counts(&'static self) -> EndpointCounts {
        let recording = self.recording;
        let at = recording.layout.duration;
        let buckets = recording.duration_bounds.buckets();
        let (mut requests, mut server_errors) = (0_u64, 0_u64);
        for (slot, status) in self.statuses().enumerate() {
            let count = self.status_count(slot);
            requests = requests.wrapping_add(count);
            if status >= 500 {
                server_errors = server_errors.wrapping_add(count);
            }
        }
        EndpointCounts {
            method: self.method.as_str(),
            route: &self.route,
            requests,
            server_errors,
            in_flight: crate::page::not_negative(self.in_flight()),
            buckets: (0..buckets).map(|bucket| self.sum(at + BUCKETS + bucket)).collect(),
            nanoseconds: self.sum(at + SUM),
        }
    }
}

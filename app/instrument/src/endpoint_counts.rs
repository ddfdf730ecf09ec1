//! The counts of the layer as numbers, for a service that reports on itself. They are read from the same cells as the
//! page; reading them does not slow down requests.

use std::sync::PoisonError;

use crate::{
    endpoint::Endpoint,
    metric_key::MetricKey,
    metrics::HttpMetrics,
    scale::{BUCKETS, SUM},
};

/// The counts of one method on one route since the process started. All but `in_flight` only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointCounts {
    /// The method, as the label's value.
    pub method: &'static str,
    /// The route's template, or the dialect's label value for requests that matched no route.
    pub route: &'static str,
    /// Requests answered.
    pub requests: u64,
    /// Requests answered with a 5xx.
    pub server_errors: u64,
    /// Requests being served now.
    pub in_flight: u64,
    /// Requests by duration, not cumulative: one number for each of [`HttpMetrics::duration_bounds`], and a last one
    /// for requests that took longer.
    pub buckets: Vec<u64>,
    /// The sum of all requests' durations.
    pub nanoseconds: u64,
}

impl HttpMetrics {
    /// The counts of every endpoint, in the order in which the endpoints were first used.
    #[must_use]
    pub fn endpoints(&self) -> Vec<EndpointCounts> {
        let endpoints = self.registry.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        endpoints.iter().map(|endpoint| endpoint.counts()).collect()
    }

    /// The sum over all counters and gauges of a metric or a family, or over those of them that have the label value
    /// `with`; also of metrics that the dialect does not export. `None` if there is no such handle.
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

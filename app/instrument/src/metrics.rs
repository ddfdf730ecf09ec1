//! [`HttpMetrics`]: the handle that a service keeps.

use std::sync::PoisonError;

use http::Method;
use metric_contract::{Dialect, Family};

use crate::{
    families::{Counter, FALLBACK_DURATION_BUCKETS, FamilyError, Gauge, HandleRequest, Histogram, MetricKey},
    method_label::MethodLabel,
    page, prometheus_registry,
    registry::Registry,
};
use exposition::Format;

/// HTTP metrics of a process: the layer that records them, handles for others, and the page.
///
/// Copies are the same metrics. What it holds lives as long as the process: the request path then counts no references.
#[derive(Debug, Clone, Copy)]
pub struct HttpMetrics {
    pub(crate) registry: &'static Registry,
}

impl HttpMetrics {
    /// Makes a route's series exist at 0 (its documented statuses and 500), so that `rate()` sees the first request.
    ///
    /// It also declares the method: whatever other methods clients try on the route count as matching no route (HEAD, where
    /// it was not declared, as GET), so that a scan adds no series.
    pub fn expect(&self, method: &Method, route: &str, statuses: &[u16]) {
        if !self.registry.is_on || self.registry.excludes(route) {
            return;
        }
        if let Some(endpoint) = self.registry.declare(MethodLabel::of(method), route) {
            for status in statuses.iter().chain(&[500]) {
                let _exists = endpoint.status_slot(*status);
            }
        }
    }

    /// A counter of a metric or of a family of one's own; the same handle for the same label values. A metric that the
    /// dialect does not spell gives a handle that counts and is not exported.
    ///
    /// # Errors
    /// It is no counter, takes another number of values, its name is taken, or the cap on series is reached.
    pub fn counter(&self, what: impl Into<MetricKey>, values: &[&str]) -> Result<Counter, FamilyError> {
        let take_room = |series| self.take_room(series);
        let reserve = |family: &Family| prometheus_registry::reserve(&self.registry.users, family);
        let at = HandleRequest::new(
            self.registry.recording.dialect,
            what.into(),
            values,
            &take_room,
            &reserve,
        );
        self.registry.families.counter(at)
    }

    /// A settable value of a metric or family: a gauge, or a counter that somebody else counts.
    ///
    /// # Errors
    /// It takes another number of values, its name is taken, or the cap on series is reached.
    pub fn gauge(&self, what: impl Into<MetricKey>, values: &[&str]) -> Result<Gauge, FamilyError> {
        let take_room = |series| self.take_room(series);
        let reserve = |family: &Family| prometheus_registry::reserve(&self.registry.users, family);
        let at = HandleRequest::new(
            self.registry.recording.dialect,
            what.into(),
            values,
            &take_room,
            &reserve,
        );
        self.registry.families.gauge(at)
    }

    /// A histogram of a metric or family, with upper bounds in its unit; without them, the dialect's.
    ///
    /// # Errors
    /// It is no histogram, takes another number of values, its name is taken, or the cap on series is reached.
    pub fn histogram(
        &self,
        what: impl Into<MetricKey>,
        values: &[&str],
        buckets: Option<&[f64]>,
    ) -> Result<Histogram, FamilyError> {
        let take_room = |series| self.take_room(series);
        let reserve = |family: &Family| prometheus_registry::reserve(&self.registry.users, family);
        let at = HandleRequest::new(
            self.registry.recording.dialect,
            what.into(),
            values,
            &take_room,
            &reserve,
        );
        let own = at.own_buckets().unwrap_or(FALLBACK_DURATION_BUCKETS);
        self.registry.families.histogram(at, buckets.unwrap_or(own))
    }

    /// A registry for metrics of your own, made with the `prometheus` crate. They stand on the same page. It refuses a name
    /// that the layer or a handle has; a handle is refused whose name has been registered here.
    #[must_use]
    pub fn registry(&self) -> &'static prometheus::Registry {
        &self.registry.users
    }

    /// The dialect in use.
    #[must_use]
    pub fn dialect(&self) -> &'static Dialect {
        self.registry.recording.dialect
    }

    /// Whether anything is recorded: not if the variable of [`Builder::env_var`](crate::Builder::env_var) says no.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.registry.is_on
    }

    /// Requests in flight now, over all routes that are recorded.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let endpoints = self.registry.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        let total = endpoints
            .iter()
            .fold(0_u64, |sum, endpoint| sum.wrapping_add(endpoint.in_flight()));
        page::not_negative(total)
    }

    /// The page, and the value of its Content-Type header in [`Format::content_type`].
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        page::render(self.registry, format)
    }

    fn take_room(&self, series: usize) -> bool {
        if self.registry.recording.has_room(series) {
            self.registry.recording.add_series(series);
            return true;
        }
        self.registry.recording.count_refused();
        false
    }
}

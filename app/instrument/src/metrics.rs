//! [`HttpMetrics`]: the value that a service keeps, and what it offers.

use std::sync::PoisonError;

use http::Method;
use metric_contract::{Dialect, Family};

use crate::{
    handle::{Counter, Gauge, Histogram},
    handle_request::HandleRequest,
    method_label::MethodLabel,
    metric_key::{FamilyError, MetricKey},
    page, prometheus_registry,
    registry::Registry,
};
use exposition::Format;

/// Upper bounds of a histogram for which neither the caller nor the dialect gives any, seconds.
const FALLBACK_DURATION_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The HTTP metrics of a process: the layer that records them, handles for other metrics, and the page.
///
/// A copy shows the same metrics. Their memory is never freed, so that a request need not clone an `Arc`.
#[derive(Debug, Clone, Copy)]
pub struct HttpMetrics {
    pub(crate) registry: &'static Registry,
}

impl HttpMetrics {
    /// Makes the series of a method on a route exist at 0, for these statuses and for 500, so that `rate()` sees the
    /// first request.
    ///
    /// It also declares the method. After that, requests with a method that is not declared count as matching no route,
    /// so that a scanner adds no series; only HEAD counts as GET if it is not declared and GET is.
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

    /// A counter of a metric of the contract, or of a family that the service defines. The same label values give the
    /// same counter. If the dialect does not export the metric, the handle counts all the same and is not on the page.
    ///
    /// ```
    /// use http_instrument::{FamilyError, Format, HttpMetrics};
    /// use metric_contract::{DialectId, MetricId};
    ///
    /// let metrics = HttpMetrics::new(DialectId::Native);
    /// let hits = metrics.counter(MetricId::CacheOperations, &["get", "hit"])?;
    /// hits.increment();
    /// assert_eq!(metrics.counter(MetricId::CacheOperations, &["get", "hit"])?.value(), 1);
    /// # Ok::<(), FamilyError>(())
    /// ```
    ///
    /// # Errors
    /// The metric is not a counter or is recorded by the layer, the number of values is wrong, its name is taken, or
    /// the cap on series is reached.
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

    /// A value to set, of a metric or a family: a gauge, or a counter that is kept elsewhere.
    ///
    /// # Errors
    /// The layer records the metric, the number of values is wrong, its name is taken, or the cap on series is reached.
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

    /// A histogram of a metric or a family, with these upper bounds in the family's unit; `None` takes the dialect's
    /// bounds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use http_instrument::{FamilyError, HttpMetrics};
    /// use metric_contract::{DialectId, MetricId};
    ///
    /// let metrics = HttpMetrics::new(DialectId::Native);
    /// let payment = metrics.histogram(MetricId::ExternalRequestDuration, &["payment"], Some(&[0.1, 1.0]))?;
    /// payment.observe(Duration::from_millis(80));
    /// # Ok::<(), FamilyError>(())
    /// ```
    ///
    /// # Errors
    /// The metric is not a histogram or is recorded by the layer, the number of values is wrong, its name is taken, or
    /// the cap on series is reached.
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

    /// A registry for your own metrics that are made with the `prometheus` crate. They are printed on the same page.
    /// `register` fails for a name that the layer or a handle has, and asking for a handle fails
    /// ([`FamilyError::NameTaken`]) if its name has been registered here.
    #[must_use]
    pub fn registry(&self) -> &'static prometheus::Registry {
        &self.registry.users
    }

    /// The dialect in use as the options change it: only what is exported, with the bounds, names and labels in force.
    #[must_use]
    pub fn dialect(&self) -> &'static Dialect {
        self.registry.recording.dialect
    }

    /// Whether anything is recorded. [`Builder::on`](crate::Builder::on) and
    /// [`Builder::env_var`](crate::Builder::env_var) decide.
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

    /// The page as text. [`Format::content_type`] has the value of its Content-Type header.
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

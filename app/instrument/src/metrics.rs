//! [`HttpMetrics`]: the handle that a service keeps, and the builder that makes it.

use std::sync::{PoisonError, atomic::Ordering};

use http::Method;
use metric_contract::{Dialect, DialectId, Meaning};

use crate::{
    HttpMetricsLayer,
    endpoint::Places,
    families::{Asked, At, Counter, FamilyError, Gauge, Histogram},
    page::{self, Format},
    registry::Shared,
    scale::{Bounds, Scale},
    verb::Verb,
};

/// Routes that are not recorded unless told: scrapes and probes drown a quiet service's own traffic.
pub const DEFAULT_EXCLUDED: &[&str] = &[
    "/metrics",
    "/health",
    "/health/live",
    "/health/ready",
    "/health/startup",
    "/healthz",
    "/livez",
    "/readyz",
];
/// Series on the page beyond which new ones are refused. A Prometheus spends 3 to 8 KiB on each.
pub const DEFAULT_MAX_SERIES: usize = 10_000;
/// Used if a dialect has no duration histogram of its own; seconds.
const FALLBACK_DURATION_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// HTTP metrics of a process: the layer that records them, handles for others, and the page.
///
/// Copies are the same metrics. What it holds lives as long as the process: the request path then counts no references.
#[derive(Debug, Clone, Copy)]
pub struct HttpMetrics {
    pub(crate) shared: &'static Shared,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self::new(DialectId::Native)
    }
}

impl HttpMetrics {
    /// Metrics in a dialect, with the default options.
    #[must_use]
    pub fn new(dialect: DialectId) -> Self {
        Self::builder(dialect).build()
    }

    /// Metrics in a dialect, with options.
    #[must_use]
    pub fn builder(dialect: DialectId) -> Builder {
        Builder {
            dialect: dialect.dialect(),
            excluded: DEFAULT_EXCLUDED.iter().map(|route| (*route).to_owned()).collect(),
            duration_buckets: None,
            in_flight: true,
            body_sizes: true,
            max_series: DEFAULT_MAX_SERIES,
        }
    }

    /// The tower layer. Give it to `Router::layer` after the routes are added, so that it sees the matched route.
    #[must_use]
    pub fn layer(&self) -> HttpMetricsLayer {
        HttpMetricsLayer { metrics: *self }
    }

    /// Makes a route's series exist at 0 (its documented statuses and 500), so that `rate()` sees the first request.
    pub fn expect(&self, method: &Method, route: &str, statuses: &[u16]) {
        if self.shared.excluded.contains(route) {
            return;
        }
        if let Some(endpoint) = self.shared.endpoint(Verb::of(method), route) {
            for status in statuses.iter().chain(&[500]) {
                endpoint.status_place(self.shared.status_key(*status));
            }
        }
    }

    /// A counter of a meaning or of a family of one's own; the same handle for the same label values. A meaning that the
    /// dialect does not spell gives a handle that counts and is not exported.
    ///
    /// # Errors
    /// It is no counter, takes another number of values, or the cap on series is reached.
    pub fn counter(&self, what: impl Into<Asked>, values: &[&str]) -> Result<Counter, FamilyError> {
        let take_room = |series| self.take_room(series);
        let at = At::new(self.shared.dialect, what.into(), values, &take_room);
        self.shared.families.counter(at)
    }

    /// A settable value of a meaning or family: a gauge, or a counter that somebody else counts.
    ///
    /// # Errors
    /// It takes another number of values, or the cap on series is reached.
    pub fn gauge(&self, what: impl Into<Asked>, values: &[&str]) -> Result<Gauge, FamilyError> {
        let take_room = |series| self.take_room(series);
        let at = At::new(self.shared.dialect, what.into(), values, &take_room);
        self.shared.families.gauge(at)
    }

    /// A histogram of a meaning or family, with upper bounds in its unit; without them, the dialect's.
    ///
    /// # Errors
    /// It is no histogram, takes another number of values, or the cap on series is reached.
    pub fn histogram(
        &self,
        what: impl Into<Asked>,
        values: &[&str],
        buckets: Option<&[f64]>,
    ) -> Result<Histogram, FamilyError> {
        let take_room = |series| self.take_room(series);
        let at = At::new(self.shared.dialect, what.into(), values, &take_room);
        let own = at.own_buckets().unwrap_or(FALLBACK_DURATION_BUCKETS);
        self.shared.families.histogram(at, buckets.unwrap_or(own))
    }

    /// A registry for metrics of your own, made with the `prometheus` crate. They stand on the same page.
    #[must_use]
    pub fn registry(&self) -> &'static prometheus::Registry {
        &self.shared.users
    }

    /// The dialect in use.
    #[must_use]
    pub fn dialect(&self) -> &'static Dialect {
        self.shared.dialect
    }

    /// Requests in flight now, over all routes that are recorded.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let endpoints = self.shared.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        let total = endpoints
            .iter()
            .fold(0_u64, |sum, endpoint| sum.wrapping_add(endpoint.in_flight()));
        page::not_negative(total)
    }

    /// The page, and the value of its Content-Type header in [`Format::content_type`].
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        page::render(self.shared, format)
    }

    fn take_room(&self, series: usize) -> bool {
        if self.shared.room_for(series) {
            self.shared.take_room(series);
            return true;
        }
        self.shared.refused.fetch_add(1, Ordering::Relaxed);
        false
    }
}

/// Options of [`HttpMetrics`].
#[derive(Debug, Clone)]
pub struct Builder {
    dialect: &'static Dialect,
    excluded: Vec<String>,
    duration_buckets: Option<Vec<f64>>,
    in_flight: bool,
    body_sizes: bool,
    max_series: usize,
}

impl Builder {
    /// Route templates that are not recorded, instead of [`DEFAULT_EXCLUDED`].
    #[must_use]
    pub fn excluded_routes<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.excluded = routes.into_iter().map(Into::into).collect();
        self
    }

    /// Upper bounds of the duration histogram in seconds, instead of the dialect's. Sorted; what is not a positive,
    /// finite number is left out.
    #[must_use]
    pub fn duration_buckets(mut self, seconds: impl IntoIterator<Item = f64>) -> Self {
        let mut seconds: Vec<f64> = seconds
            .into_iter()
            .filter(|bound| bound.is_finite() && *bound > 0.0)
            .collect();
        seconds.sort_by(f64::total_cmp);
        seconds.dedup();
        self.duration_buckets = Some(seconds);
        self
    }

    /// Whether requests in flight are exported (they are, unless told).
    #[must_use]
    pub fn in_flight(mut self, on: bool) -> Self {
        self.in_flight = on;
        self
    }

    /// Whether sizes of request and response bodies are recorded (they are, unless told).
    #[must_use]
    pub fn body_sizes(mut self, on: bool) -> Self {
        self.body_sizes = on;
        self
    }

    /// Series on the page beyond which new ones are refused and counted; [`DEFAULT_MAX_SERIES`] unless told.
    #[must_use]
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = series;
        self
    }

    /// The metrics. Call it once for a process: what it makes is never freed.
    #[must_use]
    pub fn build(self) -> HttpMetrics {
        let buckets = |meaning| self.dialect.row(meaning).map(|row| row.buckets);
        let own = buckets(Meaning::Duration).unwrap_or(FALLBACK_DURATION_BUCKETS);
        let duration_bounds = Bounds::new(Scale::Nanoseconds, self.duration_buckets.as_deref().unwrap_or(own));
        // Both size histograms of a dialect have the same bounds.
        let sizes = buckets(Meaning::ResponseSize).or_else(|| buckets(Meaning::RequestSize));
        let size_bounds = Bounds::new(Scale::One, sizes.unwrap_or_default());
        let shared = Shared {
            dialect: self.dialect,
            status_style: self.dialect.status_style,
            places: Places::new(duration_bounds.width(), size_bounds.width()),
            duration_bounds,
            size_bounds,
            in_flight: self.in_flight,
            body_sizes: self.body_sizes && sizes.is_some(),
            excluded: self.excluded.into_iter().map(String::into_boxed_str).collect(),
            max_series: self.max_series,
            series: Default::default(),
            refused: Default::default(),
            endpoints: Default::default(),
            index: Default::default(),
            unmatched: Default::default(),
            instances: Default::default(),
            families: Default::default(),
            users: prometheus::Registry::new(),
            page_bytes: Default::default(),
        };
        HttpMetrics {
            shared: Box::leak(Box::new(shared)),
        }
    }
}

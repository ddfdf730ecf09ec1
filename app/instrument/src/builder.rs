//! [`Builder`]: the options of [`HttpMetrics`].

use std::{
    env,
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use http::HeaderName;
use metric_contract::{Attribute, Dialect, DialectId, DialectRow, Family, MetricId, MetricKind, StatusStyle};

use crate::{
    cell_layout::{CellLayout, StatusCellLayout},
    extra_label::ExtraLabel,
    http_family::{HttpFamily, SeriesLevel},
    metrics::HttpMetrics,
    observed_request::{Callback, ObservedRequest},
    prometheus_registry,
    recording::Recording,
    registry::Registry,
    scale::{Bounds, Scale},
};

/// Routes that are not recorded by default. In a service with little traffic, scrapes and probes would be most of it.
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
/// The routes of probes, for [`Builder::ignore_probes`].
pub const PROBES: &[&str] = &[
    "/health",
    "/health/*",
    "/healthz",
    "/livez",
    "/readyz",
    "/live",
    "/ready",
    "/ping",
];
/// The default of [`Builder::max_series`]. A Prometheus server spends 3 to 8 KiB of memory on each series.
pub const DEFAULT_MAX_SERIES: usize = 10_000;
/// The default of [`Builder::api_versions`]: the header that names a version of the API, and the known versions.
const API_VERSION_HEADER: HeaderName = HeaderName::from_static("x-api-version");
const API_VERSIONS: &[&str] = &["v1", "v2"];
/// A request that takes longer counts as slow, by default.
const SLOW: Duration = Duration::from_secs(1);
/// The most versions of an API that have a label value of their own. An index of them must fit into a `u8`.
const MOST_API_VERSIONS: usize = 20;

/// The options of [`HttpMetrics`].
///
/// ```
/// use std::time::Duration;
///
/// use http_instrument::HttpMetrics;
/// use metric_contract::DialectId;
///
/// let metrics = HttpMetrics::builder(DialectId::Native)
///     .excluded_routes(["/metrics", "/internal/*"])
///     .duration_buckets([0.01, 0.1, 1.0])
///     .slow_requests(Duration::from_millis(500))
///     .max_series(2_000)
///     .build();
/// assert_eq!(metrics.duration_bounds(), [0.01, 0.1, 1.0]);
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    dialect: &'static Dialect,
    is_on: bool,
    excluded: Vec<String>,
    ignores_unmatched: bool,
    ignores_probes: bool,
    groups_status_codes: Option<bool>,
    duration_buckets: Option<Vec<f64>>,
    decimals: Option<u8>,
    slow: Duration,
    in_flight: bool,
    in_flight_name: Option<String>,
    in_flight_labels: Option<bool>,
    body_sizes: bool,
    empty_bodies: bool,
    api_versions: (HeaderName, Vec<String>),
    exemplars: bool,
    callbacks: Vec<Callback>,
    metrics_path: String,
    max_series: usize,
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
        Builder::new(dialect.dialect())
    }
}

impl Builder {
    fn new(dialect: &'static Dialect) -> Self {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            dialect,
            is_on: true,
            excluded: strings(DEFAULT_EXCLUDED),
            ignores_unmatched: false,
            ignores_probes: false,
            groups_status_codes: None,
            duration_buckets: None,
            decimals: None,
            slow: SLOW,
            in_flight: true,
            in_flight_name: None,
            in_flight_labels: None,
            body_sizes: true,
            empty_bodies: true,
            api_versions: (API_VERSION_HEADER, strings(API_VERSIONS)),
            exemplars: false,
            callbacks: Vec::new(),
            metrics_path: "/metrics".to_owned(),
            max_series: DEFAULT_MAX_SERIES,
        }
    }

    /// Lets an environment variable switch the metrics on: nothing is recorded and there is no page unless its value is
    /// `true`, in upper or lower case. It is read once, by this call.
    #[must_use]
    pub fn env_var(self, name: &str) -> Self {
        let value = env::var(name).unwrap_or_default();
        self.on(value.eq_ignore_ascii_case("true"))
    }

    /// Whether anything is recorded; default: yes.
    #[must_use]
    pub fn on(mut self, on: bool) -> Self {
        self.is_on = on;
        self
    }

    /// Route templates that are not recorded, instead of [`DEFAULT_EXCLUDED`]. `*` matches any number of characters.
    #[must_use]
    pub fn excluded_routes<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.excluded = routes.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the routes of [`PROBES`] are excluded as well as the excluded routes; default: no.
    #[must_use]
    pub fn ignore_probes(mut self, on: bool) -> Self {
        self.ignores_probes = on;
        self
    }

    /// Whether requests that match no route are left out; default: no.
    #[must_use]
    pub fn ignore_unmatched(mut self, on: bool) -> Self {
        self.ignores_unmatched = on;
        self
    }

    /// Whether a status label has the class (`2xx`) or the exact status (`204`); default: as in the dialect.
    #[must_use]
    pub fn group_status_codes(mut self, on: bool) -> Self {
        self.groups_status_codes = Some(on);
        self
    }

    /// Upper bounds of the duration histogram in seconds, instead of the dialect's, in any order. Numbers that are not
    /// positive and finite are left out.
    #[must_use]
    pub fn duration_buckets(mut self, seconds: impl IntoIterator<Item = f64>) -> Self {
        self.duration_buckets = Some(sorted(seconds));
        self
    }

    /// Rounds durations to this number of decimals of a second before they are recorded. The default and the most is 9
    /// (nanoseconds).
    #[must_use]
    pub fn round_durations(mut self, decimals: u8) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// A request that takes longer counts as slow; default: one second.
    #[must_use]
    pub fn slow_requests(mut self, longer_than: Duration) -> Self {
        self.slow = longer_than;
        self
    }

    /// Whether the gauge of requests in flight is exported; default: yes.
    #[must_use]
    pub fn in_flight(mut self, on: bool) -> Self {
        self.in_flight = on;
        self
    }

    /// The name of the gauge of requests in flight, instead of the dialect's. A character that is not allowed in the
    /// name of a metric becomes `_`.
    #[must_use]
    pub fn in_flight_name(mut self, name: impl Into<String>) -> Self {
        self.in_flight_name = Some(name.into());
        self
    }

    /// Whether the gauge of requests in flight has the labels of method and route; default: as in the dialect.
    #[must_use]
    pub fn in_flight_labels(mut self, on: bool) -> Self {
        self.in_flight_labels = Some(on);
        self
    }

    /// Whether sizes of request and response bodies are recorded; default: yes.
    #[must_use]
    pub fn body_sizes(mut self, on: bool) -> Self {
        self.body_sizes = on;
        self
    }

    /// Whether a message without a body counts as a body of 0 bytes; default: yes.
    #[must_use]
    pub fn empty_bodies(mut self, on: bool) -> Self {
        self.empty_bodies = on;
        self
    }

    /// For dialects with a label for the version of the API: the header that names the version, and the known versions,
    /// of which the first 20 are used. A request without the header counts as the first version, one with an unknown
    /// version as `other`. Default: `x-api-version` with `v1` and `v2`.
    #[must_use]
    pub fn api_versions<V: Into<String>>(mut self, header: HeaderName, known: impl IntoIterator<Item = V>) -> Self {
        let known = known.into_iter().take(MOST_API_VERSIONS).map(Into::into);
        self.api_versions = (header, known.collect());
        self
    }

    /// Whether the page in OpenMetrics has exemplars: beside a bucket of durations, the trace of a request that carried
    /// a [`TraceId`](crate::TraceId). Default: no, because looking for the trace costs each request a little.
    #[must_use]
    pub fn exemplars(mut self, on: bool) -> Self {
        self.exemplars = on;
        self
    }

    /// Adds a function that is called at the end of each response of a recorded route, for example to record your own
    /// metrics (see [`HttpMetrics::registry`]). It runs as part of the request, and the headers are copied for it, so
    /// recording a request then allocates.
    #[must_use]
    pub fn function(mut self, function: impl Fn(&ObservedRequest<'_>) + Send + Sync + 'static) -> Self {
        self.callbacks.push(Callback::new(function));
        self
    }

    /// The path at which [`HttpMetrics::instrument`] serves the page; default: `/metrics`. Requests for it are not
    /// recorded.
    #[must_use]
    pub fn metrics_path(mut self, path: impl Into<String>) -> Self {
        self.metrics_path = path.into();
        self
    }

    /// The most series on the page; default: [`DEFAULT_MAX_SERIES`]. Further ones are refused and counted, and requests
    /// that would need them count under the unmatched route.
    #[must_use]
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = series;
        self
    }

    /// Makes the metrics. Call it once in a process: their memory is never freed.
    #[must_use]
    pub fn build(mut self) -> HttpMetrics {
        let rows = self.rows();
        let duration_bounds = recorded(
            rows,
            Scale::Nanoseconds,
            &[MetricId::Duration, MetricId::DurationOverall],
        );
        let size_bounds = recorded(rows, Scale::One, &[MetricId::RequestSize, MetricId::ResponseSize]);
        let status_style = match self.groups_status_codes {
            Some(true) => StatusStyle::Class,
            Some(false) => StatusStyle::Exact,
            None => self.dialect.status_style,
        };
        let http: Box<[HttpFamily]> = rows
            .iter()
            .filter(|row| row.metric.recorded_by_layer() && row.metric != MetricId::SeriesRefused)
            .map(|row| HttpFamily::new(*row, status_style, [&duration_bounds, &size_bounds]))
            .collect();
        let lines = |level: SeriesLevel| {
            let families = http.iter().filter(move |family| family.level == level);
            let of_endpoints = families.filter(|family| family.grows_with_endpoints());
            of_endpoints.map(HttpFamily::lines).sum::<usize>()
        };
        let overall = http.iter().filter(|family| !family.grows_with_endpoints());
        // Further statuses and exceptions add a series each: few, because every endpoint bounds its own.
        let overall_series = overall.map(HttpFamily::lines).sum();
        let is_by_status = |family: &HttpFamily| family.level == SeriesLevel::Status && !family.only_counts();
        let has = |metric: MetricId| rows.iter().any(|row| row.metric == metric);
        let body_sizes = self.body_sizes && (has(MetricId::RequestSize) || has(MetricId::ResponseSize));
        let (duration_width, size_width) = (duration_bounds.width(), size_bounds.width());
        let extra_label = self.extra_label(rows);
        let unmatched = (0..extra_label.count()).map(|_| Default::default()).collect();
        let recording = Recording {
            layout: CellLayout::new(duration_width, size_width),
            by_status: http
                .iter()
                .any(is_by_status)
                .then(|| StatusCellLayout::new(duration_width, size_width)),
            duration_bounds,
            size_bounds,
            slow_nanoseconds: u64::try_from(self.slow.as_nanos()).unwrap_or(u64::MAX),
            rounding_nanoseconds: self.rounding_nanoseconds(),
            body_sizes,
            empty_bodies: self.empty_bodies && body_sizes,
            has_extras: self.exemplars || !self.callbacks.is_empty(),
            extra_label,
            dialect: self.changed_dialect(rows, status_style),
            counts_exceptions: has(MetricId::Exceptions),
            exemplars: self.exemplars,
            callbacks: std::mem::take(&mut self.callbacks).into_boxed_slice(),
            started: Instant::now(),
            max_series: self.max_series,
            status_series: lines(SeriesLevel::Status),
            series: AtomicUsize::new(overall_series),
            refused: Default::default(),
            overflow: Default::default(),
        };
        let endpoint_series = lines(SeriesLevel::Endpoint);
        let registry: &'static Registry = Box::leak(Box::new(Registry {
            recording,
            is_on: self.is_on,
            endpoint_series,
            http,
            excluded: self.excludes(),
            metrics_path: self.metrics_path.into_boxed_str(),
            ignores_unmatched: self.ignores_unmatched,
            endpoints: Default::default(),
            routes: Default::default(),
            unmatched,
            instances: Default::default(),
            index: Default::default(),
            families: Default::default(),
            users: prometheus::Registry::new(),
            page_bytes: Default::default(),
        }));
        let _is_first = registry.recording.overflow.set(registry);
        for row in rows {
            if row.metric.recorded_by_layer() {
                prometheus_registry::reserve(&registry.users, row.family);
            }
        }
        HttpMetrics { registry }
    }

    /// The dialect as the options change it.
    fn changed_dialect(&self, rows: &'static [DialectRow], status_style: StatusStyle) -> &'static Dialect {
        Box::leak(Box::new(Dialect {
            rows,
            status_style,
            ..*self.dialect
        }))
    }

    /// The dialect's rows, as the options change them.
    fn rows(&self) -> &'static [DialectRow] {
        let exported = |row: &DialectRow| match row.metric {
            MetricId::InFlight => self.in_flight,
            MetricId::InFlightOverall => self.in_flight && self.in_flight_name.is_none(),
            MetricId::RequestSize | MetricId::ResponseSize => self.body_sizes,
            _ => true,
        };
        let rows = self.dialect.rows.iter().copied().filter(exported);
        rows.map(|row| match row.metric {
            MetricId::InFlight => self.in_flight_row(row),
            MetricId::Duration => self.with_buckets(row),
            // Where it has the same buckets, it stays the sum of the routes' histograms.
            MetricId::DurationOverall if self.dialect.overall(MetricId::Duration).is_some() => self.with_buckets(row),
            _ => row,
        })
        .collect::<Vec<_>>()
        .leak()
    }

    fn with_buckets(&self, row: DialectRow) -> DialectRow {
        let buckets = match &self.duration_buckets {
            Some(seconds) => seconds.clone().leak(),
            None => row.buckets,
        };
        DialectRow { buckets, ..row }
    }

    fn in_flight_row(&self, row: DialectRow) -> DialectRow {
        if self.in_flight_name.is_none() && self.in_flight_labels.is_none() {
            return row;
        }
        let mut row = row;
        if let Some(labelled) = self.in_flight_labels {
            // The gauge names its labels of method and route as the counter of requests does.
            let like = self
                .dialect
                .row(MetricId::Requests)
                .or_else(|| self.dialect.row(MetricId::Duration));
            let wanted = |(_, attribute): &(&str, Attribute)| matches!(attribute, Attribute::Method | Attribute::Route);
            let labels = like
                .into_iter()
                .flat_map(DialectRow::labels)
                .filter(|_| labelled)
                .filter(wanted);
            let (names, attributes): (Vec<_>, Vec<_>) = labels.unzip();
            row.attributes = attributes.leak();
            row.family = Box::leak(Box::new(Family {
                labels: names.leak(),
                ..*row.family
            }));
        }
        if let Some(name) = &self.in_flight_name {
            row.family = Box::leak(Box::new(Family {
                name: metric_name(name).leak(),
                ..*row.family
            }));
        }
        row
    }

    fn extra_label(&self, rows: &[DialectRow]) -> ExtraLabel {
        let tells = |wanted: Attribute| rows.iter().any(|row| row.attributes.contains(&wanted));
        if tells(Attribute::ProtocolVersion) {
            return ExtraLabel::ProtocolVersion;
        }
        if tells(Attribute::ApiVersion) {
            let (header, known) = self.api_versions.clone();
            let known = known.into_iter().map(String::into_boxed_str).collect();
            return ExtraLabel::ApiVersion { header, known };
        }
        ExtraLabel::None
    }

    fn excludes(&self) -> Box<[Box<str>]> {
        let probes = PROBES.iter().copied().filter(|_| self.ignores_probes);
        let own = self.excluded.iter().map(String::as_str);
        let page = [self.metrics_path.as_str()];
        own.chain(probes).chain(page).map(Box::from).collect()
    }

    fn rounding_nanoseconds(&self) -> u64 {
        let decimals = self.decimals.map_or(9, |decimals| decimals.min(9));
        10_u64.pow(9 - u32::from(decimals))
    }
}

/// The bounds in which values are recorded: all bounds that the rows of these metrics print.
fn recorded(rows: &[DialectRow], scale: Scale, meanings: &[MetricId]) -> Bounds {
    let rows = rows.iter().filter(|row| meanings.contains(&row.metric));
    let bounds = rows
        .filter(|row| row.family.kind == MetricKind::Histogram)
        .flat_map(|row| row.buckets);
    Bounds::new(scale, &sorted(bounds.copied()))
}

fn sorted(bounds: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let bounds = bounds.into_iter();
    let mut bounds: Vec<f64> = bounds.filter(|bound| bound.is_finite() && *bound > 0.0).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

fn metric_name(text: &str) -> String {
    let allowed = |(place, c): (usize, char)| {
        let is_good = c.is_ascii_alphabetic() || matches!(c, '_' | ':') || (place > 0 && c.is_ascii_digit());
        if is_good { c } else { '_' }
    };
    text.chars().enumerate().map(allowed).collect()
}

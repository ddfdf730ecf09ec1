//! Typed handles for metrics that the layer does not record itself: counters, gauges and histograms of a metric of the
//! contract, or of a family that the service defines.
//!
//! A service asks for a handle once, at start, for each set of label values; each use of it is one or two atomic
//! operations. If the dialect does not export the metric, the handle works all the same and its series are not on the
//! page.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metric_contract::{Attribute, Dialect, DialectRow, Family, MetricId, MetricKind, Unit};

use exposition::Format;

use crate::{
    distribution::Distribution,
    scale::{Bounds, Scale, Selection},
    text,
};

/// Upper bounds of a histogram for which neither the caller nor the dialect gives any, seconds.
pub(crate) const FALLBACK_DURATION_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The reasons why there is no handle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// The number of label values is wrong.
    #[error("{what}: {given} is not a valid number of label values: use {wanted}")]
    Labels {
        /// What was asked for.
        what: MetricKey,
        /// The number of its labels.
        wanted: usize,
        /// The number of values that were given.
        given: usize,
    },
    /// The family is of another type than the handle.
    #[error("{what}: this metric is a {is:?}, not a {wanted:?}")]
    Kind {
        /// What was asked for.
        what: MetricKey,
        /// The family's type.
        is: MetricKind,
        /// The type of the handle that was asked for.
        wanted: MetricKind,
    },
    /// The layer records the metric itself.
    #[error("{what}: the HTTP layer records this metric itself, so there is no handle for it")]
    RecordedByLayer {
        /// What was asked for.
        what: MetricKey,
    },
    /// Another metric of this name is in [`HttpMetrics::registry`](crate::HttpMetrics::registry).
    #[error("{what}: another metric of this name is on the page already: give one of them another name")]
    NameTaken {
        /// What was asked for.
        what: MetricKey,
    },
    /// The page has as many series as [`Builder::max_series`](crate::Builder::max_series) allows.
    #[error("{what}: the page has no room for another series: raise max_series, or use fewer label values")]
    Full {
        /// What was asked for.
        what: MetricKey,
    },
}

/// The metric or family that a handle is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKey {
    /// A metric of the contract. The dialect gives it its name and labels; label values are given in the order of
    /// [`MetricId::attributes`].
    Metric(MetricId),
    /// A family that the service defines. It has the same name and labels in every dialect.
    Family(&'static Family),
}

impl From<MetricId> for MetricKey {
    fn from(metric: MetricId) -> Self {
        Self::Metric(metric)
    }
}

impl From<&'static Family> for MetricKey {
    fn from(family: &'static Family) -> Self {
        Self::Family(family)
    }
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "{metric:?}"),
            Self::Family(family) => f.write_str(family.name),
        }
    }
}

/// A counter: it only grows.
#[derive(Debug, Clone)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The value counted so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A value that is set: a gauge, or a counter that is kept elsewhere, for example in the kernel.
#[derive(Debug, Clone)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the value, in the family's unit.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The value that was set last; 0 if none was.
    #[must_use]
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// A histogram of durations or numbers.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<HistogramCells>);

#[derive(Debug)]
struct HistogramCells {
    bounds: Bounds,
    selection: Selection,
    buckets: Box<[AtomicU64]>,
    steps: AtomicU64,
}

impl Histogram {
    /// Records a duration. A family whose unit is not seconds gets the number of whole seconds.
    pub fn observe(&self, duration: Duration) {
        match self.0.bounds.scale {
            Scale::Nanoseconds => self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
            Scale::One => self.record(duration.as_secs()),
        }
    }

    /// Records a number of things or bytes. A family whose unit is seconds gets that many seconds.
    pub fn observe_number(&self, number: u64) {
        match self.0.bounds.scale {
            Scale::Nanoseconds => self.record(number.saturating_mul(1_000_000_000)),
            Scale::One => self.record(number),
        }
    }

    fn record(&self, steps: u64) {
        if let Some(bucket) = self.0.buckets.get(self.0.bounds.bucket(steps)) {
            bucket.fetch_add(1, Ordering::Relaxed);
            self.0.steps.fetch_add(steps, Ordering::Relaxed);
        }
    }
}

/// The handle of one series, of any type.
#[derive(Debug)]
enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

/// A handle, and the labels of its series.
#[derive(Debug)]
struct LabelledHandle {
    /// The label pairs as they are printed.
    labels: Box<str>,
    handle: Handle,
}

/// The handles of one metric.
#[derive(Debug)]
struct MetricHandles {
    key: MetricKey,
    /// `None` if the dialect does not export the metric.
    family: Option<&'static Family>,
    series: Vec<LabelledHandle>,
}

/// All handles, by metric.
#[derive(Debug, Default)]
pub(crate) struct Families(RwLock<Vec<MetricHandles>>);

impl Families {
    pub(crate) fn counter(&self, request: HandleRequest<'_>) -> Result<Counter, FamilyError> {
        request.must_be(MetricKind::Counter)?;
        self.get_or_add(
            request,
            |handle| match handle {
                Handle::Counter(counter) => Some(counter.clone()),
                Handle::Gauge(_) | Handle::Histogram(_) => None,
            },
            || {
                let counter = Counter(Arc::default());
                (counter.clone(), Handle::Counter(counter))
            },
        )
    }

    /// A value to set, of a gauge or of a counter that is kept elsewhere.
    pub(crate) fn gauge(&self, request: HandleRequest<'_>) -> Result<Gauge, FamilyError> {
        self.get_or_add(
            request,
            |handle| match handle {
                Handle::Gauge(gauge) => Some(gauge.clone()),
                Handle::Counter(_) | Handle::Histogram(_) => None,
            },
            || {
                let gauge = Gauge(Arc::default());
                (gauge.clone(), Handle::Gauge(gauge))
            },
        )
    }

    /// A histogram with upper bounds in the unit of its family, or in seconds if it is not exported.
    pub(crate) fn histogram(&self, request: HandleRequest<'_>, buckets: &[f64]) -> Result<Histogram, FamilyError> {
        request.must_be(MetricKind::Histogram)?;
        self.get_or_add(
            request,
            |handle| match handle {
                Handle::Histogram(histogram) => Some(histogram.clone()),
                Handle::Counter(_) | Handle::Gauge(_) => None,
            },
            || {
                let unit = request.family.map_or(Unit::Seconds, |family| family.unit);
                let bounds = Bounds::new(Scale::of(unit), buckets);
                let cells = HistogramCells {
                    buckets: (0..bounds.buckets()).map(|_| AtomicU64::new(0)).collect(),
                    selection: bounds.all(),
                    bounds,
                    steps: AtomicU64::new(0),
                };
                let histogram = Histogram(Arc::new(cells));
                (histogram.clone(), Handle::Histogram(histogram))
            },
        )
    }

    fn get_or_add<H>(
        &self,
        request: HandleRequest<'_>,
        find: impl Fn(&Handle) -> Option<H>,
        make: impl FnOnce() -> (H, Handle),
    ) -> Result<H, FamilyError> {
        let labels = request.text()?;
        let mut metrics = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let metric = match metrics.iter_mut().position(|metric| metric.key == request.key) {
            Some(position) => metrics.get_mut(position),
            None => {
                if !request.family.is_none_or(request.reserve) {
                    return Err(FamilyError::NameTaken { what: request.key });
                }
                metrics.push(MetricHandles {
                    key: request.key,
                    family: request.family,
                    series: Vec::new(),
                });
                metrics.last_mut()
            }
        };
        let full = FamilyError::Full { what: request.key };
        let Some(metric) = metric else { return Err(full) };
        let known = metric.series.iter().find(|series| *series.labels == *labels);
        if let Some(given) = known.and_then(|series| find(&series.handle)) {
            return Ok(given);
        }
        let (given, handle) = make();
        if !(request.take_room)(handle.series()) {
            return Err(full);
        }
        metric.series.push(LabelledHandle {
            labels: labels.into_boxed_str(),
            handle,
        });
        Ok(given)
    }

    /// The sum over the counters and gauges of one metric, or over those of them that have this label value. `None` if
    /// there are none.
    pub(crate) fn sum(&self, key: MetricKey, with: Option<&str>) -> Option<f64> {
        let mut label = String::new();
        if let Some(value) = with {
            text::push_label(&mut label, "_", value);
        }
        // The value with its quotes and the equals sign, whatever the label is called.
        let wanted = label.trim_start_matches('_');
        let metrics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.iter().find(|metric| metric.key == key)?;
        let values = metric
            .series
            .iter()
            .filter(|series| series.labels.contains(wanted))
            .filter_map(|series| match &series.handle {
                Handle::Counter(counter) => Some(counter.value() as f64),
                Handle::Gauge(gauge) => Some(gauge.value()),
                Handle::Histogram(_) => None,
            });
        values.reduce(|sum, value| sum + value)
    }

    /// Calls `visit` with each family that the service defines and has a handle of.
    pub(crate) fn each_own(&self, mut visit: impl FnMut(&'static Family)) {
        for metric in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            match metric.key {
                MetricKey::Family(family) => visit(family),
                MetricKey::Metric(_) => {}
            }
        }
    }

    /// Prints the family of a metric and the series of its handles; nothing if it has none or is not exported.
    pub(crate) fn write(&self, out: &mut String, format: Format, key: MetricKey) {
        let metrics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.iter().find(|metric| metric.key == key);
        if let Some((metric, family)) = metric.and_then(|metric| Some((metric, metric.family?))) {
            text::push_family_head(out, format, family);
            for series in &metric.series {
                series.write(out, family.name);
            }
        }
    }
}

impl LabelledHandle {
    fn write(&self, out: &mut String, name: &str) {
        match &self.handle {
            Handle::Counter(counter) => {
                text::push_series(out, name, "", &self.labels, None);
                text::push_integer(out, counter.value());
            }
            Handle::Gauge(gauge) => {
                text::push_series(out, name, "", &self.labels, None);
                text::push_number(out, gauge.value());
            }
            Handle::Histogram(Histogram(cells)) => {
                let counts = cells.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
                let lines = Distribution {
                    name,
                    labels: &self.labels,
                    scale: cells.bounds.scale,
                    selection: &cells.selection,
                };
                lines.write_histogram(out, counts, cells.steps.load(Ordering::Relaxed), None);
            }
        }
    }
}

impl Handle {
    fn series(&self) -> usize {
        match self {
            Self::Counter(_) | Self::Gauge(_) => 1,
            Self::Histogram(Histogram(cells)) => cells.bounds.series(),
        }
    }
}

/// A request for the handle of one series.
#[derive(Clone, Copy)]
pub(crate) struct HandleRequest<'a> {
    key: MetricKey,
    family: Option<&'static Family>,
    row: Option<&'static DialectRow>,
    values: &'a [&'a str],
    /// Counts that many series towards the cap; `false` if the cap leaves no room for them.
    take_room: &'a dyn Fn(usize) -> bool,
    /// Takes the name of a family; `false` if another metric has it.
    reserve: &'a dyn Fn(&Family) -> bool,
}

impl<'a> HandleRequest<'a> {
    pub(crate) fn new(
        dialect: &Dialect,
        key: MetricKey,
        values: &'a [&'a str],
        take_room: &'a dyn Fn(usize) -> bool,
        reserve: &'a dyn Fn(&Family) -> bool,
    ) -> Self {
        let row = match key {
            MetricKey::Metric(metric) => dialect.row(metric),
            MetricKey::Family(_) => None,
        };
        let family = match key {
            MetricKey::Metric(_) => row.map(|row| row.family),
            MetricKey::Family(family) => Some(family),
        };
        Self {
            key,
            family,
            row,
            values,
            // A metric that is not exported does not count towards the cap.
            take_room: if family.is_some() { take_room } else { &|_| true },
            reserve,
        }
    }

    /// The upper bounds that the dialect gives to a histogram of this metric.
    pub(crate) fn own_buckets(&self) -> Option<&'static [f64]> {
        self.row.map(|row| row.buckets).filter(|buckets| !buckets.is_empty())
    }

    fn must_be(&self, wanted: MetricKind) -> Result<(), FamilyError> {
        match self.family {
            Some(family) if family.kind != wanted => Err(FamilyError::Kind {
                what: self.key,
                is: family.kind,
                wanted,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// The label pairs as they are printed; or, for a metric that the dialect does not export, a text that is different
    /// for each set of label values.
    fn text(&self) -> Result<String, FamilyError> {
        match self.key {
            MetricKey::Metric(metric) if metric.recorded_by_layer() => {
                Err(FamilyError::RecordedByLayer { what: self.key })
            }
            MetricKey::Metric(metric) => {
                let attributes = metric.attributes();
                self.must_take(attributes.len())?;
                let value = |wanted: Attribute| {
                    let place = attributes.iter().position(|attribute| *attribute == wanted);
                    place.and_then(|place| self.values.get(place)).copied()
                };
                Ok(self.row.map_or_else(
                    || pairs(attributes.iter().map(|_| "").zip(self.values.iter().copied())),
                    |row| {
                        pairs(
                            row.labels()
                                .filter_map(|(label, attribute)| Some((label, label_value(attribute, value)?))),
                        )
                    },
                ))
            }
            MetricKey::Family(family) => {
                self.must_take(family.labels.len())?;
                Ok(pairs(family.labels.iter().copied().zip(self.values.iter().copied())))
            }
        }
    }

    fn must_take(&self, wanted: usize) -> Result<(), FamilyError> {
        let given = self.values.len();
        if wanted == given {
            return Ok(());
        }
        Err(FamilyError::Labels {
            what: self.key,
            wanted,
            given,
        })
    }
}

fn label_value<'v>(attribute: Attribute, value: impl Fn(Attribute) -> Option<&'v str>) -> Option<&'v str> {
    if let Attribute::Constant(constant) = attribute {
        return Some(constant);
    }
    value(attribute)
}

fn pairs<'v>(pairs: impl Iterator<Item = (&'v str, &'v str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        text::push_label(&mut out, name, value);
    }
    out
}

//! Typed handles for what the layer does not record itself: counters, gauges and histograms of a metric of the contract,
//! or of a family of one's own.
//!
//! A handle is looked up once, at start, for each set of label values; using it is one or two atomic operations. A metric
//! that the dialect does not spell gives a handle that works and is not exported.

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

/// Used if a dialect has no duration histogram of its own; seconds.
pub(crate) const FALLBACK_DURATION_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Why a handle was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// It takes another number of values.
    #[error("{what} takes the values of {wanted} labels, {given} were given")]
    Labels {
        /// What was asked for.
        what: MetricKey,
        /// How many it has.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// The family is of another type.
    #[error("{what} is a {is:?}, not a {wanted:?}")]
    Kind {
        /// What was asked for.
        what: MetricKey,
        /// What it is.
        is: MetricKind,
        /// What was asked for.
        wanted: MetricKind,
    },
    /// The layer records it itself.
    #[error("{what} is recorded by the HTTP layer, there is no handle for it")]
    RecordedByLayer {
        /// What was asked for.
        what: MetricKey,
    },
    /// A metric of this name has been registered by somebody else.
    #[error("{what}: another metric of this name is on the page already; give one of them another name")]
    NameTaken {
        /// What was asked for.
        what: MetricKey,
    },
    /// The page has as many series as it may have.
    #[error("no room for another series of {what}: the cap is reached")]
    Full {
        /// What was asked for.
        what: MetricKey,
    },
}

/// What a handle is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKey {
    /// A metric, spelled as the dialect does. Label values are given in the order of [`MetricId::attributes`].
    Metric(MetricId),
    /// A family of one's own, exported as it is in every dialect.
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

/// A number of things that happened.
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

    /// What has been counted.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A value that is set: a gauge, or a counter that somebody else counts (the kernel, say).
#[derive(Debug, Clone)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the value, in the family's unit.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The value last set; 0 before.
    #[must_use]
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// A distribution of values.
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
    /// Records a duration; in a family whose unit is not seconds, its whole seconds.
    pub fn observe(&self, duration: Duration) {
        match self.0.bounds.scale {
            Scale::Nanoseconds => self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
            Scale::One => self.record(duration.as_secs()),
        }
    }

    /// Records a number of things or bytes; in a family of seconds, that many seconds.
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

#[derive(Debug)]
enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

#[derive(Debug)]
struct LabelledHandle {
    labels: Box<str>,
    handle: Handle,
}

/// All series of one metric.
#[derive(Debug)]
struct MetricHandles {
    key: MetricKey,
    /// `None`: the dialect does not spell it.
    family: Option<&'static Family>,
    series: Vec<LabelledHandle>,
}

/// Everything that has a handle.
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

    /// A settable value of a gauge, or of a counter that is counted elsewhere.
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

    /// The sum over counters and gauges of one metric, or over those with this label value alone. `None`: there
    /// are none.
    pub(crate) fn sum(&self, key: MetricKey, with: Option<&str>) -> Option<f64> {
        let mut wanted = String::new();
        if let Some(value) = with {
            text::push_label(&mut wanted, "", value);
        }
        let metrics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.iter().find(|metric| metric.key == key)?;
        let values = metric
            .series
            .iter()
            .filter(|series| series.labels.contains(&wanted))
            .filter_map(|series| match &series.handle {
                Handle::Counter(counter) => Some(counter.value() as f64),
                Handle::Gauge(gauge) => Some(gauge.value()),
                Handle::Histogram(_) => None,
            });
        values.reduce(|sum, value| sum + value)
    }

    /// Families of users' own that have a handle.
    pub(crate) fn each_own(&self, mut visit: impl FnMut(&'static Family)) {
        for metric in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            match metric.key {
                MetricKey::Family(family) => visit(family),
                MetricKey::Metric(_) => {}
            }
        }
    }

    /// Prints what has a handle under a key.
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

/// Which series a handle is asked for.
#[derive(Clone, Copy)]
pub(crate) struct HandleRequest<'a> {
    key: MetricKey,
    family: Option<&'static Family>,
    row: Option<&'static DialectRow>,
    values: &'a [&'a str],
    /// Takes that many series from the cap, or refuses.
    take_room: &'a dyn Fn(usize) -> bool,
    /// Takes the name of a family, or refuses.
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
            // What is not exported takes no room.
            take_room: if family.is_some() { take_room } else { &|_| true },
            reserve,
        }
    }

    /// The bounds that the dialect gives to a histogram of this metric.
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

    /// The label pairs as they are printed; of what is not exported, something that tells the series apart.
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

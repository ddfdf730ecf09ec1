//! Typed handles for families other than HTTP's: counters, gauges and histograms of a family of the contract.
//!
//! A handle is looked up once, at start, for each set of label values; using it is one or two atomic operations.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metric_contract::{Family, MetricKind};

use crate::{
    page::Format,
    scale::{Bounds, Scale},
    text,
};

/// Why a handle was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// The family has another number of labels.
    #[error("{family} takes the values of {wanted} labels, {given} were given")]
    Labels {
        /// The family's name.
        family: &'static str,
        /// How many it has.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// The family is of another type.
    #[error("{family} is a {is:?}, not a {wanted:?}")]
    Kind {
        /// The family's name.
        family: &'static str,
        /// What it is.
        is: MetricKind,
        /// What was asked for.
        wanted: MetricKind,
    },
    /// The page has as many series as it may have.
    #[error("no room for another series of {family}: the cap is reached")]
    Full {
        /// The family's name.
        family: &'static str,
    },
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
enum Cell {
    Count(Counter),
    Value(Gauge),
    Distribution(Histogram),
}

#[derive(Debug)]
struct Series {
    labels: Box<str>,
    cell: Cell,
}

#[derive(Debug)]
struct Entry {
    family: &'static Family,
    series: Vec<Series>,
}

/// Every family that has a handle.
#[derive(Debug, Default)]
pub(crate) struct Families(RwLock<Vec<Entry>>);

impl Families {
    pub(crate) fn counter(&self, at: At<'_>) -> Result<Counter, FamilyError> {
        at.must_be(MetricKind::Counter)?;
        self.get_or_add(
            at,
            |cell| match cell {
                Cell::Count(counter) => Some(counter.clone()),
                Cell::Value(_) | Cell::Distribution(_) => None,
            },
            || {
                let counter = Counter(Arc::default());
                (counter.clone(), Cell::Count(counter))
            },
        )
    }

    /// A settable value of a gauge, or of a counter that is counted elsewhere.
    pub(crate) fn gauge(&self, at: At<'_>) -> Result<Gauge, FamilyError> {
        self.get_or_add(
            at,
            |cell| match cell {
                Cell::Value(gauge) => Some(gauge.clone()),
                Cell::Count(_) | Cell::Distribution(_) => None,
            },
            || {
                let gauge = Gauge(Arc::default());
                (gauge.clone(), Cell::Value(gauge))
            },
        )
    }

    pub(crate) fn histogram(&self, at: At<'_>, buckets: &[f64]) -> Result<Histogram, FamilyError> {
        at.must_be(MetricKind::Histogram)?;
        self.get_or_add(
            at,
            |cell| match cell {
                Cell::Distribution(histogram) => Some(histogram.clone()),
                Cell::Count(_) | Cell::Value(_) => None,
            },
            || {
                let bounds = Bounds::new(Scale::of(at.family.unit), buckets);
                let cells = HistogramCells {
                    buckets: (0..bounds.buckets()).map(|_| AtomicU64::new(0)).collect(),
                    bounds,
                    steps: AtomicU64::new(0),
                };
                let histogram = Histogram(Arc::new(cells));
                (histogram.clone(), Cell::Distribution(histogram))
            },
        )
    }

    fn get_or_add<H>(
        &self,
        at: At<'_>,
        find: impl Fn(&Cell) -> Option<H>,
        make: impl FnOnce() -> (H, Cell),
    ) -> Result<H, FamilyError> {
        let labels = at.text()?;
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let entry = match entries.iter_mut().position(|entry| entry.family.name == at.family.name) {
            Some(position) => entries.get_mut(position),
            None => {
                entries.push(Entry {
                    family: at.family,
                    series: Vec::new(),
                });
                entries.last_mut()
            }
        };
        let full = FamilyError::Full { family: at.family.name };
        let Some(entry) = entry else { return Err(full) };
        let known = entry.series.iter().find(|series| *series.labels == *labels);
        if let Some(handle) = known.and_then(|series| find(&series.cell)) {
            return Ok(handle);
        }
        let (handle, cell) = make();
        if !(at.take_room)(cell.series()) {
            return Err(full);
        }
        entry.series.push(Series {
            labels: labels.into_boxed_str(),
            cell,
        });
        Ok(handle)
    }

    /// Names of the families that have a handle.
    pub(crate) fn each(&self, mut visit: impl FnMut(&'static Family)) {
        for entry in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            visit(entry.family);
        }
    }

    /// Prints a family; `false` if it has no handle.
    pub(crate) fn write(&self, out: &mut String, format: Format, family: &Family) -> bool {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.iter().find(|entry| entry.family.name == family.name) else {
            return false;
        };
        text::push_family_head(out, format, entry.family);
        for series in &entry.series {
            series.write(out, family.name);
        }
        true
    }
}

impl Series {
    fn write(&self, out: &mut String, name: &str) {
        match &self.cell {
            Cell::Count(counter) => {
                text::push_series(out, name, "", &self.labels, None);
                text::push_integer(out, counter.value());
            }
            Cell::Value(gauge) => {
                text::push_series(out, name, "", &self.labels, None);
                text::push_number(out, gauge.value());
            }
            Cell::Distribution(Histogram(cells)) => {
                let counts = cells.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
                let steps = cells.steps.load(Ordering::Relaxed);
                write_histogram(out, name, &self.labels, &cells.bounds, counts, steps);
            }
        }
    }
}

impl Cell {
    fn series(&self) -> usize {
        match self {
            Self::Count(_) | Self::Value(_) => 1,
            Self::Distribution(Histogram(cells)) => cells.bounds.series(),
        }
    }
}

/// Which series a handle is asked for.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) family: &'static Family,
    pub(crate) labels: &'a [&'a str],
    /// Takes that many series from the cap, or refuses.
    pub(crate) take_room: &'a dyn Fn(usize) -> bool,
}

impl At<'_> {
    fn must_be(&self, wanted: MetricKind) -> Result<(), FamilyError> {
        if self.family.kind == wanted {
            return Ok(());
        }
        Err(FamilyError::Kind {
            family: self.family.name,
            is: self.family.kind,
            wanted,
        })
    }

    fn text(&self) -> Result<String, FamilyError> {
        let (wanted, given) = (self.family.labels.len(), self.labels.len());
        if wanted != given {
            return Err(FamilyError::Labels {
                family: self.family.name,
                wanted,
                given,
            });
        }
        let mut out = String::new();
        for (name, value) in self.family.labels.iter().zip(self.labels) {
            text::push_label(&mut out, name, value);
        }
        Ok(out)
    }
}

/// Prints a histogram's lines; its count is the sum of its buckets, so the two always agree.
pub(crate) fn write_histogram(
    out: &mut String,
    name: &str,
    labels: &str,
    bounds: &Bounds,
    counts: impl Iterator<Item = u64>,
    steps: u64,
) {
    let mut total = 0_u64;
    for (le, count) in bounds.labels().zip(counts) {
        total = total.wrapping_add(count);
        text::push_series(out, name, "_bucket", labels, Some(("le", le)));
        text::push_integer(out, total);
    }
    text::push_series(out, name, "_sum", labels, None);
    text::push_steps(out, bounds.scale, steps);
    text::push_series(out, name, "_count", labels, None);
    text::push_integer(out, total);
}

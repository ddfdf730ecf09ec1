//! Typed handles of one series each: a counter, a gauge, a histogram. A use of a handle is one or two atomic operations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metric_contract::{Conversion, Unit};

use crate::{
    distribution::Distribution,
    scale::{Bounds, Scale, Selection},
    text,
};

/// A counter: it only grows.
#[derive(Debug, Clone, Default)]
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
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the value, in the unit of the metric in the dialect `native`, or of the family that the service defines. The page
    /// shows it in the unit of the dialect in use.
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
    /// A histogram of a family with this unit. `buckets`: upper bounds in that unit.
    pub(crate) fn new(unit: Unit, buckets: &[f64]) -> Self {
        let bounds = Bounds::new(Scale::of(unit), buckets);
        Self(Arc::new(HistogramCells {
            buckets: (0..bounds.buckets()).map(|_| AtomicU64::new(0)).collect(),
            selection: bounds.all(),
            bounds,
            steps: AtomicU64::new(0),
        }))
    }

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
pub(crate) enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl Handle {
    /// The number of series on the page.
    pub(crate) fn series(&self) -> usize {
        match self {
            Self::Counter(_) | Self::Gauge(_) => 1,
            Self::Histogram(Histogram(cells)) => cells.bounds.series(),
        }
    }

    /// Prints the series. `labels`: the label pairs as they are printed. `conversion`: of a value that was set.
    pub(crate) fn write(&self, out: &mut String, name: &str, labels: &str, conversion: Conversion) {
        match self {
            Self::Counter(counter) => {
                text::push_series(out, name, "", labels, None);
                text::push_integer(out, counter.value());
            }
            Self::Gauge(gauge) => {
                text::push_series(out, name, "", labels, None);
                text::push_number(out, conversion.convert(gauge.value()));
            }
            Self::Histogram(Histogram(cells)) => {
                let counts = cells.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
                let lines = Distribution {
                    name,
                    labels,
                    scale: cells.bounds.scale,
                    selection: &cells.selection,
                };
                lines.write_histogram(out, counts, cells.steps.load(Ordering::Relaxed), None);
            }
        }
    }
}

//! Histogram bounds in the integer unit in which values are recorded, so that recording needs no floating point.

use metric_contract::Unit;

use crate::cells::Row;

/// The place of a histogram's sum, from the first of its cells.
pub(crate) const SUM: usize = 0;
/// The place of its first bucket; the others follow.
pub(crate) const BUCKETS: usize = 1;

/// What one recorded step is worth in the family's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Recorded in nanoseconds, exported in seconds.
    Nanoseconds,
    /// Recorded as it is exported.
    One,
}

impl Scale {
    pub(crate) fn of(unit: Unit) -> Self {
        match unit {
            Unit::Seconds => Self::Nanoseconds,
            Unit::Milliseconds | Unit::Nanoseconds | Unit::Count | Unit::Bytes | Unit::Ratio | Unit::Percent => {
                Self::One
            }
        }
    }

    /// A bound in recorded steps. Bounds are positive and far below 2^64 steps; others saturate.
    fn recorded(self, bound: f64) -> u64 {
        (bound * self.steps()).round() as u64
    }

    const fn steps(self) -> f64 {
        match self {
            Self::Nanoseconds => 1e9,
            Self::One => 1.0,
        }
    }
}

/// Ascending upper bounds, as recorded and as printed.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) scale: Scale,
    steps: Box<[u64]>,
    /// The first bound; if there is none, the largest number, because the first bucket is `+Inf` then.
    first: u64,
    /// The values of `le`, always with a fraction (`1.0`) as Python's client and OpenMetrics write them, so that both
    /// formats give the same series.
    labels: Box<[Box<str>]>,
}

impl Bounds {
    pub(crate) fn new(scale: Scale, bounds: &[f64]) -> Self {
        let steps: Box<[u64]> = bounds.iter().map(|bound| scale.recorded(*bound)).collect();
        Self {
            scale,
            first: steps.first().copied().unwrap_or(u64::MAX),
            steps,
            labels: bounds
                .iter()
                .map(|bound| format!("{bound:?}").into_boxed_str())
                .collect(),
        }
    }

    /// The number of buckets, with `+Inf`.
    pub(crate) fn buckets(&self) -> usize {
        self.steps.len() + 1
    }

    /// The number of cells of a histogram with these bounds: its sum and its buckets.
    pub(crate) fn width(&self) -> usize {
        BUCKETS + self.buckets()
    }

    /// Adds a value to the histogram whose cells start at a place.
    #[inline]
    pub(crate) fn record<const OWNED: bool>(&self, row: Row<'_, OWNED>, at: usize, value: u64) {
        row.add(at + SUM, value);
        row.add(at + BUCKETS + self.bucket(value), 1);
    }

    /// The number of sample lines of a histogram with these bounds: buckets, sum and count.
    pub(crate) fn series(&self) -> usize {
        self.buckets() + 2
    }

    /// The bucket of a value; the last is `+Inf`.
    #[inline]
    pub(crate) fn bucket(&self, value: u64) -> usize {
        // Most values are in the first one.
        if value <= self.first {
            0
        } else {
            self.later_bucket(value)
        }
    }

    #[inline(never)]
    fn later_bucket(&self, value: u64) -> usize {
        self.steps
            .iter()
            .position(|bound| value <= *bound)
            .unwrap_or(self.steps.len())
    }

    /// Upper bounds in the exported unit, without `+Inf`.
    pub(crate) fn upper(&self) -> impl Iterator<Item = f64> {
        let steps = self.scale.steps();
        self.steps.iter().map(move |bound| *bound as f64 / steps)
    }

    /// Selects the wanted bounds from these.
    pub(crate) fn select(&self, wanted: &[f64]) -> Selection {
        let steps: Vec<u64> = wanted.iter().map(|bound| self.scale.recorded(*bound)).collect();
        let selected = self.steps.iter().enumerate().filter(|(_, bound)| steps.contains(bound));
        let ends: Box<[usize]> = selected.map(|(place, _)| place).collect();
        Selection {
            labels: ends.iter().filter_map(|end| self.labels.get(*end).cloned()).collect(),
            ends,
        }
    }

    /// Selects all bounds.
    pub(crate) fn all(&self) -> Selection {
        Selection {
            labels: self.labels.clone(),
            ends: (0..self.labels.len()).collect(),
        }
    }
}

/// The recorded bounds that a family prints.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    labels: Box<[Box<str>]>,
    /// For each printed bound, the recorded bucket that ends at it.
    ends: Box<[usize]>,
}

impl Selection {
    /// The number of printed bounds, without `+Inf`.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// For every printed bucket but `+Inf`: its `le`, and the last recorded bucket that it includes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.labels.iter().map(AsRef::as_ref).zip(self.ends.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equal_to_a_bound_is_in_its_bucket() {
        let bounds = Bounds::new(Scale::Nanoseconds, &[0.005, 1.0]);
        assert_eq!(bounds.bucket(5_000_000), 0);
        assert_eq!(bounds.bucket(5_000_001), 1);
        assert_eq!(bounds.bucket(1_000_000_000), 1);
        assert_eq!(bounds.bucket(u64::MAX), 2);
        assert_eq!(Bounds::new(Scale::One, &[]).bucket(7), 0);
        assert_eq!(bounds.all().iter().collect::<Vec<_>>(), [("0.005", 0), ("1.0", 1)]);
        assert_eq!(bounds.select(&[1.0, 7.0]).iter().collect::<Vec<_>>(), [("1.0", 1)]);
    }
}

//! Histogram bounds in the integer unit in which values are recorded, so that recording needs no floating point.

use metric_contract::Unit;

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
            Unit::Count | Unit::Bytes | Unit::Ratio | Unit::Percent => Self::One,
        }
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
    /// The value of `le`, always with a fraction (`1.0`), as Python's client and OpenMetrics write it: the same series
    /// whichever format a scraper asks for.
    labels: Box<[Box<str>]>,
}

impl Bounds {
    pub(crate) fn new(scale: Scale, bounds: &[f64]) -> Self {
        Self {
            scale,
            // A bound is positive and far below 2^64 steps; `as` saturates where it is not.
            steps: bounds
                .iter()
                .map(|bound| (bound * scale.steps()).round() as u64)
                .collect(),
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

    /// Cells that a histogram of these bounds takes: its buckets and its sum.
    pub(crate) fn width(&self) -> usize {
        self.buckets() + 1
    }

    /// Sample lines that a histogram of these bounds prints: buckets, sum and count.
    pub(crate) fn series(&self) -> usize {
        self.buckets() + 2
    }

    /// The bucket of a value; the last is `+Inf`.
    #[inline]
    pub(crate) fn bucket(&self, value: u64) -> usize {
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

    /// `le` of every bucket, in order.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(AsRef::as_ref).chain(["+Inf"])
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
        assert_eq!(bounds.labels().collect::<Vec<_>>(), ["0.005", "1.0", "+Inf"]);
    }
}

//! Times in a histogram of high dynamic range: percentiles with a relative error of a thousandth, whatever the number of values.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The smallest time that is told from zero, ns.
const SMALLEST: u64 = 1_000;
/// Longer times count as this one, ns: an hour, of which no timeout comes near.
const LARGEST: u64 = 3_600_000_000_000;

/// A collection of times.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u32>);

impl Times {
    /// With a relative error of a thousandth.
    pub(crate) fn precise() -> Self {
        Self::with_digits(3)
    }

    /// With a relative error of a hundredth, in a seventh of the memory.
    pub(crate) fn coarse() -> Self {
        Self::with_digits(2)
    }

    #[expect(clippy::expect_used, reason = "constants of which the histogram says no")]
    fn with_digits(digits: u8) -> Self {
        Self(Histogram::new_with_bounds(SMALLEST, LARGEST, digits).expect("the bounds and digits are allowed"))
    }

    pub(crate) fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    /// Adds all times of another collection.
    pub(crate) fn merge(&mut self, other: &Self) {
        // It fails only for values beyond its bounds, and both have the same.
        let _ = self.0.add(&other.0);
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that a share of all does not exceed, 0 to 1; `None` without times.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.value_at_quantile(share).min(self.0.max())))
    }

    pub(crate) fn min(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.min()))
    }

    pub(crate) fn max(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.max()))
    }

    pub(crate) fn mean(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_secs_f64(self.0.mean() / 1e9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times_within_a_thousandth() {
        let mut times = Times::precise();
        for micros in 1..=100_000 {
            times.add(Duration::from_micros(micros));
        }
        for (share, micros) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.999, 99_900.0), (1.0, 100_000.0)] {
            let found = times.quantile(share).unwrap().as_secs_f64() * 1e6;
            assert!((found / micros - 1.0).abs() < 0.001, "{share}: {found}");
        }
        assert_eq!(times.count(), 100_000);
        assert!(times.mean().unwrap().abs_diff(Duration::from_micros(50_000)) < Duration::from_micros(50));
    }

    #[test]
    fn without_times_there_is_no_percentile() {
        assert_eq!((Times::precise().quantile(0.99), Times::coarse().max()), (None, None));
    }

    #[test]
    fn a_time_beyond_an_hour_counts_as_an_hour() {
        let mut times = Times::precise();
        times.add(Duration::MAX);
        assert!(times.max().unwrap() >= Duration::from_secs(3_600));
    }
}

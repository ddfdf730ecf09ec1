//! `rate`, `increase` and `quantile` over readings that a service keeps of its own counters: pure, no clock, no
//! storage.
//!
//! They mean the same as Prometheus's functions of these names, with one difference: Prometheus extrapolates to the
//! edges of its window. Here the increase is the growth from the first reading to the last, and the rate is that growth
//! over the time between these two readings.
//!
//! ```
//! use std::time::Duration;
//!
//! use http_instrument::history::{Reading, increase, rate};
//!
//! let readings = [(0, 10.0), (5, 14.0), (10, 30.0)].map(|(second, value)| Reading {
//!     at: Duration::from_secs(second),
//!     value,
//! });
//! assert_eq!(increase(readings), Some(20.0));
//! assert_eq!(rate(readings), Some(2.0)); // per second
//! ```

use std::time::Duration;

/// One reading of a counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The time of the reading, since any moment that is the same for all readings.
    pub at: Duration,
    /// The counter's value.
    pub value: f64,
}

/// The growth of a counter from the first reading to the last. Readings are given in their order of time. A value that
/// is lower than the one before means, as in Prometheus, that the counter was reset to 0 in between; the lower value is
/// then the growth between the two.
///
/// `None` if there are fewer than two readings.
#[must_use]
pub fn increase(readings: impl IntoIterator<Item = Reading>) -> Option<f64> {
    growth(readings).map(|(growth, _)| growth)
}

/// The [`increase`] per second. `None` if there are fewer than two readings, or the first and the last have the same
/// time.
#[must_use]
pub fn rate(readings: impl IntoIterator<Item = Reading>) -> Option<f64> {
    let (growth, time) = growth(readings)?;
    (!time.is_zero()).then(|| growth / time.as_secs_f64())
}

/// The growth, and the time between the first reading and the last.
fn growth(readings: impl IntoIterator<Item = Reading>) -> Option<(f64, Duration)> {
    let mut readings = readings.into_iter();
    let first = readings.next()?;
    let mut last = readings.next()?;
    let step = |from: f64, to: f64| if to < from { to } else { to - from };
    let mut growth = step(first.value, last.value);
    for reading in readings {
        growth += step(last.value, reading.value);
        last = reading;
    }
    Some((growth, last.at.saturating_sub(first.at)))
}

/// One bucket of a classic histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The upper bound, included; the last bucket's is `+Inf`.
    pub upper: f64,
    /// The number (or rate) of values up to that bound, with those of all smaller buckets.
    pub cumulative: f64,
}

/// The `q`-quantile of a histogram, as PromQL's `histogram_quantile` estimates it. It assumes that values are spread
/// evenly within their bucket and that the first bucket begins at 0 (if its bound is positive). A quantile in the
/// bucket `+Inf` is the largest finite bound.
///
/// Buckets are given by ascending bound, and the last bound is `+Inf`. `None` where PromQL returns NaN: the last bound
/// is not `+Inf`, there is no finite bucket, all buckets are empty, or `q` is NaN. As in PromQL, a `q` below 0 gives
/// -Inf and one above 1 gives +Inf.
#[must_use]
pub fn quantile(q: f64, buckets: &[Bucket]) -> Option<f64> {
    let (last, finite) = buckets.split_last()?;
    let highest = finite.last()?;
    let total = last.cumulative;
    if q.is_nan() || last.upper != f64::INFINITY || total.is_nan() || total <= 0.0 {
        return None;
    }
    if !(0.0..=1.0).contains(&q) {
        return Some(if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let rank = q * total;
    let mut lower: Option<Bucket> = None;
    for bucket in finite {
        // Counters are read one after another while others write, so a bucket may seem to have less than the smaller
        // one before it. It has at least as much.
        let below = lower.map_or(0.0, |lower| lower.cumulative);
        let cumulative = bucket.cumulative.max(below);
        if cumulative >= rank {
            let start = match lower {
                Some(lower) => lower.upper,
                None if bucket.upper <= 0.0 => return Some(bucket.upper),
                None => 0.0,
            };
            let held = cumulative - below;
            if held <= 0.0 {
                // Only if `q` is 0 and the first bucket is empty. PromQL would divide 0 by 0 here.
                return Some(start);
            }
            return Some(start + (bucket.upper - start) * ((rank - below) / held));
        }
        lower = Some(Bucket { cumulative, ..*bucket });
    }
    Some(highest.upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(values: &[f64]) -> Vec<Reading> {
        let at = |second: usize| Duration::from_secs(second as u64 * 5);
        let values = values.iter().enumerate();
        values
            .map(|(n, value)| Reading {
                at: at(n),
                value: *value,
            })
            .collect()
    }

    #[test]
    fn a_counter_that_restarted_grows_by_what_it_has_since() {
        assert_eq!(increase(readings(&[10.0, 14.0, 3.0, 5.0])), Some(4.0 + 3.0 + 2.0));
        assert_eq!(rate(readings(&[10.0, 14.0, 3.0, 5.0])), Some(9.0 / 15.0));
    }

    #[test]
    fn of_one_reading_nothing_is_known() {
        assert_eq!(increase(readings(&[7.0])), None);
        assert_eq!(rate(readings(&[])), None);
        let twice = Reading {
            at: Duration::from_secs(1),
            value: 1.0,
        };
        assert_eq!((increase([twice, twice]), rate([twice, twice])), (Some(0.0), None));
    }

    /// Values from Prometheus's own test of the function (promqltest/testdata/histograms.test, `testhistogram`).
    #[test]
    fn a_quantile_is_where_promql_puts_it() {
        let bucket = |upper, cumulative| Bucket { upper, cumulative };
        let positive = [
            bucket(0.1, 5.0),
            bucket(0.2, 7.0),
            bucket(1.0, 11.0),
            bucket(f64::INFINITY, 12.0),
        ];
        for (q, wanted) in [(0.0, 0.0), (0.2, 0.048), (0.5, 0.15), (0.8, 0.72), (1.0, 1.0)] {
            let found = quantile(q, &positive).unwrap();
            assert!((found - wanted).abs() < 1e-12, "{q}: {found}");
        }
        let negative = [
            bucket(-0.2, 1.0),
            bucket(-0.1, 2.0),
            bucket(0.3, 2.0),
            bucket(f64::INFINITY, 3.0),
        ];
        for (q, wanted) in [(0.0, -0.2), (0.2, -0.2), (0.5, -0.15), (0.8, 0.3), (1.0, 0.3)] {
            let found = quantile(q, &negative).unwrap();
            assert!((found - wanted).abs() < 1e-12, "{q}: {found}");
        }
        assert_eq!(quantile(-0.1, &positive), Some(f64::NEG_INFINITY));
        assert_eq!(quantile(1.01, &positive), Some(f64::INFINITY));
        assert_eq!(quantile(f64::NAN, &positive), None);
        assert_eq!(quantile(0.5, &positive[..3]), None, "no +Inf");
        assert_eq!(quantile(0.5, &[bucket(f64::INFINITY, 3.0)]), None, "no finite bound");
        assert_eq!(
            quantile(0.5, &[bucket(1.0, 0.0), bucket(f64::INFINITY, 0.0)]),
            None,
            "no value"
        );
    }
}

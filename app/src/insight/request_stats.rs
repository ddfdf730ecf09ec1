//! Rate, error ratio and percentiles from what was counted: the same arithmetic as PromQL's. Pure.

use std::time::Duration;

use http_instrument::history::{Bucket, quantile};
use schemars::JsonSchema;
use serde::Serialize;

use crate::telemetry::history::RequestCounts;

/// Requests of a service or of one endpoint within a window. A ratio or a percentile is `None` if there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Figures")]
pub struct RequestStats {
    /// Requests within the window.
    pub requests: u64,
    /// Requests per second.
    pub rate_per_second: f64,
    /// Share answered 5xx, 0 to 1.
    pub error_ratio: Option<f64>,
    /// Mean duration.
    pub mean_seconds: Option<f64>,
    /// Half of the requests took at most this long.
    pub p50_seconds: Option<f64>,
    /// 95 % of the requests took at most this long.
    pub p95_seconds: Option<f64>,
    /// 99 % of the requests took at most this long.
    pub p99_seconds: Option<f64>,
}

impl RequestStats {
    /// Computes them from the requests of a window of this length. `bounds` are the histogram's, in seconds.
    #[must_use]
    pub fn of(counts: &RequestCounts, length: Duration, bounds: &[f64]) -> Self {
        let seconds = length.as_secs_f64();
        let share = |part: f64| (counts.requests > 0).then(|| part / counts.requests as f64);
        Self {
            requests: counts.requests,
            rate_per_second: if seconds > 0.0 {
                counts.requests as f64 / seconds
            } else {
                0.0
            },
            error_ratio: share(counts.server_errors as f64),
            mean_seconds: share(counts.nanoseconds as f64 / 1e9),
            p50_seconds: percentile(0.5, bounds, &counts.buckets),
            p95_seconds: percentile(0.95, bounds, &counts.buckets),
            p99_seconds: percentile(0.99, bounds, &counts.buckets),
        }
    }
}

/// A percentile of buckets that are not cumulative; the last bucket lies beyond every bound.
fn percentile(share: f64, bounds: &[f64], buckets: &[u64]) -> Option<f64> {
    let mut cumulative = 0_u64;
    let uppers = bounds.iter().copied().chain([f64::INFINITY]);
    let buckets: Vec<_> = uppers
        .zip(buckets)
        .map(|(upper, count)| {
            cumulative += count;
            Bucket {
                upper,
                cumulative: cumulative as f64,
            }
        })
        .collect();
    quantile(share, &buckets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: [f64; 3] = [0.1, 0.2, 0.4];

    fn near(left: Option<f64>, right: f64) -> bool {
        left.is_some_and(|left| (left - right).abs() < 1e-12)
    }

    #[test]
    fn a_percentile_is_read_between_its_buckets_bounds() {
        assert!(near(percentile(0.5, &BOUNDS, &[10, 0, 0, 0]), 0.05));
        assert!(near(percentile(0.5, &BOUNDS, &[5, 5, 0, 0]), 0.1));
        assert!(near(percentile(0.75, &BOUNDS, &[5, 5, 0, 0]), 0.15));
        assert!(near(percentile(0.95, &BOUNDS, &[0, 90, 10, 0]), 0.3));
    }

    #[test]
    fn a_percentile_beyond_the_last_bound_is_that_bound() {
        assert!(near(percentile(0.99, &BOUNDS, &[1, 0, 0, 99]), 0.4));
    }

    #[test]
    fn without_requests_there_is_no_percentile_and_no_ratio() {
        assert_eq!(percentile(0.5, &BOUNDS, &[0, 0, 0, 0]), None);
        assert_eq!(percentile(0.5, &BOUNDS, &[]), None);
        let none = RequestStats::of(&RequestCounts::default(), Duration::from_secs(60), &BOUNDS);
        assert_eq!(none, RequestStats::default());
    }

    #[test]
    fn a_window_of_no_length_has_no_rate() {
        let counts = RequestCounts {
            requests: 5,
            server_errors: 1,
            nanoseconds: 500_000_000,
            buckets: [5, 0, 0, 0].into(),
        };
        let stats = RequestStats::of(&counts, Duration::ZERO, &BOUNDS);
        assert!(stats.rate_per_second.abs() < f64::EPSILON);
        assert!(near(stats.error_ratio, 0.2));
        assert!(near(stats.mean_seconds, 0.1));
    }
}

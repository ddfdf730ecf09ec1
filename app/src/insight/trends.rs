//! Where each signal is heading over the kept history: slope, change, and what to do about it. Pure.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    request_stats::RequestStats,
    signals::{HealthSignal, MIN_REQUESTS, SignalReading},
};
use crate::telemetry::history::{RequestCounts, Sample};

/// Points of a line: each covers a thirtieth of the history, so that one lull does not bend it.
const POINTS: usize = 30;
/// A change below this share counts as steady.
const STEADY: f64 = 0.1;

/// Where a signal is heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Upwards.
    Rising,
    /// Downwards.
    Falling,
    /// Neither.
    Steady,
    /// Too few points.
    Unknown,
}

/// One signal's trend.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Trend {
    /// The signal, with its unit.
    pub signal: &'static str,
    /// Where it is heading.
    pub direction: Direction,
    /// The first and the last point's value.
    pub first: Option<f64>,
    /// The last point's value.
    pub last: Option<f64>,
    /// Of the straight line that fits best, per minute.
    pub slope_per_minute: Option<f64>,
    /// From the line's first to its last point, as a share of the first; `null` if that is zero.
    pub change_ratio: Option<f64>,
    /// How many points there are.
    pub points: usize,
}

/// A time in seconds and a value.
type Point = (f64, f64);

/// The trends of all signals over the samples, oldest first, and the time that they cover.
#[must_use]
pub fn trends(samples: &[&Sample], bounds: &[f64]) -> (Duration, Vec<Trend>) {
    let span = match samples {
        [first, .., last] => last.at.saturating_sub(first.at),
        [] | [_] => Duration::ZERO,
    };
    let lines = [
        (
            "request_rate_per_second",
            counted(samples, bounds, |stats| Some(stats.rate_per_second)),
        ),
        (
            "error_ratio",
            counted(samples, bounds, |stats| enough(stats)?.error_ratio),
        ),
        (
            "latency_p95_seconds",
            counted(samples, bounds, |stats| enough(stats)?.p95_seconds),
        ),
        ("in_flight", measured(samples, |sample| Some(sample.in_flight as f64))),
        ("cpu_percent", measured(samples, |sample| sample.cpu_percent)),
        (
            "memory_bytes",
            measured(samples, |sample| sample.memory_bytes.map(|bytes| bytes as f64)),
        ),
    ];
    (span, lines.map(|(signal, points)| trend(signal, &points)).into())
}

fn enough(stats: &RequestStats) -> Option<&RequestStats> {
    (stats.requests >= MIN_REQUESTS).then_some(stats)
}

/// Points of what is counted between samples.
fn counted(samples: &[&Sample], bounds: &[f64], value: impl Fn(&RequestStats) -> Option<f64>) -> Vec<Point> {
    let step = samples.len().div_ceil(POINTS).max(1);
    let ends: Vec<_> = samples.iter().step_by(step).collect();
    let points = ends.windows(2).filter_map(|pair| {
        let [earlier, later] = pair else { return None };
        let length = later.at.saturating_sub(earlier.at);
        let counts: RequestCounts = later.total.since(&earlier.total);
        Some((
            later.at.as_secs_f64(),
            value(&RequestStats::of(&counts, length, bounds))?,
        ))
    });
    points.collect()
}

/// Points of what is measured at each sample: means of as many samples as a counted point covers.
fn measured(samples: &[&Sample], value: impl Fn(&Sample) -> Option<f64>) -> Vec<Point> {
    let step = samples.len().div_ceil(POINTS).max(1);
    let points = samples.chunks(step).filter_map(|chunk| {
        let known: Vec<_> = chunk.iter().filter_map(|sample| value(sample)).collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        (!known.is_empty()).then_some((chunk.last()?.at.as_secs_f64(), mean))
    });
    points.collect()
}

fn trend(signal: &'static str, points: &[Point]) -> Trend {
    let first = points.first().map(|(_, value)| *value);
    let last = points.last().map(|(_, value)| *value);
    let mut trend = Trend {
        signal,
        direction: Direction::Unknown,
        first,
        last,
        slope_per_minute: None,
        change_ratio: None,
        points: points.len(),
    };
    // Two points always lie on a line.
    let ([(start, _), _, .., (end, _)], Some((at_zero, slope))) = (points, line(points)) else {
        return trend;
    };
    let (from, to) = (at_zero + slope * start, at_zero + slope * end);
    trend.slope_per_minute = Some(slope * 60.0);
    trend.change_ratio = (from > 0.0).then(|| (to - from) / from);
    let scale = points.iter().map(|(_, value)| value.abs()).fold(0.0, f64::max);
    trend.direction = if (to - from).abs() <= STEADY * scale {
        Direction::Steady
    } else if to > from {
        Direction::Rising
    } else {
        Direction::Falling
    };
    trend
}

/// Least squares: the line's value at time zero and its slope per second.
fn line(points: &[Point]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if points.len() < 2 || spread <= 0.0 {
        return None;
    }
    let common: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let slope = common / spread;
    Some((mean_y - slope * mean_x, slope))
}

/// What to do about trends and signals, a sentence each; empty if nothing.
#[must_use]
pub fn recommendations(trends: &[Trend], signals: &[SignalReading], memory_limit_bytes: Option<u64>) -> Vec<String> {
    let rising = |signal: &str| {
        trends
            .iter()
            .find(|trend| trend.signal == signal && trend.direction == Direction::Rising)
    };
    let mut all: Vec<String> = signals.iter().filter_map(over_its_threshold).collect();
    let mut say = |sentence: &str| all.push(sentence.to_owned());
    let busier = rising("request_rate_per_second").is_some();
    if rising("error_ratio").is_some() {
        say("The share of failed requests rises: compare it with the last rollout, and look at errors by type.");
    }
    if rising("latency_p95_seconds").is_some() {
        say(if busier {
            "Requests take longer as their number grows: add replicas, or find what they wait for."
        } else {
            "Requests take longer although their number does not grow: look at the database and at other services."
        });
    }
    if rising("in_flight").is_some() && !busier {
        say("More requests are in flight although their rate does not grow: look for what they wait for.");
    }
    if rising("cpu_percent").is_some() && busier {
        say("CPU use grows with the traffic: plan the number of replicas by it.");
    }
    let growth = rising("memory_bytes").and_then(|trend| Some((trend.last?, trend.slope_per_minute?)));
    if let Some((now, per_minute)) = growth {
        let left = memory_limit_bytes.map(|limit| (limit as f64 - now).max(0.0) / per_minute);
        all.push(match left {
            Some(minutes) if minutes < 60.0 * 24.0 => format!(
                "Memory grows by {:.1} MiB a minute and would reach its limit in {minutes:.0} minutes: look for a memory leak.",
                per_minute / 1_048_576.0
            ),
            Some(_) | None => format!(
                "Memory grows by {:.2} MiB a minute: watch whether it levels out.",
                per_minute / 1_048_576.0
            ),
        });
    }
    all
}

fn over_its_threshold(reading: &SignalReading) -> Option<String> {
    if !reading.is_exceeded() {
        return None;
    }
    let what = match reading.signal {
        HealthSignal::ErrorRatio => "Too many requests fail: look at errors by type and at the log.",
        HealthSignal::LatencyP95Seconds => "Requests are slow: look at the slowest routes of the summary.",
        HealthSignal::CpuPercent => "CPU use is above its threshold: add replicas or raise the quota.",
        HealthSignal::MemoryBytes => "Memory is above its threshold: raise the limit, or look for a memory leak.",
        HealthSignal::InFlight => "Many requests are served at once: add replicas, or find what they wait for.",
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: [f64; 1] = [1.0];

    fn samples(requests: impl Fn(u64) -> u64, memory: impl Fn(u64) -> u64) -> Vec<Sample> {
        (0..181)
            .map(|n| Sample {
                at: Duration::from_secs(n * 5),
                total: RequestCounts {
                    requests: requests(n),
                    server_errors: 0,
                    nanoseconds: 0,
                    buckets: [requests(n), 0].into(),
                },
                in_flight: 3,
                cpu_percent: (n > 2).then_some(10.0),
                memory_bytes: Some(memory(n)),
                endpoints: Default::default(),
            })
            .collect()
    }

    fn of<'a>(trends: &'a [Trend], signal: &str) -> &'a Trend {
        trends.iter().find(|trend| trend.signal == signal).unwrap()
    }

    #[test]
    fn growth_has_a_slope_and_a_sentence_and_what_stays_is_steady() {
        // A hundred requests a sample, more by ten each; a MiB a sample.
        let samples = samples(|n| n * 100 + n * n * 5, |n| (100 + n) << 20);
        let (span, trends) = trends(&samples.iter().collect::<Vec<_>>(), &BOUNDS);
        assert_eq!(span, Duration::from_secs(900));
        let rate = of(&trends, "request_rate_per_second");
        assert_eq!(rate.direction, Direction::Rising);
        // 10 requests in 5 s more every 5 s: 0.4 a second each second, 24 a minute.
        assert!((rate.slope_per_minute.unwrap() - 24.0).abs() < 0.1, "{rate:?}");
        let memory = of(&trends, "memory_bytes");
        assert!((memory.slope_per_minute.unwrap() / 1_048_576.0 - 12.0).abs() < 0.01);
        assert_eq!(of(&trends, "in_flight").direction, Direction::Steady);
        assert_eq!(of(&trends, "cpu_percent").direction, Direction::Steady);
        assert_eq!(of(&trends, "latency_p95_seconds").direction, Direction::Steady);
        let said = recommendations(&trends, &[], Some(400 << 20));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("12.0 MiB a minute") && said[0].contains("in 10 minutes"),
            "{said:?}"
        );
    }

    #[test]
    fn a_falling_trend_is_distinguished_from_a_rising_one() {
        let samples = samples(|n| n * 1_000 - n * n * 2, |_| 1);
        let (_, trends) = trends(&samples.iter().collect::<Vec<_>>(), &BOUNDS);
        assert_eq!(of(&trends, "request_rate_per_second").direction, Direction::Falling);
        assert!(of(&trends, "request_rate_per_second").change_ratio.unwrap() < -0.5);
    }

    #[test]
    fn a_process_that_has_just_started_has_no_trend_and_no_recommendation() {
        for length in [0, 1, 2] {
            let samples = samples(|n| n * 100, |n| n << 30);
            let first: Vec<_> = samples.iter().take(length).collect();
            let (_, trends) = trends(&first, &BOUNDS);
            assert!(trends.iter().all(|trend| trend.direction == Direction::Unknown));
            assert!(recommendations(&trends, &[], None).is_empty());
        }
    }

    #[test]
    fn a_signal_above_its_threshold_is_reported_even_if_it_is_steady() {
        let reading = SignalReading {
            signal: HealthSignal::CpuPercent,
            value: Some(95.0),
            threshold: Some(80.0),
            worst: Some(100.0),
        };
        assert!(recommendations(&[], &[reading], None)[0].starts_with("CPU use is above"));
    }
}

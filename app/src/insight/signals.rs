//! The signals that alerts, score and health are judged by, each with its value and threshold. Pure.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::request_stats::RequestStats;
use crate::{
    config::Thresholds,
    telemetry::{system::memory_threshold, system_stats},
};

/// With fewer requests in a window, ratios and percentiles are not judged; as in the operator's rules.
pub const MIN_REQUESTS: u64 = 10;
/// Time over which ratios and percentiles are taken; as in the operator's rules.
pub const WINDOW: Duration = Duration::from_secs(300);

/// A signal that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Subject")]
pub enum HealthSignal {
    /// Share of requests answered 5xx.
    ErrorRatio,
    /// 95th percentile of request durations, seconds.
    LatencyP95Seconds,
    /// CPU use of the process, percent of what it may use.
    CpuPercent,
    /// Resident memory of the process, bytes.
    MemoryBytes,
    /// Requests being served.
    InFlight,
}

impl HealthSignal {
    /// All of them, the one with the greatest weight first.
    pub const ALL: &'static [Self] = &[
        Self::ErrorRatio,
        Self::LatencyP95Seconds,
        Self::CpuPercent,
        Self::MemoryBytes,
        Self::InFlight,
    ];

    /// The alert for this signal, by the operator's name.
    #[must_use]
    pub const fn alert_name(self) -> &'static str {
        match self {
            Self::ErrorRatio => "ApiCriticalErrorRatio",
            Self::LatencyP95Seconds => "ApiHighLatencyP95",
            Self::CpuPercent => "ApiHighCpu",
            Self::MemoryBytes => "ApiHighMemory",
            Self::InFlight => "ApiTooManyInFlight",
        }
    }
}

/// A signal's value and its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalReading {
    /// The signal.
    pub signal: HealthSignal,
    /// `None`: not known, or there were too few requests.
    pub value: Option<f64>,
    /// `None`: not known.
    pub threshold: Option<f64>,
    /// The value that counts as the worst; well above the threshold.
    pub worst: Option<f64>,
}

impl SignalReading {
    /// Whether the value is above its threshold.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.value
            .zip(self.threshold)
            .is_some_and(|(value, threshold)| value > threshold)
    }
}

/// All signals, in the order of [`Subject::ALL`].
#[must_use]
pub fn signals(
    thresholds: &Thresholds,
    stats: &RequestStats,
    in_flight: u64,
    system: &system_stats::SystemStats,
) -> [SignalReading; HealthSignal::ALL.len()] {
    let enough = stats.requests >= MIN_REQUESTS;
    let reading = |signal, value, threshold, worst: fn(f64) -> f64| SignalReading {
        signal,
        value,
        threshold,
        worst: threshold.map(worst),
    };
    let double = |threshold: f64| threshold * 2.0;
    let all = |threshold: f64| f64::max(100.0, threshold * 1.01);
    let memory = memory_threshold(thresholds.memory_bytes, system).map(|bytes| bytes as f64);
    let mut memory = reading(
        HealthSignal::MemoryBytes,
        system.memory_bytes().map(|bytes| bytes as f64),
        memory,
        double,
    );
    // If the container's limit is nearer than double the threshold, the limit is the worst: the kernel kills there.
    let limit = system.memory_limit_bytes().map(|bytes| bytes as f64);
    if let (Some(limit), Some(threshold), Some(worst)) = (limit, memory.threshold, memory.worst)
        && limit > threshold
    {
        memory.worst = Some(worst.min(limit));
    }
    [
        reading(
            HealthSignal::ErrorRatio,
            stats.error_ratio.filter(|_| enough),
            Some(thresholds.error_ratio),
            double,
        ),
        reading(
            HealthSignal::LatencyP95Seconds,
            stats.p95_seconds.filter(|_| enough),
            Some(thresholds.latency_p95.as_secs_f64()),
            double,
        ),
        reading(
            HealthSignal::CpuPercent,
            system.cpu_percent,
            Some(thresholds.cpu_percent),
            all,
        ),
        memory,
        reading(
            HealthSignal::InFlight,
            Some(in_flight as f64),
            Some(thresholds.in_flight as f64),
            double,
        ),
    ]
}

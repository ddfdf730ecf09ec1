//! The figures that conditions, score and health are judged by, each with its threshold. Pure.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::figures::Figures;
use crate::{
    config::Thresholds,
    telemetry::system::{self, memory_threshold},
};

/// Requests within a window below which a ratio or a percentile says nothing; as in the operator's rules.
pub const MIN_REQUESTS: u64 = 10;
/// Over how long ratios and percentiles are taken; as in the operator's rules.
pub const WINDOW: Duration = Duration::from_secs(300);

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
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

impl Subject {
    /// All of them, the weightiest first.
    pub const ALL: &'static [Self] = &[
        Self::ErrorRatio,
        Self::LatencyP95Seconds,
        Self::CpuPercent,
        Self::MemoryBytes,
        Self::InFlight,
    ];
}

/// A figure and its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// What.
    pub subject: Subject,
    /// `None`: not known, or too few requests to speak of it.
    pub value: Option<f64>,
    /// `None`: not known.
    pub threshold: Option<f64>,
    /// The worst that it can sensibly be; well above the threshold.
    pub worst: Option<f64>,
}

impl Reading {
    /// Whether the value is above its threshold.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.value
            .zip(self.threshold)
            .is_some_and(|(value, threshold)| value > threshold)
    }
}

/// All readings, in the order of [`Subject::ALL`].
#[must_use]
pub fn readings(
    thresholds: &Thresholds,
    figures: &Figures,
    in_flight: u64,
    system: &system::Figures,
) -> [Reading; Subject::ALL.len()] {
    let enough = figures.requests >= MIN_REQUESTS;
    let reading = |subject, value, threshold, worst: fn(f64) -> f64| Reading {
        subject,
        value,
        threshold,
        worst: threshold.map(worst),
    };
    let double = |threshold: f64| threshold * 2.0;
    let all = |threshold: f64| f64::max(100.0, threshold * 1.01);
    let memory = memory_threshold(thresholds.memory_bytes, system).map(|bytes| bytes as f64);
    let mut memory = reading(
        Subject::MemoryBytes,
        system.memory_bytes().map(|bytes| bytes as f64),
        memory,
        double,
    );
    // Nearer than double the threshold is the limit itself, where the kernel kills.
    let limit = system.memory_limit_bytes().map(|bytes| bytes as f64);
    if let (Some(limit), Some(threshold), Some(worst)) = (limit, memory.threshold, memory.worst)
        && limit > threshold
    {
        memory.worst = Some(worst.min(limit));
    }
    [
        reading(
            Subject::ErrorRatio,
            figures.error_ratio.filter(|_| enough),
            Some(thresholds.error_ratio),
            double,
        ),
        reading(
            Subject::LatencyP95Seconds,
            figures.p95_seconds.filter(|_| enough),
            Some(thresholds.latency_p95.as_secs_f64()),
            double,
        ),
        reading(
            Subject::CpuPercent,
            system.cpu_percent,
            Some(thresholds.cpu_percent),
            all,
        ),
        memory,
        reading(
            Subject::InFlight,
            Some(in_flight as f64),
            Some(thresholds.in_flight as f64),
            double,
        ),
    ]
}

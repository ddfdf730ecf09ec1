//! `GET /metrics/summary`: rate, errors and latency as text for people, and as JSON for programs.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::{request_stats::RequestStats, signals::SignalReading};
use crate::telemetry::{history::Window, system_stats};

/// The summary.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
pub struct ServiceSummary {
    /// Time that the figures cover; shorter than the requested window while the process is young.
    pub window_seconds: f64,
    /// Time since the process started.
    pub uptime_seconds: f64,
    /// Requests being served now.
    pub in_flight: u64,
    /// All routes together.
    pub total: RequestStats,
    /// Time that the figures of the endpoints cover; shorter than the window if that begins before the samples that tell
    /// endpoints apart.
    pub endpoints_window_seconds: f64,
    /// Endpoints that had requests, the busiest first.
    pub endpoints: Vec<EndpointSummary>,
    /// Process, host and container.
    pub system: SystemSummary,
}

/// One method on one route.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EndpointSummary {
    /// The method.
    pub method: &'static str,
    /// The route's template.
    pub route: &'static str,
    /// Requests being served now.
    pub in_flight: u64,
    /// Its figures.
    #[serde(flatten)]
    pub stats: RequestStats,
}

/// Figures of process, host and container; `null` where the platform does not report one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SystemSummary {
    /// CPU use of the process, percent of what it may use.
    pub cpu_percent: Option<f64>,
    /// Cores that it may use.
    pub cores: f64,
    /// Resident memory of the process.
    pub memory_bytes: Option<u64>,
    /// The same in percent of what it may use.
    pub memory_percent: Option<f64>,
    /// What it may use: the container's limit, else the host's memory.
    pub memory_limit_bytes: Option<u64>,
    /// Threads of the process.
    pub threads: Option<usize>,
    /// Open file descriptors of the process.
    pub open_files: Option<usize>,
    /// CPU use of the host.
    pub host_cpu_percent: Option<f64>,
    /// Memory in use on the host.
    pub host_memory_used_bytes: Option<u64>,
    /// Share of the container's quota periods in which it ran out.
    pub cpu_throttled_ratio: Option<f64>,
    /// Processes of the container that were killed because memory ran out.
    pub oom_kills: Option<u64>,
}

impl SystemSummary {
    /// Of what was read last.
    #[must_use]
    pub fn of(stats: &system_stats::SystemStats) -> Self {
        let process = stats.process;
        let periods = stats.container.cpu_periods.filter(|periods| *periods > 0);
        let throttled = stats.container.cpu_throttled_periods;
        Self {
            cpu_percent: stats.cpu_percent,
            cores: stats.cores,
            memory_bytes: stats.memory_bytes(),
            memory_percent: stats.memory_percent(),
            memory_limit_bytes: stats.memory_limit_bytes(),
            threads: process.map(|process| process.threads),
            open_files: process.and_then(|process| process.open_files),
            host_cpu_percent: stats.host_cpu_percent,
            host_memory_used_bytes: stats.host_memory_used_bytes,
            cpu_throttled_ratio: throttled
                .zip(periods)
                .map(|(throttled, periods)| throttled as f64 / periods as f64),
            oom_kills: stats.container.oom_kills,
        }
    }
}

impl ServiceSummary {
    /// Of a window that ends now.
    #[must_use]
    pub fn of(
        window: &Window,
        bounds: &[f64],
        in_flight: u64,
        uptime_seconds: f64,
        system: &system_stats::SystemStats,
    ) -> Self {
        let mut endpoints: Vec<_> = window
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.counts.requests > 0 || endpoint.in_flight > 0)
            .map(|endpoint| EndpointSummary {
                method: endpoint.method,
                route: endpoint.route,
                in_flight: endpoint.in_flight,
                stats: RequestStats::of(&endpoint.counts, window.endpoints_length, bounds),
            })
            .collect();
        endpoints.sort_by(|a, b| {
            let key = |endpoint: &EndpointSummary| {
                (
                    std::cmp::Reverse(endpoint.stats.requests),
                    endpoint.route,
                    endpoint.method,
                )
            };
            key(a).cmp(&key(b))
        });
        Self {
            window_seconds: window.length.as_secs_f64(),
            uptime_seconds,
            in_flight,
            total: RequestStats::of(&window.total, window.length, bounds),
            endpoints_window_seconds: window.endpoints_length.as_secs_f64(),
            endpoints,
            system: SystemSummary::of(system),
        }
    }

    /// As text, for people.
    #[must_use]
    pub fn text(&self, signals: &[SignalReading]) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.write(&mut out, signals);
        out
    }

    fn write(&self, out: &mut String, signals: &[SignalReading]) -> std::fmt::Result {
        let total = &self.total;
        writeln!(
            out,
            "monitored-app, the last {:.0} s (up for {:.0} s)\n",
            self.window_seconds, self.uptime_seconds
        )?;
        writeln!(
            out,
            "requests     {:.2}/s, {} in all",
            total.rate_per_second, total.requests
        )?;
        writeln!(
            out,
            "errors       {}",
            percent(total.error_ratio.map(|ratio| ratio * 100.0))
        )?;
        writeln!(
            out,
            "latency      p50 {}  p95 {}  p99 {}  mean {}",
            time(total.p50_seconds),
            time(total.p95_seconds),
            time(total.p99_seconds),
            time(total.mean_seconds)
        )?;
        writeln!(out, "in flight    {}", self.in_flight)?;
        let system = &self.system;
        writeln!(
            out,
            "CPU          {} of {:.2} cores",
            percent(system.cpu_percent),
            system.cores
        )?;
        writeln!(
            out,
            "memory       {} of {} ({})",
            mebibytes(system.memory_bytes),
            mebibytes(system.memory_limit_bytes),
            percent(system.memory_percent)
        )?;
        for reading in signals.iter().filter(|reading| reading.is_exceeded()) {
            writeln!(out, "above its threshold: {:?}", reading.signal)?;
        }
        writeln!(out)?;
        if self.endpoints_window_seconds < self.window_seconds {
            writeln!(out, "endpoints, the last {:.0} s", self.endpoints_window_seconds)?;
        }
        writeln!(
            out,
            "{:>10} {:>8} {:>9} {:>9} {:>9} {:>9}  endpoint",
            "rate/s", "errors", "p50", "p95", "p99", "in flight"
        )?;
        for endpoint in &self.endpoints {
            let stats = &endpoint.stats;
            writeln!(
                out,
                "{:>10.2} {:>8} {:>9} {:>9} {:>9} {:>9}  {} {}",
                stats.rate_per_second,
                percent(stats.error_ratio.map(|ratio| ratio * 100.0)),
                time(stats.p50_seconds),
                time(stats.p95_seconds),
                time(stats.p99_seconds),
                endpoint.in_flight,
                endpoint.method,
                endpoint.route,
            )?;
        }
        Ok(())
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2} %"))
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "-".to_owned(),
        |bytes| format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    )
}

fn time(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        Some(seconds) => format!("{seconds:.2} s"),
    }
}

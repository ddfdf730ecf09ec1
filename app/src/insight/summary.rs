//! `GET /metrics/summary`: how the service does, for people; the same as JSON for programs.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::{figures::Figures, readings::Reading};
use crate::telemetry::{history::Window, system};

/// The summary.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Time that the figures cover; shorter than was asked for while the process is young.
    pub window_seconds: f64,
    /// Time since the process started.
    pub uptime_seconds: f64,
    /// Requests being served now.
    pub in_flight: u64,
    /// All routes together.
    pub total: Figures,
    /// Endpoints that were asked, the busiest first.
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
    pub figures: Figures,
}

/// Figures of process, host and container; `null` where the platform does not tell.
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
    /// Processes of the container killed for want of memory.
    pub oom_kills: Option<u64>,
}

impl SystemSummary {
    /// Of what was read last.
    #[must_use]
    pub fn of(figures: &system::Figures) -> Self {
        let process = figures.process;
        let periods = figures.container.cpu_periods.filter(|periods| *periods > 0);
        let throttled = figures.container.cpu_throttled_periods;
        Self {
            cpu_percent: figures.cpu_percent,
            cores: figures.cores,
            memory_bytes: figures.memory_bytes(),
            memory_percent: figures.memory_percent(),
            memory_limit_bytes: figures.memory_limit_bytes(),
            threads: process.map(|process| process.threads),
            open_files: process.and_then(|process| process.open_files),
            host_cpu_percent: figures.host_cpu_percent,
            host_memory_used_bytes: figures.host_memory_used_bytes,
            cpu_throttled_ratio: throttled
                .zip(periods)
                .map(|(throttled, periods)| throttled as f64 / periods as f64),
            oom_kills: figures.container.oom_kills,
        }
    }
}

impl Summary {
    /// Of a window that ends now.
    #[must_use]
    pub fn of(window: &Window, bounds: &[f64], in_flight: u64, uptime_seconds: f64, system: &system::Figures) -> Self {
        let mut endpoints: Vec<_> = window
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.counts.requests > 0 || endpoint.in_flight > 0)
            .map(|endpoint| EndpointSummary {
                method: endpoint.method,
                route: endpoint.route,
                in_flight: endpoint.in_flight,
                figures: Figures::of(&endpoint.counts, window.length, bounds),
            })
            .collect();
        endpoints.sort_by(|a, b| {
            let key = |endpoint: &EndpointSummary| {
                (
                    std::cmp::Reverse(endpoint.figures.requests),
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
            total: Figures::of(&window.total, window.length, bounds),
            endpoints,
            system: SystemSummary::of(system),
        }
    }

    /// As text, for people.
    #[must_use]
    pub fn text(&self, readings: &[Reading]) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.write(&mut out, readings);
        out
    }

    fn write(&self, out: &mut String, readings: &[Reading]) -> std::fmt::Result {
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
        for reading in readings.iter().filter(|reading| reading.is_exceeded()) {
            writeln!(out, "above its threshold: {:?}", reading.subject)?;
        }
        writeln!(
            out,
            "\n{:>10} {:>8} {:>9} {:>9} {:>9} {:>9}  endpoint",
            "rate/s", "errors", "p50", "p95", "p99", "in flight"
        )?;
        for endpoint in &self.endpoints {
            let figures = &endpoint.figures;
            writeln!(
                out,
                "{:>10.2} {:>8} {:>9} {:>9} {:>9} {:>9}  {} {}",
                figures.rate_per_second,
                percent(figures.error_ratio.map(|ratio| ratio * 100.0)),
                time(figures.p50_seconds),
                time(figures.p95_seconds),
                time(figures.p99_seconds),
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

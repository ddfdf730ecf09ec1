//! Figures of the process itself.

use std::time::Duration;

use http_instrument::{FamilyError, Gauge, HttpMetrics};
use metric_contract::MetricId;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Resources that the process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// CPU time, user and system, seconds.
    pub cpu_seconds: f64,
    /// Resident memory, bytes.
    pub resident_bytes: u64,
    /// Threads.
    pub threads: usize,
    /// Open file descriptors.
    pub open_files: Option<usize>,
    /// Limit on open file descriptors.
    pub max_files: Option<usize>,
}

/// Reads figures of this process into their metrics.
#[derive(Debug)]
pub struct ProcessReader {
    pid: Pid,
    cpu_seconds: Gauge,
    resident_bytes: Gauge,
    virtual_bytes: Gauge,
    start_time: Gauge,
    open_files: Gauge,
    max_files: Gauge,
    threads: Gauge,
}

impl ProcessReader {
    /// Makes the handles. `None` on platforms where a process cannot read its own figures.
    ///
    /// # Errors
    /// A family does not fit, or the cap on series is reached.
    pub fn new(metrics: &HttpMetrics) -> Result<Option<Self>, FamilyError> {
        let Ok(pid) = sysinfo::get_current_pid() else {
            return Ok(None);
        };
        Ok(Some(Self {
            pid,
            cpu_seconds: metrics.gauge(MetricId::ProcessCpu, &[])?,
            resident_bytes: metrics.gauge(MetricId::ProcessMemory, &[])?,
            virtual_bytes: metrics.gauge(MetricId::ProcessVirtualMemory, &[])?,
            start_time: metrics.gauge(MetricId::ProcessStartTime, &[])?,
            open_files: metrics.gauge(MetricId::ProcessOpenFds, &[])?,
            max_files: metrics.gauge(MetricId::ProcessMaxFds, &[])?,
            threads: metrics.gauge(MetricId::ProcessThreads, &[])?,
        }))
    }

    /// Reads once. Some small files: well under a millisecond.
    pub fn read(&self, system: &mut System) -> Option<Process> {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, kind);
        let process = system.process(self.pid)?;
        let figures = Process {
            cpu_seconds: Duration::from_millis(process.accumulated_cpu_time()).as_secs_f64(),
            resident_bytes: process.memory(),
            // The main thread is the process itself and not among its tasks.
            threads: process.tasks().map_or(1, |tasks| tasks.len() + 1),
            open_files: process.open_files(),
            max_files: process.open_files_limit(),
        };
        self.cpu_seconds.set(figures.cpu_seconds);
        self.resident_bytes.set(figures.resident_bytes as f64);
        self.virtual_bytes.set(process.virtual_memory() as f64);
        self.start_time.set(process.start_time() as f64);
        self.threads.set(figures.threads as f64);
        if let Some(open) = figures.open_files {
            self.open_files.set(open as f64);
        }
        if let Some(limit) = figures.max_files {
            self.max_files.set(limit as f64);
        }
        Some(figures)
    }
}

//! Figures of the process, read on a timer: a scrape reads nothing of `/proc`, so its cost does not depend on it.

use std::time::Duration;

use http_instrument::{FamilyError, Gauge, HttpMetrics};
use metric_contract::Meaning;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Reads figures of this process into their metrics.
#[derive(Debug)]
pub struct Collector {
    system: System,
    pid: Pid,
    cpu_seconds: Gauge,
    resident_bytes: Gauge,
    virtual_bytes: Gauge,
    start_time: Gauge,
    open_files: Gauge,
    max_files: Gauge,
    threads: Gauge,
}

impl Collector {
    /// Makes the handles. `None` where the platform tells a process nothing of itself.
    ///
    /// # Errors
    /// A family does not fit, or the cap on series is reached.
    pub fn new(metrics: &HttpMetrics) -> Result<Option<Self>, FamilyError> {
        let (Ok(pid), Ok(system)) = (sysinfo::get_current_pid(), System::new()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            system,
            pid,
            cpu_seconds: metrics.gauge(Meaning::ProcessCpu, &[])?,
            resident_bytes: metrics.gauge(Meaning::ProcessMemory, &[])?,
            virtual_bytes: metrics.gauge(Meaning::ProcessVirtualMemory, &[])?,
            start_time: metrics.gauge(Meaning::ProcessStartTime, &[])?,
            open_files: metrics.gauge(Meaning::ProcessOpenFds, &[])?,
            max_files: metrics.gauge(Meaning::ProcessMaxFds, &[])?,
            threads: metrics.gauge(Meaning::ProcessThreads, &[])?,
        }))
    }

    /// Reads once. Some small files: well under a millisecond.
    pub fn collect(&mut self) {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_tasks();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, kind);
        let Some(process) = self.system.process(self.pid) else {
            return;
        };
        self.cpu_seconds
            .set(Duration::from_millis(process.accumulated_cpu_time()).as_secs_f64());
        self.resident_bytes.set(process.memory() as f64);
        self.virtual_bytes.set(process.virtual_memory() as f64);
        self.start_time.set(process.start_time() as f64);
        if let Some(open) = process.open_files() {
            self.open_files.set(open as f64);
        }
        if let Some(limit) = process.open_files_limit() {
            self.max_files.set(limit as f64);
        }
        // The main thread is the process itself and not among its tasks.
        self.threads
            .set(process.tasks().map_or(1, |tasks| tasks.len() + 1) as f64);
    }

    /// Reads now and then for ever.
    pub async fn run(mut self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.collect();
        }
    }
}

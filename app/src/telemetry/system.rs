//! Figures of process, host, container and runtime, read on a timer, so that neither a scrape nor a request pays for
//! reading `/proc`.

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use http_instrument::{FamilyError, Gauge, HttpMetrics};
use metric_contract::MetricId;
use sysinfo::System;
use tokio::{runtime::RuntimeMetrics, time::MissedTickBehavior};

use super::{
    CpuUsage, Metrics, allocator,
    cgroup::{self, Layout},
    process::ProcessReader,
    system_stats::{LatestSystemStats, SystemStats},
};

/// Reads the figures into their metrics, and remembers them.
#[derive(Debug)]
pub struct Collector {
    latest: LatestSystemStats,
    cpu: Arc<CpuUsage>,
    system: Option<System>,
    process: Option<ProcessReader>,
    layout: Layout,
    runtime: RuntimeMetrics,
    memory_threshold_bytes: Option<u64>,
    gauges: Gauges,
    before: Option<(Instant, f64)>,
}

/// Memory that the container may use, bytes; `None` if it has no limit.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    read(&layout()).memory_limit_bytes
}

fn layout() -> Layout {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    cgroup::layout(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"))
}

fn read(layout: &Layout) -> cgroup::Container {
    cgroup::read(layout, &|path: &Path| fs::read_to_string(path).ok())
}

impl Collector {
    /// Makes the handles, and finds the container's files. Must be called within a runtime of tokio.
    ///
    /// # Errors
    /// A family does not fit, or the cap on series is reached.
    pub fn new(metrics: &Metrics, memory_threshold_bytes: Option<u64>) -> Result<Self, FamilyError> {
        Ok(Self {
            latest: metrics.system(),
            cpu: Arc::clone(metrics.cpu()),
            system: System::new().ok(),
            process: ProcessReader::new(metrics.http())?,
            layout: layout(),
            runtime: tokio::runtime::Handle::current().metrics(),
            memory_threshold_bytes,
            gauges: Gauges::new(*metrics.http()),
            before: None,
        })
    }

    /// Reads once. Some small files: about a millisecond.
    pub fn collect(&mut self) {
        let container = read(&self.layout);
        let machine = thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let mut figures = SystemStats {
            read_at: Some(Instant::now()),
            process: self
                .system
                .as_mut()
                .zip(self.process.as_ref())
                .and_then(|(system, process)| process.read(system)),
            cores: container.cpu_quota_cores.map_or(machine, |quota| quota.min(machine)),
            container,
            allocator: allocator::read(),
            ..SystemStats::default()
        };
        if let Some(system) = &mut self.system {
            system.refresh_memory();
            system.refresh_cpu_usage();
            figures.host_memory_bytes = Some(system.total_memory()).filter(|bytes| *bytes > 0);
            figures.host_memory_used_bytes = figures.host_memory_bytes.map(|_| system.used_memory());
            // The first reading has nothing to compare with.
            figures.host_cpu_percent = self.before.map(|_| f64::from(system.global_cpu_usage()));
            figures.host_load_average = System::load_average().ok().map(|load| load.one);
        }
        figures.cpu_percent = self.cpu_percent(&figures);
        self.gauges.show(&figures, self.memory_threshold_bytes, &self.runtime);
        if let Some(percent) = figures.cpu_percent {
            self.cpu.measure(percent);
        }
        self.latest.put(figures);
    }

    /// CPU time since the last reading, in percent of the time that the process could have used.
    fn cpu_percent(&mut self, figures: &SystemStats) -> Option<f64> {
        let (now, used) = (figures.read_at?, figures.process?.cpu_seconds);
        let before = self.before.replace((now, used));
        let (then, used_then) = before?;
        let possible = (now - then).as_secs_f64() * figures.cores;
        // Ticks of the kernel's clock may show a little more than was possible.
        (possible > 0.0).then(|| ((used - used_then) / possible * 100.0).clamp(0.0, 100.0))
    }

    /// Reads the figures at every interval, forever.
    pub async fn run(mut self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.collect();
        }
    }
}

/// Gauges that appear when there is something to show: a container without a limit has no series of its limit.
#[derive(Debug)]
struct Gauges {
    metrics: HttpMetrics,
    shown: Vec<(MetricId, Gauge)>,
}

impl Gauges {
    fn new(metrics: HttpMetrics) -> Self {
        Self {
            metrics,
            shown: Vec::new(),
        }
    }

    fn show(&mut self, figures: &SystemStats, memory_threshold_bytes: Option<u64>, runtime: &RuntimeMetrics) {
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
        let container = &figures.container;
        let busy = (0..runtime.num_workers()).map(|worker| runtime.worker_total_busy_duration(worker));
        for (metric, value) in [
            (MetricId::AppMemoryPercent, figures.memory_percent()),
            (
                MetricId::MemoryAlertThreshold,
                bytes(memory_threshold(memory_threshold_bytes, figures)),
            ),
            (MetricId::AvailableCores, Some(figures.cores)),
            (MetricId::HostCpuPercent, figures.host_cpu_percent),
            (MetricId::HostLoadAverage, figures.host_load_average),
            (MetricId::HostMemoryUsed, bytes(figures.host_memory_used_bytes)),
            (MetricId::HostMemoryTotal, bytes(figures.host_memory_bytes)),
            (MetricId::ContainerMemoryLimit, bytes(container.memory_limit_bytes)),
            (MetricId::ContainerMemoryUsed, bytes(container.memory_usage_bytes)),
            (MetricId::ContainerCpuLimit, container.cpu_quota_cores),
            (MetricId::ContainerCpuPeriods, bytes(container.cpu_periods)),
            (
                MetricId::ContainerCpuThrottledPeriods,
                bytes(container.cpu_throttled_periods),
            ),
            (MetricId::ContainerCpuThrottled, container.cpu_throttled_seconds),
            (MetricId::ContainerOomKills, bytes(container.oom_kills)),
            (
                MetricId::AllocatorUsed,
                bytes(figures.allocator.map(|memory| memory.used_bytes)),
            ),
            (
                MetricId::AllocatorHeld,
                bytes(figures.allocator.map(|memory| memory.held_bytes)),
            ),
            (MetricId::RuntimeWorkers, Some(runtime.num_workers() as f64)),
            (MetricId::RuntimeTasks, Some(runtime.num_alive_tasks() as f64)),
            (MetricId::RuntimeQueueDepth, Some(runtime.global_queue_depth() as f64)),
            (MetricId::RuntimeBusy, Some(busy.sum::<Duration>().as_secs_f64())),
        ] {
            self.set(metric, value);
        }
    }

    fn set(&mut self, metric: MetricId, value: Option<f64>) {
        if let Some((_, gauge)) = self.shown.iter().find(|(shown, _)| *shown == metric) {
            // A figure that can no longer be read becomes NaN, and its series stays.
            gauge.set(value.unwrap_or(f64::NAN));
            return;
        }
        let Some(value) = value else { return };
        // Refused by the cap on series: the cap counts it, and it is tried again.
        if let Ok(gauge) = self.metrics.gauge(metric, &[]) {
            gauge.set(value);
            self.shown.push((metric, gauge));
        }
    }
}

/// Memory above which an alert is due, bytes: the setting, or 80 % of what the process may use.
#[must_use]
pub fn memory_threshold(set: Option<u64>, figures: &SystemStats) -> Option<u64> {
    set.or_else(|| figures.memory_limit_bytes().map(|limit| limit / 5 * 4))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{cgroup::Container, process::Process},
        *,
    };

    fn figures(limit: Option<u64>, host: Option<u64>, resident: u64) -> SystemStats {
        SystemStats {
            process: Some(Process {
                resident_bytes: resident,
                ..Process::default()
            }),
            host_memory_bytes: host,
            container: Container {
                memory_limit_bytes: limit,
                ..Container::default()
            },
            ..SystemStats::default()
        }
    }

    #[test]
    fn memory_is_a_share_of_the_containers_limit_where_there_is_one_and_else_of_the_host() {
        assert_eq!(figures(Some(200), Some(1_000), 50).memory_percent(), Some(25.0));
        assert_eq!(figures(None, Some(1_000), 50).memory_percent(), Some(5.0));
        assert_eq!(
            figures(Some(5_000), Some(1_000), 50).memory_percent(),
            Some(5.0),
            "a limit above the machine's memory is none"
        );
        assert_eq!(figures(None, None, 50).memory_percent(), None);
    }

    #[test]
    fn an_alert_on_memory_is_due_at_what_is_set_or_at_80_percent_of_the_limit() {
        assert_eq!(memory_threshold(Some(7), &figures(Some(100), None, 0)), Some(7));
        assert_eq!(memory_threshold(None, &figures(Some(100), None, 0)), Some(80));
        assert_eq!(memory_threshold(None, &figures(None, None, 0)), None);
    }
}

//! Limits and usage of the container, read from cgroup files of either version.
//!
//! [`layout`] finds the directories once. [`read`] reads their files through a function, so that tests can pass the
//! texts of real machines. Limits are inherited: the lowest one from the process's directory up to the root is in
//! force.

mod layout;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use self::layout::{Layout, Version, layout};

/// Version 1 writes "no limit" as the largest multiple of a page that an `i64` holds; page sizes
/// differ, so any value that large means no limit.
const NO_LIMIT: u64 = 1 << 62;

/// The container's limits and use. A field is `None` if there is no limit, or the kernel does not report it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Container {
    /// Memory limit, bytes.
    pub memory_limit_bytes: Option<u64>,
    /// Memory in use at the level that has the limit, bytes, with caches.
    pub memory_usage_bytes: Option<u64>,
    /// The part of the used memory that the kernel can take back at once (file pages not used lately), bytes.
    pub memory_reclaimable_bytes: Option<u64>,
    /// CPU quota, cores.
    pub cpu_quota_cores: Option<f64>,
    /// Quota periods that have passed with something to run.
    pub cpu_periods: Option<u64>,
    /// Quota periods in which the quota ran out.
    pub cpu_throttled_periods: Option<u64>,
    /// Time spent waiting for the next period, seconds.
    pub cpu_throttled_seconds: Option<f64>,
    /// Processes of the container that the kernel killed because memory ran out.
    pub oom_kills: Option<u64>,
}

impl Container {
    /// Memory that cannot be taken back at once, bytes: what a kubelet calls the working set.
    #[must_use]
    pub fn working_set_bytes(&self) -> Option<u64> {
        let reclaimable = self.memory_reclaimable_bytes.unwrap_or(0);
        Some(self.memory_usage_bytes?.saturating_sub(reclaimable))
    }
}

/// Reads a file whole; `None` if it is not there.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// Reads all values. A value is left out if its file is missing or cannot be understood.
#[must_use]
pub fn read(layout: &Layout, read: ReadFile<'_>) -> Container {
    let mut container = Container::default();
    if let Some((version, levels)) = &layout.memory {
        read_memory(&mut container, *version, levels, read);
    }
    if let Some((version, levels)) = &layout.cpu {
        read_cpu(&mut container, *version, levels, read);
    }
    container
}

fn read_memory(container: &mut Container, version: Version, levels: &[PathBuf], read: ReadFile<'_>) {
    let (limit, usage, reclaimable) = match version {
        Version::One => ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        Version::Two => ("memory.max", "memory.current", "inactive_file"),
    };
    let limits = levels
        .iter()
        .filter_map(|level| Some((bytes(&read(&level.join(limit))?)?, level)));
    let tightest = limits.min_by_key(|(bytes, _)| *bytes);
    container.memory_limit_bytes = tightest.map(|(bytes, _)| bytes);
    let Some(level) = tightest.map(|(_, level)| level).or(levels.first()) else {
        return;
    };
    container.memory_usage_bytes = read(&level.join(usage)).and_then(|text| text.trim().parse().ok());
    container.memory_reclaimable_bytes = read(&level.join("memory.stat")).and_then(|text| field(&text, reclaimable));
    let kills = match version {
        Version::One => "memory.oom_control",
        Version::Two => "memory.events",
    };
    container.oom_kills = read(&level.join(kills)).and_then(|text| field(&text, "oom_kill"));
}

fn read_cpu(container: &mut Container, version: Version, levels: &[PathBuf], read: ReadFile<'_>) {
    let quotas = levels
        .iter()
        .filter_map(|level| Some((quota(version, level, read)?, level)));
    let tightest = quotas.min_by(|(a, _), (b, _)| a.total_cmp(b));
    container.cpu_quota_cores = tightest.map(|(cores, _)| cores);
    let level = tightest.map(|(_, level)| level).or(levels.first());
    let Some(stat) = level.and_then(|level| read(&level.join("cpu.stat"))) else {
        return;
    };
    container.cpu_periods = field(&stat, "nr_periods");
    container.cpu_throttled_periods = field(&stat, "nr_throttled");
    container.cpu_throttled_seconds = match version {
        Version::One => field(&stat, "throttled_time").map(|nanoseconds| nanoseconds as f64 / 1e9),
        Version::Two => field(&stat, "throttled_usec").map(|microseconds| microseconds as f64 / 1e6),
    };
}

/// The quota in cores: time to run in each period, over the period.
fn quota(version: Version, level: &Path, read: ReadFile<'_>) -> Option<f64> {
    let (quota, period) = match version {
        Version::One => (
            read(&level.join("cpu.cfs_quota_us"))?,
            read(&level.join("cpu.cfs_period_us"))?,
        ),
        Version::Two => {
            let both = read(&level.join("cpu.max"))?;
            let (quota, period) = both.trim().split_once(' ')?;
            (quota.to_owned(), period.to_owned())
        }
    };
    // Neither `max` (version 2) nor -1 (version 1) is a number above zero.
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number > 0);
    Some(number(&quota)? as f64 / number(&period)? as f64)
}

/// A limit in bytes; `None` if the value means that there is no limit.
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|limit| *limit < NO_LIMIT)
}

/// The value of a line `name value`.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

//! What was read of process, host, container and allocator.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::{allocator::Allocator, cgroup::Container, process::Process};

/// The figures of one reading. `None` where the platform does not report one, or nothing has been read yet.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SystemStats {
    /// When they were read.
    pub read_at: Option<Instant>,
    /// The process.
    pub process: Option<Process>,
    /// CPU use of the process, percent of what it may use.
    pub cpu_percent: Option<f64>,
    /// Cores that it may use: the container's quota, or the machine's cores.
    pub cores: f64,
    /// CPU use of the host, percent.
    pub host_cpu_percent: Option<f64>,
    /// Tasks of the host that run or wait for a processor, on average over one minute.
    pub host_load_average: Option<f64>,
    /// Memory in use on the host, bytes.
    pub host_memory_used_bytes: Option<u64>,
    /// Memory of the host, bytes.
    pub host_memory_bytes: Option<u64>,
    /// The container.
    pub container: Container,
    /// The allocator.
    pub allocator: Option<Allocator>,
}

impl SystemStats {
    /// Memory that the process may use: the container's limit where there is one, else the host's memory; bytes.
    #[must_use]
    pub fn memory_limit_bytes(&self) -> Option<u64> {
        match (self.container.memory_limit_bytes, self.host_memory_bytes) {
            // A limit above the machine's memory has no effect.
            (Some(limit), Some(host)) => Some(limit.min(host)),
            (limit, host) => limit.or(host),
        }
    }

    /// Resident memory of the process, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        Some(self.process?.resident_bytes)
    }

    /// Resident memory of the process, percent of what it may use.
    #[must_use]
    pub fn memory_percent(&self) -> Option<f64> {
        let limit = self.memory_limit_bytes().filter(|limit| *limit > 0)?;
        Some(self.memory_bytes()? as f64 / limit as f64 * 100.0)
    }
}

/// The figures as they were read last; clones share them.
#[derive(Debug, Clone, Default)]
pub struct LatestSystemStats(Arc<Mutex<SystemStats>>);

impl LatestSystemStats {
    /// The figures as they were read last.
    #[must_use]
    pub fn get(&self) -> SystemStats {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, figures: SystemStats) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }
}

//! Telemetry of the process: metrics, log lines, spans, and figures of process, host and container.

pub mod allocator;
pub mod cgroup;
mod connections;
mod cpu;
pub mod history;
pub mod logs;
mod metrics;
pub mod process;
pub mod shown_count;
pub mod spans;
pub mod system;
pub mod system_stats;

pub use self::{
    connections::{Connections, OpenConnection},
    cpu::CpuUsage,
    metrics::{BuildInfo, Metrics},
    spans::Tracer,
};

//! What the process tells about itself: metrics, access log, log lines, figures of the process.

pub mod access;
pub mod logs;
mod metrics;
pub mod process;

pub use self::metrics::{BuildInfo, Metrics};

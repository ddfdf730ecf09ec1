//! Asks Prometheus about all MonitoredApis at once, on a schedule of its own, and never from a reconcile.

pub(crate) mod board;
mod client;
pub(crate) mod reader;

//! Asks the pods of each MonitoredApi how they spell their metrics, on a schedule of its own, and never from a reconcile.

pub(crate) mod board;
mod client;
pub(crate) mod prober;

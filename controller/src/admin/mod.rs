//! The operator as a process that is operated: its admin server, metrics, logs and healthcheck.

pub(crate) mod healthcheck;
pub(crate) mod logs;
pub(crate) mod server;
pub(crate) mod telemetry;

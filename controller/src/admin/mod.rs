//! The operator as a process that is operated: its admin server, metrics and logs.

pub(crate) mod logs;
mod runbooks;
pub(crate) mod server;
pub(crate) mod telemetry;

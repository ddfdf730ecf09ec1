//! From a MonitoredApi to a plan of objects, and from what happened to a status.
//!
//! Pure: no tokio, no client, no clock, no environment, no file. Time and settings are arguments.

pub mod children;
pub mod facts;
pub mod plan;

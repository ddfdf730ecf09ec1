//! The load generator behind `monitored-api load`.
//!
//! An *open loop* sends requests at given times, whatever becomes of the ones before, as independent users do; each latency counts
//! from the time at which its request was to start. So a service that stops for a second shows a second, because the requests that
//! had to wait are counted. A *closed loop* sends the next request of a connection when the one before is answered, as
//! ApacheBench does: while the service stops it sends nothing, and so hardly notices.
//!
//! Pure: [`plan`], [`target`], [`status`], [`schedule`], [`record`], [`report`], [`page`], [`units`]. Only [`engine`] has a runtime, sockets
//! and a clock.

pub mod engine;
mod histogram;
pub mod page;
pub mod plan;
pub mod record;
pub mod report;
pub mod schedule;
pub mod status;
pub mod target;
mod timeline;
pub mod units;

pub use engine::{LoadError, Progress, run};
pub use plan::{Arrivals, ClosedLoop, Limits, Mode, OpenLoop, Plan, Step};
pub use report::Report;
pub use target::Target;

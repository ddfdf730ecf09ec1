//! The metric contract: what one wants to know (signals), how an instrumentation spells it (dialects), and every
//! metric family of the product as data.
//!
//! This is the only place in the workspace where a metric name is spelled. No I/O, no clock, no registry.

mod dialect;
pub mod dialects;
mod family;
pub mod labels;
pub mod platform;
pub mod recorded;
mod signal;
mod target;

pub use dialect::{
    Dialect, DialectId, DurationSpelling, ErrorsByTypeSpelling, GaugeSpelling, RequestsSpelling, SizeSpelling,
    StatusStyle, UnknownDialect,
};
pub use family::{Family, MetricKind, Unit};
pub use signal::Signal;
pub use target::TargetKind;

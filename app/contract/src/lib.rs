//! The metric contract: what one wants to know (signals), what the service can tell (meanings), how an instrumentation
//! spells it (dialects), and every metric family of the product as data.
//!
//! This is the only place in the workspace where a metric name is spelled. No I/O, no clock, no registry.

mod attribute;
mod dialect;
mod dialect_id;
pub mod dialects;
mod family;
pub mod labels;
mod meaning;
pub mod platform;
pub mod recorded;
mod row;
mod signal;
mod target;

pub use attribute::Attribute;
pub use dialect::{
    Dialect, DurationSpelling, ErrorNames, ErrorsByTypeSpelling, InFlightSpelling, RequestsSpelling, StatusStyle,
};
pub use dialect_id::{DialectId, UnknownDialect};
pub use family::{Family, MetricKind, Unit};
pub use meaning::Meaning;
pub use row::Row;
pub use signal::Signal;
pub use target::TargetKind;

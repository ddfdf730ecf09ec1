//! The metric contract: the questions that rules and panels ask (signals), the metrics that answer them whatever their
//! names are (metric ids), the names that each instrumentation gives them (dialects), and every metric family of the
//! product as data.
//!
//! This is the only place in the workspace where a metric name is spelled. No I/O, no clock, no registry.

mod attribute;
mod dialect;
mod dialect_row;
pub mod dialects;
mod family;
pub mod labels;
mod metric_id;
pub mod platform;
pub mod recorded_series;
mod signal;
mod target;

pub use attribute::Attribute;
pub use dialect::{
    Dialect, DurationSeries, ErrorNames, ErrorsByTypeSeries, InFlightSeries, RequestsSeries, StatusStyle,
};
pub use dialect_row::DialectRow;
pub use dialects::{DialectId, UnknownDialect};
pub use family::{Family, MetricKind, Unit};
pub use metric_id::MetricId;
pub use signal::Signal;
pub use target::TargetKind;

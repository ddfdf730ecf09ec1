//! The metric contract, as data: what rules and panels need to know of a service (signals), the metrics that tell it,
//! independent of their names (metric ids), the names that each instrumentation gives to these metrics (dialects), the names
//! on one page (spellings), and every metric family of the product.
//!
//! This is the only place in the workspace where a metric name is spelled. No I/O, no clock, no registry.

mod attribute;
mod conversion;
mod dialect;
mod dialect_row;
pub mod dialects;
mod family;
pub mod labels;
mod metric_id;
pub mod platform;
mod proxy;
pub mod recorded_series;
mod signal;
mod signature;
pub mod sloth;
mod spelling;
mod target;

pub use attribute::Attribute;
pub use conversion::Conversion;
pub use dialect::{Dialect, ErrorNames, StatusStyle};
pub use dialect_row::DialectRow;
pub use dialects::{DialectId, UnknownDialect};
pub use family::{Family, MetricKind, Unit};
pub use metric_id::MetricId;
pub use proxy::{Condition, LabelCondition, ProxiedWorkload, Proxy};
pub use signal::Signal;
pub use signature::{Form, Mark, Prefix, Signature};
pub use spelling::{DurationSeries, ErrorsByTypeSeries, MetricSpelling, RequestsSeries, Spelling};
pub use target::TargetKind;

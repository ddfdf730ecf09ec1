//! The MonitoredApi resource: types, defaults, CEL rules, condition names. No client, no tokio.

mod condition;
pub mod names;
mod status;

pub use condition::ConditionType;
pub use status::{ChildRecord, MetricsStatus, MonitoredApiStatus};

//! The MonitoredApi resource: types, defaults, CEL rules, condition names. No client, no tokio.

mod condition;
mod crd;
pub mod names;
pub mod schema;
pub mod spec;
mod status;

pub use condition::ConditionType;
pub use crd::crd;
pub use spec::{MonitoredApi, MonitoredApiSpec};
pub use status::{ChildRecord, MetricsStatus, MonitoredApiStatus};

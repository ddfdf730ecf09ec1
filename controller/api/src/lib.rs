//! The MonitoredApi resource: types, defaults, CEL rules, conditions and their reasons. No client, no tokio.

mod condition;
mod crd;
pub mod names;
pub mod quantity;
mod reason;
pub mod schema;
pub mod spec;
mod status;
mod status_page;

pub use condition::ConditionType;
pub use crd::crd;
pub use reason::Reason;
pub use spec::{MonitoredApi, MonitoredApiSpec};
pub use status::{ChildRecord, FamilyStatus, MetricsStatus, MonitoredApiStatus, ObjectiveStatus, WorkloadStatus};
pub use status_page::status_page;

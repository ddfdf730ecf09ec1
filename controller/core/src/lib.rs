//! From a MonitoredApi to a plan of objects, and from what happened to a status.
//!
//! Pure: no tokio, no client, no clock, no environment, no file. Time and settings are arguments.

pub mod admission;
pub mod children;
pub mod events;
pub mod facts;
pub mod hash;
pub mod plan;
pub mod rbac;
pub mod render;
pub mod requeue;
pub mod status;
pub mod unknown_fields;
pub mod validate;
pub mod write_record;
pub mod yaml;

pub use children::build;
pub use render::render;
pub use status::{FoldInput, fold};
pub use validate::{ValidApi, Violation, validate};

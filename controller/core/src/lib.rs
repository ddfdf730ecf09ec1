//! From a MonitoredApi to a plan of objects, and from what happened to a status.
//!
//! Pure: no tokio, no client, no clock, no environment, no file. Time and settings are arguments.

mod compile;

pub mod admission;
pub mod alert_tests;
pub mod call_error;
pub mod changes;
pub mod children;
pub mod contest;
pub mod detect;
pub mod dialect_choice;
mod error_class;
pub mod events;
pub mod facts;
pub mod failure;
pub mod foreign_text;
mod from_live;
pub mod intent;
pub mod kind;
pub mod lint;
pub mod manifest;
pub mod metadata;
pub mod object_hash;
pub mod omission;
pub mod owner;
pub mod plan;
pub mod pod_figures;
pub mod probe;
pub mod prometheus;
pub mod rbac;
pub mod referenced;
pub mod refusals;
pub mod render;
pub mod requeue;
pub mod settings;
pub mod settled;
pub mod stack;
pub mod status;
mod type_error;
pub mod unknown_fields;
pub mod valid;
pub mod validate;
pub mod violation;
pub mod watched;
pub mod write_record;
pub mod yaml;

pub use compile::compile;
pub use kind::ChildKind;
pub use render::{Rendered, render};
pub use status::{FoldInput, fold};
pub use valid::ValidApi;
pub use violation::Violation;

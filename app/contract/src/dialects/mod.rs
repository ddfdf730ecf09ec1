//! The dialects, one file each. What the source systems and the libraries export is taken from their documents and source;
//! where a table differs from them, its file says so.

pub mod axum_prometheus;
pub mod micrometer;
pub mod native;
pub mod otel;
pub mod s0;
pub mod s1;
pub mod s2_advanced;
pub mod s2_instrumentator;
pub mod s2_manual;
pub mod s3;
pub mod s4;

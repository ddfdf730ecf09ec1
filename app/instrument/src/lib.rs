#![doc = include_str!("../README.md")]

#[cfg(feature = "axum")]
mod axum;
mod body;
mod cells;
mod endpoint;
mod families;
mod foreign;
pub mod history;
mod http_families;
mod layer;
mod metrics;
mod page;
mod registry;
mod scale;
mod snapshot;
mod text;
mod trace;
mod verb;

#[cfg(feature = "axum")]
pub use self::axum::instrument;
pub use self::{
    body::{Counted, Meter, MeteredBody},
    families::{Asked, Counter, FamilyError, Gauge, Histogram},
    layer::{HttpMetricsLayer, Metered, MeteredFuture, RouteTemplate},
    metrics::{Builder, DEFAULT_EXCLUDED, DEFAULT_MAX_SERIES, HttpMetrics},
    page::Format,
    snapshot::EndpointCounts,
    trace::TraceId,
};

#![doc = include_str!("../README.md")]

#[cfg(feature = "axum")]
mod axum;
mod body;
mod builder;
mod cells;
mod details;
mod distribution;
mod endpoint;
mod exchange;
mod families;
mod foreign;
mod format;
pub mod history;
mod layer;
mod metrics;
mod page;
mod pattern;
mod registry;
mod scale;
mod series;
mod snapshot;
mod spelling;
mod text;
mod trace_context;
mod variant;
mod verb;
mod window_max;

#[cfg(feature = "axum")]
pub use self::axum::instrument;
pub use self::{
    body::{Counted, Meter, MeteredBody},
    builder::{Builder, DEFAULT_EXCLUDED, DEFAULT_MAX_SERIES, PROBES},
    details::ErrorName,
    exchange::{Exchange, TraceId},
    families::{Counter, FamilyError, Gauge, Histogram, MetricKey},
    format::Format,
    layer::{HttpMetricsLayer, Metered, MeteredFuture, RouteTemplate},
    metrics::HttpMetrics,
    snapshot::EndpointCounts,
    trace_context::TraceContext,
    verb::method_label,
};

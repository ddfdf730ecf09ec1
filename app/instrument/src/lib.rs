#![doc = include_str!("../README.md")]

/// The code of the guide compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../docs/guides/from-axum-prometheus.md")]
struct FromAxumPrometheus;

#[cfg(feature = "axum")]
mod axum;
mod body;
mod builder;
mod cell_layout;
mod cells;
mod clock;
mod distribution;
mod endpoint;
mod endpoint_counts;
mod exemplar;
mod extra_label;
mod families;
mod handle;
mod handle_request;
pub mod history;
mod http_family;
mod layer;
mod method_label;
mod metric_key;
mod metrics;
mod nested_route;
mod observed_request;
mod optional_metrics;
mod page;
mod pattern;
mod prometheus_registry;
mod recording;
mod registry;
mod scale;
mod series;
mod text;
mod trace_context;
mod trace_state;
mod window_max;

#[cfg(feature = "axum")]
pub use self::axum::instrument;
pub use exposition::Format;

pub use self::{
    body::{BodyGuard, MeasureBody, MeasuredBody},
    builder::{Builder, DEFAULT_EXCLUDED, DEFAULT_MAX_SERIES, PROBES},
    endpoint_counts::EndpointCounts,
    handle::{Counter, Gauge, Histogram},
    layer::{HttpMetricsLayer, HttpMetricsService, ResponseFuture, RouteTemplate},
    method_label::method_label,
    metric_key::{FamilyError, MetricKey},
    metrics::HttpMetrics,
    observed_request::{ObservedRequest, TraceId},
    optional_metrics::ErrorName,
    trace_context::TraceContext,
    trace_state::TraceState,
};

//! `otel-http-old`: OpenTelemetry's conventions for HTTP before they were stable, as Python's instrumentations of ASGI write
//! them without `OTEL_SEMCONV_STABILITY_OPT_IN` (opentelemetry-python-contrib at 466ae4c, `_semconv.py` 82–101). Durations are
//! in milliseconds. `http_host` is what the client wrote, so nothing is grouped by it. There is no request counter: queries
//! use the count of the duration histogram.

use super::native;
use crate::{Attribute, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of durations, milliseconds, and of sizes, bytes: those of the SDK.
const BUCKETS: &[f64] = &[
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0, 10_000.0,
];

rows! {
    DURATION: Duration "http_server_duration_milliseconds" Histogram Milliseconds {
        "http_flavor": ProtocolVersion, "http_host": ClientText, "http_method": Method, "http_scheme": Other,
        "http_server_name": ClientText, "http_status_code": Status, "http_target": Route, "net_host_port": ClientText,
        "otel_scope_name": Other, "otel_scope_schema_url": Other, "otel_scope_version": Other
    } [BUCKETS] "Duration of HTTP server requests.";
    DURATION_MS: Duration "http_server_duration_ms" Histogram Milliseconds {
        "http_method": Method, "http_status_code": Status
    } [BUCKETS] "Duration of HTTP server requests, from an exporter that shortens units.";
    DURATION_SECONDS: Duration "http_server_duration_seconds" Histogram Seconds {
        "http_method": Method, "http_status_code": Status
    } [BUCKETS] "Duration of HTTP server requests, from an instrumentation that counts in seconds.";
    DURATION_WITHOUT_UNIT: Duration "http_server_duration" Histogram Milliseconds {
        "http_method": Method, "http_status_code": Status
    } [BUCKETS] "Duration of HTTP server requests, from an exporter that adds no units to names.";
    ACTIVE: InFlight "http_server_active_requests" Gauge Count {
        "http_flavor": ProtocolVersion, "http_host": ClientText, "http_method": Method, "http_scheme": Other,
        "http_server_name": ClientText, "otel_scope_name": Other, "otel_scope_schema_url": Other, "otel_scope_version": Other
    } "Number of active HTTP server requests.";
    REQUEST_SIZE: RequestSize "http_server_request_size_bytes" Histogram Bytes {
        "http_flavor": ProtocolVersion, "http_host": ClientText, "http_method": Method, "http_scheme": Other,
        "http_server_name": ClientText, "http_status_code": Status, "http_target": Route, "net_host_port": ClientText,
        "otel_scope_name": Other, "otel_scope_schema_url": Other, "otel_scope_version": Other
    } [BUCKETS] "Size of HTTP server request bodies.";
    RESPONSE_SIZE: ResponseSize "http_server_response_size_bytes" Histogram Bytes {
        "http_flavor": ProtocolVersion, "http_host": ClientText, "http_method": Method, "http_scheme": Other,
        "http_server_name": ClientText, "http_status_code": Status, "http_target": Route, "net_host_port": ClientText,
        "otel_scope_name": Other, "otel_scope_schema_url": Other, "otel_scope_version": Other
    } [BUCKETS] "Size of HTTP server response bodies.";
}

/// Labels that implementations of the conventions have or lack.
const LABELS: &[(&str, Attribute)] = &[
    ("http_flavor", Attribute::ProtocolVersion),
    ("http_host", Attribute::ClientText),
    ("http_scheme", Attribute::Other),
    ("http_server_name", Attribute::ClientText),
    ("http_status_code", Attribute::Status),
    ("http_target", Attribute::Route),
    ("http_route", Attribute::Route),
    ("net_host_name", Attribute::ClientText),
    ("net_host_port", Attribute::ClientText),
    ("net_protocol_name", Attribute::Other),
    ("net_protocol_version", Attribute::ProtocolVersion),
    ("otel_scope_name", Attribute::Other),
    ("otel_scope_schema_url", Attribute::Other),
    ("otel_scope_version", Attribute::Other),
];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(DURATION).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION_MS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION_SECONDS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION_WITHOUT_UNIT).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(ACTIVE).optional(LABELS),
        Form::of(REQUEST_SIZE).optional(LABELS),
        Form::of(RESPONSE_SIZE).optional(LABELS),
    ],
);

/// The dialect's table.
pub const OTEL_HTTP_OLD: Dialect = Dialect {
    name: "otel-http-old",
    title: "OpenTelemetry, the conventions for HTTP before 1.23, in milliseconds",
    rows: &[
        DURATION,
        ACTIVE,
        REQUEST_SIZE,
        RESPONSE_SIZE,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
        super::PYTHON_GC_COLLECTIONS,
        super::PYTHON_GC_COLLECTED,
        super::PYTHON_GC_UNCOLLECTABLE,
    ],
    lacks: &[MetricId::Requests],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

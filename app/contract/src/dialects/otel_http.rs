//! `otel-http`: OpenTelemetry's stable semantic conventions for HTTP servers as its Prometheus exporters write them
//! (semantic-conventions at 384d661, `docs/http/http-metrics.md`). There is no request counter: queries
//! use the count of the duration histogram.
//!
//! A request that matched no route has no label `http_route`. `url_scheme` is always `http`, because the service does
//! not speak TLS itself.

use super::native;
use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows,
};

/// The upper bounds that the conventions ask for, seconds.
pub(super) const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

rows! {
    DURATION: Duration "http_server_request_duration_seconds" Histogram Seconds {
        "http_request_method": Method, "http_route": Route, "http_response_status_code": Status,
        "url_scheme": Constant("http"), "network_protocol_version": ProtocolVersion, "error_type": StatusOfError
    } [DURATION_BUCKETS_SECONDS] "Duration of HTTP server requests.";
    DURATION_WITHOUT_UNIT: Duration "http_server_request_duration" Histogram Seconds {
        "http_request_method": Method, "http_route": Route, "http_response_status_code": Status
    } [DURATION_BUCKETS_SECONDS] "Duration of HTTP server requests, from an exporter that adds no units to names.";
    ACTIVE: InFlight "http_server_active_requests" Gauge Count
        {"http_request_method": Method, "url_scheme": Constant("http")}
        "Number of active HTTP server requests.";
    REQUEST_SIZE: RequestSize "http_server_request_body_size_bytes" Histogram Bytes
        {"http_request_method": Method, "http_route": Route, "url_scheme": Constant("http")}
        [native::SIZE_BUCKETS_BYTES] "Size of HTTP server request bodies.";
    RESPONSE_SIZE: ResponseSize "http_server_response_body_size_bytes" Histogram Bytes {
        "http_request_method": Method, "http_route": Route, "http_response_status_code": Status,
        "url_scheme": Constant("http")
    } [native::SIZE_BUCKETS_BYTES] "Size of HTTP server response bodies.";
    CPU_TIME: ProcessCpu "process_cpu_time_seconds_total" Counter Seconds {} "Total CPU seconds of the process.";
    MEMORY: ProcessMemory "process_memory_usage_bytes" Gauge Bytes {} "The amount of physical memory in use.";
    VIRTUAL_MEMORY: ProcessVirtualMemory "process_memory_virtual_bytes" Gauge Bytes {}
        "The amount of committed virtual memory.";
    OPEN_FDS: ProcessOpenFds "process_unix_file_descriptor_count" Gauge Count {}
        "Number of unix file descriptors in use by the process.";
    THREADS: ProcessThreads "process_thread_count" Gauge Count {} "Process threads count.";
    UPTIME: AppUptime "process_uptime_seconds" Gauge Seconds {} "The time the process has been running.";
}

/// Labels that implementations of the conventions have or lack.
const LABELS: &[(&str, Attribute)] = &[
    ("http_route", Attribute::Route),
    ("http_response_status_code", Attribute::Status),
    ("url_scheme", Attribute::Other),
    ("network_protocol_name", Attribute::Other),
    ("network_protocol_version", Attribute::ProtocolVersion),
    ("error_type", Attribute::StatusOfError),
    ("server_address", Attribute::ClientText),
    ("server_port", Attribute::ClientText),
];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(DURATION).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION_WITHOUT_UNIT).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(ACTIVE).optional(LABELS),
        Form::of(REQUEST_SIZE).optional(LABELS),
        Form::of(RESPONSE_SIZE).optional(LABELS),
    ],
)
.hint(&[(
    Signal::Routes,
    "give the instrumentation the matched route: in Go otelhttp.WithRouteTag or a mux with patterns, in Python a framework's own \
     instrumentation",
)]);

/// The dialect's table.
pub const OTEL_HTTP: Dialect = Dialect {
    name: "otel-http",
    title: "OpenTelemetry, stable semantic conventions for HTTP",
    rows: &[
        DURATION,
        ACTIVE,
        REQUEST_SIZE,
        RESPONSE_SIZE,
        native::HTTP_SERIES_REFUSED,
        CPU_TIME,
        MEMORY,
        VIRTUAL_MEMORY,
        OPEN_FDS,
        THREADS,
        UPTIME,
    ],
    lacks: &[MetricId::Requests],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Slugs,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

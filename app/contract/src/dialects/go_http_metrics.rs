//! `go-http-metrics`: slok/go-http-metrics (at 7668c45, `metrics/prometheus/prometheus.go`). There is no request counter:
//! queries use the count of the duration histogram.

use super::native;
use crate::{Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of sizes, bytes.
const RESPONSE_BUCKETS_BYTES: &[f64] = &[
    100.0,
    1_000.0,
    10_000.0,
    100_000.0,
    1_000_000.0,
    10_000_000.0,
    100_000_000.0,
    1_000_000_000.0,
];

rows! {
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"service": Other, "handler": Route, "method": Method, "code": Status} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    IN_FLIGHT: InFlight "http_requests_inflight" Gauge Count {"service": Other, "handler": Route}
        "HTTP requests being served now.";
    RESPONSE_SIZE: ResponseSize "http_response_size_bytes" Histogram Bytes {"service": Other, "handler": Route, "method": Method, "code": Status} [RESPONSE_BUCKETS_BYTES]
        "Size of HTTP response bodies.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(DURATION)
            .help(&["The latency of the HTTP requests."])
            .known_by(&[Mark::Name]),
        Form::of(IN_FLIGHT).help(&["The number of inflight requests being handled at the same time."]),
        Form::of(RESPONSE_SIZE).help(&["The size of the HTTP responses."]),
    ],
)
.hint(&[(
    Signal::Routes,
    "std.Handler(\"/items/{id}\", middleware, handler): with \"\" in the place of the route, most frameworks' adapters write the path",
)]);

/// The dialect's table.
pub const GO_HTTP_METRICS: Dialect = Dialect {
    name: "go-http-metrics",
    title: "Go, slok/go-http-metrics",
    rows: &[
        DURATION,
        IN_FLIGHT,
        RESPONSE_SIZE,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
        super::GO_THREADS,
        super::GO_GC,
    ],
    lacks: &[MetricId::Requests],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

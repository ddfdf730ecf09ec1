//! `gin`: zsais/go-gin-prometheus (at d85b239, `middleware.go` 22–47). `host` is what the client wrote, and so
//! is `url`, unless `ReqCntURLLabelMappingFn` is set. Its subsystem can be changed; version 0.1 has a summary without labels for the duration.

use super::native;
use crate::{Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

rows! {
    REQUESTS: Requests "gin_requests_total" Counter Count {"code": Status, "method": Method, "handler": Handler, "host": ClientText, "url": RawPath}
        "HTTP requests answered.";
    DURATION: Duration "gin_request_duration_seconds" Histogram Seconds {"code": Status, "method": Method, "url": RawPath} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    DURATION_WITHOUT_LABELS: Duration "gin_request_duration_seconds" Summary Seconds {}
        "Time from the arrival of a request to the end of its response, in version 0.1.";
    REQUEST_SIZE: RequestSize "gin_request_size_bytes" Summary Bytes {}
        "Size of HTTP request bodies.";
    RESPONSE_SIZE: ResponseSize "gin_response_size_bytes" Summary Bytes {}
        "Size of HTTP response bodies.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free("gin_"),
    &[
        Form::of(REQUESTS)
            .help(&["How many HTTP requests processed, partitioned by status code and HTTP method."])
            .known_by(&[Mark::Name]),
        Form::of(DURATION)
            .help(&["The HTTP request latencies in seconds."])
            .known_by(&[Mark::OwnName]),
        Form::of(DURATION_WITHOUT_LABELS).help(&["The HTTP request latencies in seconds."]),
        Form::of(REQUEST_SIZE).help(&["The HTTP request sizes in bytes."]),
        Form::of(RESPONSE_SIZE).help(&["The HTTP response sizes in bytes."]),
    ],
)
.hint(&[(
    Signal::Routes,
    "p.ReqCntURLLabelMappingFn = func(c *gin.Context) string { return c.FullPath() }",
)]);

/// The dialect's table.
pub const GIN: Dialect = Dialect {
    name: "gin",
    title: "Go, gin, zsais/go-gin-prometheus",
    rows: &[
        REQUESTS,
        DURATION,
        REQUEST_SIZE,
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
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

//! `echo`: echoprometheus of labstack/echo-contrib (at 0203010). `host` is what the client wrote, so nothing is grouped by it. Its
//! subsystem can be changed.

use super::native;
use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows,
};

/// The upper bounds of sizes, bytes.
const SIZE_BUCKETS_BYTES: &[f64] = &[
    1_024.0,
    2_048.0,
    5_120.0,
    10_240.0,
    102_400.0,
    512_000.0,
    1_048_576.0,
    2_621_440.0,
    5_242_880.0,
    10_485_760.0,
];

rows! {
    REQUESTS: Requests "echo_requests_total" Counter Count {"code": Status, "host": ClientText, "method": Method, "url": Route}
        "HTTP requests answered.";
    DURATION: Duration "echo_request_duration_seconds" Histogram Seconds {"code": Status, "host": ClientText, "method": Method, "url": Route} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    REQUEST_SIZE: RequestSize "echo_request_size_bytes" Histogram Bytes {"code": Status, "host": ClientText, "method": Method, "url": Route} [SIZE_BUCKETS_BYTES]
        "Size of HTTP request bodies.";
    RESPONSE_SIZE: ResponseSize "echo_response_size_bytes" Histogram Bytes {"code": Status, "host": ClientText, "method": Method, "url": Route} [SIZE_BUCKETS_BYTES]
        "Size of HTTP response bodies.";
}

/// The label that version 0.12 has on its counter alone.
const HOST: &[(&str, Attribute)] = &[("host", Attribute::ClientText)];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free("echo_"),
    &[
        Form::of(REQUESTS)
            .help(&["How many HTTP requests processed, partitioned by status code and HTTP method."])
            .known_by(&[Mark::OwnName]),
        Form::of(DURATION)
            .optional(HOST)
            .help(&["The HTTP request latencies in seconds."])
            .known_by(&[Mark::OwnName]),
        Form::of(REQUEST_SIZE)
            .optional(HOST)
            .help(&["The HTTP request sizes in bytes."]),
        Form::of(RESPONSE_SIZE)
            .optional(HOST)
            .help(&["The HTTP response sizes in bytes."]),
    ],
)
.together(&[
    MetricId::Requests,
    MetricId::Duration,
    MetricId::RequestSize,
    MetricId::ResponseSize,
])
.beside("go_goroutines")
.hint(&[(
    Signal::Routes,
    "echoprometheus.MiddlewareConfig{DoNotUseRequestPathFor404: true}: without it, a request that matches no route has its path",
)]);

/// The dialect's table.
pub const ECHO: Dialect = Dialect {
    name: "echo",
    title: "Go, echo, echoprometheus",
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

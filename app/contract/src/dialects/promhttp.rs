//! `promhttp`: the handlers of Go's client library (`promhttp.InstrumentHandlerCounter` and so on) with the names that its
//! examples give to the metrics. The library names the labels `code` and `method`; a route has a label only where the program adds one.

use super::native;
use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle,
    dialect_row::rows,
};

/// The upper bounds of sizes in the library's examples, bytes.
const RESPONSE_BUCKETS_BYTES: &[f64] = &[200.0, 500.0, 900.0, 1_500.0];

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count {"code": Status, "method": Method}
        "HTTP requests answered.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"code": Status, "method": Method} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    IN_FLIGHT: InFlight "http_requests_in_flight" Gauge Count {}
        "HTTP requests being served now.";
    RESPONSE_SIZE: ResponseSize "http_response_size_bytes" Histogram Bytes {} [RESPONSE_BUCKETS_BYTES]
        "Size of HTTP response bodies.";
}

/// Labels of which a program chooses any.
const LABELS: &[(&str, Attribute)] = &[
    ("code", Attribute::Status),
    ("method", Attribute::Method),
    ("handler", Attribute::Route),
];
/// The same, where the status must be there.
const METHOD_AND_HANDLER: &[(&str, Attribute)] = &[("method", Attribute::Method), ("handler", Attribute::Route)];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(REQUESTS)
            .optional(LABELS)
            .help(&[
                "A counter for requests to the wrapped handler.",
                "Total number of HTTP requests made.",
            ])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(REQUESTS).optional(METHOD_AND_HANDLER),
        Form::of(DURATION)
            .or(&[MetricKind::Summary])
            .optional(LABELS)
            .help(&["A histogram of latencies for requests."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(DURATION)
            .or(&[MetricKind::Summary])
            .optional(METHOD_AND_HANDLER),
        Form::of(IN_FLIGHT)
            .help(&["A gauge of requests currently being served by the wrapped handler."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(RESPONSE_SIZE)
            .optional(LABELS)
            .help(&["A histogram of response sizes for requests."]),
    ],
)
.together(&[MetricId::Requests, MetricId::Duration])
.beside("go_goroutines")
.hint(&[(
    Signal::Routes,
    "give each route its own handler with a curried label: counter.MustCurryWith(prometheus.Labels{\"handler\": pattern})",
)]);

/// The dialect's table.
pub const PROMHTTP: Dialect = Dialect {
    name: "promhttp",
    title: "Go, client_golang promhttp",
    rows: &[
        REQUESTS,
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
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

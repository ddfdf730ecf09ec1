//! `axum-otel-metrics`: the crate of that name from 0.6 to 0.13 (crates.io, 0.8.0), with a counter of requests of its own beside
//! OpenTelemetry's histogram. Newer versions write OpenTelemetry's names alone and are recognised as `otel-http`; 0.5 has names of
//! its own.

use crate::{Attribute, Dialect, ErrorNames, Form, Mark, Prefix, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of its durations, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Labels that versions and programs lack or add.
const LABELS: &[(&str, Attribute)] = &[
    ("http_route", Attribute::Route),
    ("http_response_status_code", Attribute::Status),
    ("server_address", Attribute::ClientText),
    ("url_scheme", Attribute::Other),
    ("otel_scope_name", Attribute::Other),
];

rows! {
    REQUESTS: Requests "requests_total" Counter Count {
        "http_request_method": Method, "http_route": Route, "http_response_status_code": Status, "server_address": ClientText,
        "otel_scope_name": Other
    } "HTTP requests answered.";
    DURATION: Duration "http_server_request_duration_seconds" Histogram Seconds {
        "http_request_method": Method, "http_route": Route, "http_response_status_code": Status, "server_address": ClientText,
        "otel_scope_name": Other
    } [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
    ACTIVE: InFlight "http_server_active_requests" Gauge Count
        {"http_request_method": Method, "url_scheme": Other, "otel_scope_name": Other} "HTTP requests being served now.";
    OLD_REQUESTS: Requests "requests_total" Counter Count {"method": Method, "path": Route, "status": Status}
        "HTTP requests answered, in version 0.5.";
    OLD_DURATION: Duration "request_duration_seconds_seconds" Histogram Seconds {"method": Method, "path": Route, "status": Status}
        [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response, in version 0.5.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(REQUESTS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION)
            .optional(LABELS)
            .help(&["The HTTP request latencies in seconds."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(OLD_REQUESTS),
        Form::of(OLD_DURATION).known_by(&[Mark::Name]),
        Form::of(ACTIVE).optional(LABELS),
    ],
);

/// The dialect's table.
pub const AXUM_OTEL_METRICS: Dialect = Dialect {
    name: "axum-otel-metrics",
    title: "axum, the crate axum-otel-metrics up to 0.13",
    rows: &[REQUESTS, DURATION, ACTIVE],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

//! `aspnet`: prometheus-net's middleware for ASP.NET Core (prometheus-net at 60e9106, `HttpRequestLabelNames.cs`,
//! `HttpRequestDurationMiddleware.cs`). It has no bound at half a second or a second. The metrics that ASP.NET Core itself
//! exports through OpenTelemetry are `otel-http`.

use super::native;
use crate::{Attribute, Dialect, ErrorNames, Form, Mark, Prefix, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of its durations, seconds: a thousandth, doubled fifteen times.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384, 32.768,
];
/// Labels that depend on how requests are routed.
const LABELS: &[(&str, Attribute)] = &[
    ("controller", Attribute::Other),
    ("action", Attribute::Other),
    ("page", Attribute::Other),
    ("endpoint", Attribute::Route),
];

rows! {
    REQUESTS: Requests "http_requests_received_total" Counter Count
        {"code": Status, "method": Method, "controller": Other, "action": Other, "endpoint": Route}
        "HTTP requests answered.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds
        {"code": Status, "method": Method, "controller": Other, "action": Other, "endpoint": Route} [DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    IN_PROGRESS: InFlight "http_requests_in_progress" Gauge Count
        {"method": Method, "controller": Other, "action": Other, "endpoint": Route}
        "HTTP requests being served now.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(REQUESTS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION).optional(LABELS),
        Form::of(IN_PROGRESS).optional(LABELS),
    ],
);

/// The dialect's table.
pub const ASPNET: Dialect = Dialect {
    name: "aspnet",
    title: "ASP.NET Core, prometheus-net",
    rows: &[
        REQUESTS,
        DURATION,
        IN_PROGRESS,
        native::PROCESS_CPU,
        native::PROCESS_START_TIME,
    ],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

//! `fiber`: ansrivas/fiberprometheus (at d63ad3d). Its gauge of requests in progress ends in `_total`. It has many buckets: a page
//! of a few routes has thousands of series. By default it exports nothing of the process.

use crate::{Attribute, Dialect, ErrorNames, Form, Mark, Prefix, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of its durations, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    1e-09, 2e-09, 5e-09, 1e-08, 2e-08, 5e-08, 1e-07, 2e-07, 5e-07, 1e-06, 2e-06, 5e-06, 1e-05, 2e-05, 5e-05, 0.0001,
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0,
];

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count {"status_code": Status, "method": Method, "path": Route, "service": Other}
        "HTTP requests answered.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"status_code": Status, "method": Method, "path": Route, "service": Other} [DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    IN_PROGRESS: InFlight "http_requests_in_progress_total" Gauge Count {"method": Method, "service": Other}
        "HTTP requests being served now.";
}

/// The label that a program with labels of its own lacks.
const SERVICE: &[(&str, Attribute)] = &[("service", Attribute::Other)];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(REQUESTS)
            .optional(SERVICE)
            .help(&["Count all http requests by status code, method and path."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(DURATION)
            .optional(SERVICE)
            .help(&["Duration of all HTTP requests by status code, method and path."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(IN_PROGRESS).optional(SERVICE).known_by(&[Mark::Name]),
    ],
);

/// The dialect's table.
pub const FIBER: Dialect = Dialect {
    name: "fiber",
    title: "Go, fiber, ansrivas/fiberprometheus",
    rows: &[REQUESTS, DURATION, IN_PROGRESS],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

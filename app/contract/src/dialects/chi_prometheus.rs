//! `chi-prometheus`: 766b/chi-prometheus (at 87afa9a, `middleware.go`). Its label `code` is the text of a status, such as `Not
//! Found`, so that server errors cannot be told from others by a pattern of digits: nothing is made that needs statuses.
//! `chi_pattern_…` has the route template, `chi_…` the raw path.

use crate::{Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of its durations, milliseconds.
const DURATION_BUCKETS_MILLISECONDS: &[f64] = &[300.0, 1_200.0, 5_000.0];

rows! {
    REQUESTS: Requests "chi_pattern_requests_total" Counter Count {"code": Other, "method": Method, "path": Route, "service": Other}
        "HTTP requests answered.";
    DURATION: Duration "chi_pattern_request_duration_milliseconds" Histogram Milliseconds {"code": Other, "method": Method, "path": Route, "service": Other} [DURATION_BUCKETS_MILLISECONDS]
        "Time from the arrival of a request to the end of its response.";
    RAW_REQUESTS: Requests "chi_requests_total" Counter Count {"code": Other, "method": Method, "path": RawPath, "service": Other}
        "HTTP requests answered, by raw path.";
    RAW_DURATION: Duration "chi_request_duration_milliseconds" Histogram Milliseconds {"code": Other, "method": Method, "path": RawPath, "service": Other} [DURATION_BUCKETS_MILLISECONDS]
        "Time from the arrival of a request to the end of its response, by raw path.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(REQUESTS).known_by(&[Mark::Name]),
        Form::of(DURATION).known_by(&[Mark::Name]),
        Form::of(RAW_REQUESTS).known_by(&[Mark::Name]),
        Form::of(RAW_DURATION).known_by(&[Mark::Name]),
    ],
)
.hint(&[(Signal::Routes, "chiprometheus.NewPatternMiddleware(name)")]);

/// The dialect's table.
pub const CHI_PROMETHEUS: Dialect = Dialect {
    name: "chi-prometheus",
    title: "Go, chi, 766b/chi-prometheus (statuses as texts)",
    rows: &[REQUESTS, DURATION, super::GO_THREADS, super::GO_GC],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

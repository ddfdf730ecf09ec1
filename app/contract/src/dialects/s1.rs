//! `s1`: source system S1. Its duration histogram has a label for the route and none for the method. Its buckets can be
//! configured, in S1 as here; the default is those of native.

use super::native;
use crate::{Dialect, ErrorNames, Form, MetricId, Prefix, Signature, StatusStyle, dialect_row::rows};

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count
        {"method": Method, "endpoint": Route, "status_code": Status}
        "HTTP requests answered, by method, route template and status.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"endpoint": Route}
        [native::DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(Prefix::Fixed, &[Form::of(REQUESTS), Form::of(DURATION)])
    .together(&[MetricId::Requests, MetricId::Duration]);

/// The dialect's table.
pub const S1: Dialect = Dialect {
    name: "s1",
    title: "Python service, latency by endpoint without the method (source system s1)",
    rows: &[
        REQUESTS,
        DURATION,
        native::HTTP_SERIES_REFUSED,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_THREADS,
    ],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: native::UNMATCHED_ROUTE,
    signature: Some(&SIGNATURE),
    proxy: None,
};

//! `s2-advanced`: source system S2 with its advanced middleware. Three faults of S2 are mended here: `version` is from
//! a bounded set, `endpoint` is the route's template, and a request whose handler fails is counted.

use super::native;
use crate::{Dialect, ErrorNames, Form, MetricId, Prefix, Signature, StatusStyle, dialect_row::rows};

/// Upper bounds of the duration histogram, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count
        {"method": Method, "endpoint": Route, "status_code": Status, "version": ApiVersion}
        "HTTP requests answered, by method, route template, status and version of the API.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"method": Method, "endpoint": Route}
        [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
    IN_PROGRESS: InFlight "http_requests_in_progress" Gauge Count {"method": Method, "endpoint": Route}
        "HTTP requests being served now.";
    EXCEPTIONS: Exceptions "http_exceptions_total" Counter Count {"exception_type": Exception, "endpoint": Route}
        "Request handlers that panicked or failed with an error of their own, by what it was.";
    RESPONSE_SIZE: ResponseSize "http_response_size_bytes" Histogram Bytes {}
        [native::SIZE_BUCKETS_BYTES] "Size of HTTP response bodies.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(REQUESTS), Form::of(DURATION), Form::of(IN_PROGRESS)],
)
.together(&[MetricId::Requests, MetricId::Duration]);

/// The dialect's table.
pub const S2_ADVANCED: Dialect = Dialect {
    name: "s2-advanced",
    title: "FastAPI, middleware with API versions (source system s2)",
    rows: &[
        REQUESTS,
        DURATION,
        IN_PROGRESS,
        EXCEPTIONS,
        RESPONSE_SIZE,
        native::HTTP_SERIES_REFUSED,
        native::DATABASE_OPERATIONS,
        native::CACHE_OPERATIONS,
        native::BACKGROUND_TASKS,
        native::ACTIVE_CONNECTIONS,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
    ],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: native::UNMATCHED_ROUTE,
    signature: Some(&SIGNATURE),
    proxy: None,
};

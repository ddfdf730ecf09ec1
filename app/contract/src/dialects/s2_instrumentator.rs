//! `s2-instrumentator`: source system S2 with prometheus-fastapi-instrumentator, set up as it documents: exact status
//! codes, requests in progress under a name of its own. Names, buckets and summaries are the library's
//! (trallnag/prometheus-fastapi-instrumentator at c1c1fb6, `metrics.py` 617–760, `instrumentation.py`).

use super::native;
use crate::{Dialect, ErrorNames, StatusStyle, dialect_row::rows};

/// Upper bounds of the duration by handler, seconds.
pub(super) const DURATION_BUCKETS_SECONDS: &[f64] = &[0.1, 0.5, 1.0];
/// Upper bounds of the duration over all handlers, seconds.
pub(super) const OVERALL_BUCKETS_SECONDS: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 7.5, 10.0, 30.0, 60.0,
];
/// The handler's value for a request that matched no route.
pub(super) const UNMATCHED: &str = "none";

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count {"method": Method, "status": Status, "handler": Route}
        "HTTP requests answered, by method, status and handler.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"method": Method, "handler": Route}
        [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response, in few buckets.";
    DURATION_OVERALL: DurationOverall "http_request_duration_highr_seconds" Histogram Seconds {}
        [OVERALL_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response, in many buckets.";
    IN_PROGRESS: InFlight "fastapi_inprogress" Gauge Count {"method": Method, "handler": Route}
        "HTTP requests being served now.";
    REQUEST_SIZE: RequestSize "http_request_size_bytes" Summary Bytes {"handler": Route}
        "Size of HTTP request bodies.";
    RESPONSE_SIZE: ResponseSize "http_response_size_bytes" Summary Bytes {"handler": Route}
        "Size of HTTP response bodies.";
}

/// The dialect's table.
pub const S2_INSTRUMENTATOR: Dialect = Dialect {
    name: "s2-instrumentator",
    title: "FastAPI, prometheus-fastapi-instrumentator with exact status codes (source system s2)",
    rows: &[
        REQUESTS,
        DURATION,
        DURATION_OVERALL,
        IN_PROGRESS,
        REQUEST_SIZE,
        RESPONSE_SIZE,
        native::HTTP_SERIES_REFUSED,
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
    unmatched_route: UNMATCHED,
    signature: None,
    proxy: None,
};

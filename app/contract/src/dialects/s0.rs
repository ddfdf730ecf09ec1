//! `s0`: source system S0. Names and labels as it documents them; its documents give no buckets, so they are
//! those of native.
//!
//! `handler` is made of method and route (`get_users_id`), as its framework names handlers; `error_type` says whether
//! an error is the client's or the server's.

use super::native;
use crate::{Dialect, ErrorNames, Form, MetricId, Prefix, Signature, StatusStyle, dialect_row::rows};

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count
        {"method": Method, "endpoint": Route, "status_code": Status, "handler": Handler}
        "HTTP requests answered, by method, route template, status and handler.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"method": Method, "endpoint": Route}
        [native::DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
    ACTIVE: InFlight "http_requests_active" Gauge Count {} "HTTP requests being served now.";
    ERRORS: RequestErrors "http_request_errors_total" Counter Count
        {"method": Method, "endpoint": Route, "error_type": Fault, "status_code": Status}
        "HTTP requests answered with an error, by method, route template, whose fault it is and status.";
    BY_STATUS: RequestsByClass "http_requests_by_status_total" Counter Count
        {"status_class": StatusClass, "method": Method}
        "HTTP requests answered, by class of status and method.";
    SLOW: SlowRequests "http_slow_requests_total" Counter Count {"method": Method, "endpoint": Route}
        "HTTP requests that took longer than the threshold for slow ones.";
    REQUEST_SIZE: RequestSize "http_request_size_bytes" Histogram Bytes {"method": Method, "endpoint": Route}
        [native::SIZE_BUCKETS_BYTES] "Size of HTTP request bodies.";
    RESPONSE_SIZE: ResponseSize "http_response_size_bytes" Histogram Bytes
        {"method": Method, "endpoint": Route, "status_code": Status}
        [native::SIZE_BUCKETS_BYTES] "Size of HTTP response bodies.";
    THREADS: ProcessThreads "app_threads_total" Gauge Count {} "Threads of the process.";
    CPU: AppCpuPercent "app_cpu_usage_percent" Gauge Percent {}
        "Processor use in percent of what the process may have, as measured.";
    GC_COLLECTIONS: GcCollections "gc_collections_total" Counter Count {}
        "Collections of a garbage collector: 0, because this runtime frees memory when its owner ends and has no collector.";
    GC_COLLECTED: GcCollected "gc_collected_objects_total" Counter Count {}
        "Objects that a garbage collector collected: 0, because this runtime has no collector.";
    GC_UNCOLLECTABLE: GcUncollectable "gc_uncollectable_objects_total" Counter Count {}
        "Objects that a garbage collector could not collect: 0, because this runtime has no collector.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(REQUESTS), Form::of(DURATION), Form::of(ACTIVE)],
)
.together(&[MetricId::Requests, MetricId::Duration]);

/// The dialect's table.
pub const S0: Dialect = Dialect {
    name: "s0",
    title: "FastAPI, metrics by method, endpoint and handler (source system s0)",
    rows: &[
        REQUESTS,
        DURATION,
        ACTIVE,
        ERRORS,
        BY_STATUS,
        SLOW,
        REQUEST_SIZE,
        RESPONSE_SIZE,
        native::HTTP_SERIES_REFUSED,
        native::HTTP_REQUEST_RATE,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
        THREADS,
        native::APP_INFO,
        native::APP_UPTIME,
        CPU,
        native::APP_MEMORY,
        native::MEMORY_ALERT_THRESHOLD,
        native::CPU_ALERT_THRESHOLD,
        GC_COLLECTIONS,
        GC_COLLECTED,
        GC_UNCOLLECTABLE,
    ],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Slugs,
    unmatched_route: native::UNMATCHED_ROUTE,
    signature: Some(&SIGNATURE),
    proxy: None,
};

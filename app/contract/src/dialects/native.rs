//! `native`: the reference API's own spelling, equal to source system S4 (`endpoint` would collide with a label that a
//! ServiceMonitor adds, so the route's label is `route`).

use crate::{
    Dialect, DialectId, DurationSpelling, ErrorsByTypeSpelling, Family, GaugeSpelling, MetricKind, RequestsSpelling,
    Signal, SizeSpelling, StatusStyle, Unit,
};

/// Upper bounds of the duration histogram, seconds. Changing one breaks latency objectives that name it.
pub const DURATION_BUCKETS_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the body size histograms, bytes.
pub const SIZE_BUCKETS_BYTES: &[f64] = &[100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0];
/// The route label's value for a request that matched no route.
pub const UNMATCHED_ROUTE: &str = "unmatched";

const METHOD: &str = "method";
const ROUTE: &str = "route";
const STATUS: &str = "status";
const ERROR_TYPE: &str = "error_type";

macro_rules! families {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $kind:ident, $unit:ident, [$($label:expr),*], $help:literal, $signal:expr;)*) => {
        $($(#[$doc])* #[doc = concat!("`", $name, "`: ", $help)]
        pub const $id: &Family = &Family {
            name: $name, kind: MetricKind::$kind, unit: Unit::$unit, labels: &[$($label),*], help: $help, signal: $signal,
        };)*
        /// Every family of the dialect.
        pub const FAMILIES: &[&Family] = &[$($id),*];
    };
}

families! {
    HTTP_REQUESTS = "http_requests_total", Counter, Count, [METHOD, ROUTE, STATUS],
        "HTTP requests answered, by method, route template and status.", Some(Signal::Requests);
    HTTP_REQUEST_DURATION = "http_request_duration_seconds", Histogram, Seconds, [METHOD, ROUTE],
        "Time from the arrival of a request to the end of its response.", Some(Signal::Duration);
    HTTP_REQUESTS_IN_PROGRESS = "http_requests_in_progress", Gauge, Count, [METHOD, ROUTE],
        "HTTP requests being served now.", Some(Signal::InFlight);
    HTTP_REQUEST_SIZE = "http_request_size_bytes", Histogram, Bytes, [METHOD, ROUTE],
        "Size of HTTP request bodies.", Some(Signal::RequestSize);
    HTTP_RESPONSE_SIZE = "http_response_size_bytes", Histogram, Bytes, [METHOD, ROUTE],
        "Size of HTTP response bodies.", Some(Signal::ResponseSize);
    HTTP_SERIES_REFUSED = "http_series_refused_total", Counter, Count, [],
        "Requests recorded under the unmatched route because the cap on series was reached.", None;
    HTTP_PANICS = "http_panics_total", Counter, Count, [],
        "Request handlers that panicked; each was answered with 500.", None;
    API_ERRORS = "api_errors_total", Counter, Count, [ERROR_TYPE],
        "Errors answered to clients, by the slug of the problem document.", Some(Signal::ErrorsByType);
    DATABASE_OPERATIONS = "database_operations_total", Counter, Count, ["operation", "table", "status"],
        "Operations on the store, by operation, table and outcome.", Some(Signal::DatabaseOperations);
    DATABASE_OPERATION_DURATION = "database_operation_duration_seconds", Histogram, Seconds, ["operation", "table"],
        "Time taken by operations on the store.", None;
    PROCESS_CPU = "process_cpu_seconds_total", Counter, Seconds, [],
        "User and system CPU time spent by the process.", Some(Signal::Cpu);
    PROCESS_MEMORY = "process_resident_memory_bytes", Gauge, Bytes, [],
        "Resident memory of the process.", Some(Signal::Memory);
    PROCESS_VIRTUAL_MEMORY = "process_virtual_memory_bytes", Gauge, Bytes, [],
        "Virtual memory of the process.", None;
    PROCESS_START_TIME = "process_start_time_seconds", Gauge, Seconds, [],
        "When the process started, in seconds since the epoch.", Some(Signal::StartTime);
    PROCESS_OPEN_FDS = "process_open_fds", Gauge, Count, [],
        "Open file descriptors of the process.", Some(Signal::FileDescriptors);
    PROCESS_MAX_FDS = "process_max_fds", Gauge, Count, [],
        "Limit on open file descriptors of the process.", None;
    PROCESS_THREADS = "process_threads", Gauge, Count, [],
        "Threads of the process.", Some(Signal::Threads);
    APP_INFO = "app_info", Gauge, Count, ["version", "commit", "rustc", "dialect"],
        "Always 1; the labels tell what is running.", None;
    APP_UPTIME = "app_uptime_seconds", Gauge, Seconds, [],
        "Time since the process started serving.", None;
}

/// The dialect's table.
pub const NATIVE: Dialect = Dialect {
    id: DialectId::Native,
    families: FAMILIES,
    requests: Some(RequestsSpelling {
        family: HTTP_REQUESTS,
        method: METHOD,
        route: ROUTE,
        status: STATUS,
        status_style: StatusStyle::Exact,
    }),
    errors_by_type: Some(ErrorsByTypeSpelling {
        family: API_ERRORS,
        error_type: ERROR_TYPE,
    }),
    duration: Some(DurationSpelling {
        family: HTTP_REQUEST_DURATION,
        method: METHOD,
        route: ROUTE,
        buckets: DURATION_BUCKETS_SECONDS,
    }),
    in_flight: Some(GaugeSpelling {
        family: HTTP_REQUESTS_IN_PROGRESS,
    }),
    request_size: Some(SizeSpelling {
        family: HTTP_REQUEST_SIZE,
        buckets: SIZE_BUCKETS_BYTES,
    }),
    response_size: Some(SizeSpelling {
        family: HTTP_RESPONSE_SIZE,
        buckets: SIZE_BUCKETS_BYTES,
    }),
    series_refused: Some(HTTP_SERIES_REFUSED),
    unmatched_route: UNMATCHED_ROUTE,
};

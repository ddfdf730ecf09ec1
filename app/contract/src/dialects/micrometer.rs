//! `micrometer`: Micrometer as Spring Boot 3 sets it up, with histogram buckets on (Spring's
//! `DefaultServerRequestObservationConvention`). There is no request counter:
//! queries use the count of the duration histogram.
//!
//! `exception` and `error` are always `none`, because this service throws no exceptions.

use super::native;
use crate::{Dialect, ErrorNames, MetricId, StatusStyle, dialect_row::rows};

rows! {
    DURATION: Duration "http_server_requests_seconds" Histogram Seconds {
        "error": Constant("none"), "exception": Constant("none"), "method": Method, "outcome": Outcome,
        "status": Status, "uri": Route
    } [native::DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
    DURATION_MAX: DurationMax "http_server_requests_seconds_max" Gauge Seconds {
        "error": Constant("none"), "exception": Constant("none"), "method": Method, "outcome": Outcome,
        "status": Status, "uri": Route
    } "Longest time from the arrival of a request to the end of its response, of the last one to two minutes.";
    OPEN_FDS: ProcessOpenFds "process_files_open_files" Gauge Count {}
        "The open file descriptor count.";
    MAX_FDS: ProcessMaxFds "process_files_max_files" Gauge Count {}
        "The maximum file descriptor count.";
    UPTIME: AppUptime "process_uptime_seconds" Gauge Seconds {}
        "The uptime of the process.";
}

/// The dialect's table.
pub const MICROMETER: Dialect = Dialect {
    name: "micrometer",
    title: "Spring Boot 3, Micrometer",
    rows: &[
        DURATION,
        DURATION_MAX,
        native::HTTP_SERIES_REFUSED,
        native::PROCESS_START_TIME,
        UPTIME,
        OPEN_FDS,
        MAX_FDS,
    ],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "UNKNOWN",
};

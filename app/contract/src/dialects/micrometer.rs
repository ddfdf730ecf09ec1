//! `micrometer`: Micrometer as Spring Boot 3 sets it up, with histogram buckets on (Spring's
//! `DefaultServerRequestObservationConvention`). There is no request counter:
//! queries use the count of the duration histogram.
//!
//! Names and units of processor figures are those of its `ProcessorMetrics`: CPU time in nanoseconds, use as a share of 1.
//! It has no figure of the memory of the whole process.
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
    CPU_TIME: ProcessCpu "process_cpu_time_ns_total" Counter Nanoseconds {}
        "User and system CPU time spent by the process.";
    CPU_USAGE: AppCpuPercent "process_cpu_usage" Gauge Ratio {}
        "Processor use of the process, as a share of what it may have.";
    SYSTEM_CPU_USAGE: HostCpuPercent "system_cpu_usage" Gauge Ratio {} "Processor use of the host, as a share of all.";
    SYSTEM_CPU_COUNT: AvailableCores "system_cpu_count" Gauge Count {}
        "Processor cores that the process may use; a container's quota may make it a fraction.";
    SYSTEM_LOAD_AVERAGE: HostLoadAverage "system_load_average_1m" Gauge Count {}
        "Tasks of the host that run or wait for a processor, on average over one minute.";
    THREADS: ProcessThreads "jvm_threads_live_threads" Gauge Count {}
        "Threads of the process.";
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
        CPU_TIME,
        CPU_USAGE,
        SYSTEM_CPU_USAGE,
        SYSTEM_CPU_COUNT,
        SYSTEM_LOAD_AVERAGE,
        THREADS,
        OPEN_FDS,
        MAX_FDS,
    ],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "UNKNOWN",
    signature: None,
    proxy: None,
};

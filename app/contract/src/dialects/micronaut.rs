//! `micronaut`: Micronaut 4 with Micrometer (micronaut-micrometer-registry-prometheus), without buckets. There is no request
//! counter: queries use the count of the durations.

use super::micrometer;
use crate::{
    Dialect, ErrorNames, Form, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle, dialect_row::rows,
};

rows! {
    DURATION: Duration "http_server_requests_seconds" Summary Seconds
        {"exception": Other, "method": Method, "status": Status, "uri": Route}
        "Time from the arrival of a request to the end of its response.";
    DURATION_MAX: DurationMax "http_server_requests_seconds_max" Gauge Seconds
        {"exception": Other, "method": Method, "status": Status, "uri": Route}
        "Longest time from the arrival of a request to the end of its response, of the last one to two minutes.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(DURATION).or(&[MetricKind::Histogram]).help(&[""])],
)
.together(&[MetricId::Duration])
// Spring Boot 2.0 has these labels too.
.not_beside("tomcat_")
.hint(&[(
    Signal::LatencyBuckets,
    "micronaut.metrics.binders.web.server.percentiles-histogram=true",
)]);

/// The dialect's table.
pub const MICRONAUT: Dialect = Dialect {
    name: "micronaut",
    title: "Micronaut, Micrometer without buckets",
    rows: &[
        DURATION,
        DURATION_MAX,
        super::native::PROCESS_START_TIME,
        micrometer::UPTIME,
        micrometer::CPU_TIME,
        micrometer::CPU_USAGE,
        micrometer::SYSTEM_CPU_USAGE,
        micrometer::SYSTEM_CPU_COUNT,
        micrometer::SYSTEM_LOAD_AVERAGE,
        micrometer::THREADS,
        micrometer::OPEN_FDS,
        micrometer::MAX_FDS,
        super::JVM_GC,
    ],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "NOT_FOUND",
    signature: Some(&SIGNATURE),
    proxy: None,
};

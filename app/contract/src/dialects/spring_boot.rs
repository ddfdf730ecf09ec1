//! `spring-boot`: Spring Boot 3 and 4 with Micrometer as they are set up by default: no buckets (the property
//! `management.metrics.distribution.percentiles-histogram.http.server.requests=true` adds them, and the dialect is
//! [`micrometer`](super::micrometer) then). There is no request counter: queries use the count of the durations. A
//! request that matched no route has the one of static files.

use super::micrometer;
use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle,
    dialect_row::rows,
};

rows! {
    DURATION: Duration "http_server_requests_seconds" Summary Seconds {
        "error": Other, "exception": Other, "method": Method, "outcome": Outcome, "status": Status, "uri": Route
    } "Time from the arrival of a request to the end of its response.";
    ACTIVE: InFlight "http_server_requests_active_seconds" Summary Seconds {
        "exception": Other, "method": Method, "outcome": Other, "status": Other, "uri": Other
    } "The number of HTTP requests being served now, and their time so far.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(DURATION)
            .or(&[MetricKind::Histogram])
            .optional(&[("error", Attribute::Other)])
            .known_by(&[Mark::Labels]),
        Form::of(ACTIVE).or(&[MetricKind::Histogram]),
    ],
)
.hint(&[(
    Signal::LatencyBuckets,
    "management.metrics.distribution.percentiles-histogram.http.server.requests=true",
)]);

/// The dialect's table.
pub const SPRING_BOOT: Dialect = Dialect {
    name: "spring-boot",
    title: "Spring Boot, Micrometer without buckets",
    rows: &[
        DURATION,
        micrometer::DURATION_MAX,
        ACTIVE,
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
    lacks: &[MetricId::Requests],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "/**",
    signature: Some(&SIGNATURE),
    proxy: None,
};

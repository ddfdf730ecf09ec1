//! `quarkus`: Quarkus 3 with Micrometer (quarkus-micrometer-registry-prometheus), without buckets. There is no request
//! counter: queries use the count of the durations.

use super::micrometer;
use crate::{
    Dialect, ErrorNames, Form, Mark, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle, dialect_row::rows,
};

rows! {
    DURATION: Duration "http_server_requests_seconds" Summary Seconds
        {"method": Method, "outcome": Outcome, "status": Status, "uri": Route}
        "Time from the arrival of a request to the end of its response.";
    DURATION_MAX: DurationMax "http_server_requests_seconds_max" Gauge Seconds
        {"method": Method, "outcome": Outcome, "status": Status, "uri": Route}
        "Longest time from the arrival of a request to the end of its response, of the last one to two minutes.";
    ACTIVE: InFlight "http_server_active_requests" Gauge Count {"server_port": Other, "url_scheme": Other}
        "HTTP requests being served now.";
    CONNECTIONS: ActiveConnections "http_server_active_connections" Gauge Count {"server_port": Other}
        "Open client connections.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(DURATION)
            .or(&[MetricKind::Histogram])
            .help(&["HTTP server request processing time"])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(ACTIVE),
    ],
)
.hint(&[(
    Signal::LatencyBuckets,
    "a MeterFilter bean whose DistributionStatisticConfig has percentilesHistogram(true) for http.server.requests",
)]);

/// The dialect's table.
pub const QUARKUS: Dialect = Dialect {
    name: "quarkus",
    title: "Quarkus, Micrometer without buckets",
    rows: &[
        DURATION,
        DURATION_MAX,
        ACTIVE,
        CONNECTIONS,
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
    unmatched_route: "NOT_FOUND",
    signature: Some(&SIGNATURE),
    proxy: None,
};

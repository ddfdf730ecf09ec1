//! `fastify-metrics`: the package of that name (SkeLLLa/fastify-metrics at be565f0, `fastify-metrics.ts` 262–304). There is no
//! request counter: queries use the count of the duration histogram.

use super::native;
use crate::{Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

rows! {
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"method": Method, "route": Route, "status_code": Status} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    DURATION_SUMMARY: Duration "http_request_summary_seconds" Summary Seconds {"method": Method, "route": Route, "status_code": Status}
        "The same with quantiles.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(DURATION)
            .help(&["request duration in seconds"])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(DURATION_SUMMARY)
            .help(&["request duration in seconds summary"])
            .known_by(&[Mark::HelpAndLabels]),
    ],
)
.hint(&[(
    Signal::LatencyBuckets,
    "routeMetrics: { enabled: { histogram: true, summary: true } }",
)]);

/// The dialect's table.
pub const FASTIFY_METRICS: Dialect = Dialect {
    name: "fastify-metrics",
    title: "Node.js, Fastify, fastify-metrics",
    rows: &[
        DURATION,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
    ],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

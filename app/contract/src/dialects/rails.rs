//! `rails`: yabeda-rails with yabeda-prometheus (yabeda-rails at 2203be5, `rails.rb`), and Discourse's prometheus_exporter (at
//! ddf5c9b, README 218–266), whose durations are a summary unless histograms are turned on. A route is a controller and an
//! action; the controller stands for it.

use super::native;
use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle,
    dialect_row::rows,
};

/// The upper bounds of its durations, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
];
/// Labels that programs take away from the exporter's, or add.
const LABELS: &[(&str, Attribute)] = &[
    ("action", Attribute::Other),
    ("method", Attribute::Method),
    ("format", Attribute::Other),
    ("path", Attribute::Other),
];

rows! {
    REQUESTS: Requests "rails_requests_total" Counter Count
        {"controller": Route, "action": Other, "status": Status, "format": Other, "method": Method}
        "HTTP requests answered.";
    DURATION: Duration "rails_request_duration_seconds" Histogram Seconds
        {"controller": Route, "action": Other, "status": Status, "format": Other, "method": Method} [DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    EXPORTER_REQUESTS: Requests "ruby_http_requests_total" Counter Count
        {"controller": Route, "action": Other, "status": Status} "HTTP requests answered, from prometheus_exporter.";
    EXPORTER_DURATION: Duration "ruby_http_request_duration_seconds" Summary Seconds {"controller": Route, "action": Other}
        "Time from the arrival of a request to the end of its response, from prometheus_exporter.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(REQUESTS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(EXPORTER_REQUESTS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(EXPORTER_DURATION)
            .or(&[MetricKind::Histogram])
            .optional(LABELS)
            .known_by(&[Mark::Name]),
    ],
)
.hint(&[(
    Signal::LatencyBuckets,
    "prometheus_exporter: PrometheusExporter::Metric::Base.default_aggregation = PrometheusExporter::Metric::Histogram",
)]);

/// The dialect's table.
pub const RAILS: Dialect = Dialect {
    name: "rails",
    title: "Ruby on Rails, yabeda-rails or prometheus_exporter",
    rows: &[REQUESTS, DURATION, native::PROCESS_START_TIME],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

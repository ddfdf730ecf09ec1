//! `flask`: prometheus_flask_exporter (rycus86/prometheus_flask_exporter at f2ba7ce, `__init__.py` 421–460). Its counter has no
//! route, so queries use the count of the duration histogram. The route is the path as the client wrote it, unless the
//! option `group_by` makes it the rule of the URL, under the name `url_rule`.

use super::native;
use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle,
    dialect_row::rows,
};

rows! {
    DURATION: Duration "flask_http_request_duration_seconds" Histogram Seconds {"method": Method, "path": RawPath, "status": Status} [super::PYTHON_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    EXCEPTIONS: Exceptions "flask_http_request_exceptions_total" Counter Count {"method": Method, "status": Status}
        "Request handlers that failed with an exception.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free("flask_"),
    &[
        Form::of(DURATION)
            .or(&[MetricKind::Summary])
            .optional(&[
                ("path", Attribute::RawPath),
                ("url_rule", Attribute::Route),
                ("endpoint", Attribute::Route),
            ])
            .help(&["Flask HTTP request duration in seconds"])
            .known_by(&[Mark::HelpAndLabels, Mark::OwnName]),
        Form::of(EXCEPTIONS).help(&["Total number of HTTP requests which resulted in an exception"]),
    ],
)
.hint(&[(Signal::Routes, "PrometheusMetrics(app, group_by='url_rule')")]);

/// The dialect's table.
pub const FLASK: Dialect = Dialect {
    name: "flask",
    title: "Flask, prometheus_flask_exporter",
    rows: &[
        DURATION,
        EXCEPTIONS,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
        super::PYTHON_GC_COLLECTIONS,
        super::PYTHON_GC_COLLECTED,
        super::PYTHON_GC_UNCOLLECTABLE,
    ],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

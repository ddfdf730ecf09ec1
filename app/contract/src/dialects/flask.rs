//! `flask`: prometheus_flask_exporter (rycus86/prometheus_flask_exporter at f2ba7ce, `__init__.py` 421–460). Its counter has no
//! route, so queries use the count of the duration histogram. The route is the path as the client wrote it, unless the
//! option `group_by` makes it the rule of the URL, under the name `url_rule`.

use super::native;
use crate::{Dialect, ErrorNames, MetricId, StatusStyle, dialect_row::rows};

rows! {
    DURATION: Duration "flask_http_request_duration_seconds" Histogram Seconds {"method": Method, "path": Route, "status": Status} [super::PYTHON_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    EXCEPTIONS: Exceptions "flask_http_request_exceptions_total" Counter Count {"method": Method, "status": Status}
        "Request handlers that failed with an exception.";
}

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
};

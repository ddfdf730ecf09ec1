//! `starlette-exporter`: the package of that name (stephenhillier/starlette_exporter at 05b9e18, `middleware.py` 167–267). Its
//! prefix can be changed.

use super::native;
use crate::{Attribute, Dialect, ErrorNames, Form, Mark, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

rows! {
    REQUESTS: Requests "starlette_requests_total" Counter Count {"method": Method, "path": Route, "status_code": Status, "app_name": Other}
        "HTTP requests answered.";
    DURATION: Duration "starlette_request_duration_seconds" Histogram Seconds {"method": Method, "path": Route, "status_code": Status, "app_name": Other} [super::PYTHON_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    IN_PROGRESS: InFlight "starlette_requests_in_progress" Gauge Count {"method": Method, "app_name": Other}
        "HTTP requests being served now.";
}

/// The label that the oldest versions lack.
const APP_NAME: &[(&str, Attribute)] = &[("app_name", Attribute::Other)];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free("starlette_"),
    &[
        Form::of(REQUESTS)
            .help(&["Total HTTP requests"])
            .known_by(&[Mark::Name]),
        Form::of(REQUESTS)
            .optional(APP_NAME)
            .help(&["Total HTTP requests"])
            .known_by(&[Mark::OwnName]),
        Form::of(DURATION)
            .help(&["HTTP request duration, in seconds"])
            .known_by(&[Mark::Name]),
        Form::of(DURATION)
            .optional(APP_NAME)
            .help(&["HTTP request duration, in seconds"])
            .known_by(&[Mark::OwnName]),
        Form::of(IN_PROGRESS)
            .optional(APP_NAME)
            .help(&["Total HTTP requests currently in progress"]),
    ],
)
.hint(&[(
    Signal::Routes,
    "PrometheusMiddleware with group_paths=True, filter_unhandled_paths=True, which old versions have not by default",
)]);

/// The dialect's table.
pub const STARLETTE_EXPORTER: Dialect = Dialect {
    name: "starlette-exporter",
    title: "Starlette or FastAPI, starlette_exporter",
    rows: &[
        REQUESTS,
        DURATION,
        IN_PROGRESS,
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
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

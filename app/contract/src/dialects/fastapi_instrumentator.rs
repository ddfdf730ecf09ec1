//! `fastapi-instrumentator`: prometheus-fastapi-instrumentator 6 to 8 as it is set up by default: statuses by class, no requests
//! in progress (trallnag/prometheus-fastapi-instrumentator at c1c1fb6, `metrics.py` 617–760, `instrumentation.py`). Version 5
//! has no label for the method on its durations.

use super::{native, s2_instrumentator, s3};
use crate::{Attribute, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle};

/// Labels that settings and versions take away or add.
const LABELS: &[(&str, Attribute)] = &[
    ("method", Attribute::Method),
    ("handler", Attribute::Route),
    ("status", Attribute::Status),
];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(s2_instrumentator::REQUESTS)
            .optional(LABELS)
            .help(&["Total number of requests by method, status and handler."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(s2_instrumentator::DURATION)
            .optional(LABELS)
            .help(&["Latency with only few buckets by handler.*"])
            .known_by(&[Mark::Help]),
        Form::of(s2_instrumentator::DURATION)
            .optional(LABELS)
            .help(&["Duration of HTTP requests in seconds"]),
        Form::of(s2_instrumentator::DURATION_OVERALL).known_by(&[Mark::Name]),
        Form::of(s3::IN_PROGRESS)
            .optional(LABELS)
            .help(&["Number of HTTP requests in progress."]),
        Form::of(s2_instrumentator::REQUEST_SIZE).optional(LABELS).help(&[
            "Content length of incoming requests by handler.*",
            "Content bytes of requests.",
        ]),
        Form::of(s2_instrumentator::RESPONSE_SIZE).optional(LABELS).help(&[
            "Content length of outgoing responses by handler.*",
            "Content bytes of responses.",
        ]),
    ],
)
.hint(&[
    (
        Signal::InFlight,
        "Instrumentator(should_instrument_requests_inprogress=True)",
    ),
    (
        Signal::Routes,
        "Instrumentator(should_group_untemplated=True), which is the default: without it, a request that matches no route has its path",
    ),
]);

/// The dialect's table.
pub const FASTAPI_INSTRUMENTATOR: Dialect = Dialect {
    name: "fastapi-instrumentator",
    title: "FastAPI, prometheus-fastapi-instrumentator",
    rows: &[
        s2_instrumentator::REQUESTS,
        s2_instrumentator::DURATION,
        s2_instrumentator::DURATION_OVERALL,
        s2_instrumentator::REQUEST_SIZE,
        s2_instrumentator::RESPONSE_SIZE,
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
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Class,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: s2_instrumentator::UNMATCHED,
    signature: Some(&SIGNATURE),
    proxy: None,
};

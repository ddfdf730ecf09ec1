//! `fastapi-instrumentator`: prometheus-fastapi-instrumentator 6 to 8 as it is set up by default: statuses by class, no requests
//! in progress (trallnag/prometheus-fastapi-instrumentator at c1c1fb6, `metrics.py` 617–760, `instrumentation.py`). Version 5
//! has no label for the method on its durations.

use super::{native, s2_instrumentator};
use crate::{Dialect, ErrorNames, MetricId, StatusStyle};

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
};

//! `s2-manual`: source system S2 with metrics that it makes itself. `endpoint` is the route's template here. In S2 it
//! is the raw path, so that clients could add series without limit. Buckets are the defaults of Python's client.

use super::native;
use crate::{Dialect, ErrorNames, Form, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

/// The Python client's own upper bounds, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

rows! {
    REQUESTS: Requests "fastapi_requests_total" Counter Count
        {"method": Method, "endpoint": Route, "status_code": Status}
        "HTTP requests answered, by method, route template and status.";
    DURATION: Duration "fastapi_request_duration_seconds" Histogram Seconds {"method": Method, "endpoint": Route}
        [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
    ACTIVE: InFlight "fastapi_active_requests" Gauge Count {} "HTTP requests being served now.";
    CPU: HostCpuPercent "fastapi_cpu_usage_percent" Gauge Percent {} "Processor use of the host.";
    MEMORY: HostMemoryUsed "fastapi_memory_usage_bytes" Gauge Bytes {} "Memory in use on the host.";
    REGISTRATIONS: UserRegistrations "fastapi_user_registrations_total" Counter Count {} "Users that registered.";
    ACTIVE_USERS: ActiveUsers "fastapi_active_users" Gauge Count {} "Users that are active now.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(REQUESTS), Form::of(DURATION), Form::of(ACTIVE)],
)
.together(&[MetricId::Requests, MetricId::Duration])
.hint(&[(
    Signal::Routes,
    "the template of the matched route, request.scope[\"route\"].path, in the place of request.url.path",
)]);

/// The dialect's table.
pub const S2_MANUAL: Dialect = Dialect {
    name: "s2-manual",
    title: "FastAPI, metrics made with prometheus_client (source system s2)",
    rows: &[
        REQUESTS,
        DURATION,
        ACTIVE,
        native::HTTP_SERIES_REFUSED,
        CPU,
        MEMORY,
        REGISTRATIONS,
        ACTIVE_USERS,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
    ],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: native::UNMATCHED_ROUTE,
    signature: Some(&SIGNATURE),
    proxy: None,
};

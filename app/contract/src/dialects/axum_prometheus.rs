//! `axum-prometheus`: the crate of that name (Ptrskay3/axum-prometheus at c9f5a68, README and `lib.rs` 425–509). Mind the
//! plural in `requests_duration`.

use super::native;
use crate::{Dialect, ErrorNames, Form, Mark, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

rows! {
    REQUESTS: Requests "axum_http_requests_total" Counter Count
        {"method": Method, "status": Status, "endpoint": Route}
        "HTTP requests answered, by method, status and route template.";
    DURATION: Duration "axum_http_requests_duration_seconds" Histogram Seconds
        {"method": Method, "status": Status, "endpoint": Route} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    PENDING: InFlight "axum_http_requests_pending" Gauge Count {"method": Method, "endpoint": Route}
        "HTTP requests being served now.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free("axum_"),
    &[
        Form::of(REQUESTS).help(&[""]).known_by(&[Mark::OwnName]),
        Form::of(DURATION).help(&[""]).known_by(&[Mark::OwnName]),
        Form::of(PENDING).help(&[""]).known_by(&[Mark::Name]),
    ],
)
.hint(&[(
    Signal::Routes,
    "with_endpoint_label_type(EndpointLabel::MatchedPathWithFallbackFn(|_| \"unmatched\".to_owned())): without it, a request that \
     matches no route has its path",
)]);

/// The dialect's table.
pub const AXUM_PROMETHEUS: Dialect = Dialect {
    name: "axum-prometheus",
    title: "axum, the crate axum-prometheus",
    rows: &[
        REQUESTS,
        DURATION,
        PENDING,
        native::HTTP_SERIES_REFUSED,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
        native::PROCESS_THREADS,
    ],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Slugs,
    unmatched_route: native::UNMATCHED_ROUTE,
    signature: Some(&SIGNATURE),
    proxy: None,
};

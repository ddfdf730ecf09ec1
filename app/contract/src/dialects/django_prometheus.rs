//! `django-prometheus`: the package of that name (korfuri/django-prometheus at ea2afd7, `middleware.py` 26–157,
//! `conf/__init__.py`). The route is the name of the view. Its client appends `_total` to each counter.

use super::native;
use crate::{Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of its durations, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 25.0, 50.0, 75.0,
];
/// The upper bounds of its sizes, bytes.
const SIZE_BUCKETS_BYTES: &[f64] = &[
    0.0,
    1.0,
    2.0,
    4.0,
    8.0,
    16.0,
    32.0,
    64.0,
    128.0,
    256.0,
    512.0,
    1_024.0,
    2_048.0,
    4_096.0,
    8_192.0,
    16_384.0,
    32_768.0,
    65_536.0,
    131_072.0,
    262_144.0,
    524_288.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    33_554_432.0,
    67_108_864.0,
    134_217_728.0,
    268_435_456.0,
    536_870_912.0,
];

rows! {
    REQUESTS: Requests "django_http_responses_total_by_status_view_method_total" Counter Count {"status": Status, "view": Route, "method": Method}
        "HTTP requests answered.";
    OLD_REQUESTS: Requests "django_http_responses_total_by_status_view_method" Counter Count {"status": Status, "view": Route, "method": Method}
        "HTTP requests answered, from a client that appends no `_total`.";
    DURATION: Duration "django_http_requests_latency_seconds_by_view_method" Histogram Seconds {"view": Route, "method": Method} [DURATION_BUCKETS_SECONDS]
        "Time that views took.";
    EXCEPTIONS: Exceptions "django_http_exceptions_total_by_view_total" Counter Count {"view": Route}
        "Views that failed with an exception.";
    REQUEST_SIZE: RequestSize "django_http_requests_body_total_bytes" Histogram Bytes {} [SIZE_BUCKETS_BYTES]
        "Size of HTTP request bodies.";
    RESPONSE_SIZE: ResponseSize "django_http_responses_body_total_bytes" Histogram Bytes {} [SIZE_BUCKETS_BYTES]
        "Size of HTTP response bodies.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free(""),
    &[
        Form::of(REQUESTS).known_by(&[Mark::Name]),
        Form::of(OLD_REQUESTS).known_by(&[Mark::Name]),
        Form::of(DURATION).known_by(&[Mark::Name]),
        Form::of(EXCEPTIONS),
        Form::of(REQUEST_SIZE),
        Form::of(RESPONSE_SIZE),
    ],
);

/// The dialect's table.
pub const DJANGO_PROMETHEUS: Dialect = Dialect {
    name: "django-prometheus",
    title: "Django, django-prometheus",
    rows: &[
        REQUESTS,
        DURATION,
        EXCEPTIONS,
        REQUEST_SIZE,
        RESPONSE_SIZE,
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
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "<unnamed view>",
    signature: Some(&SIGNATURE),
    proxy: None,
};

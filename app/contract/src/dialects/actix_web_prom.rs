//! `actix-web-prom`: the crate of that name with the namespace of its own example, `api` (nlopes/actix-web-prom at d4977ac, `lib.rs`). Mind the plural in
//! `requests_duration`.

use super::native;
use crate::{Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Signal, Signature, StatusStyle, dialect_row::rows};

rows! {
    REQUESTS: Requests "api_http_requests_total" Counter Count {"endpoint": Route, "method": Method, "status": Status}
        "HTTP requests answered.";
    DURATION: Duration "api_http_requests_duration_seconds" Histogram Seconds {"endpoint": Route, "method": Method, "status": Status} [native::DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Free("api_"),
    &[
        Form::of(REQUESTS).help(&["Total number of HTTP requests"]),
        Form::of(DURATION)
            .help(&["HTTP request duration in seconds for all requests"])
            .known_by(&[Mark::HelpAndLabels]),
    ],
)
// Rocket's crate rocket_prometheus, which this one was made from, has the same names, labels and texts.
.not_behind(&["rocket_"])
.hint(&[(
    Signal::Routes,
    "PrometheusMetricsBuilder::new(…).mask_unmatched_patterns(\"UNKNOWN\"): without it, a request that matches no route has its path",
)]);

/// The dialect's table.
pub const ACTIX_WEB_PROM: Dialect = Dialect {
    name: "actix-web-prom",
    title: "actix-web, the crate actix-web-prom",
    rows: &[REQUESTS, DURATION],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

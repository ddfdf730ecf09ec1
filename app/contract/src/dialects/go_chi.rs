//! `go-chi`: go-chi/metrics (at 762838b, `collector.go`). There is no label for the method.

use super::native;
use crate::{Attribute, Dialect, ErrorNames, Form, Mark, Prefix, Signature, StatusStyle, dialect_row::rows};

/// The upper bounds of its durations, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0,
];

rows! {
    REQUESTS: Requests "http_requests_total" Counter Count {"host": ClientText, "status": Status, "endpoint": Route, "proto": ProtocolVersion, "client_aborted": Other}
        "HTTP requests answered.";
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"status": Status, "endpoint": Route} [DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
    IN_FLIGHT: InFlight "http_requests_inflight" Gauge Count {"host": ClientText, "proto": ProtocolVersion}
        "HTTP requests being served now.";
}

/// Labels that are turned on by options.
const HOST_AND_PROTO: &[(&str, Attribute)] = &[("host", Attribute::ClientText), ("proto", Attribute::ProtocolVersion)];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(REQUESTS)
            .optional(HOST_AND_PROTO)
            .help(&["Total number of incoming HTTP requests."])
            .known_by(&[Mark::HelpAndLabels, Mark::Name]),
        Form::of(DURATION)
            .help(&["Response latency in seconds for completed incoming HTTP requests."])
            .known_by(&[Mark::HelpAndLabels]),
        Form::of(IN_FLIGHT)
            .optional(HOST_AND_PROTO)
            .help(&["Number of incoming HTTP requests currently in flight."]),
    ],
);

/// The dialect's table.
pub const GO_CHI: Dialect = Dialect {
    name: "go-chi",
    title: "Go, chi, go-chi/metrics",
    rows: &[
        REQUESTS,
        DURATION,
        IN_FLIGHT,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
        super::GO_THREADS,
        super::GO_GC,
    ],
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

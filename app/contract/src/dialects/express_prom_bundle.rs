//! `express-prom-bundle`: the package of that name as it is set up by default: neither method nor path (the options `includeMethod`
//! and `includePath` add them; jochen-schweizer/express-prom-bundle at f9a0a76, README, `src/index.js` 96–123). There is no
//! request counter: queries use the count of the duration histogram. Its gauge `up` is stored as it stands, beside the `up` of each scrape.

use crate::{
    Attribute, Dialect, ErrorNames, Form, Mark, MetricId, MetricKind, Prefix, Signal, Signature, StatusStyle,
    dialect_row::rows,
};

/// The upper bounds of its durations, seconds.
const DURATION_BUCKETS_SECONDS: &[f64] = &[0.003, 0.03, 0.1, 0.3, 1.5, 10.0];

rows! {
    DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"status_code": Status} [DURATION_BUCKETS_SECONDS]
        "Time from the arrival of a request to the end of its response.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(DURATION)
        .or(&[MetricKind::Summary])
        .optional(&[
            ("method", Attribute::Method),
            ("path", Attribute::Route),
            ("status_code", Attribute::Status),
        ])
        .help(&[
            "duration histogram of http responses labeled with: *",
            "duration summary of http responses labeled with: *",
        ])
        .known_by(&[Mark::Help])],
)
.hint(&[
    (
        Signal::Routes,
        "promBundle({ includePath: true, normalizePath: (req) => req.route?.path ?? 'unmatched' }): without normalizePath only \
         numbers and hashes are taken out of the path",
    ),
    (Signal::Errors, "promBundle({ includeStatusCode: true })"),
    (Signal::LatencyBuckets, "promBundle({ metricType: 'histogram' })"),
]);

/// The dialect's table.
pub const EXPRESS_PROM_BUNDLE: Dialect = Dialect {
    name: "express-prom-bundle",
    title: "Node.js, Express, express-prom-bundle",
    rows: &[DURATION],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: None,
};

//! `istio`: a mesh with sidecars, or an ambient mesh with waypoints (istio/istio at 86c9f01, `istioctl/pkg/metrics/metrics.go` for
//! names and labels, `samples/addons/extras/prometheus-operator.yaml` for the targets; istio.io/latest/docs/reference/config/metrics).
//!
//! Both ends of a connection count a request. Rules read what the end of the workload counted: its sidecar
//! (`reporter="destination"`), or in an ambient mesh its waypoint (`reporter="waypoint"`). A pod is in one of the two modes only.
//! ztunnel counts connections and no requests, so an ambient workload without a waypoint has none of these series.

use crate::{
    Attribute, Condition, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Proxy, Signature, StatusStyle,
    dialect_row::rows,
};

/// Envoy's upper bounds, milliseconds.
pub(super) const BUCKETS_MILLISECONDS: &[f64] = &[
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

rows! {
    REQUESTS: Requests "istio_requests_total" Counter Count {
        "reporter": Other, "destination_workload": Other, "destination_workload_namespace": Other, "response_code": Status
    } "Requests that a sidecar or a waypoint saw.";
    DURATION: Duration "istio_request_duration_milliseconds" Histogram Milliseconds {
        "reporter": Other, "destination_workload": Other, "destination_workload_namespace": Other, "response_code": Status
    } [BUCKETS_MILLISECONDS] "Time from the arrival of a request at the proxy to the end of its response.";
}

/// Labels that the API Telemetry can take away, and those that nothing here reads.
const LABELS: &[(&str, Attribute)] = &[
    ("connection_security_policy", Attribute::Other),
    ("destination_app", Attribute::Other),
    ("destination_canonical_revision", Attribute::Other),
    ("destination_canonical_service", Attribute::Other),
    ("destination_cluster", Attribute::Other),
    ("destination_principal", Attribute::Other),
    ("destination_service", Attribute::Other),
    ("destination_service_name", Attribute::Other),
    ("destination_service_namespace", Attribute::Other),
    ("destination_version", Attribute::Other),
    ("grpc_response_status", Attribute::Other),
    ("request_protocol", Attribute::Other),
    ("response_flags", Attribute::Other),
    ("source_app", Attribute::Other),
    ("source_canonical_revision", Attribute::Other),
    ("source_canonical_service", Attribute::Other),
    ("source_cluster", Attribute::Other),
    ("source_principal", Attribute::Other),
    ("source_version", Attribute::Other),
    ("source_workload", Attribute::Other),
    ("source_workload_namespace", Attribute::Other),
];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(REQUESTS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION).optional(LABELS),
    ],
);

/// By which labels its series name a workload.
const PROXY: Proxy = Proxy {
    series: &[&[
        Condition::one_of("reporter", &["destination", "waypoint"]),
        Condition::one_of("destination_workload", &["{workload}"]),
        Condition::one_of("destination_workload_namespace", &["{namespace}"]),
    ]],
    sees_probes: false,
    targets: "the sidecars, or the waypoint of an ambient mesh, for example by the PodMonitor envoy-stats-monitor of Istio's samples",
    figures: "Kubelet's HTTP probes are asked past the sidecar's counters unless rewriteAppHTTPProbers is off. An ambient workload \
              needs a waypoint. A request that passes a waypoint and a sidecar of the workload counts twice.",
    uncounted: "whether the workload's pods have the container istio-proxy, or in an ambient mesh a waypoint that their \
                Service or namespace uses (label istio.io/use-waypoint), and whether the clients' requests go through it",
};

/// The dialect's table.
pub const ISTIO: Dialect = Dialect {
    name: "istio",
    title: "Istio, sidecars and waypoints",
    rows: &[REQUESTS, DURATION],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: Some(&PROXY),
};

//! `linkerd`: the mesh's proxy beside each pod (linkerd/linkerd2-proxy at 29637b6, `linkerd/app/core/src/metrics.rs` and
//! `linkerd/metrics/src/latency.rs`; a page in linkerd/linkerd2 at b24cd40, `testutil/prommatch/testdata/sampleMetrics.txt`).
//!
//! The proxy does not know its workload. The scrape configuration of its extension viz, and the PodMonitor of its chart
//! (`viz/charts/linkerd-viz/templates/prometheus.yaml`, `charts/linkerd-control-plane/templates/podmonitor.yaml`), give each series
//! `namespace` and `deployment`, `statefulset` or `daemonset` of the pod. Port 4191 is the proxy's own, which Prometheus scrapes.

use crate::{
    Attribute, Condition, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Proxy, Signature, StatusStyle,
    dialect_row::rows,
};

/// The proxy's upper bounds, milliseconds.
const BUCKETS_MILLISECONDS: &[f64] = &[
    1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 1_000.0, 2_000.0,
    3_000.0, 4_000.0, 5_000.0, 10_000.0, 20_000.0, 30_000.0, 40_000.0, 50_000.0,
];

rows! {
    REQUESTS: Requests "response_total" Counter Count
        {"direction": Other, "target_port": Other, "status_code": Status, "classification": Other}
        "Responses whose end the proxy saw.";
    DURATION: Duration "response_latency_ms" Histogram Milliseconds
        {"direction": Other, "target_port": Other, "status_code": Status}
        [BUCKETS_MILLISECONDS] "Time from the arrival of a request at the proxy to the first byte of its response.";
}

/// Labels that depend on the direction, on TLS and on policies.
const LABELS: &[(&str, Attribute)] = &[
    ("authority", Attribute::ClientText),
    ("authz_group", Attribute::Other),
    ("authz_kind", Attribute::Other),
    ("authz_name", Attribute::Other),
    ("client_id", Attribute::Other),
    ("error", Attribute::Other),
    ("grpc_status", Attribute::Other),
    ("no_tls_reason", Attribute::Other),
    ("route_group", Attribute::Other),
    ("route_kind", Attribute::Other),
    ("route_name", Attribute::Other),
    ("srv_group", Attribute::Other),
    ("srv_kind", Attribute::Other),
    ("srv_name", Attribute::Other),
    ("srv_port", Attribute::Other),
    ("target_addr", Attribute::Other),
    ("target_ip", Attribute::Other),
    ("tls", Attribute::Other),
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
        Condition::one_of("direction", &["inbound"]),
        Condition::one_of("namespace", &["{namespace}"]),
        Condition::one_of("{kind}", &["{workload}"]),
        Condition::none_of("target_port", &["4191"]),
    ]],
    sees_probes: true,
    targets: "the proxies, by the PodMonitor linkerd-proxy of its chart (podMonitor.enabled) or the Prometheus of its extension viz",
    figures: "Latency ends with the first byte of the response. Kubelet's probes and scrapes of the pods pass the proxy and count.",
    uncounted: "whether the workload's pods have the container linkerd-proxy (annotation linkerd.io/inject: enabled on \
                the pod template or the namespace), and whether the port is one that the proxy does not skip \
                (config.linkerd.io/skip-inbound-ports)",
};

/// The dialect's table.
pub const LINKERD: Dialect = Dialect {
    name: "linkerd",
    title: "Linkerd's proxy",
    rows: &[REQUESTS, DURATION],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: Some(&PROXY),
};

//! `beyla`: Grafana Beyla and OpenTelemetry eBPF Instrumentation (OBI), which Beyla became: both watch processes from the kernel and
//! write OpenTelemetry's names (open-telemetry/opentelemetry-ebpf-instrumentation at 6955b65, `pkg/export/prom/prom.go` and
//! `pkg/export/attributes/attr_defs.go`).
//!
//! With Kubernetes attributes on, each series names the namespace and the workload of the process. `http_route` needs the setting
//! `routes`, which is on by default. A process that was not instrumented before has no other metric here.

use super::otel_http::DURATION_BUCKETS_SECONDS;
use crate::{
    Attribute, Condition, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Proxy, Signature, StatusStyle,
    dialect_row::rows,
};

rows! {
    DURATION: Duration "http_server_request_duration_seconds" Histogram Seconds {
        "http_request_method": Method, "http_route": Route, "http_response_status_code": Status,
        "k8s_namespace_name": Other, "k8s_deployment_name": Other
    } [DURATION_BUCKETS_SECONDS] "Duration of HTTP server requests.";
}

/// Labels of Kubernetes and of the process.
const LABELS: &[(&str, Attribute)] = &[
    ("http_route", Attribute::Route),
    ("client_address", Attribute::ClientText),
    ("instance", Attribute::Other),
    ("job", Attribute::Other),
    ("k8s_cluster_name", Attribute::Other),
    ("k8s_container_name", Attribute::Other),
    ("k8s_cronjob_name", Attribute::Other),
    ("k8s_daemonset_name", Attribute::Other),
    ("k8s_job_name", Attribute::Other),
    ("k8s_node_name", Attribute::Other),
    ("k8s_owner_name", Attribute::Other),
    ("k8s_kind", Attribute::Other),
    ("k8s_pod_name", Attribute::Other),
    ("k8s_pod_start_time", Attribute::Other),
    ("k8s_pod_uid", Attribute::Other),
    ("k8s_replicaset_name", Attribute::Other),
    ("k8s_statefulset_name", Attribute::Other),
    ("server_address", Attribute::ClientText),
    ("server_port", Attribute::ClientText),
    ("service_name", Attribute::Other),
    ("service_namespace", Attribute::Other),
    ("url_path", Attribute::RawPath),
];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(DURATION).optional(LABELS).known_by(&[Mark::Name])],
);

/// By which labels its series name a workload.
const PROXY: Proxy = Proxy {
    series: &[&[
        Condition::one_of("k8s_namespace_name", &["{namespace}"]),
        Condition::one_of("k8s_{kind}_name", &["{workload}"]),
    ]],
    sees_probes: true,
    targets: "Beyla's or OBI's own page (prometheus_export.port), with attributes.kubernetes.enable",
    figures: "Kubelet's probes and scrapes of the pods pass it: those of spec.probes and /metrics are left out, and the routes \
              that spec.metrics.excludedRoutes names. A sidecar that \
              speaks HTTP and is instrumented too counts the same requests again.",
    uncounted: "whether Beyla's discovery selects the workload's pods and its DaemonSet runs on their nodes",
};

/// The dialect's table.
pub const BEYLA: Dialect = Dialect {
    name: "beyla",
    title: "Grafana Beyla, OpenTelemetry eBPF Instrumentation (`obi`)",
    rows: &[DURATION],
    lacks: &[MetricId::Requests, MetricId::InFlight],
    status_style: StatusStyle::Exact,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: Some(&PROXY),
};

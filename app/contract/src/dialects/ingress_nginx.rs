//! `ingress-nginx`: the Ingress controller of the Kubernetes project (kubernetes/ingress-nginx at dbb11b9,
//! `internal/ingress/metric/collectors/socket.go` for names and labels, `pkg/flags/flags.go` for bounds). The text that describes the
//! durations says milliseconds; the values are seconds.
//!
//! The labels `namespace` and `service` are those of the Service behind the Ingress. The ServiceMonitor of its chart
//! (`charts/ingress-nginx/templates/controller-servicemonitor.yaml`) leaves `honorLabels` off, so both are stored as `exported_…`;
//! with `honorLabels: true` they keep their names; a PodMonitor's targets have no label `service`, so that one does.
//!
//! `path` is the path of the Ingress's rule, not that of the request. With `--report-status-classes` the status is `5xx`, which the
//! patterns of exact statuses match too.

use super::native;
use crate::{
    Attribute, Condition, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Proxy, Signature, StatusStyle,
    dialect_row::rows,
};

rows! {
    REQUESTS: Requests "nginx_ingress_controller_requests" Counter Count {
        "method": Method, "path": Route, "status": Status, "namespace": Other, "ingress": Other, "service": Other,
        "canary": Other, "controller_class": Other, "controller_namespace": Other, "controller_pod": Other
    } "Requests of clients.";
    DURATION: Duration "nginx_ingress_controller_request_duration_seconds" Histogram Seconds {
        "method": Method, "path": Route, "status": Status, "namespace": Other, "ingress": Other, "service": Other,
        "canary": Other, "controller_class": Other, "controller_namespace": Other, "controller_pod": Other
    } [native::DURATION_BUCKETS_SECONDS] "Time from the first byte of a request to the last byte of its response.";
}

/// The label that `--metrics-per-host` adds, which is the default.
const LABELS: &[(&str, Attribute)] = &[("host", Attribute::Other)];

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
    series: &[
        &[
            Condition::one_of("exported_namespace", &["{namespace}"]),
            Condition::one_of("exported_service", &["{service}"]),
        ],
        &[
            Condition::one_of("exported_namespace", &["{namespace}"]),
            Condition::one_of("exported_service", &[""]),
            Condition::one_of("service", &["{service}"]),
        ],
        &[
            Condition::one_of("exported_namespace", &[""]),
            Condition::one_of("namespace", &["{namespace}"]),
            Condition::one_of("service", &["{service}"]),
        ],
    ],
    sees_probes: false,
    targets: "the controller, by the ServiceMonitor of its chart (controller.metrics.serviceMonitor.enabled), with honorLabels or without",
    figures: "Only what comes through the Ingress is counted, so no probe is. A slow client makes a request take longer.",
    uncounted: "which Service the Ingress names as its backend: set spec.metrics.proxy.service to it",
};

/// The dialect's table.
pub const INGRESS_NGINX: Dialect = Dialect {
    name: "ingress-nginx",
    title: "ingress-nginx, the Ingress controller",
    rows: &[REQUESTS, DURATION],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    // nginx's own code for a client that closed its connection.
    abandoned_status: Some("499"),
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: Some(&PROXY),
};

//! `traefik`: version 3 as an Ingress controller (pages of 3.6.12 in `tests/dialects/traefik`; names, labels and bounds of traefik/traefik
//! v3.7.13, `pkg/observability/metrics/prometheus.go`, are the same).
//!
//! A Kubernetes Service is called after namespace, name and port, number or name as the Ingress has it:
//! `shop-orders-80@kubernetes` (`pkg/provider/kubernetes/ingress/kubernetes.go`), and so is each of several Services of a route of an
//! IngressRoute, with `@kubernetescrd` (`pkg/provider/kubernetes/crd/kubernetes_http.go`, `fullServiceName`). Not so the only
//! Service of such a route, which is called after the route's rule, nor those of a Gateway's HTTPRoute and of the provider
//! kubernetesIngressNGINX: these have to be said in `spec.metrics.proxy.names`. Traefik itself joins the parts with hyphens, several
//! in a row as one (`pkg/provider/configuration.go`, `Normalize`), so that `web` in `a-b` and `b-web` in `a` are one Service to it, as
//! are `a-b` and `a--b`.
//!
//! A Service without a pod that is ready has no series: Traefik drops its routes, or with `allowEmptyServices` answers 503 itself.
//! A call of gRPC has the status of gRPC as its `code`, which no pattern of HTTP's statuses matches.
//!
//! The label `service` is stored as `exported_service` where the ServiceMonitor of its chart leaves `honorLabels` off.

use crate::{
    Condition, Dialect, ErrorNames, Form, Mark, MetricId, Prefix, Proxy, Signature, StatusStyle, dialect_row::rows,
};

/// The upper bounds, unless `metrics.prometheus.buckets` sets others; seconds.
const BUCKETS_SECONDS: &[f64] = &[0.1, 0.3, 1.2, 5.0];

rows! {
    REQUESTS: Requests "traefik_service_requests_total" Counter Count
        {"code": Status, "method": Method, "protocol": Other, "service": Other}
        "Requests that a Service answered.";
    DURATION: Duration "traefik_service_request_duration_seconds" Histogram Seconds
        {"code": Status, "method": Method, "protocol": Other, "service": Other}
        [BUCKETS_SECONDS] "Time from the request to the end of the Service's response.";
}

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[Form::of(REQUESTS).known_by(&[Mark::Name]), Form::of(DURATION)],
);

/// What a Service is called.
const SERVICE: &[&str] = &[
    "{namespace}-{service}-{port}@kubernetes",
    "{namespace}-{service}-{port}@kubernetescrd",
    "{name}",
];

/// By which labels its series name a workload. Where Traefik's name is stored as `exported_service`, `service` is the Service of
/// Traefik's own targets, and no name of the spec is looked for in it.
const PROXY: Proxy = Proxy {
    series: &[
        &[Condition::one_of("exported_service", SERVICE).with_single_hyphens()],
        &[
            Condition::one_of("exported_service", &[""]),
            Condition::one_of("service", SERVICE).with_single_hyphens(),
        ],
    ],
    sees_probes: false,
    targets: "Traefik, by the ServiceMonitor of its chart (metrics.prometheus.serviceMonitor.enabled), with honorLabels or without",
    figures: "Only what comes through Traefik is counted, so no probe is, and nothing while no pod is ready: then Traefik answers \
              itself and counts it for no Service. Each attempt of the middleware Retry counts. Of latency there are four buckets \
              unless metrics.prometheus.buckets sets others.",
    uncounted: "which Service and port the Ingress or the IngressRoute names: set spec.metrics.proxy.service and port to \
                them, or spec.metrics.proxy.names to what Traefik calls the service",
};

/// The dialect's table.
pub const TRAEFIK: Dialect = Dialect {
    name: "traefik",
    title: "Traefik",
    rows: &[REQUESTS, DURATION],
    lacks: &[MetricId::InFlight],
    status_style: StatusStyle::Exact,
    // `StatusClientClosedRequest` in `pkg/proxy/httputil/proxy.go`.
    abandoned_status: Some("499"),
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: Some(&PROXY),
};

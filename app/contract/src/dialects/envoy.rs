//! `envoy`: Envoy as a gateway that Contour or Envoy Gateway configures (names and labels: adinhodovic/envoy-mixin at d724892,
//! `alerts.libsonnet`; projectcontour/contour at 31c4bb3, `examples/grafana`).
//!
//! Envoy counts by cluster, and what a cluster is called is its control plane's choice. Contour: `shop_orders_80`, of namespace,
//! Service and port (`internal/envoy/cluster.go`, `AltStatName`); no name in Kubernetes has an underscore, so it is of one Service
//! only. Envoy Gateway (envoyproxy/gateway at d32f282, `internal/gatewayapi/route.go`, `buildStatName`): by default
//! `httproute/shop/ROUTE/rule/0`, which names a route and no workload; with `clusterStatName: "%BACKEND_REFS%"` in the EnvoyProxy
//! `shop/orders`. Any other name has to be said in `spec.metrics.proxy.names`.

use super::istio::BUCKETS_MILLISECONDS;
use crate::{
    Attribute, Condition, Dialect, ErrorNames, Form, Mark, Prefix, Proxy, Signature, StatusStyle, dialect_row::rows,
};

rows! {
    REQUESTS: Requests "envoy_cluster_upstream_rq_xx" Counter Count
        {"envoy_cluster_name": Other, "envoy_response_code_class": Status}
        "Responses of a cluster, by class of status.";
    DURATION: Duration "envoy_cluster_upstream_rq_time" Histogram Milliseconds {"envoy_cluster_name": Other}
        [BUCKETS_MILLISECONDS] "Time from the request to the end of the cluster's response.";
    IN_FLIGHT: InFlight "envoy_cluster_upstream_rq_active" Gauge Count {"envoy_cluster_name": Other}
        "Requests that the cluster is answering.";
}

/// Labels that tags of a user add most often.
const LABELS: &[(&str, Attribute)] = &[("envoy_worker_id", Attribute::Other)];

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(REQUESTS).optional(LABELS).known_by(&[Mark::Name]),
        Form::of(DURATION).optional(LABELS),
        Form::of(IN_FLIGHT).optional(LABELS),
    ],
);

/// By which labels its series name a workload.
const PROXY: Proxy = Proxy {
    series: &[&[Condition::one_of(
        "envoy_cluster_name",
        &["{namespace}_{service}_{port}", "{namespace}/{service}", "{name}"],
    )]],
    sees_probes: false,
    targets: "the Envoys of the gateway",
    figures: "Only what comes through the gateway is counted, so no probe is. Durations are those of answered requests.",
    uncounted: "which cluster the gateway's route leads to: set spec.metrics.proxy.service and port to its Service, or \
                spec.metrics.proxy.names to what Envoy calls the cluster",
};

/// The dialect's table.
pub const ENVOY: Dialect = Dialect {
    name: "envoy",
    title: "Envoy as a gateway: Contour, Envoy Gateway",
    rows: &[REQUESTS, DURATION, IN_FLIGHT],
    lacks: &[],
    status_style: StatusStyle::ClassDigit,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: "",
    signature: Some(&SIGNATURE),
    proxy: Some(&PROXY),
};

//! The Service in front of the pods, and the headless one for metrics that have a port of their own.

use std::collections::BTreeMap;

use controller_api::{names, spec::ServiceType};
use serde_json::{Map, Value, json};

use super::{
    BuildInput, ChildKind, ChildKindRow, PORT_HTTP, PORT_METRICS, copies_nothing,
    object::{Meta, body, object, selector_labels},
    unexplained,
};

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::Service,
    group: "",
    version: "v1",
    name: "Service",
    plural: "services",
    optional: false,
    core: true,
    wave: 0,
    holds_data: false,
    turned_on: "true",
    explain: unexplained,
    copied_from: copies_nothing,
    build,
};

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    let mut services = vec![main_service(input)];
    if input.api.metrics_apart() && input.api.monitoring.is_some() {
        services.push(metrics_service(input));
    }
    services
}

fn main_service(input: &BuildInput<'_>) -> (String, Value) {
    let service = &input.api.service;
    let type_ = match service.type_ {
        ServiceType::ClusterIp => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    };
    let fields = spec(json!({
        "type": type_,
        "selector": selector_labels(&input.owner.name),
        "ports": [{"name": PORT_HTTP, "port": service.port, "targetPort": PORT_HTTP, "protocol": "TCP"}],
    }));
    let labels = if input.api.metrics_apart() {
        BTreeMap::new()
    } else {
        scraped()
    };
    let meta = Meta {
        labels,
        annotations: service.annotations.clone(),
    };
    object(&ROW, input.owner, input.owner.name.clone(), meta, fields)
}

/// Headless: Prometheus wants the pods, and nobody else should find a door to the metrics.
fn metrics_service(input: &BuildInput<'_>) -> (String, Value) {
    let fields = spec(json!({
        "type": "ClusterIP",
        "clusterIP": "None",
        "selector": selector_labels(&input.owner.name),
        "ports": [
            {"name": PORT_METRICS, "port": input.api.metrics.port, "targetPort": PORT_METRICS, "protocol": "TCP"},
        ],
    }));
    let meta = Meta {
        labels: scraped(),
        ..Meta::default()
    };
    object(&ROW, input.owner, format!("{}-metrics", input.owner.name), meta, fields)
}

/// The label by which the ServiceMonitor tells the one Service to scrape from the other.
pub(super) fn scraped() -> BTreeMap<String, String> {
    [(names::LABEL_SCRAPED.to_owned(), names::SCRAPED.to_owned())].into()
}

fn spec(spec: Value) -> Map<String, Value> {
    body([("spec", spec)])
}

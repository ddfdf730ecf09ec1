//! The Service in front of the pods, and the headless one for metrics that have a port of their own.

use std::collections::BTreeMap;

use controller_api::{names, spec::ServiceType};
use serde_json::{Map, Value, json};

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, body, object, selector_labels},
};
use crate::{
    kind::{ChildKind, ChildKindDef, Group, PORT_HTTP, PORT_METRICS},
    plan::PlannedChild,
    valid::ValidApi,
    violation::Violations,
};

impl ChildKind {
    /// The Service, and the headless metrics Service where metrics have a port of their own.
    pub const SERVICE: Self = Self::new(
        &ChildKindDef::new(Group::CORE, "Service", "services")
            .needed_by_ready()
            .in_wave(0),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::SERVICE,
    build,
};

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let api = input.api;
    if api.workload_ref.is_none() {
        built.children.push(main_service(api));
    }
    if !api.metrics_apart() || !api.is_scraped() {
        return;
    }
    // The port has no name that we know in a workload that somebody else writes.
    let service = match (&api.workload_ref, &input.live.workload) {
        (None, _) => metrics_service(api, json!(selector_labels(&api.owner.name)), json!(PORT_METRICS)),
        (Some(_), Some(workload)) => metrics_service(api, json!(workload.match_labels), json!(api.metrics.port)),
        // The plan has no objects at all then.
        (Some(_), None) => return,
    };
    built.children.push(service);
}

/// Name of the Service of the metrics port.
#[must_use]
pub fn metrics_service_name(api: &str) -> String {
    format!("{api}-metrics")
}

fn main_service(api: &ValidApi) -> PlannedChild {
    let service = &api.service;
    let type_ = match service.type_ {
        ServiceType::ClusterIp => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    };
    let fields = spec(json!({
        "type": type_,
        "selector": selector_labels(&api.owner.name),
        "ports": [{"name": PORT_HTTP, "port": service.port, "targetPort": PORT_HTTP, "protocol": "TCP"}],
    }));
    let labels = if api.metrics_apart() || api.proxy.is_some() {
        BTreeMap::new()
    } else {
        scraped()
    };
    let meta = OwnMetadata {
        labels,
        annotations: service.annotations.clone(),
    };
    object(ROW.kind, &api.owner, api.owner.name.clone(), meta, fields)
}

/// The headless Service of the metrics port: Prometheus scrapes the pods themselves, and no other client gets an
/// address that leads to the metrics.
fn metrics_service(api: &ValidApi, selector: Value, target_port: Value) -> PlannedChild {
    let fields = spec(json!({
        "type": "ClusterIP",
        "clusterIP": "None",
        "selector": selector,
        "ports": [
            {"name": PORT_METRICS, "port": api.metrics.port, "targetPort": target_port, "protocol": "TCP"},
        ],
    }));
    let name = metrics_service_name(&api.owner.name);
    object(ROW.kind, &api.owner, name, OwnMetadata::labels(scraped()), fields)
}

/// The label by which the ServiceMonitor tells the one Service to scrape from the other.
pub(super) fn scraped() -> BTreeMap<String, String> {
    [(names::LABEL_SCRAPED.to_owned(), names::SCRAPED.to_owned())].into()
}

fn spec(spec: Value) -> Map<String, Value> {
    body([("spec", spec)])
}

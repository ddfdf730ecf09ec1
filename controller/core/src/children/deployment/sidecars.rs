//! What `spec.podTemplate` must not change, judged on the merged pod.

use controller_api::names;
use k8s_openapi::api::core::v1::PodSpec;

use crate::{
    kind::{PORT_HTTP, PORT_METRICS},
    valid::ValidApi,
    violation::Violations,
};

const PATH: &str = "spec.podTemplate.spec";

/// Checks the pod that a valid spec and its partial template make together.
pub(super) fn check(api: &ValidApi, pod: &PodSpec, out: &mut Violations) {
    ports(api, pod, out);
    volumes(pod, out);
}

/// The ports by which Service, probes and ServiceMonitor find the container keep their names and numbers.
fn ports(api: &ValidApi, pod: &PodSpec, out: &mut Violations) {
    let mut ours = vec![(PORT_HTTP, api.workload.port)];
    if api.metrics_apart() {
        ours.push((PORT_METRICS, api.metrics.port));
    }
    let path = format!("{PATH}.containers");
    for container in &pod.containers {
        let main = container.name == names::CONTAINER;
        let ports: Vec<_> = container
            .ports
            .iter()
            .flatten()
            .map(|port| (port.name.as_deref().unwrap_or_default(), port.container_port))
            .collect();
        for (name, number) in &ports {
            let reserved = ours.iter().any(|(ours, _)| ours == name);
            if reserved && !(main && ours.contains(&(*name, *number))) {
                out.add(
                    &path,
                    format!("{name} is reserved for the API's own port: use another port name, or set spec.port"),
                );
            }
        }
        let lost = ours.iter().filter(|ours| main && !ports.contains(ours));
        for (name, number) in lost {
            out.add(
                &path,
                format!(
                    "the port {name} must keep its name and the number {number}: set spec.port or spec.metrics.port"
                ),
            );
        }
    }
}

/// A volume has one source: another one for `tmp` or `data` would be merged beside the emptyDir.
fn volumes(pod: &PodSpec, out: &mut Violations) {
    for volume in pod.volumes.iter().flatten() {
        let fields = serde_json::to_value(volume)
            .ok()
            .and_then(|value| value.as_object().map(serde_json::Map::len));
        // Its name and one source.
        if fields.is_some_and(|fields| fields > 2) {
            out.add(
                format!("{PATH}.volumes"),
                format!(
                    "{} is a volume of the operator's and would get a second source: use another name, and mount it where \
                     you need it",
                    volume.name
                ),
            );
        }
    }
}

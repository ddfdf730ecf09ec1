//! What `spec.podTemplate` must not change, judged on the merged pod.

use controller_api::{names, quantity};
use k8s_openapi::api::core::v1::{Container, PodSpec};

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
    for container in &pod.containers {
        sleeps(container, api.workload.termination_grace_period_seconds, out);
    }
    for container in pod.containers.iter().chain(pod.init_containers.iter().flatten()) {
        requests(container, out);
    }
}

/// A sleep that outlasts the pod is refused by the API server.
fn sleeps(container: &Container, grace_seconds: i64, out: &mut Violations) {
    let stop = container
        .lifecycle
        .as_ref()
        .and_then(|lifecycle| lifecycle.pre_stop.as_ref());
    let sleep = stop.and_then(|stop| stop.sleep.as_ref()).map(|sleep| sleep.seconds);
    if let Some(seconds) = sleep.filter(|seconds| !(0..=grace_seconds).contains(seconds)) {
        out.add(
            format!("{PATH}.containers"),
            format!(
                "the preStop of {} sleeps {seconds} s, which is not within the {grace_seconds} s that the pod has to stop: sleep \
                 less, or raise spec.terminationGracePeriodSeconds",
                container.name
            ),
        );
    }
}

/// What a container requests is at most its limit, whichever of the two the template brings.
fn requests(container: &Container, out: &mut Violations) {
    let Some(resources) = &container.resources else { return };
    for (name, request) in resources.requests.iter().flatten() {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(name));
        if let Some(limit) = limit.filter(|limit| quantity::value(&request.0) > quantity::value(&limit.0)) {
            out.add(
                format!("{PATH}.containers"),
                format!(
                    "{} requests {} of {name}, which is above its limit {}: lower the request or raise the limit",
                    container.name, request.0, limit.0
                ),
            );
        }
    }
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
        let reserved = |name: Option<&String>| ours.iter().any(|(ours, _)| name.is_some_and(|name| ours == name));
        let other = |protocol: Option<&String>| protocol.is_some_and(|protocol| protocol != "TCP");
        for port in container.ports.iter().flatten() {
            if reserved(port.name.as_ref()) && other(port.protocol.as_ref()) {
                out.add(
                    &path,
                    format!(
                        "the port {} must keep the protocol TCP: remove protocol",
                        port.name.as_deref().unwrap_or_default()
                    ),
                );
            }
        }
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

//! What `spec.podTemplate` must not change, judged on the merged pod.

use controller_api::names;
use k8s_openapi::api::core::v1::{Container, PodSpec};

use crate::{
    kind::{PORT_HTTP, PORT_METRICS},
    valid::ValidApi,
    validate::amount,
    violation::Violations,
};

const PATH: &str = "spec.podTemplate.spec";

/// Checks the pod that a valid spec and its partial template make together.
pub(super) fn check(api: &ValidApi, pod: &PodSpec, out: &mut Violations) {
    ports(api, pod, out);
    volumes(pod, out);
    let own = api
        .workload
        .pod_template
        .as_ref()
        .and_then(|template| template.spec.as_ref());
    let lists = [
        ("containers", Some(&pod.containers), own.map(|own| &own.containers)),
        (
            "initContainers",
            pod.init_containers.as_ref(),
            own.and_then(|own| own.init_containers.as_ref()),
        ),
    ];
    for (list, containers, own) in lists {
        for container in containers.into_iter().flatten() {
            // The place in the author's list; the whole list for a container that only we write.
            let place = own.and_then(|own| own.iter().position(|own| own.name == container.name));
            let written = place.and_then(|place| own.and_then(|own| own.get(place)));
            let path = place.map_or_else(|| format!("{PATH}.{list}"), |place| format!("{PATH}.{list}[{place}]"));
            sleeps(container, api.workload.termination_grace_period_seconds, &path, out);
            resources(container, &path, out);
            if let Some(written) = written {
                mounts(container, written, pod, &path, out);
            }
            privileges(container, &path, out);
        }
    }
}

/// A sleep that outlasts the pod is refused by the API server.
fn sleeps(container: &Container, grace_seconds: i64, path: &str, out: &mut Violations) {
    let Some(lifecycle) = &container.lifecycle else { return };
    for (hook, handler) in [("preStop", &lifecycle.pre_stop), ("postStart", &lifecycle.post_start)] {
        let sleep = handler.as_ref().and_then(|handler| handler.sleep.as_ref());
        if let Some(seconds) = sleep
            .map(|sleep| sleep.seconds)
            .filter(|seconds| !(0..=grace_seconds).contains(seconds))
        {
            out.add(
                format!("{path}.lifecycle.{hook}.sleep.seconds"),
                format!(
                    "{seconds} is not within the {grace_seconds} s that the pod has to stop: sleep less, or raise \
                     spec.terminationGracePeriodSeconds"
                ),
            );
        }
    }
}

/// What a container requests is at most its limit, whichever of the two the template brings.
fn resources(container: &Container, path: &str, out: &mut Violations) {
    let Some(resources) = &container.resources else { return };
    for (name, request) in resources.requests.iter().flatten() {
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(name));
        let limit = limit.map(|limit| limit.0.as_str());
        if let Some((part, sentence)) = amount::request_beside_limit(name, &request.0, limit) {
            out.add(format!("{path}.resources.{part}.{name}"), sentence);
        }
    }
    let amounts = resources.requests.iter().chain(&resources.limits).flatten();
    if amount::only_huge_pages(amounts.map(|(name, _)| name.as_str())) {
        out.add(format!("{path}.resources"), amount::ONLY_HUGE_PAGES);
    }
}

/// What the author mounts are volumes of the pod, at paths that nothing else takes. `written`: the author's part.
fn mounts(container: &Container, written: &Container, pod: &PodSpec, path: &str, out: &mut Violations) {
    let volume = |name: &str| pod.volumes.iter().flatten().find(|volume| volume.name == name);
    let known = || -> Vec<_> {
        pod.volumes
            .iter()
            .flatten()
            .map(|volume| volume.name.as_str())
            .collect()
    };
    for (index, mount) in written.volume_mounts.iter().flatten().enumerate() {
        if volume(&mount.name).is_none() {
            out.add(
                format!("{path}.volumeMounts[{index}].name"),
                format!("{:?} is no volume of the pod: use {}", mount.name, known().join(" or ")),
            );
        }
    }
    let mounted = |name: &str| container.volume_mounts.iter().flatten().any(|mount| mount.name == name);
    let taken = |path: &str| {
        container
            .volume_mounts
            .iter()
            .flatten()
            .any(|mount| mount.mount_path == path)
    };
    for (index, device) in written.volume_devices.iter().flatten().enumerate() {
        let path = format!("{path}.volumeDevices[{index}]");
        match volume(&device.name) {
            None => out.add(
                format!("{path}.name"),
                format!(
                    "{:?} is no volume of the pod: use {}",
                    device.name,
                    known().join(" or ")
                ),
            ),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => out.add(
                format!("{path}.name"),
                format!(
                    "{} is no block device: use a volume with a persistentVolumeClaim",
                    device.name
                ),
            ),
            Some(_) if mounted(&device.name) => {
                out.add(
                    format!("{path}.name"),
                    format!("{} is mounted too: use it once", device.name),
                );
            }
            Some(_) => {}
        }
        if taken(&device.device_path) {
            out.add(
                format!("{path}.devicePath"),
                format!("{} is the path of a mount: use another one", device.device_path),
            );
        }
    }
}

/// A container that may do everything can gain privileges.
fn privileges(container: &Container, path: &str, out: &mut Violations) {
    let Some(context) = container.security_context.as_ref() else {
        return;
    };
    let added = context
        .capabilities
        .iter()
        .flat_map(|capabilities| capabilities.add.iter().flatten());
    let gained = match context.privileged {
        Some(true) => Some("privileged: true"),
        Some(false) | None => added
            .into_iter()
            .any(|name| name == "CAP_SYS_ADMIN")
            .then_some("CAP_SYS_ADMIN"),
    };
    if let Some(gained) = gained.filter(|_| context.allow_privilege_escalation == Some(false)) {
        out.add(
            format!("{path}.securityContext"),
            format!(
                "{gained} contradicts allowPrivilegeEscalation: false: remove it, or set allowPrivilegeEscalation: true"
            ),
        );
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

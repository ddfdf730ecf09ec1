//! The container that runs the image.

use controller_api::{names, spec::ImagePullPolicy};
use k8s_openapi::api::core::v1::{Container, ContainerPort, Lifecycle, LifecycleHandler, SleepAction, VolumeMount};

use super::{DATA, TMP, list, security};
use crate::{
    kind::{PORT_HTTP, PORT_METRICS},
    valid::{ValidApi, Workload},
};

/// Seconds between the request to stop and the signal: endpoints and load balancers need them to stop sending.
const PRE_STOP_SECONDS: i64 = 5;

pub(super) fn container(api: &ValidApi) -> Container {
    let workload = &api.workload;
    Container {
        name: names::CONTAINER.to_owned(),
        image: Some(workload.image.clone()),
        image_pull_policy: workload.image_pull_policy.map(|policy| pull_policy(policy).to_owned()),
        command: list(workload.command.iter().cloned()),
        args: list(workload.args.iter().cloned()),
        env: list(workload.env.iter().cloned()),
        env_from: list(workload.env_from.iter().cloned()),
        ports: Some(ports(api)),
        resources: Some(workload.resources.clone()),
        lifecycle: pre_stop(workload.termination_grace_period_seconds),
        readiness_probe: workload.probes.readiness.clone(),
        liveness_probe: workload.probes.liveness.clone(),
        startup_probe: workload.probes.startup.clone(),
        security_context: Some(security::of_container(workload)),
        volume_mounts: Some(mounts(workload)),
        ..Container::default()
    }
}

const fn pull_policy(policy: ImagePullPolicy) -> &'static str {
    match policy {
        ImagePullPolicy::Always => "Always",
        ImagePullPolicy::IfNotPresent => "IfNotPresent",
        ImagePullPolicy::Never => "Never",
    }
}

fn ports(api: &ValidApi) -> Vec<ContainerPort> {
    let port = |name: &str, number: i32| ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let mut ports = vec![port(PORT_HTTP, api.workload.port)];
    if api.metrics_apart() {
        ports.push(port(PORT_METRICS, api.metrics.port));
    }
    ports
}

/// The native sleep handler: needs no shell in the image. Never more than half of the grace period, for Kubernetes
/// refuses a sleep beyond it, and the application needs the rest.
fn pre_stop(grace_seconds: i64) -> Option<Lifecycle> {
    let seconds = PRE_STOP_SECONDS.min(grace_seconds / 2);
    (seconds > 0).then(|| Lifecycle {
        pre_stop: Some(LifecycleHandler {
            sleep: Some(SleepAction { seconds }),
            ..LifecycleHandler::default()
        }),
        ..Lifecycle::default()
    })
}

fn mounts(workload: &Workload) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    };
    let mut mounts = vec![mount(TMP, "/tmp")];
    let storage = workload.storage.as_ref().map(|storage| storage.mount_path.as_str());
    mounts.extend(storage.or(workload.data_dir).map(|path| mount(DATA, path)));
    mounts.extend(workload.writable_dirs.iter().map(|dir| mount(dir.volume, dir.path)));
    mounts
}

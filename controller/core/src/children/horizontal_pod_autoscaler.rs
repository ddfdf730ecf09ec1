//! The HorizontalPodAutoscaler, which sets the Deployment's number of pods.

use std::borrow::Cow;

use controller_api::{names, quantity};
use k8s_openapi::api::core::v1::{Container, PodSpec, ResourceRequirements};
use serde_json::{Value, json};

use super::{
    BuildInput, BuildOutput, ChildKindRow, deployment,
    object::{OwnMetadata, body, object},
};
use crate::{
    kind::{ChildKind, ChildKindDef, Group},
    valid::{Autoscaling, RequestsTarget},
    violation::Violations,
};

impl ChildKind {
    /// The autoscaler. Applied after the Deployment that it scales, so that it finds it.
    pub const HORIZONTAL_POD_AUTOSCALER: Self = Self::new(
        &ChildKindDef::new(
            Group::AUTOSCALING,
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        )
        .in_wave(3)
        .of_own_workload()
        .enabled_when("has(object.spec.autoscaling)"),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::HORIZONTAL_POD_AUTOSCALER,
    build,
};

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, violations: &mut Violations) {
    let Some(autoscaling) = &input.api.autoscaling else {
        return;
    };
    if autoscaling.cpu_percent.is_some() {
        requested_cpu(&deployment::pod(input.api), violations);
    }
    let owner = &input.api.owner;
    let deployment = ChildKind::DEPLOYMENT;
    let spec = json!({
        "scaleTargetRef": {"apiVersion": deployment.api_version(), "kind": deployment.as_str(), "name": owner.name},
        "minReplicas": autoscaling.min_replicas,
        "maxReplicas": autoscaling.max_replicas,
        "metrics": metrics(autoscaling),
    });
    built.children.push(object(
        ROW.kind,
        owner,
        owner.name.clone(),
        OwnMetadata::default(),
        body([("spec", spec)]),
    ));
}

fn metrics(autoscaling: &Autoscaling) -> Vec<Value> {
    let cpu = autoscaling.cpu_percent.map(|percent| {
        json!({
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}},
        })
    });
    let requests = autoscaling.requests.as_ref();
    let requests = requests.map(|RequestsTarget { per_second, metric }| {
        json!({
            "type": "Pods",
            "pods": {"metric": {"name": metric}, "target": {"type": "AverageValue", "averageValue": per_second}},
        })
    });
    cpu.into_iter().chain(requests).collect()
}

/// Kubernetes takes percents of what all containers of a pod request, and scales nothing if one of them requests none
/// (`calculatePodRequests` of its podautoscaler). A limit without a request is a request of that size.
fn requested_cpu(pod: &PodSpec, violations: &mut Violations) {
    if cpu(pod.resources.as_ref()).is_some_and(|cpu| cpu > 0.0) {
        return;
    }
    let sidecars = pod.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    for container in pod.containers.iter().chain(sidecars) {
        if cpu(container.resources.as_ref()).is_none_or(|cpu| cpu <= 0.0) {
            let (path, whose) = place(container);
            violations.add(
                path,
                format!(
                    "{whose} requests no CPU, and spec.autoscaling takes percents of what every container requests: set a request, \
                     for example 50m, or use targetRequestsPerSecond without targetCPUUtilizationPercentage"
                ),
            );
        }
    }
}

/// The field with a container's CPU request, and what the container is called.
fn place(container: &Container) -> (&'static str, Cow<'static, str>) {
    if container.name == names::CONTAINER {
        ("spec.resources.requests.cpu", "the API's container".into())
    } else {
        (
            "spec.podTemplate.spec",
            format!("the container {}", container.name).into(),
        )
    }
}

/// The cores that are requested.
fn cpu(resources: Option<&ResourceRequirements>) -> Option<f64> {
    let resources = resources?;
    let amounts = [&resources.requests, &resources.limits];
    let cpu = amounts.into_iter().flatten().find_map(|amounts| amounts.get("cpu"))?;
    quantity::value(&cpu.0)
}

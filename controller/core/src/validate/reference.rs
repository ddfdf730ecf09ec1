//! `spec.workloadRef`: a workload that exists already. It is not written, so a field that would change it is a mistake.

use controller_api::{MonitoredApiSpec, spec::WorkloadRef as Given};

use super::syntax;
use crate::{facts::WorkloadId, valid::WorkloadRef, violation::Violations};

/// The only API version of a workload.
const APPS_V1: &str = "apps/v1";

/// The workload that exists already. `None`: the operator writes it.
pub(super) fn reference(spec: &MonitoredApiSpec, out: &mut Violations) -> Option<WorkloadRef> {
    let given = spec.workload_ref.as_ref()?;
    if spec.image.is_some() {
        out.add(
            "spec.workloadRef",
            "image and workloadRef are both given: use image for a workload that the operator writes, or workloadRef for one that \
             exists already",
        );
    }
    for (field, _) in of_pods(spec).into_iter().filter(|(_, is_given)| *is_given) {
        out.add(
            format!("spec.{field}"),
            "has no effect with spec.workloadRef, because that workload is not written: remove it",
        );
    }
    let metrics = spec.metrics.as_ref();
    Some(WorkloadRef {
        id: id(given, out),
        port_given: spec.port.is_some() || metrics.is_some_and(|metrics| metrics.port.is_some()),
        path_given: metrics.is_some_and(|metrics| metrics.path.is_some()),
    })
}

/// The fields about pods and about the Service in front of them, and whether each is given.
fn of_pods(spec: &MonitoredApiSpec) -> [(&'static str, bool); 25] {
    // Without `..`: of a new field it must be decided whether it has an effect on a workload that is not written.
    let MonitoredApiSpec {
        suspend: _,
        image: _,
        workload_ref: _,
        preset: _,
        image_pull_policy,
        image_pull_secrets,
        command,
        args,
        replicas,
        port: _,
        env,
        env_from,
        resources,
        security_profile,
        run_as_user,
        read_only_root_filesystem,
        storage,
        strategy,
        termination_grace_period_seconds,
        service_account_name,
        object_labels: _,
        pod_labels,
        pod_annotations,
        node_selector,
        tolerations,
        affinity,
        topology_spread_constraints,
        probes,
        pod_template,
        service,
        monitoring: _,
        metrics: _,
        alerts: _,
        objectives: _,
        dashboard: _,
        autoscaling,
    } = spec;
    [
        ("imagePullPolicy", image_pull_policy.is_some()),
        ("imagePullSecrets", image_pull_secrets.is_some()),
        ("command", command.is_some()),
        ("args", args.is_some()),
        ("replicas", replicas.is_some()),
        ("env", env.is_some()),
        ("envFrom", env_from.is_some()),
        ("resources", resources.is_some()),
        ("securityProfile", security_profile.is_some()),
        ("runAsUser", run_as_user.is_some()),
        ("readOnlyRootFilesystem", read_only_root_filesystem.is_some()),
        ("storage", storage.is_some()),
        ("strategy", strategy.is_some()),
        (
            "terminationGracePeriodSeconds",
            termination_grace_period_seconds.is_some(),
        ),
        ("serviceAccountName", service_account_name.is_some()),
        ("podLabels", pod_labels.is_some()),
        ("podAnnotations", pod_annotations.is_some()),
        ("nodeSelector", node_selector.is_some()),
        ("tolerations", tolerations.is_some()),
        ("affinity", affinity.is_some()),
        ("topologySpreadConstraints", topology_spread_constraints.is_some()),
        ("probes", probes.is_some()),
        ("podTemplate", pod_template.is_some()),
        ("service", service.is_some()),
        ("autoscaling", autoscaling.is_some()),
    ]
}

fn id(given: &Given, out: &mut Violations) -> WorkloadId {
    let Given {
        api_version,
        kind,
        name,
    } = given;
    if let Some(version) = api_version.as_deref().filter(|version| *version != APPS_V1) {
        out.add(
            "spec.workloadRef.apiVersion",
            format!("{version:?} is not a version of a workload that is known: use {APPS_V1}"),
        );
    }
    if !syntax::is_dns_subdomain(name) {
        out.add(
            "spec.workloadRef.name",
            format!("{name:?} is not a valid name: use that of a {kind} in the namespace of this MonitoredApi, for example orders"),
        );
    }
    WorkloadId {
        kind: *kind,
        name: name.clone(),
    }
}

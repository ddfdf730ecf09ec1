//! The pod template: what is generated, with the author's partial template merged over it.

use k8s_openapi::{
    DeepMerge,
    api::core::v1::{
        EmptyDirVolumeSource, LocalObjectReference, PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec,
        TopologySpreadConstraint, Volume,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};

use super::{DATA, TMP, container::container, list, one_of, security};
use crate::{
    children::{
        object::{labels, selector_labels},
        persistent_volume_claim::claim_name,
    },
    valid::{ValidApi, Workload},
};

/// The pod template of the Deployment.
pub(super) fn pod_template(api: &ValidApi) -> PodTemplateSpec {
    let workload = &api.workload;
    let mut pod_labels = workload.pod_labels.clone();
    pod_labels.extend(labels(&api.owner.name));
    let mut template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(pod_labels),
            annotations: Some(workload.pod_annotations.clone()).filter(|map| !map.is_empty()),
            ..ObjectMeta::default()
        }),
        spec: Some(pod(api)),
    };
    if let Some(partial) = workload.pod_template.clone() {
        one_of::make_room(&mut template, &partial);
        template.merge_from(partial);
    }
    template
}

fn pod(api: &ValidApi) -> PodSpec {
    let workload = &api.workload;
    PodSpec {
        affinity: workload.affinity.clone(),
        // A token only for a ServiceAccount that the author names; then the account says whether.
        automount_service_account_token: workload.service_account_name.is_none().then_some(false),
        containers: vec![container(api)],
        // Variables of every Service of the namespace: they collide with the application's own.
        enable_service_links: Some(false),
        image_pull_secrets: list(
            workload
                .image_pull_secrets
                .iter()
                .map(|name| LocalObjectReference { name: name.clone() }),
        ),
        node_selector: Some(workload.node_selector.clone()).filter(|map| !map.is_empty()),
        security_context: Some(security::of_pod(workload)),
        service_account_name: Some(
            workload
                .service_account_name
                .as_ref()
                .unwrap_or(&api.owner.name)
                .clone(),
        ),
        termination_grace_period_seconds: Some(workload.termination_grace_period_seconds),
        tolerations: list(workload.tolerations.iter().cloned()),
        topology_spread_constraints: list(spread(workload, &api.owner.name)),
        volumes: list(volumes(api)),
        ..PodSpec::default()
    }
}

/// Over zones and nodes, as far as possible: a single node or zone must not take all pods down.
fn spread(workload: &Workload, name: &str) -> Vec<TopologySpreadConstraint> {
    if let Some(constraints) = &workload.topology_spread_constraints {
        return constraints.clone();
    }
    ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        .map(|key| TopologySpreadConstraint {
            label_selector: Some(LabelSelector {
                match_labels: Some(selector_labels(name)),
                match_expressions: None,
            }),
            // Pods of the old revision do not count during a rollout.
            match_label_keys: Some(vec!["pod-template-hash".to_owned()]),
            max_skew: 1,
            topology_key: key.to_owned(),
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            ..TopologySpreadConstraint::default()
        })
        .into()
}

fn volumes(api: &ValidApi) -> Vec<Volume> {
    let named = |name: &str| Volume {
        name: name.to_owned(),
        ..Volume::default()
    };
    let empty = |name: &str| Volume {
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..named(name)
    };
    let mut volumes = vec![empty(TMP)];
    if api.workload.storage.is_some() {
        volumes.push(Volume {
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim_name(&api.owner).to_owned(),
                read_only: None,
            }),
            ..named(DATA)
        });
    } else if api.workload.data_dir.is_some() {
        volumes.push(empty(DATA));
    }
    volumes.extend(api.workload.writable_dirs.iter().map(|dir| empty(dir.volume)));
    volumes
}

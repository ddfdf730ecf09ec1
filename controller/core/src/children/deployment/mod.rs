//! The Deployment: the workload. Whatever changes its pod template for an unchanged MonitoredApi rolls every pod of
//! every user; a golden test holds it.

mod container;
mod security;
mod template;

use k8s_openapi::{api::apps::v1::DeploymentSpec, apimachinery::pkg::apis::meta::v1::LabelSelector};
use serde_json::{Value, json};
pub use template::pod_template;

use super::{
    BuildInput, ChildKind, ChildKindRow,
    object::{Meta, body, object, selector_labels},
    unexplained,
};
use crate::facts::LiveReplicas;

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::Deployment,
    group: "apps",
    version: "v1",
    name: "Deployment",
    plural: "deployments",
    optional: false,
    core: true,
    wave: 2,
    holds_data: false,
    turned_on: "has(object.spec.image)",
    explain: unexplained,
    copied_from: |input| copied_replicas(input).and(input.facts.deployment_version.clone()),
    build,
};

/// Old ReplicaSets that are kept for `kubectl rollout undo`.
const REVISIONS: i32 = 3;

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    let spec = DeploymentSpec {
        replicas: replicas(input),
        revision_history_limit: Some(REVISIONS),
        selector: LabelSelector {
            match_labels: Some(selector_labels(&input.owner.name)),
            match_expressions: None,
        },
        strategy: Some(input.api.workload.strategy.clone()),
        template: pod_template(input.api),
        ..DeploymentSpec::default()
    };
    vec![object(
        &ROW,
        input.owner,
        input.owner.name.clone(),
        Meta::default(),
        body([("spec", json!(spec))]),
    )]
}

/// The author's number. Without one, nothing is sent, so that whoever scales the Deployment owns the field; but a
/// number that we sent before and nobody took over must go on being sent, for the API server would set 1.
fn replicas(input: &BuildInput<'_>) -> Option<i32> {
    prescribed_replicas(input).or_else(|| copied_replicas(input))
}

/// The number that holds whoever scales: the author's. With storage never more than one: two pods must not write to one
/// volume.
fn prescribed_replicas(input: &BuildInput<'_>) -> Option<i32> {
    let live = input.facts.live_replicas;
    let too_many = input.api.workload.storage.is_some() && live.is_some_and(|live| live.replicas > 1);
    input.api.workload.replicas.or_else(|| too_many.then_some(1))
}

/// The live number, where it is sent back as it is.
fn copied_replicas(input: &BuildInput<'_>) -> Option<i32> {
    if prescribed_replicas(input).is_some() {
        return None;
    }
    input.facts.live_replicas.filter(ours_alone).map(|live| live.replicas)
}

fn ours_alone(live: &LiveReplicas) -> bool {
    live.ours && !live.others
}

/// Whether the number of replicas that an intent copied is still the live one, and still ours to send.
#[must_use]
pub fn copies(intent: &Value, live: LiveReplicas) -> bool {
    ours_alone(&live) && intent.pointer("/spec/replicas") == Some(&live.replicas.into())
}

//! The Deployment: the workload. A change of its pod template for an unchanged MonitoredApi rolls every pod of every
//! user; a golden test guards it.

mod container;
mod one_of;
mod security;
mod sidecars;
mod template;

use controller_api::MonitoredApiSpec;
use k8s_openapi::{
    api::{apps::v1::DeploymentSpec, core::v1::PodSpec},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use serde_json::{Value, json};

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, body, object, selector_labels},
};
use crate::{
    facts::LiveReplicas,
    kind::{ChildKind, ChildKindDef, Group, Watch},
    plan::PlannedChild,
    valid::ValidApi,
    violation::Violations,
};

impl ChildKind {
    /// The workload. Applied after everything that its pods refer to.
    pub const DEPLOYMENT: Self = Self::new(
        &ChildKindDef::new(Group::APPS, "Deployment", "deployments")
            .needed_by_ready()
            .in_wave(2)
            .of_own_workload()
            .watched(Watch::Whole)
            .enabled_when("has(object.spec.image)"),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::DEPLOYMENT,
    build,
};

/// The volume on `/tmp`.
const TMP: &str = "tmp";
/// The volume for data: a claim, or an emptyDir on the preset's data directory.
const DATA: &str = "data";
/// Old ReplicaSets that are kept for `kubectl rollout undo`.
const REVISIONS: i32 = 3;

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, violations: &mut Violations) {
    let api = input.api;
    let template = template::pod_template(api);
    if let Some(pod) = template.spec.as_ref().filter(|_| api.workload.pod_template.is_some()) {
        sidecars::check(api, pod, violations);
    }
    let spec = DeploymentSpec {
        replicas: input.live.replicas,
        revision_history_limit: Some(REVISIONS),
        selector: LabelSelector {
            match_labels: Some(selector_labels(&api.owner.name)),
            match_expressions: None,
        },
        strategy: Some(api.workload.strategy.clone()),
        template,
        ..DeploymentSpec::default()
    };
    let fields = body([("spec", json!(spec))]);
    let mut deployment = object(
        ROW.kind,
        &api.owner,
        api.owner.name.clone(),
        OwnMetadata::default(),
        fields,
    );
    deployment
        .preconditioned_on
        .clone_from(&input.live.replicas_copied_from);
    built.children.push(deployment);
}

/// The number of pods that wins over autoscalers: `spec.replicas`, if set. With storage never more than one, because
/// two pods must not write to one volume.
pub(super) fn prescribed_replicas(api: &ValidApi, live: Option<LiveReplicas>) -> Option<i32> {
    let too_many = api.workload.storage.is_some() && live.is_some_and(|live| live.replicas > 1);
    api.workload
        .replicas
        .or_else(|| too_many.then_some(1))
        .or_else(|| first_replicas(api, live))
}

/// The number of pods with which an autoscaler begins: its fewest. A new Deployment has them at once, and one that we had scaled
/// to zero for `spec.replicas: 0` gets them, because Kubernetes scales nothing up from zero. Zero that somebody else set stays:
/// that is how a HorizontalPodAutoscaler is paused.
pub(super) fn first_replicas(api: &ValidApi, live: Option<LiveReplicas>) -> Option<i32> {
    let autoscaling = api.autoscaling.as_ref()?;
    let begins = live.is_none_or(|live| live.replicas == 0 && ours_alone(&live));
    begins.then_some(autoscaling.min_replicas)
}

/// The live number, where it is sent back as it is. Without `spec.replicas` nothing is sent, so that an autoscaler owns
/// the field; but a number that we sent before and nobody took over must go on being sent, or the API server sets 1.
pub(super) fn copied_replicas(prescribed: Option<i32>, live: Option<LiveReplicas>) -> Option<i32> {
    if prescribed.is_some() {
        return None;
    }
    live.filter(ours_alone).map(|live| live.replicas)
}

fn ours_alone(live: &LiveReplicas) -> bool {
    live.owned_by_us && !live.owned_by_another
}

/// Whether it is a Deployment that is sent without a number of replicas, or with the one with which an autoscaler begins, because
/// none is known to exist.
pub(crate) fn takes_none_to_exist(api: &ValidApi, planned: &PlannedChild) -> bool {
    let autoscaled = api.autoscaling.is_some();
    planned.kind == ChildKind::DEPLOYMENT && (autoscaled || planned.object().pointer("/spec/replicas").is_none())
}

/// Whether the plan of a spec needs the live number of replicas: it prescribes none.
#[must_use]
pub fn needs_live_replicas(spec: &MonitoredApiSpec) -> bool {
    spec.workload_ref.is_none() && (spec.replicas.is_none() || spec.autoscaling.is_some())
}

/// The pod that the Deployment makes.
pub(super) fn pod(api: &ValidApi) -> PodSpec {
    template::pod_template(api).spec.unwrap_or_default()
}

/// Whether the number of replicas that an intent copied is still the live one, and still ours to send.
#[must_use]
pub fn replicas_unchanged(intent: &Value, live: LiveReplicas) -> bool {
    ours_alone(&live) && intent.pointer("/spec/replicas") == Some(&live.replicas.into())
}

/// `None` for an empty list: server-side apply of an empty list is a write every time.
fn list<T>(items: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.into_iter().collect();
    (!items.is_empty()).then_some(items)
}

//! Reads: what is known of one MonitoredApi, from the store where it can be had there, live where it must be.

use std::time::Duration;

use controller_api::{MonitoredApi, MonitoredApiSpec, MonitoredApiStatus};
use controller_core::children::{CHILD_KINDS, ChildKind};
use controller_core::facts::{ClaimFacts, Facts, LiveReplicas, PodFacts, PrometheusFacts, WorkloadFacts};
use controller_core::plan::ApiRef;
use controller_core::validate::Violation;
use serde::Deserialize;

use crate::cache::api_key::ApiKey;
use crate::cache::store::CachedApi;
use crate::cache::table::Source;
use crate::cluster::CallError;
use crate::cluster::kinds;
use crate::watch::board::{KindState, Subject};
use crate::watch::observe::{ApiItem, DeploymentItem, PodItem};
use crate::work::context::Context;
use crate::work::queue::Next;

/// A MonitoredApi that is worked on.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) key: ApiKey,
    pub(crate) owner: ApiRef,
    pub(crate) generation: i64,
    pub(crate) resource_version: String,
    /// The decoded object, or why it can't be decoded, said like any other violation.
    pub(crate) api: Result<Box<MonitoredApi>, Vec<Violation>>,
    /// The status that it has.
    pub(crate) status: MonitoredApiStatus,
    /// It is on its way out: its children are the garbage collector's.
    pub(crate) deleting: bool,
    /// Read from the API server's store in this very run, not from a watch.
    pub(crate) live: bool,
}

impl Target {
    fn new(key: &ApiKey, cached: &CachedApi, live: bool) -> Self {
        let owner = ApiRef {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            uid: cached.uid.text(),
        };
        let api = match serde_json::from_str(&cached.spec) {
            Ok(spec) => Ok(Box::new(api(&owner, cached.generation, spec))),
            Err(error) => Err(vec![undecodable(&error)]),
        };
        let status = cached.status.as_ref().and_then(|status| status.unpack(&key.name));
        Self {
            key: key.clone(),
            owner,
            generation: cached.generation,
            resource_version: cached.resource_version.to_string(),
            api,
            status: status.unwrap_or_else(unseen),
            deleting: cached.deleting,
            live,
        }
    }
}

fn api(owner: &ApiRef, generation: i64, spec: MonitoredApiSpec) -> MonitoredApi {
    let mut api = MonitoredApi::new(&owner.name, spec);
    api.metadata.namespace = Some(owner.namespace.clone());
    api.metadata.uid = Some(owner.uid.clone());
    api.metadata.generation = Some(generation);
    api
}

/// The status of an object that nobody has looked at.
fn unseen() -> MonitoredApiStatus {
    MonitoredApiStatus {
        observed_generation: -1,
        ..MonitoredApiStatus::default()
    }
}

fn undecodable(error: &serde_json::Error) -> Violation {
    // Without the position, which is one in our trimmed copy and changes with unrelated fields.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    Violation::undecodable(what)
}

/// The MonitoredApi as the watch knows it. `None`: it is gone.
pub(crate) fn cached(context: &Context, key: &ApiKey) -> Option<Target> {
    context.store.api(key).map(|cached| Target::new(key, &cached, false))
}

/// The MonitoredApi as the API server's store has it now. `None`: it is gone, or another one bears its name.
pub(crate) async fn live(context: &Context, target: &Target) -> Result<Option<Target>, CallError> {
    let key = &target.key;
    let get = context
        .cluster
        .get::<ApiItem>(kinds::MONITORED_API, Some(&key.namespace), &key.name);
    let Some(item) = get.await? else {
        context.store.forget_api(key, &target.owner.uid);
        return Ok(None);
    };
    let (key, _) = context.store.put_api(item, Source::Answer);
    Ok(context.store.api(&key).map(|cached| Target::new(&key, &cached, true)))
}

/// What a plan is built from besides the spec.
pub(crate) async fn facts(context: &Context, target: &Target) -> Result<Facts, CallError> {
    let state = |kind: ChildKind| context.board.state(Subject::Child(kind), &target.key.namespace);
    let missing_kinds = CHILD_KINDS
        .iter()
        .filter(|row| row.optional && state(row.kind) == KindState::Missing)
        .map(|row| row.kind)
        .collect();
    let deployment = match state(ChildKind::Deployment) {
        KindState::Synced => context.store.live_replicas(&target.key),
        // Without a watch the number must be read: leaving it out would scale the workload down to 1.
        KindState::Pending | KindState::Missing | KindState::Forbidden => live_replicas(context, target).await?,
    };
    let (live_replicas, deployment_version) = deployment.unzip();
    Ok(Facts {
        missing_kinds,
        live_replicas,
        deployment_version,
    })
}

/// The Deployment's number of replicas as the API server has it now, and the version that it was read from.
pub(crate) async fn live_replicas(
    context: &Context,
    target: &Target,
) -> Result<Option<(LiveReplicas, String)>, CallError> {
    let resource = kinds::resource(ChildKind::Deployment.row());
    let get = context
        .cluster
        .get::<DeploymentItem>(resource, Some(&target.key.namespace), &target.key.name);
    Ok(get.await?.map(|item| {
        context.store.put_deployment(&item, Source::Answer);
        (item.replicas, item.child.resource_version)
    }))
}

/// The workload as the API server tells it.
pub(crate) async fn workload(context: &Context, target: &Target) -> WorkloadFacts {
    let key = &target.key;
    // One of that name that is not ours says nothing about our workload.
    let ours = |kind: ChildKind| {
        let child = context.store.child(key, kind, &key.name);
        child.is_some_and(|child| child.controller_uid.as_deref() == Some(&target.owner.uid))
    };
    let deployment = context.store.deployment(key).filter(|_| ours(ChildKind::Deployment));
    let claim = context
        .store
        .claim(key)
        .filter(|_| ours(ChildKind::PersistentVolumeClaim));
    WorkloadFacts {
        deployment: deployment.map(|(facts, _)| facts),
        pods: pods(context, key).await,
        ready_endpoints: context.store.ready_endpoints(key, &key.name),
        claim: match claim {
            Some(claim) => Some(told(context, key, claim).await),
            None => None,
        },
    }
}

/// The claim with what its events say, while it has no volume.
async fn told(context: &Context, key: &ApiKey, claim: ClaimFacts) -> ClaimFacts {
    if claim.phase != PENDING {
        return claim;
    }
    let fields = format!("involvedObject.uid={}", claim.uid);
    ClaimFacts {
        told: latest_event(context, &key.namespace, &fields).await,
        ..claim
    }
}

async fn pods(context: &Context, key: &ApiKey) -> Vec<PodFacts> {
    let mut items = context.store.pods(key);
    items.sort_by(|a, b| a.facts.name.cmp(&b.facts.name));
    // The newest pod was made from the newest template.
    let newest = items
        .iter()
        .max_by(|a, b| a.created.cmp(&b.created))
        .map(|pod| pod.template_hash.clone());
    for pod in &mut items {
        pod.facts.current = newest.as_deref() == Some(pod.template_hash.as_str());
    }
    // One example is enough for a sentence, and one look-up for the API server.
    let failing = items.iter_mut().find(|pod| {
        pod.facts.current && !pod.facts.ready && pod.facts.phase == "Running" && pod.facts.waiting.is_none()
    });
    if let Some(pod) = failing {
        pod.facts.unhealthy = unhealthy(context, pod).await;
    }
    items.into_iter().map(|pod| pod.facts).collect()
}

/// Phase of a claim without a volume.
const PENDING: &str = "Pending";
/// A pod that runs and is not ready gets its reason from an event, as does a claim without a volume; and no watch of
/// ours tells of events.
const UNREADY_RECHECK: Duration = Duration::from_secs(30);

/// The first event of a claim comes some moments after it.
const UNTOLD_RECHECK: Duration = Duration::from_secs(5);

/// When to look at a workload again though nothing else asks for it.
pub(crate) fn look_again(workload: &WorkloadFacts) -> Next {
    let unready = |pod: &PodFacts| pod.current && !pod.ready && pod.phase == "Running";
    match workload.claim.as_ref().filter(|claim| claim.phase == PENDING) {
        Some(claim) if claim.told.is_none() => Next::After(UNTOLD_RECHECK),
        Some(_) => Next::After(UNREADY_RECHECK),
        None if workload.pods.iter().any(unready) => Next::After(UNREADY_RECHECK),
        None => Next::OnEvent,
    }
}

/// An event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    message: String,
    last_timestamp: Option<String>,
    event_time: Option<String>,
}

/// Longest wait for events. They only make a sentence better, and the write records wait behind them.
const EVENTS_DEADLINE: Duration = Duration::from_secs(1);

/// Message of a pod's latest `Unhealthy` event.
async fn unhealthy(context: &Context, pod: &PodItem) -> Option<String> {
    let fields = format!("involvedObject.uid={},reason=Unhealthy", pod.uid);
    latest_event(context, &pod.namespace, &fields).await
}

/// Message of the latest event that the field selector finds. Nothing is known where it can't be read.
async fn latest_event(context: &Context, namespace: &str, fields: &str) -> Option<String> {
    let find = context.cluster.find::<Told>(kinds::CORE_EVENT, namespace, fields);
    let found = tokio::time::timeout(EVENTS_DEADLINE, find).await.ok()?;
    let page = found
        .inspect_err(|error| tracing::debug!(%error, "can't read events"))
        .ok()?;
    page.items
        .into_iter()
        .max_by(|a, b| {
            let time = |told: &Told| told.last_timestamp.clone().or_else(|| told.event_time.clone());
            time(a).cmp(&time(b))
        })
        .map(|told| told.message)
}

/// What can be known of the Prometheus objects.
pub(crate) fn prometheus(context: &Context, key: &ApiKey) -> PrometheusFacts {
    match context.board.state(Subject::Prometheus, &key.namespace) {
        KindState::Pending => PrometheusFacts::NotReadYet,
        KindState::Missing => PrometheusFacts::CrdMissing,
        KindState::Forbidden => PrometheusFacts::NotPermitted,
        KindState::Synced => PrometheusFacts::Known(context.store.prometheuses()),
    }
}

//! Reads everything about one MonitoredApi: from the cache where possible, otherwise by a request to the API server.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use controller_api::{MonitoredApi, MonitoredApiSpec, MonitoredApiStatus};
use controller_core::children::deployment::needs_live_replicas;
use controller_core::children::service::metrics_service_name;
use controller_core::children::{child_kinds, dashboard};
use controller_core::facts::{
    AgentsUnread, DeploymentFacts, Facts, GrafanaPlacement, KindState, LiveReplicas, PageFacts, PodFacts,
    PrometheusFacts, Reference, ReferencedWorkload, VolumeClaimFacts, WorkloadFacts,
};
use controller_core::owner::ApiRef;
use controller_core::probe::{PageFinding, recorded_page};
use controller_core::status::{claim_to_look_up, is_reconcile_requested, pod_to_look_up, reads_overall};
use controller_core::watched::WatchedKind;
use controller_core::{ChildKind, Violation};
use serde::Deserialize;
use tokio::time::Instant;

use crate::cache::child_id::child_id;
use crate::cache::namespaced_name::NamespacedName;
use crate::cache::versioned_map::Source;
use crate::cache::watched::{CachedApi, Change};
use crate::cluster::CallError;
use crate::cluster::kinds;
use crate::watch::observe::{ApiItem, ChildItem, SpecText};
use crate::work::context::Context;
use crate::work::referenced;

/// A MonitoredApi that is worked on.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) key: NamespacedName,
    pub(crate) owner: ApiRef,
    pub(crate) generation: i64,
    /// Hash of the spec: a restored etcd gives the same generation to another one.
    pub(crate) spec: u64,
    pub(crate) resource_version: String,
    /// The decoded object, or why it cannot be decoded, as a violation.
    pub(crate) api: Result<Box<MonitoredApi>, Vec<Violation>>,
    /// The status that it has.
    pub(crate) status: MonitoredApiStatus,
    /// Value of the annotation by which a person requests a reconcile.
    pub(crate) reconcile_at: Option<String>,
    /// It is being deleted: the garbage collector deletes its children.
    pub(crate) deleting: bool,
}

impl Target {
    fn new(key: &NamespacedName, cached: &CachedApi) -> Self {
        let owner = ApiRef {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            uid: cached.uid.text(),
        };
        let api = match &cached.spec {
            SpecText::Whole(text) => match serde_json::from_str(text) {
                Ok(spec) => Ok(Box::new(api(&owner, cached.generation, spec))),
                Err(_) => Err(vec![Violation::undecodable(text)]),
            },
            SpecText::TooLarge(bytes) => Err(vec![Violation::oversized(*bytes)]),
        };
        let status = cached.status.as_ref().and_then(|status| status.unpack(key));
        Self {
            key: key.clone(),
            owner,
            generation: cached.generation,
            spec: hash_of(&cached.spec),
            resource_version: cached.resource_version.to_string(),
            api,
            status: status.unwrap_or_else(unseen),
            reconcile_at: cached.reconcile_at.as_deref().map(str::to_owned),
            deleting: cached.deleting,
        }
    }

    /// Whether a person asks for every object to be read and compared.
    pub(crate) fn is_requested(&self) -> bool {
        is_reconcile_requested(self.reconcile_at.as_deref(), &self.status)
    }
}

fn hash_of(spec: &SpecText) -> u64 {
    let mut hasher = DefaultHasher::new();
    spec.hash(&mut hasher);
    hasher.finish()
}

fn api(owner: &ApiRef, generation: i64, spec: MonitoredApiSpec) -> MonitoredApi {
    let mut api = MonitoredApi::new(&owner.name, spec);
    api.metadata.namespace = Some(owner.namespace.clone());
    api.metadata.uid = Some(owner.uid.clone());
    api.metadata.generation = Some(generation);
    api
}

/// The status of an object that was never reconciled.
fn unseen() -> MonitoredApiStatus {
    MonitoredApiStatus {
        observed_generation: -1,
        ..MonitoredApiStatus::default()
    }
}

/// The MonitoredApi as the watch knows it. `None`: it is gone.
pub(crate) fn cached(context: &Context, key: &NamespacedName) -> Option<Target> {
    context.store.api(key).map(|cached| Target::new(key, &cached))
}

/// The MonitoredApi as the API server's store has it now. `None`: it is gone, or another one bears its name. If that is news,
/// it is enqueued: the watch's event of this version will be none.
pub(crate) async fn live(context: &Context, target: &Target) -> Result<Option<Target>, CallError> {
    let key = &target.key;
    let known = context.store.version_of::<ApiItem>(key, &());
    let get = context
        .cluster
        .get::<ApiItem>(kinds::MONITORED_API, Some(&key.namespace), &key.name);
    let Some(item) = get.await? else {
        context.store.forget_api(key, &target.owner.uid);
        return Ok(None);
    };
    let (key, change) = context
        .store
        .upsert(WatchedKind::MonitoredApi, item, Source::Answer(known));
    if change == Change::Work {
        context.queue.add(&key);
    }
    Ok(context.store.api(&key).map(|cached| Target::new(&key, &cached)))
}

/// The Deployment's number of replicas, and the version of the Deployment that has it. `None`: it does not exist.
pub(crate) type LiveDeployment = Option<(LiveReplicas, String)>;

/// Everything besides the spec that a plan is built from and compared with. `read` is the Deployment, if it was just read;
/// an error of that read only keeps the Deployment from being planned.
pub(crate) async fn facts(
    context: &Context,
    target: &Target,
    page: &PageFinding,
    reference: &Reference,
    read: Option<Result<LiveDeployment, CallError>>,
) -> Facts {
    let namespace = &target.key.namespace;
    let state = |kind| (kind, context.watches.state(WatchedKind::Child(kind), namespace));
    let mut facts = Facts {
        states: child_kinds().map(state).collect(),
        children: context.store.children(&target.key),
        requested: target.is_requested(),
        deployment: own_deployment(context, target),
        volume_claim: own_claim(context, target),
        has_overall: has_overall(context, target),
        dashboard_in: dashboard::recorded(&target.status),
        page: page.known.as_ref().map(|known| PageFacts {
            spelling: Arc::clone(&known.spelling),
            is_table: known.is_table(),
        }),
        workload: reference.outline(target.status.workload.as_ref()).map(Arc::new),
        ..Facts::default()
    };
    let needs_number = target.api.as_ref().is_ok_and(|api| needs_live_replicas(&api.spec));
    let deployment = match (read, facts.state(ChildKind::DEPLOYMENT)) {
        (Some(Err(_)), _) if !needs_number => Ok(None),
        (Some(read), _) => read,
        (None, KindState::Synced) => Ok(context.store.live_replicas(&target.key)),
        // Without a watch the number must be read: leaving it out would scale the workload down to 1.
        (None, KindState::Pending | KindState::Missing | KindState::Forbidden) if needs_number => {
            live_replicas(context, target).await
        }
        (None, KindState::Pending | KindState::Missing | KindState::Forbidden) => Ok(None),
    };
    match deployment {
        Ok(deployment) => (facts.live_replicas, facts.deployment_version) = deployment.unzip(),
        Err(error) => facts.unreadable_deployment = Some((error.class, error.message)),
    }
    facts
}

/// Whether every target exports what is counted over all routes: what the status says, or what was found since. While the spec
/// is suspended nothing that is found changes its plan.
fn has_overall(context: &Context, target: &Target) -> bool {
    let suspended = target.api.as_ref().is_ok_and(|api| api.spec.suspend == Some(true));
    let found = context.board.reads_overall(&target.key).filter(|_| !suspended);
    found.unwrap_or_else(|| reads_overall(&target.status))
}

/// What is known of the pods' metrics: what they showed, or what the status says.
pub(crate) fn page(context: &Context, target: &Target) -> PageFinding {
    let recorded = || target.status.metrics.as_ref().map(recorded_page);
    context
        .probes
        .finding(&target.key)
        .or_else(recorded)
        .unwrap_or_default()
}

/// What a live read found before the first write.
#[derive(Debug)]
pub(crate) enum BeforeWriting {
    /// Nothing differs from what the plan was built from.
    AsPlanned,
    /// Something changed: plan again, from this and from the live Deployment.
    Changed(Box<Target>, Result<LiveDeployment, CallError>),
    /// The MonitoredApi is gone, or is being deleted.
    Gone,
}

/// Reads live what a plan was made from, because a watch may be behind: the MonitoredApi, and the number of replicas where
/// the plan depends on it. `planned_from`: the Deployment that the plan was built from, where it could be read.
pub(crate) async fn before_writing(
    context: &Context,
    target: &Target,
    with_replicas: bool,
    planned_from: Option<&LiveDeployment>,
) -> Result<BeforeWriting, CallError> {
    let Some(fresh) = live(context, target).await?.filter(|fresh| !fresh.deleting) else {
        return Ok(BeforeWriting::Gone);
    };
    let moved = fresh.resource_version != target.resource_version;
    if !with_replicas && !moved {
        return Ok(BeforeWriting::AsPlanned);
    }
    let deployment = if has_no_deployment(context, &fresh).await {
        Ok(None)
    } else {
        live_replicas(context, &fresh).await
    };
    let as_planned = !moved && deployment.as_ref().is_ok_and(|live| planned_from == Some(live));
    Ok(if as_planned {
        BeforeWriting::AsPlanned
    } else {
        BeforeWriting::Changed(Box::new(fresh), deployment)
    })
}

/// Whether neither the watch nor a list of names knows a Deployment of this name. `false`: it has to be read.
async fn has_no_deployment(context: &Context, target: &Target) -> bool {
    let kind = ChildKind::DEPLOYMENT;
    let (namespace, name) = (&target.key.namespace, &target.key.name);
    context.watches.state(WatchedKind::Child(kind), namespace) == KindState::Synced
        && context.store.child(&target.key, kind, name).is_none()
        && context
            .name_lists
            .is_free(&context.cluster, kind, namespace, name)
            .await
}

/// The Deployment's number of replicas as the API server has it now, and the version that it was read from.
pub(crate) async fn live_replicas(context: &Context, target: &Target) -> Result<LiveDeployment, CallError> {
    let resource = kinds::resource(ChildKind::DEPLOYMENT);
    let kind = WatchedKind::Child(ChildKind::DEPLOYMENT);
    let key = &target.key;
    let id = child_id(kind, key, &key.name);
    let known = context.store.version_of::<ChildItem>(key, &id);
    let begun = Instant::now();
    let get = context
        .cluster
        .get::<ChildItem>(resource, Some(&key.namespace), &key.name);
    let Some(item) = get.await? else {
        let names = &context.name_lists;
        names.not_found(ChildKind::DEPLOYMENT, &key.namespace, &key.name, begun);
        return Ok(None);
    };
    let version = item.resource_version.clone();
    let replicas = item.details.as_ref().map(|details| details.replicas);
    context.store.upsert(kind, item, Source::Answer(known));
    Ok(replicas.map(|replicas| (replicas, version)))
}

/// Everything besides the plan and its outcome that a status is computed from.
#[derive(Debug)]
pub(crate) struct Observation {
    pub(crate) workload: WorkloadFacts,
    pub(crate) prometheus: PrometheusFacts,
    pub(crate) grafana: GrafanaPlacement,
    /// Pods are asked for their metrics.
    pub(crate) reads_pages: bool,
    /// `None`: they are not known.
    pub(crate) namespace_labels: Option<BTreeMap<String, String>>,
}

/// Reads the workload and the Prometheus objects that may scrape it.
pub(crate) async fn observation(context: &Context, target: &Target, reference: &Reference) -> Observation {
    Observation {
        workload: match reference {
            Reference::None => workload(context, target).await,
            Reference::Missing(_) | Reference::Unread(..) | Reference::Found(_) => {
                referenced_workload(context, target, reference).await
            }
        },
        prometheus: prometheus(context, &target.key),
        grafana: context.store.grafana_placement(&target.key),
        reads_pages: context.reads_pages,
        namespace_labels: context.store.namespace_labels(&target.key.namespace),
    }
}

/// The workload as the watches know it, with the events that explain it.
async fn workload(context: &Context, target: &Target) -> WorkloadFacts {
    let key = &target.key;
    // A claim that is kept although the spec no longer wants it does not matter here.
    let has_storage = target.api.as_ref().is_ok_and(|api| api.spec.storage.is_some());
    let mut workload = WorkloadFacts {
        reference: Reference::None,
        deployment: own_deployment(context, target),
        pods: with_events(context, key, context.store.pods(key)).await,
        ready_endpoints: context.store.ready_endpoints(key, &key.name),
        volume_claim: own_claim(context, target).filter(|_| has_storage),
    };
    let event = match claim_to_look_up(&workload) {
        Some(claim) => {
            let fields = format!("involvedObject.uid={}", claim.uid);
            latest_event(context, &key.namespace, &fields).await
        }
        None => None,
    };
    if let Some((claim, event)) = workload.volume_claim.as_mut().zip(event) {
        claim.latest_event = Some(event.message);
    }
    workload
}

/// A workload that exists already, as it is now, with the events that explain it.
async fn referenced_workload(context: &Context, target: &Target, reference: &Reference) -> WorkloadFacts {
    let key = &target.key;
    let found = reference.found();
    let pods = match found.and_then(ReferencedWorkload::pods) {
        Some(workload) => referenced::pods(&context.cluster, &key.namespace, &workload).await,
        None => Ok(Vec::new()),
    };
    let pods = pods.unwrap_or_else(|error| {
        // The workload's own figures say how many are ready.
        tracing::warn!(namespace = %key.namespace, name = %key.name, %error, "the pods cannot be read");
        Vec::new()
    });
    WorkloadFacts {
        reference: reference.clone(),
        deployment: found.map(|found| found.figures.clone()),
        pods: with_events(context, key, pods).await,
        ready_endpoints: context.store.ready_endpoints(key, &metrics_service_name(&key.name)),
        volume_claim: None,
    }
}

/// The Deployment. One of that name that is not ours says nothing about our workload.
fn own_deployment(context: &Context, target: &Target) -> Option<DeploymentFacts> {
    let deployment = context.store.deployment(&target.key);
    deployment.filter(|_| is_own(context, target, ChildKind::DEPLOYMENT))
}

fn own_claim(context: &Context, target: &Target) -> Option<VolumeClaimFacts> {
    let claim = context.store.volume_claim(&target.key);
    claim.filter(|_| is_own(context, target, ChildKind::PERSISTENT_VOLUME_CLAIM))
}

/// Whether the object of this kind that bears the MonitoredApi's name belongs to it.
fn is_own(context: &Context, target: &Target, kind: ChildKind) -> bool {
    let child = context.store.child(&target.key, kind, &target.key.name);
    child.is_some_and(|child| child.controller_uid.as_deref() == Some(&target.owner.uid))
}

/// The pods, sorted by name, the one that is worth a request with its latest event.
async fn with_events(context: &Context, key: &NamespacedName, mut pods: Vec<PodFacts>) -> Vec<PodFacts> {
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    let Some(uid) = pod_to_look_up(&pods).map(|pod| pod.uid.clone()) else {
        return pods;
    };
    let fields = format!("involvedObject.uid={uid},reason=Unhealthy");
    let unhealthy = latest_event(context, &key.namespace, &fields).await;
    if let Some((pod, event)) = pods.iter_mut().find(|pod| pod.uid == uid).zip(unhealthy) {
        pod.unhealthy_at = event.time().map(str::to_owned);
        pod.unhealthy = Some(event.message);
    }
    pods
}

/// An event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    message: String,
    last_timestamp: Option<String>,
    event_time: Option<String>,
}

impl Event {
    fn time(&self) -> Option<&str> {
        self.last_timestamp.as_deref().or(self.event_time.as_deref())
    }
}

/// Longest wait for events. They only improve a message, and the write records are not saved until
/// they are read.
const EVENTS_DEADLINE: Duration = Duration::from_secs(1);

/// The latest event that the field selector finds. `None`: there is none, or events cannot be read.
async fn latest_event(context: &Context, namespace: &str, fields: &str) -> Option<Event> {
    let find = context.cluster.find::<Event>(kinds::CORE_EVENT, namespace, fields);
    let found = tokio::time::timeout(EVENTS_DEADLINE, find).await.ok()?;
    let page = found
        .inspect_err(|error| tracing::debug!(%error, "cannot read events"))
        .ok()?;
    page.items.into_iter().max_by(|a, b| a.time().cmp(&b.time()))
}

/// What can be known of the Prometheus objects.
fn prometheus(context: &Context, key: &NamespacedName) -> PrometheusFacts {
    let watches = context.watches.all();
    if !watches.iter().any(|watch| watch.kind() == WatchedKind::Prometheus) {
        return PrometheusFacts::NotWatched;
    }
    match context.watches.state(WatchedKind::Prometheus, &key.namespace) {
        KindState::Pending => PrometheusFacts::NotReadYet,
        KindState::Missing => PrometheusFacts::CrdMissing,
        KindState::Forbidden => PrometheusFacts::NotPermitted,
        KindState::Synced => PrometheusFacts::Known {
            all: context.store.prometheuses(),
            agents_unread: match context.watches.state(WatchedKind::PrometheusAgent, &key.namespace) {
                KindState::Pending => Some(AgentsUnread::NotReadYet),
                KindState::Forbidden => Some(AgentsUnread::NotPermitted),
                KindState::Missing | KindState::Synced => None,
            },
        },
    }
}

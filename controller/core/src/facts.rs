//! What was read from the cluster, as plain data: with the MonitoredApi itself, all that the pure core works on.

mod reference;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use controller_api::WorkloadStatus;
use controller_rules::Compat;
use metric_contract::Spelling;

pub use self::reference::{PodsOfWorkload, Reference, ReferencedWorkload, UpdateRule, WorkloadId, selector_text};
use crate::{error_class::ErrorClass, kind::ChildKind};

/// Settings of the installation (chart values, command line), the same for every MonitoredApi.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Labels of every child, under those of the MonitoredApi (`objectLabels`). Pods do not get them.
    pub object_labels: BTreeMap<String, String>,
    /// Labels of ServiceMonitor and PrometheusRule, under those of the MonitoredApi (`monitoring.objectLabels`).
    pub monitoring_object_labels: BTreeMap<String, String>,
    /// Labels of the dashboard object; the default is `grafana_dashboard: "1"`.
    pub dashboard_object_labels: BTreeMap<String, String>,
    /// Labels of the Grafanas of the Grafana Operator that get the dashboards. Empty: all of them.
    pub grafana_instance_labels: BTreeMap<String, String>,
    /// Base of the runbook links, when the MonitoredApi names none.
    pub runbook_base_url: Option<String>,
    /// Whose names the figures of objectives have beside our own. `None`: nobody's.
    pub compat: Option<Compat>,
}

/// What `gather` found before a plan is built.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// What is known of each child kind; a kind that is not listed is [`KindState::Pending`].
    pub states: BTreeMap<ChildKind, KindState>,
    /// Kind, name and observation of every object that the watches know for this MonitoredApi.
    pub children: Vec<(ChildKind, String, ObservedChild)>,
    /// A person asks for every object to be read and compared ([`crate::status::is_reconcile_requested`]).
    pub requested: bool,
    /// The Deployment's figures, if the watch knows one of ours.
    pub deployment: Option<DeploymentFacts>,
    /// The claim for the data, if the watch knows one of ours.
    pub volume_claim: Option<VolumeClaimFacts>,
    /// Every target exports what its dialect has counted over all routes, as the status says or was found since.
    pub has_overall: bool,
    /// What objects take from a workload that exists already ([`Reference::outline`]). `None`: it was never read, or the operator
    /// writes the workload.
    pub workload: Option<Arc<WorkloadStatus>>,
    /// How a page of the API's metrics spells them. `None`: none was seen.
    pub page: Option<PageFacts>,
    /// The kind of object that holds the dashboard, as the status says. `None`: there is no dashboard yet.
    pub dashboard_in: Option<ChildKind>,
    /// Replicas of the live Deployment, if there is one, and whether a manager other than us owns the field.
    pub live_replicas: Option<LiveReplicas>,
    /// `metadata.resourceVersion` of the Deployment that `live_replicas` was read from.
    pub deployment_version: Option<String>,
    /// Why the live Deployment could not be read, where `live_replicas` was needed: the class of the failure, and the API
    /// server's words.
    pub unreadable_deployment: Option<(ErrorClass, String)>,
}

impl Facts {
    /// What is known of a child kind.
    #[must_use]
    pub fn state(&self, kind: ChildKind) -> KindState {
        self.states.get(&kind).copied().unwrap_or(KindState::Pending)
    }

    /// The object of this kind and name. `None`: no watch knows one.
    #[must_use]
    pub fn child(&self, kind: ChildKind, name: &str) -> Option<&ObservedChild> {
        self.children
            .iter()
            .find(|(known, of_name, _)| *known == kind && of_name == name)
            .map(|(_, _, observed)| observed)
    }
}

/// How a page of metrics spells them.
#[derive(Debug, Clone, PartialEq)]
pub struct PageFacts {
    /// Names, labels, units and bounds.
    pub spelling: Arc<Spelling>,
    /// It is the table of its dialect, because the spec or the preset named the dialect when this was recorded.
    pub is_table: bool,
}

impl PageFacts {
    /// As a page showed it.
    #[must_use]
    pub const fn shown(spelling: Arc<Spelling>) -> Self {
        Self {
            spelling,
            is_table: false,
        }
    }
}

/// What is known of a watched kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KindState {
    /// The first list has not come in yet.
    Pending,
    /// Listed, and followed since. It may be behind the API server.
    Synced,
    /// The API server does not serve the kind.
    Missing,
    /// The operator may not list or watch it.
    Forbidden,
}

/// An object with a child's name, as its metadata shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedChild {
    /// Its uid.
    pub uid: String,
    /// uid of its controlling owner, if it has one.
    pub controller_uid: Option<String>,
    /// Name of its controlling owner, if that is a MonitoredApi.
    pub controller_api: Option<String>,
    /// SHA-256 (hex) of `fieldsV1` of our own managedFields entry, without the controller's uid, if there is one.
    pub applied_fields_hash: Option<String>,
    /// It has the annotation by which a person hands it over to us.
    pub adopt: bool,
    /// It is being deleted.
    pub deleting: bool,
    /// `metadata.generation`, where the kind has one.
    pub generation: Option<i64>,
}

/// `spec.replicas` of the live Deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveReplicas {
    /// The number now.
    pub replicas: i32,
    /// We own the field (our managedFields entry names `f:replicas`).
    pub owned_by_us: bool,
    /// Another manager owns it (an autoscaler, `kubectl scale`).
    pub owned_by_another: bool,
}

/// The workload as the watches know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkloadFacts {
    /// The workload that exists already, where the spec refers to one.
    pub reference: Reference,
    /// The Deployment's status, or the figures of the workload that the spec refers to; `None` while it does not exist.
    pub deployment: Option<DeploymentFacts>,
    /// Its pods, sorted by name.
    pub pods: Vec<PodFacts>,
    /// Ready endpoints behind the port of the Service, the metrics Service for a workload that exists already; `None` while no
    /// EndpointSlice exists.
    pub ready_endpoints: Option<usize>,
    /// The claim for its data; `None` while there is none of ours.
    pub volume_claim: Option<VolumeClaimFacts>,
}

impl WorkloadFacts {
    /// How many pods there are; `None` while that is not known. A workload that is gone has none.
    #[must_use]
    pub fn replicas(&self) -> Option<i32> {
        self.figure(|deployment| deployment.replicas)
    }

    /// How many pods are ready; `None` while that is not known. Of a workload that is gone none is, and `ApiDown` needs to know
    /// that number, because Prometheus then knows no target of it either.
    #[must_use]
    pub fn ready_replicas(&self) -> Option<i32> {
        self.figure(|deployment| deployment.ready)
    }

    fn figure(&self, of: impl FnOnce(&DeploymentFacts) -> i32) -> Option<i32> {
        match (&self.deployment, &self.reference) {
            (Some(deployment), _) => Some(of(deployment)),
            (None, Reference::Missing(_)) => Some(0),
            (None, Reference::None | Reference::Unread(..) | Reference::Found(_)) => None,
        }
    }
}

/// What the Grafana Operator says of a GrafanaDashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GrafanaPlacement {
    /// Nothing yet, or nothing of the latest change.
    #[default]
    NotSaid,
    /// No Grafana has the labels that it selects, or none of those is ready.
    NoInstance,
    /// Grafana did not take it, or its fields are not valid.
    Failed,
    /// Grafana has it.
    Synchronized,
}

/// A PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeClaimFacts {
    /// uid of the claim.
    pub uid: String,
    /// `status.phase`: `Pending`, `Bound` or `Lost`; empty while the cluster has not looked at it.
    pub phase: String,
    /// `spec.resources.requests.storage`: the size that it has or shall grow to.
    pub size: String,
    /// Another manager than us owns the size: a person, or an autoscaler of volumes.
    pub resized: bool,
    /// Message of its latest event, while it is not bound.
    pub latest_event: Option<String>,
}

/// Figures of a Deployment, as `kubectl rollout status` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeploymentFacts {
    /// uid of the Deployment.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// `spec.replicas`.
    pub wanted: i32,
    /// `status.replicas`.
    pub replicas: i32,
    /// `status.updatedReplicas`.
    pub updated: i32,
    /// `status.readyReplicas`.
    pub ready: i32,
    /// `status.availableReplicas`.
    pub available: i32,
    /// Reason and message of condition `Progressing`, when it is False.
    pub progress_failed: Option<(String, String)>,
    /// Message of condition `ReplicaFailure`, when it is True (quota, admission).
    pub replica_failure: Option<String>,
}

impl DeploymentFacts {
    /// Whether the Deployment's controller has seen the latest change, and the watch our own latest write, after which the
    /// generation was `written`.
    #[must_use]
    pub fn is_seen(&self, written: Option<i64>) -> bool {
        self.observed_generation >= self.generation.max(written.unwrap_or_default())
    }

    /// Whether every pod is of the newest revision and available, as `kubectl rollout status` judges it.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.updated >= self.wanted && self.replicas <= self.updated && self.available >= self.updated
    }
}

/// One pod of the workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodFacts {
    /// Its name. Never part of a condition's message.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Which pod template it was made from (label `pod-template-hash`).
    pub template_hash: String,
    /// When it was created: RFC 3339, sorts as text.
    pub created: String,
    /// `status.phase`.
    pub phase: String,
    /// Condition `Ready`.
    pub ready: bool,
    /// Reason and message of condition `PodScheduled`, when it is False.
    pub unschedulable: Option<String>,
    /// `state.waiting` of the main container: reason and message.
    pub waiting: Option<(String, String)>,
    /// Last termination of the main container.
    pub terminated: Option<Termination>,
    /// Restarts of the main container.
    pub restarts: i32,
    /// When the main container was started, if it runs again after it ended and is not ready: RFC 3339.
    pub running_since: Option<String>,
    /// Message of the latest `Unhealthy` event, while the pod is not ready.
    pub unhealthy: Option<String>,
    /// The time of that event: RFC 3339.
    pub unhealthy_at: Option<String>,
    /// The address at which it may be asked for its metrics ([`crate::probe::address_to_probe`]).
    pub address: Option<IpAddr>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Termination {
    /// The runtime's reason.
    pub reason: String,
    /// Exit code.
    pub code: i32,
    /// The runtime's text for a container that could not be started; else empty.
    pub message: String,
}

/// What can be known of the Prometheus objects that might select us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PrometheusFacts {
    /// Not read yet.
    #[default]
    NotReadYet,
    /// The CRD `prometheuses.monitoring.coreos.com` is not installed.
    CrdMissing,
    /// The operator may not read them.
    NotPermitted,
    /// The operator looks after single namespaces and does not read them.
    NotWatched,
    /// They have been read.
    Known {
        /// All Prometheus and PrometheusAgent objects that exist, sorted by namespace and name.
        all: Vec<PrometheusSelectors>,
        /// Why there may be PrometheusAgents that have not been read. `None`: they have been.
        agents_unread: Option<AgentsUnread>,
    },
}

/// Why PrometheusAgents have not been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentsUnread {
    /// Not yet.
    NotReadYet,
    /// The operator may not.
    NotPermitted,
}

/// What a Prometheus object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PrometheusKind {
    /// It scrapes, evaluates rules and answers queries.
    #[default]
    Prometheus,
    /// It scrapes, and sends what it scraped elsewhere.
    Agent,
}

impl PrometheusKind {
    /// The kind, as in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Agent => "PrometheusAgent",
        }
    }
}

/// What is read of one Prometheus or PrometheusAgent object. Of its selectors, `None` and `{}` mean different things.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrometheusSelectors {
    /// Which of the two it is.
    pub kind: PrometheusKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `spec.serviceMonitorSelector`: `None` selects nothing, empty selects all.
    pub monitors: Option<LabelSelector>,
    /// `spec.serviceMonitorNamespaceSelector`: `None` selects its own namespace only, empty selects all.
    pub monitor_namespaces: Option<LabelSelector>,
    /// `spec.ruleSelector`: `None` selects nothing, empty selects all.
    pub rules: Option<LabelSelector>,
    /// `spec.ruleNamespaceSelector`: `None` selects its own namespace only, empty selects all.
    pub rule_namespaces: Option<LabelSelector>,
    /// `spec.serviceName`: the Service in front of its pods; `None`: `prometheus-operated`.
    pub service_name: Option<String>,
    /// `spec.routePrefix`: the path under which it answers; `None`: `/`.
    pub route_prefix: Option<String>,
    /// `spec.shards`: among how many its targets are distributed; `None`: it is one.
    pub shards: Option<i32>,
}

impl PrometheusSelectors {
    /// The number of its shards, if it has several. Each scrapes a part of the targets and evaluates every rule over that
    /// part, and its address answers for one of them.
    #[must_use]
    pub fn several_shards(&self) -> Option<i32> {
        self.shards.filter(|shards| *shards > 1)
    }
}

/// A label selector (metav1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub match_labels: BTreeMap<String, String>,
    /// `matchExpressions`: key, operator, values.
    pub match_expressions: Vec<(String, String, Vec<String>)>,
}

//! What was read from the cluster, as plain data: the only input of the pure core besides the MonitoredApi itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::children::ChildKind;

/// Settings of the installation (chart values, command line), the same for every MonitoredApi.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Labels of ServiceMonitor and PrometheusRule, under those of the MonitoredApi (`monitoring.objectLabels`).
    pub monitoring_object_labels: BTreeMap<String, String>,
    /// Labels of the dashboard object; the default is `grafana_dashboard: "1"`.
    pub dashboard_object_labels: BTreeMap<String, String>,
    /// Base of the runbook links, when the MonitoredApi names none.
    pub runbook_base_url: Option<String>,
}

/// What `gather` found before a plan is built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Optional kinds whose CRD is not installed now.
    pub missing_kinds: BTreeSet<ChildKind>,
    /// Replicas of the live Deployment, if there is one, and whether a manager other than us owns the field.
    pub live_replicas: Option<LiveReplicas>,
    /// `metadata.resourceVersion` of the Deployment that `live_replicas` was read from.
    pub deployment_version: Option<String>,
}

/// `spec.replicas` of the live Deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveReplicas {
    /// The number now.
    pub replicas: i32,
    /// We own the field (our managedFields entry names `f:replicas`).
    pub ours: bool,
    /// Another manager owns it (an autoscaler, `kubectl scale`).
    pub others: bool,
}

/// The workload as the API server tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkloadFacts {
    /// The Deployment's status; `None` while it does not exist.
    pub deployment: Option<DeploymentFacts>,
    /// Its pods, sorted by name.
    pub pods: Vec<PodFacts>,
    /// Ready endpoints behind the Service's port `http`; `None` while no EndpointSlice exists.
    pub ready_endpoints: Option<usize>,
    /// The claim for its data; `None` while there is none of ours.
    pub claim: Option<ClaimFacts>,
}

/// A PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClaimFacts {
    /// uid of the claim.
    pub uid: String,
    /// `status.phase`: `Pending`, `Bound` or `Lost`; empty while the cluster has not looked at it.
    pub phase: String,
    /// Message of its latest event, while it is not bound.
    pub told: Option<String>,
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

/// One pod of the workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodFacts {
    /// Its name. Never part of a condition's message.
    pub name: String,
    /// `status.phase`.
    pub phase: String,
    /// Condition `Ready`.
    pub ready: bool,
    /// It belongs to the Deployment's newest ReplicaSet (label `pod-template-hash`), as far as known.
    pub current: bool,
    /// Reason and message of condition `PodScheduled`, when it is False.
    pub unschedulable: Option<String>,
    /// `state.waiting` of the main container: reason and message.
    pub waiting: Option<(String, String)>,
    /// Last termination of the main container.
    pub terminated: Option<Termination>,
    /// Restarts of the main container.
    pub restarts: i32,
    /// Message of the latest `Unhealthy` event, while the pod is not ready.
    pub unhealthy: Option<String>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Termination {
    /// The runtime's reason.
    pub reason: String,
    /// Exit code.
    pub code: i32,
    /// The runtime's text, of a container that could not be started; else empty.
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
    /// All that exist, sorted by namespace and name.
    Known(Vec<PrometheusSelectors>),
}

/// The selectors of one Prometheus object, as JSON: `None` and `{}` mean different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusSelectors {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `spec.serviceMonitorSelector`: `None` selects nothing, empty selects all.
    pub monitors: Option<LabelSelector>,
    /// `spec.serviceMonitorNamespaceSelector`: `None` selects its own namespace only, empty selects all.
    pub monitor_namespaces: Option<LabelSelector>,
}

/// A label selector (metav1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub match_labels: BTreeMap<String, String>,
    /// `matchExpressions`: key, operator, values.
    pub match_expressions: Vec<(String, String, Vec<String>)>,
}

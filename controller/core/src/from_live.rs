//! The values that a plan takes from live objects and from what was found of the targets.

use std::sync::Arc;

use controller_api::WorkloadStatus;
use metric_contract::Spelling;

use crate::kind::ChildKind;

/// What a plan takes from the cluster. With the spec and the installation's settings it decides every object of the plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct FromLive {
    /// The number of pods that the Deployment is sent with.
    pub(crate) replicas: Option<i32>,
    /// `metadata.resourceVersion` of the Deployment, where that number is the live one, sent back as it is, or takes the place of
    /// a live zero.
    pub(crate) replicas_copied_from: Option<String>,
    /// The size of the claim, with storage.
    pub(crate) claim_size: Option<String>,
    /// Rules and panels read what the targets count over all routes.
    pub(crate) reads_overall: bool,
    /// What holds the dashboard.
    pub(crate) dashboard: DashboardObject,
    /// How a page of its metrics spells them.
    pub(crate) page: Option<Arc<Spelling>>,
    /// What is known of a workload that exists already.
    pub(crate) workload: Option<Arc<WorkloadStatus>>,
}

/// The kind of object that holds the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DashboardObject {
    /// For Grafana's sidecar.
    #[default]
    ConfigMap,
    /// For the Grafana Operator.
    GrafanaDashboard,
}

impl DashboardObject {
    pub(crate) const ALL: [Self; 2] = [Self::ConfigMap, Self::GrafanaDashboard];

    /// The kind of its objects.
    pub(crate) const fn kind(self) -> ChildKind {
        match self {
            Self::ConfigMap => ChildKind::CONFIG_MAP,
            Self::GrafanaDashboard => ChildKind::GRAFANA_DASHBOARD,
        }
    }
}

//! A workload that exists already, as `spec.workloadRef` names it: what is known of it, and what the objects of the MonitoredApi
//! take from it.

use std::{collections::BTreeMap, fmt};

use controller_api::{WorkloadStatus, spec::WorkloadKind};

use super::DeploymentFacts;
use crate::error_class::ErrorClass;

/// Kind and name of a workload in the namespace of the MonitoredApi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadId {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
}

impl WorkloadId {
    /// Whether a record is of this workload.
    #[must_use]
    pub fn is_of(&self, recorded: &WorkloadStatus) -> bool {
        self.kind.as_str() == recorded.kind && self.name == recorded.name
    }
}

impl WorkloadId {
    /// Whether the name is one that an object can have. An invalid spec may have any text there.
    #[must_use]
    pub fn is_name(&self) -> bool {
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        self.name.len() <= 253 && self.name.split('.').all(is_part)
    }
}

impl fmt::Display for WorkloadId {
    /// `Kind name`, as messages name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What is known of the workload that the spec refers to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reference {
    /// The spec refers to none: the operator writes the workload.
    #[default]
    None,
    /// It does not exist.
    Missing(WorkloadId),
    /// It could not be read.
    Unread(WorkloadId, ErrorClass),
    /// It exists.
    Found(Box<ReferencedWorkload>),
}

/// A workload that the spec refers to, as it was read from the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencedWorkload {
    /// Its kind and name.
    pub id: WorkloadId,
    /// Its uid.
    pub uid: String,
    /// The MonitoredApi that writes it, which monitors it already.
    pub written_by: Option<String>,
    /// The labels by which it selects its pods. `None`: its selector is one that a Service cannot have.
    pub match_labels: Option<BTreeMap<String, String>>,
    /// The port of its metrics page, as its pod template says.
    pub metrics_port: Option<i32>,
    /// The path of its metrics page, as its pod template says.
    pub metrics_path: Option<String>,
    /// Its pod template says that the metrics page speaks TLS.
    pub speaks_tls: bool,
    /// Its pods share their node's network.
    pub host_network: bool,
    /// Name of the container that serves the metrics page.
    pub container: String,
    /// The limits of `cpu` and `memory` of that container.
    pub limits: BTreeMap<String, String>,
    /// Its figures, in the words of a Deployment.
    pub figures: DeploymentFacts,
    /// When its rollout is complete.
    pub update: UpdateRule,
    /// When it was last changed: RFC 3339. Empty: not known.
    pub changed: String,
}

impl Reference {
    /// The workload, if it exists.
    #[must_use]
    pub const fn found(&self) -> Option<&ReferencedWorkload> {
        match self {
            Self::Found(found) => Some(found),
            Self::None | Self::Missing(_) | Self::Unread(..) => None,
        }
    }

    /// What the objects of the MonitoredApi take from it: as it is now or, where that is not known, as it was when it was last
    /// read (`recorded`). So no object changes because the workload is gone or cannot be read. `None`: it was never read.
    #[must_use]
    pub fn outline(&self, recorded: Option<&WorkloadStatus>) -> Option<WorkloadStatus> {
        let last = |id: &WorkloadId| recorded.filter(|recorded| id.is_of(recorded)).cloned();
        match self {
            Self::None => None,
            Self::Missing(id) | Self::Unread(id, _) => last(id),
            Self::Found(found) => found.outline().or_else(|| last(&found.id)),
        }
    }
}

impl ReferencedWorkload {
    /// What objects take from it. `None`: another MonitoredApi monitors it, or a Service cannot select its pods.
    #[must_use]
    pub fn outline(&self) -> Option<WorkloadStatus> {
        let match_labels = self.match_labels.clone().filter(|_| self.written_by.is_none())?;
        Some(WorkloadStatus {
            kind: self.id.kind.as_str().to_owned(),
            name: self.id.name.clone(),
            match_labels,
            metrics_port: self.metrics_port,
            metrics_path: self.metrics_path.clone(),
            limits: self.limits.clone(),
        })
    }

    /// By what its pods are known.
    #[must_use]
    pub fn pods(&self) -> Option<PodsOfWorkload> {
        Some(PodsOfWorkload {
            kind: self.id.kind,
            name: self.id.name.clone(),
            uid: self.uid.clone(),
            match_labels: self.match_labels.clone()?,
            container: self.container.clone(),
        })
    }
}

/// By what the pods of a workload are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodsOfWorkload {
    /// The workload's kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The labels that it selects by.
    pub match_labels: BTreeMap<String, String>,
    /// Name of the container that speaks for a pod.
    pub container: String,
}

impl PodsOfWorkload {
    /// The label by which its controller tells pods of different templates apart.
    #[must_use]
    pub const fn template_label(&self) -> &'static str {
        match self.kind {
            WorkloadKind::Deployment => "pod-template-hash",
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => "controller-revision-hash",
        }
    }

    /// The labels as a selector of a list, such as `app=orders,tier=web`.
    #[must_use]
    pub fn selector(&self) -> String {
        selector_text(&self.match_labels)
    }
}

/// Labels as the text of a selector.
#[must_use]
pub fn selector_text(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

/// What decides whether a rollout is complete, beside the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateRule {
    /// Of a Deployment.
    Deployment,
    /// Of a StatefulSet.
    StatefulSet {
        /// Pods are replaced only when somebody deletes them.
        on_delete: bool,
        /// Pods below this ordinal stay as they are.
        partition: i32,
        /// `currentRevision` and `updateRevision` are the same.
        is_current: bool,
    },
    /// Of a DaemonSet.
    DaemonSet {
        /// Pods are replaced only when somebody deletes them.
        on_delete: bool,
    },
}

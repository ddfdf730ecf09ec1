//! Reading a workload that exists already, as `spec.workloadRef` names it. Nothing here writes it: it belongs to whoever made it.

mod metrics_place;
mod object;
mod rollout;

use controller_api::spec::WorkloadKind;
use serde_json::Value;

pub use self::object::WorkloadObject;
pub(crate) use self::rollout::Progress;
use self::rollout::update_rule;
use crate::facts::{DeploymentFacts, ReferencedWorkload, WorkloadId};

impl WorkloadObject {
    /// The object as a workload of this kind and name.
    #[must_use]
    pub fn into_workload(self, id: WorkloadId) -> ReferencedWorkload {
        let template = &self.spec.template;
        let place = metrics_place::find(&template.metadata.annotations, &template.spec.containers);
        let figures = self.figures(&id);
        let container = place.container.map(|index| template.spec.containers.get(index));
        let container = container.flatten().or_else(|| template.spec.containers.first());
        ReferencedWorkload {
            uid: self.metadata.uid.clone(),
            written_by: self.metadata.controlling_api(),
            match_labels: self.spec.selector.as_labels(),
            metrics_port: place.port,
            metrics_path: place.path,
            speaks_tls: place.speaks_tls,
            host_network: template.spec.host_network,
            container: container.map(|container| container.name.clone()).unwrap_or_default(),
            limits: container.map(object::Container::limits).unwrap_or_default(),
            figures,
            update: update_rule(id.kind, &self),
            changed: self.metadata.latest_change().to_owned(),
            id,
        }
    }

    fn figures(&self, id: &WorkloadId) -> DeploymentFacts {
        use controller_api::spec::WorkloadKind::{DaemonSet, Deployment, StatefulSet};
        let status = &self.status;
        let condition = |type_: &str, is: &str| {
            let mut all = status.conditions.iter();
            all.find(|condition| condition.type_ == type_ && condition.status == is)
        };
        let wanted = self.spec.replicas.unwrap_or(1);
        let (wanted, replicas, updated, ready, available) = match id.kind {
            Deployment => (
                wanted,
                status.replicas,
                status.updated_replicas,
                status.ready_replicas,
                status.available_replicas,
            ),
            StatefulSet => (
                wanted,
                status.replicas,
                status.updated_replicas,
                status.ready_replicas,
                status.ready_replicas,
            ),
            DaemonSet => (
                status.desired_number_scheduled,
                status.current_number_scheduled,
                status.updated_number_scheduled,
                status.number_ready,
                status.number_available,
            ),
        };
        DeploymentFacts {
            uid: self.metadata.uid.clone(),
            generation: self.metadata.generation.unwrap_or_default(),
            observed_generation: status.observed_generation,
            wanted,
            replicas,
            updated,
            ready,
            available,
            progress_failed: condition("Progressing", "False")
                .map(|condition| (condition.reason.clone(), condition.message.clone())),
            replica_failure: condition("ReplicaFailure", "True").map(|condition| condition.message.clone()),
        }
    }
}

/// The workload of a manifest. `None`: it is none of a kind that can be referred to.
#[must_use]
pub fn of_manifest(manifest: &Value) -> Option<ReferencedWorkload> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind")?;
    let kind = WorkloadKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    let name = text("/metadata/name")?.to_owned();
    if text("/apiVersion") != Some("apps/v1") {
        return None;
    }
    // By way of text, because parts of the metadata stay text.
    let object: WorkloadObject = serde_json::from_str(&manifest.to_string()).ok()?;
    Some(object.into_workload(WorkloadId { kind, name }))
}

#[cfg(test)]
mod tests;

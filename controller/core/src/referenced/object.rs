//! The fields that are read of a Deployment, StatefulSet or DaemonSet that somebody else writes.
//!
//! A field of an unexpected shape is treated as absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{metrics_place, rollout::update_rule};
use crate::{
    facts::{DeploymentFacts, ReferencedWorkload, WorkloadId},
    metadata::Metadata,
};

/// Most labels of a selector that are recorded.
const MAX_LABELS: usize = 64;

/// A Deployment, StatefulSet or DaemonSet, as it is decoded.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct WorkloadObject {
    #[serde(deserialize_with = "lenient")]
    pub(super) metadata: Metadata,
    #[serde(deserialize_with = "lenient")]
    pub(super) spec: Spec,
    #[serde(deserialize_with = "lenient")]
    pub(super) status: Status,
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    // By way of text, because parts of the metadata stay text.
    Ok(serde_json::from_str(&value.to_string()).unwrap_or_default())
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) replicas: Option<i32>,
    #[serde(deserialize_with = "lenient")]
    selector: Selector,
    #[serde(deserialize_with = "lenient")]
    template: Template,
    #[serde(deserialize_with = "lenient")]
    pub(super) update_strategy: UpdateStrategy,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Selector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Template {
    #[serde(deserialize_with = "lenient")]
    metadata: TemplateMeta,
    #[serde(deserialize_with = "lenient")]
    spec: PodSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    host_network: bool,
    containers: Vec<Container>,
}

/// A container of the pod template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Container {
    pub(super) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) ports: Vec<Port>,
    #[serde(deserialize_with = "lenient")]
    resources: Resources,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) container_port: i32,
    pub(super) protocol: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Resources {
    limits: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UpdateStrategy {
    #[serde(rename = "type")]
    pub(super) type_: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) rolling_update: RollingUpdate,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RollingUpdate {
    pub(super) partition: i32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    observed_generation: i64,
    replicas: i32,
    updated_replicas: i32,
    ready_replicas: i32,
    available_replicas: i32,
    pub(super) current_revision: String,
    pub(super) update_revision: String,
    desired_number_scheduled: i32,
    current_number_scheduled: i32,
    updated_number_scheduled: i32,
    number_ready: i32,
    number_available: i32,
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: String,
    message: String,
}

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
            limits: container.map(Container::limits).unwrap_or_default(),
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

impl Selector {
    /// The selector as labels alone. `None`: it says more than a Service can.
    fn as_labels(&self) -> Option<BTreeMap<String, String>> {
        let mut labels = self.match_labels.clone();
        for Expression { key, operator, values } in &self.match_expressions {
            let [value] = values.as_slice() else { return None };
            if operator != "In" || labels.get(key).is_some_and(|known| known != value) {
                return None;
            }
            labels.insert(key.clone(), value.clone());
        }
        (!labels.is_empty() && labels.len() <= MAX_LABELS).then_some(labels)
    }
}

impl Container {
    fn limits(&self) -> BTreeMap<String, String> {
        let limits = self.resources.limits.iter();
        limits
            .filter(|(name, _)| ["cpu", "memory"].contains(&name.as_str()))
            .filter_map(|(name, amount)| {
                let amount = match amount {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
                };
                (amount.len() <= 63).then(|| (name.clone(), amount))
            })
            .collect()
    }
}

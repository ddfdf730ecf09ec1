//! The fields that are read of a Deployment, StatefulSet or DaemonSet that somebody else writes.
//!
//! A field of an unexpected shape is treated as absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::metadata::Metadata;

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
    pub(super) selector: Selector,
    #[serde(deserialize_with = "lenient")]
    pub(super) template: Template,
    #[serde(deserialize_with = "lenient")]
    pub(super) update_strategy: UpdateStrategy,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Selector {
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
pub(super) struct Template {
    #[serde(deserialize_with = "lenient")]
    pub(super) metadata: TemplateMeta,
    #[serde(deserialize_with = "lenient")]
    pub(super) spec: PodSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateMeta {
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodSpec {
    pub(super) host_network: bool,
    pub(super) containers: Vec<Container>,
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
    pub(super) observed_generation: i64,
    pub(super) replicas: i32,
    pub(super) updated_replicas: i32,
    pub(super) ready_replicas: i32,
    pub(super) available_replicas: i32,
    pub(super) current_revision: String,
    pub(super) update_revision: String,
    pub(super) desired_number_scheduled: i32,
    pub(super) current_number_scheduled: i32,
    pub(super) updated_number_scheduled: i32,
    pub(super) number_ready: i32,
    pub(super) number_available: i32,
    #[serde(deserialize_with = "lenient")]
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) type_: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Selector {
    /// The selector as labels alone. `None`: it says more than a Service can.
    pub(super) fn as_labels(&self) -> Option<BTreeMap<String, String>> {
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
    pub(super) fn limits(&self) -> BTreeMap<String, String> {
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

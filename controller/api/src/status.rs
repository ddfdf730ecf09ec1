//! What the operator reports of a MonitoredApi. Shape: design, `full.yaml`, `status`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The observed state of a MonitoredApi.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoredApiStatus {
    /// The generation that this status speaks of; -1 until the operator has seen the object.
    #[serde(default = "unseen")]
    #[schemars(default = "unseen")]
    pub observed_generation: i64,
    /// Pods of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Pods that are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,
    /// The pods' label selector, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Where the API answers inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is known of the metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsStatus>,
    /// What the operator wrote, so that nothing is written twice and a restart writes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub children: Vec<ChildRecord>,
    /// `Condition/Reason` of the first condition that fails; empty when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_failing: Option<String>,
    /// Each link of the chain from spec to dashboard, proved or with its fix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub conditions: Vec<Condition>,
}

const fn unseen() -> i64 {
    -1
}

/// What is known of the metrics that the workload exports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsStatus {
    /// The dialect in use, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// Alerts and panels left out, with the signal that the dialect lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub missing: Vec<String>,
}

/// One object that the operator wrote: the write record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChildRecord {
    /// Its kind.
    pub kind: String,
    /// Its name, in the MonitoredApi's namespace.
    pub name: String,
    /// Its uid when it was written.
    pub uid: String,
    /// SHA-256 (hex) of the canonical JSON of the object as it was sent, without uid.
    pub desired_hash: String,
    /// SHA-256 (hex) of `fieldsV1` of our own managedFields entry after the write.
    pub applied_fields_hash: String,
    /// `metadata.generation` after the write, where the kind has one. Informative only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `Ready`, `Progressing`, `Conflict`, `Failed` or `Missing`.
    pub state: String,
}

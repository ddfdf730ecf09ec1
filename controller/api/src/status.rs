//! What the operator reports about a MonitoredApi.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The observed state of a MonitoredApi.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoredApiStatus {
    /// The generation that this status is about; -1 until the operator has seen the object.
    #[serde(default = "unseen")]
    #[schemars(default = "unseen")]
    pub observed_generation: i64,
    /// Pods of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,
    /// Pods that are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready_replicas: Option<i32>,
    /// The pods' label selector, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub selector: Option<String>,
    /// Where the API answers inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub url: Option<String>,
    /// What was last read of the workload that `spec.workloadRef` names, so that nothing changes while it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadStatus>,
    /// What is known of the metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsStatus>,
    /// What is left of the error budget of the objective that has the least, such as `87%`; negative: its target is missed.
    /// Absent while that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub error_budget_remaining: Option<String>,
    /// Alerts with this namespace and job that fire, as Prometheus last said, at most five minutes ago. Absent while that is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub firing_alerts: Option<i32>,
    /// What is left of the error budget of each objective, as Prometheus last said, at most five minutes ago.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub objectives: Vec<ObjectiveStatus>,
    /// What the operator wrote, so that nothing is written twice and a restart writes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kind", "name"])
    )]
    pub children: Vec<ChildRecord>,
    /// `Condition/Reason` of the first condition that fails; empty when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub first_failing: Option<String>,
    /// Value of the annotation `monitoredapi.io/reconcile-at` for which every object was last read from the API server and
    /// compared, at most 256 characters of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
    /// Each link of the chain from the spec to the dashboard: that it holds, or what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

const fn unseen() -> i64 {
    -1
}

/// What the objects of a MonitoredApi take from a workload that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// Its kind.
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The labels by which it selects its pods.
    #[schemars(schema_with = "crate::schema::labels")]
    pub match_labels: BTreeMap<String, String>,
    /// The port of the metrics page, as its pod template says. Absent: it says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub metrics_port: Option<i32>,
    /// The path of the metrics page, as its pod template says. Absent: it says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub metrics_path: Option<String>,
    /// The limits of `cpu` and `memory` of the container that serves the page.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::recorded_texts")]
    pub limits: BTreeMap<String, String>,
}

/// What is known of the metrics that the workload exports. Of what a pod answers only names of metrics and labels, types and
/// bounds of the dialect's own families stand here; never a value or a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsStatus {
    /// The dialect in use, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub dialect: Option<String>,
    /// What stands before the dialect's own names, where the program chose another beginning than the dialect's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub prefix: Option<String>,
    /// Names of families, and of labels (`family{label}`), in the dialect's table, and what the pods call them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::renamed")]
    pub renamed: BTreeMap<String, String>,
    /// How closely the pods' page agrees with the dialect's table: `Exact`, `Superset` (labels beside the dialect's), `Renamed` or
    /// `Partial`. Absent where the spec or the preset names the dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub confidence: Option<String>,
    /// The label that has the matched route, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub route_label: Option<String>,
    /// How the label of the status is written: `Exact` (404) or `Class` (4xx). Absent: there is no such label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub status_style: Option<String>,
    /// The upper bounds of the histogram of durations, in seconds, without `+Inf`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 32)))]
    pub buckets_seconds: Vec<String>,
    /// The families of the dialect on the pods' page, from which the rules are built after a restart; where the spec or the preset
    /// names the dialect, those that differ from its table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 128),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["metric"])
    )]
    pub families: Vec<FamilyStatus>,
    /// The pods whose page was read last with this result: their label `pod-template-hash`, or
    /// `controller-revision-hash` of a StatefulSet or DaemonSet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub pod_template_hash: Option<String>,
    /// Alerts and panels left out, with the signal that the dialect lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 256)))]
    pub missing: Vec<String>,
    /// Every target exports what its dialect has counted over all routes, so the rules, and the panels that show no route, read
    /// that. Absent: they read the series of routes, which cost Prometheus more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub overall: bool,
}

/// A family of metrics, as the pods export it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FamilyStatus {
    /// What it measures.
    #[schemars(length(max = 63))]
    pub metric: String,
    /// Its name.
    #[schemars(length(max = 256))]
    pub name: String,
    /// `Counter`, `Gauge`, `Histogram` or `Summary`.
    #[serde(rename = "type")]
    #[schemars(length(max = 32))]
    pub type_: String,
    /// The unit of its values.
    #[schemars(length(max = 32))]
    pub unit: String,
    /// What labels of it stand for, and their names, such as `route: handler`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::label_names")]
    pub labels: BTreeMap<String, String>,
    /// The upper bounds of a histogram, in its unit, without `+Inf`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 32)))]
    pub buckets: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// How an objective is kept, rounded. A figure that is not known is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveStatus {
    /// Its name.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Its target, in percent.
    #[schemars(length(max = 16))]
    pub target: String,
    /// Percent of the events of its window that kept the promise, rounded down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub sli: Option<String>,
    /// What is left of the error budget, in whole percent, rounded down; negative: the target is missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub budget_remaining: Option<String>,
    /// How many times faster than allowed the budget was spent in the last hour: `<1`, `1-6`, `6-14` or `>14`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub burn_rate1h: Option<String>,
    /// The same of the last six hours, up to the last whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub burn_rate6h: Option<String>,
}

/// One object that the operator wrote: the write record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChildRecord {
    /// Its kind.
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Its name, in the MonitoredApi's namespace.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Its uid when it was written.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// SHA-256 (hex) of the canonical JSON of the object as it was sent, without uid.
    #[schemars(length(max = 64))]
    pub desired_hash: String,
    /// SHA-256 (hex) of `fieldsV1` of our own managedFields entry after the write, without the uid of the MonitoredApi.
    #[schemars(length(max = 64))]
    pub applied_fields_hash: String,
    /// `metadata.generation` after the write, where the kind has one. Informative only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub version: Option<String>,
    /// `Ready`, `Progressing`, `Conflict`, `Failed` or `Missing`; `Kept`: no longer wanted, but it holds data.
    #[schemars(length(max = 32))]
    pub state: String,
}

impl ChildRecord {
    /// `metadata.generation` after the write, where the kind has one.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.version.as_ref()?.parse().ok()
    }
}

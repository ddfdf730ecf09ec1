//! Children: their metadata, and, for kinds that are watched as whole objects, the fields that the status depends on.

use controller_core::facts::{DeploymentFacts, GrafanaPlacement, LiveReplicas, ObservedChild};
use controller_core::metadata::Metadata;
use serde::Deserialize;

use super::{Condition, condition, lenient};
use crate::cache::managed_fields_hash;

/// A child.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ChildObject")]
pub(crate) struct ChildItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) resource_version: String,
    /// Name of the MonitoredApi that it belongs to.
    pub(crate) owner: String,
    pub(crate) observed: ObservedChild,
    /// `None`: only its metadata was sent.
    pub(crate) details: Option<ChildDetails>,
}

/// The fields besides the metadata that the status depends on. A field that a kind does not have keeps its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChildDetails {
    /// The replica counts of a Deployment.
    pub(crate) deployment: DeploymentFacts,
    pub(crate) replicas: LiveReplicas,
    /// `status.phase` of a PersistentVolumeClaim.
    pub(crate) phase: String,
    /// `spec.resources.requests.storage` of a PersistentVolumeClaim.
    pub(crate) size: String,
    /// Another manager than us owns the size.
    pub(crate) resized: bool,
    /// What the status of a GrafanaDashboard says.
    pub(crate) grafana: GrafanaPlacement,
}

#[derive(Debug, Deserialize)]
struct ChildObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "lenient")]
    spec: Option<Spec>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<Status>,
}

#[derive(Debug, Default, Deserialize)]
struct Spec {
    replicas: Option<i32>,
    #[serde(default, deserialize_with = "lenient")]
    resources: Option<Resources>,
}

/// `spec.resources` of a PersistentVolumeClaim.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Requests,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Requests {
    storage: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: i32,
    updated_replicas: i32,
    ready_replicas: i32,
    available_replicas: i32,
    conditions: Vec<Condition>,
    phase: String,
}

impl From<ChildObject> for ChildItem {
    fn from(object: ChildObject) -> Self {
        let ChildObject { metadata, spec, status } = object;
        let whole = spec.is_some() || status.is_some();
        let details = whole.then(|| details(&metadata, spec.unwrap_or_default(), status.unwrap_or_default()));
        Self {
            observed: metadata.observed(managed_fields_hash::applied_fields),
            owner: metadata.owner(),
            namespace: metadata.namespace,
            name: metadata.name,
            resource_version: metadata.resource_version,
            details,
        }
    }
}

fn details(metadata: &Metadata, spec: Spec, status: Status) -> ChildDetails {
    let wanted = spec.replicas.unwrap_or(1);
    let (owned_by_us, owned_by_another) = metadata.owners_of("replicas");
    ChildDetails {
        deployment: DeploymentFacts {
            generation: metadata.generation.unwrap_or(0),
            uid: metadata.uid.clone(),
            observed_generation: status.observed_generation,
            wanted,
            replicas: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
            progress_failed: condition(&status.conditions, "Progressing", "False")
                .map(|c| (c.reason.clone(), c.message.clone())),
            replica_failure: condition(&status.conditions, "ReplicaFailure", "True").map(|c| c.message.clone()),
        },
        replicas: LiveReplicas {
            replicas: wanted,
            owned_by_us,
            owned_by_another,
        },
        phase: status.phase,
        size: spec
            .resources
            .map(|resources| resources.requests.storage)
            .unwrap_or_default(),
        resized: metadata.owners_of("storage").1,
        grafana: grafana_placement(metadata.generation.unwrap_or(0), &status.conditions),
    }
}

/// From the conditions that the Grafana Operator sets (`controllers/dashboard_controller.go` and `controller_shared.go` of its
/// release 5.18). It removes those that do not apply.
fn grafana_placement(generation: i64, conditions: &[Condition]) -> GrafanaPlacement {
    let latest: Vec<_> = conditions
        .iter()
        .filter(|condition| condition.observed_generation == generation)
        .cloned()
        .collect();
    let has = |kind: &str, status: &str| condition(&latest, kind, status).is_some();
    if has("InvalidSpec", "True") || has("DashboardSynchronized", "False") {
        GrafanaPlacement::Failed
    } else if has("NoMatchingInstance", "True") {
        GrafanaPlacement::NoInstance
    } else if has("DashboardSynchronized", "True") {
        GrafanaPlacement::Synchronized
    } else {
        GrafanaPlacement::NotSaid
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_replicas_of_the_status_are_not_taken_for_those_of_the_spec() {
        let deployment: ChildItem = serde_json::from_value(json!({
            "metadata": {"name": "orders", "namespace": "shop", "managedFields": [
                {"manager": "monitored-api", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {"manager": "kcm", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {"f:replicas": {}}}},
            ]},
            "spec": {"replicas": 3},
        }))
        .unwrap();
        assert_eq!(
            deployment.details.unwrap().replicas,
            LiveReplicas {
                replicas: 3,
                owned_by_us: true,
                owned_by_another: false
            }
        );
    }

    #[test]
    fn a_grafana_dashboard_is_where_the_latest_conditions_say() {
        let of = |conditions: serde_json::Value| {
            let item: ChildItem = serde_json::from_value(json!({
                "metadata": {"name": "orders-dashboard", "namespace": "shop", "generation": 2},
                "spec": {}, "status": {"conditions": conditions, "lastResync": "2026-11-30T08:00:00Z"},
            }))
            .unwrap();
            item.details.unwrap().grafana
        };
        let said = |kind: &str, status: &str, generation: i64| json!([{"type": kind, "status": status, "reason": "R", "message": "m", "observedGeneration": generation}]);
        let cases = [
            (said("DashboardSynchronized", "True", 2), GrafanaPlacement::Synchronized),
            (said("DashboardSynchronized", "True", 1), GrafanaPlacement::NotSaid),
            (said("DashboardSynchronized", "False", 2), GrafanaPlacement::Failed),
            (said("InvalidSpec", "True", 2), GrafanaPlacement::Failed),
            (said("NoMatchingInstance", "True", 2), GrafanaPlacement::NoInstance),
            (json!([]), GrafanaPlacement::NotSaid),
            (json!("odd"), GrafanaPlacement::NotSaid),
        ];
        for (conditions, expected) in cases {
            assert_eq!(of(conditions.clone()), expected, "{conditions}");
        }
    }
}

//! What is read of each watched object, and nothing more: the rest is dropped while decoding.
//!
//! Decoding is forgiving: a field of an unexpected shape costs that field, never the list that it is in.

use std::collections::BTreeMap;

use controller_api::names;
use controller_core::facts::{DeploymentFacts, LabelSelector, LiveReplicas, PodFacts, PrometheusSelectors};
use controller_core::plan::ObservedChild;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::Raw;
use crate::watch::Versioned;

/// A decoded value, or the default where the shape is not the expected one.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned + Default,
{
    let raw = Option::<Raw>::deserialize(deserializer)?;
    Ok(raw
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default())
}

/// The parts of `metadata` that anybody here asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: Option<i64>,
    pub(crate) creation_timestamp: String,
    pub(crate) deletion_timestamp: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
    managed_fields: Vec<ManagedFields>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
    controller: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ManagedFields {
    manager: String,
    operation: String,
    subresource: String,
    /// Kept as text: most entries are never looked into.
    fields_v1: Option<Raw>,
}

impl ManagedFields {
    fn is_ours(&self) -> bool {
        self.manager == names::FIELD_MANAGER && self.operation == "Apply" && self.subresource.is_empty()
    }
}

impl Meta {
    fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references
            .iter()
            .find(|owner| owner.controller == Some(true))
    }

    /// The MonitoredApi that the object belongs to: its controller, else what its label says.
    fn owner(&self) -> String {
        self.controller()
            .filter(|owner| owner.kind == names::KIND && owner.api_version.starts_with(names::GROUP))
            .map(|owner| owner.name.clone())
            .or_else(|| self.labels.get(names::LABEL_OWN_NAME).cloned())
            .unwrap_or_default()
    }

    fn observed(&self) -> ObservedChild {
        ObservedChild {
            uid: self.uid.clone(),
            controller_uid: self.controller().map(|owner| owner.uid.clone()),
            applied_fields_hash: self
                .managed_fields
                .iter()
                .find(|entry| entry.is_ours())
                .and_then(|entry| entry.fields_v1.as_deref())
                .and_then(|fields| crate::hash::applied_fields(fields.get())),
            adopt: self
                .annotations
                .get(names::ANNOTATION_ADOPT)
                .is_some_and(|value| value == "true"),
            deleting: self.deletion_timestamp.is_some(),
            generation: self.generation,
        }
    }

    /// Who owns `spec.replicas`: us, anybody else. Status writers own a field of the same name and don't count.
    fn replica_owners(&self) -> (bool, bool) {
        let owns = |entry: &&ManagedFields| {
            entry.subresource != "status"
                && entry
                    .fields_v1
                    .as_deref()
                    .is_some_and(|fields| fields.get().contains("\"f:replicas\""))
        };
        let mut owners = self.managed_fields.iter().filter(owns);
        let ours = owners.clone().any(ManagedFields::is_ours);
        (ours, owners.any(|entry| !entry.is_ours()))
    }
}

/// A MonitoredApi as it is cached: metadata trimmed, the rest as text that is decoded when it is worked on.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ApiObject")]
pub(crate) struct ApiItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: i64,
    pub(crate) deleting: bool,
    /// What a person asks for by the annotation: any new value is a request.
    pub(crate) reconcile_at: Option<String>,
    /// JSON of the trimmed object.
    pub(crate) text: String,
}

#[derive(Debug, Deserialize)]
struct ApiObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    #[serde(default)]
    spec: Option<Raw>,
    #[serde(default)]
    status: Option<Raw>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trimmed<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: TrimmedMeta<'a>,
    spec: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a Raw>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedMeta<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    resource_version: &'a str,
    generation: i64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, &'a str>,
}

impl From<ApiObject> for ApiItem {
    fn from(object: ApiObject) -> Self {
        let ApiObject { metadata, spec, status } = object;
        let generation = metadata.generation.unwrap_or(0);
        let ours = metadata
            .annotations
            .iter()
            .filter(|(key, _)| key.starts_with(names::GROUP))
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let trimmed = Trimmed {
            api_version: "monitoredapi.io/v1alpha1",
            kind: names::KIND,
            metadata: TrimmedMeta {
                name: &metadata.name,
                namespace: &metadata.namespace,
                uid: &metadata.uid,
                resource_version: &metadata.resource_version,
                generation,
                annotations: ours,
            },
            spec: spec.as_ref(),
            status: status.as_ref(),
        };
        // Plain strings and JSON that was just parsed: this can't fail, and an empty text would only be undecodable.
        let text = serde_json::to_string(&trimmed).unwrap_or_default();
        Self {
            generation,
            deleting: metadata.deletion_timestamp.is_some(),
            reconcile_at: metadata.annotations.get(names::ANNOTATION_RECONCILE_AT).cloned(),
            text,
            namespace: metadata.namespace,
            name: metadata.name,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
        }
    }
}

/// A child by its metadata.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "MetaObject")]
pub(crate) struct ChildItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) resource_version: String,
    /// Name of the MonitoredApi that it belongs to.
    pub(crate) owner: String,
    pub(crate) observed: ObservedChild,
}

#[derive(Debug, Deserialize)]
struct MetaObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
}

impl From<&Meta> for ChildItem {
    fn from(meta: &Meta) -> Self {
        Self {
            observed: meta.observed(),
            owner: meta.owner(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            resource_version: meta.resource_version.clone(),
        }
    }
}

impl From<MetaObject> for ChildItem {
    fn from(object: MetaObject) -> Self {
        Self::from(&object.metadata)
    }
}

/// A Deployment: a child, and the figures of the workload.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "DeploymentObject")]
pub(crate) struct DeploymentItem {
    pub(crate) child: ChildItem,
    pub(crate) facts: DeploymentFacts,
    pub(crate) replicas: LiveReplicas,
}

#[derive(Debug, Deserialize)]
struct DeploymentObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    #[serde(default, deserialize_with = "lenient")]
    spec: DeploymentSpec,
    #[serde(default, deserialize_with = "lenient")]
    status: DeploymentStatus,
}

#[derive(Debug, Default, Deserialize)]
struct DeploymentSpec {
    replicas: Option<i32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeploymentStatus {
    observed_generation: i64,
    replicas: i32,
    updated_replicas: i32,
    ready_replicas: i32,
    available_replicas: i32,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: String,
    message: String,
}

fn condition<'a>(conditions: &'a [Condition], kind: &str, status: &str) -> Option<&'a Condition> {
    conditions
        .iter()
        .find(|known| known.kind == kind && known.status == status)
}

impl From<DeploymentObject> for DeploymentItem {
    fn from(object: DeploymentObject) -> Self {
        let DeploymentObject { metadata, spec, status } = object;
        let wanted = spec.replicas.unwrap_or(1);
        let (ours, others) = metadata.replica_owners();
        Self {
            child: ChildItem::from(&metadata),
            facts: DeploymentFacts {
                generation: metadata.generation.unwrap_or(0),
                uid: metadata.uid,
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
                ours,
                others,
            },
        }
    }
}

/// A pod of a workload.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "PodObject")]
pub(crate) struct PodItem {
    pub(crate) namespace: String,
    pub(crate) resource_version: String,
    /// Name of the MonitoredApi.
    pub(crate) owner: String,
    pub(crate) uid: String,
    /// Which pod template it was made from.
    pub(crate) template_hash: String,
    /// RFC 3339, sorts as text.
    pub(crate) created: String,
    /// `current` and `unhealthy` are filled in by `gather`, which knows the other pods and the events.
    pub(crate) facts: PodFacts,
}

#[derive(Debug, Deserialize)]
struct PodObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    #[serde(default, deserialize_with = "lenient")]
    status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    phase: String,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    restart_count: i32,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Reason>,
    terminated: Option<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reason {
    reason: String,
    message: String,
    exit_code: i32,
}

/// Label by which the Deployment controller tells pods of different templates apart.
const LABEL_TEMPLATE_HASH: &str = "pod-template-hash";
/// Name of the main container; `spec.podTemplate` may add others beside it.
const MAIN_CONTAINER: &str = "api";

impl From<PodObject> for PodItem {
    fn from(object: PodObject) -> Self {
        let PodObject {
            metadata: mut meta,
            mut status,
        } = object;
        let main = status
            .container_statuses
            .iter()
            .position(|container| container.name == MAIN_CONTAINER)
            .unwrap_or(0);
        let main = if main < status.container_statuses.len() {
            status.container_statuses.swap_remove(main)
        } else {
            ContainerStatus::default()
        };
        let terminated = main.state.terminated.or(main.last_state.terminated);
        Self {
            owner: meta.labels.remove(names::LABEL_OWN_NAME).unwrap_or_default(),
            template_hash: meta.labels.remove(LABEL_TEMPLATE_HASH).unwrap_or_default(),
            namespace: meta.namespace,
            resource_version: meta.resource_version,
            uid: meta.uid,
            created: meta.creation_timestamp,
            facts: PodFacts {
                name: meta.name,
                ready: condition(&status.conditions, "Ready", "True").is_some(),
                current: false,
                unschedulable: condition(&status.conditions, "PodScheduled", "False").map(|c| c.message.clone()),
                phase: status.phase,
                waiting: main.state.waiting.map(|waiting| (waiting.reason, waiting.message)),
                terminated: terminated.map(|end| (end.reason, end.exit_code)),
                restarts: main.restart_count,
                unhealthy: None,
            },
        }
    }
}

/// An EndpointSlice of one of our Services.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "SliceObject")]
pub(crate) struct SliceItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) resource_version: String,
    /// Name of the MonitoredApi.
    pub(crate) owner: String,
    /// Name of the Service.
    pub(crate) service: String,
    /// Ready endpoints, if the slice has a port `http`.
    pub(crate) ready: usize,
}

#[derive(Debug, Deserialize)]
struct SliceObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    #[serde(default, deserialize_with = "lenient")]
    endpoints: Vec<Endpoint>,
    #[serde(default, deserialize_with = "lenient")]
    ports: Vec<EndpointPort>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Endpoint {
    conditions: EndpointConditions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EndpointConditions {
    ready: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EndpointPort {
    name: Option<String>,
}

impl From<SliceObject> for SliceItem {
    fn from(object: SliceObject) -> Self {
        let SliceObject {
            metadata: mut meta,
            endpoints,
            ports,
        } = object;
        let named = ports.iter().any(|port| port.name.as_deref() == Some("http"));
        // Absent means ready (the API's own words: "nil should be interpreted as true").
        let ready = endpoints.iter().filter(|e| e.conditions.ready.unwrap_or(true)).count();
        Self {
            owner: meta.labels.remove(names::LABEL_OWN_NAME).unwrap_or_default(),
            service: meta.labels.remove("kubernetes.io/service-name").unwrap_or_default(),
            namespace: meta.namespace,
            name: meta.name,
            resource_version: meta.resource_version,
            ready: if named { ready } else { 0 },
        }
    }
}

/// A Prometheus object: which ServiceMonitors it selects.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "PrometheusObject")]
pub(crate) struct PrometheusItem {
    pub(crate) resource_version: String,
    pub(crate) selectors: PrometheusSelectors,
}

#[derive(Debug, Deserialize)]
struct PrometheusObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    #[serde(default, deserialize_with = "lenient")]
    spec: PrometheusSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PrometheusSpec {
    service_monitor_selector: Option<Value>,
    service_monitor_namespace_selector: Option<Value>,
}

impl From<PrometheusObject> for PrometheusItem {
    fn from(object: PrometheusObject) -> Self {
        let PrometheusObject { metadata, spec } = object;
        Self {
            resource_version: metadata.resource_version,
            selectors: PrometheusSelectors {
                namespace: metadata.namespace,
                name: metadata.name,
                monitors: spec.service_monitor_selector.as_ref().map(label_selector),
                monitor_namespaces: spec.service_monitor_namespace_selector.as_ref().map(label_selector),
            },
        }
    }
}

fn label_selector(value: &Value) -> LabelSelector {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Selector {
        match_labels: BTreeMap<String, String>,
        match_expressions: Vec<Expression>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Expression {
        key: String,
        operator: String,
        values: Vec<String>,
    }
    let selector: Selector = serde_json::from_value(value.clone()).unwrap_or_default();
    LabelSelector {
        match_labels: selector.match_labels,
        match_expressions: selector
            .match_expressions
            .into_iter()
            .map(|expression| (expression.key, expression.operator, expression.values))
            .collect(),
    }
}

/// A namespace's labels.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "MetaObject")]
pub(crate) struct NamespaceItem {
    pub(crate) name: String,
    pub(crate) resource_version: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl From<MetaObject> for NamespaceItem {
    fn from(object: MetaObject) -> Self {
        Self {
            name: object.metadata.name,
            resource_version: object.metadata.resource_version,
            labels: object.metadata.labels,
        }
    }
}

macro_rules! versioned {
    ($($item:ty => |$it:ident| $version:expr),+ $(,)?) => {
        $(impl Versioned for $item {
            fn resource_version(&self) -> &str {
                let $it = self;
                &$version
            }
        })+
    };
}

versioned!(
    ApiItem => |it| it.resource_version,
    ChildItem => |it| it.resource_version,
    DeploymentItem => |it| it.child.resource_version,
    PodItem => |it| it.resource_version,
    SliceItem => |it| it.resource_version,
    PrometheusItem => |it| it.resource_version,
    NamespaceItem => |it| it.resource_version,
);

#[cfg(test)]
mod tests {
    use kube::core::WatchEvent;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_watch_event_of_the_api_server_decodes_with_its_raw_parts() {
        let line = r#"{"type":"ADDED","object":{"apiVersion":"monitoredapi.io/v1alpha1","kind":"MonitoredApi","metadata":
            {"name":"orders","namespace":"shop","uid":"u","resourceVersion":"7","generation":2,"managedFields":[{"manager":
            "kubectl"}],"annotations":{"note":"x","monitoredapi.io/reconcile-at":"now"}},"spec":{"image":1},"status":{}}}"#;
        let Ok(WatchEvent::Added(item)) = serde_json::from_str::<WatchEvent<ApiItem>>(line) else {
            panic!("no item")
        };
        assert_eq!((item.name.as_str(), item.generation), ("orders", 2));
        assert_eq!(item.reconcile_at.as_deref(), Some("now"));
        let trimmed: Value = serde_json::from_str(&item.text).unwrap();
        assert_eq!(trimmed["spec"], json!({"image": 1}));
        assert!(trimmed["metadata"].get("managedFields").is_none());
        assert!(trimmed["metadata"]["annotations"].get("note").is_none());
    }

    #[test]
    fn the_replicas_of_the_status_are_not_taken_for_those_of_the_spec() {
        let deployment: DeploymentItem = serde_json::from_value(json!({
            "metadata": {"name": "orders", "namespace": "shop", "managedFields": [
                {"manager": "monitored-api", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {"manager": "kcm", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {"f:replicas": {}}}},
            ]},
            "spec": {"replicas": 3},
        }))
        .unwrap();
        assert_eq!(
            deployment.replicas,
            LiveReplicas {
                replicas: 3,
                ours: true,
                others: false
            }
        );
    }

    #[test]
    fn a_field_of_an_unexpected_shape_costs_that_field_only() {
        let pod: PodItem = serde_json::from_value(json!({
            "metadata": {"name": "orders-1", "namespace": "shop", "labels": {"monitoredapi.io/name": "orders"}},
            "status": {"phase": 7},
        }))
        .unwrap();
        assert_eq!(pod.owner, "orders");
        assert_eq!(pod.facts.phase, "");
    }

    #[test]
    fn an_absent_selector_and_an_empty_one_stay_different() {
        let item: PrometheusItem = serde_json::from_value(json!({
            "metadata": {"name": "k8s", "namespace": "monitoring"},
            "spec": {"serviceMonitorSelector": {}},
        }))
        .unwrap();
        assert_eq!(item.selectors.monitors, Some(LabelSelector::default()));
        assert_eq!(item.selectors.monitor_namespaces, None);
    }

    #[test]
    fn endpoints_count_only_behind_the_port_http() {
        let slice = |port: &str| -> SliceItem {
            serde_json::from_value(json!({
                "metadata": {"name": "orders-x", "namespace": "shop"},
                "endpoints": [{"conditions": {"ready": true}}, {"conditions": {"ready": false}}, {}],
                "ports": [{"name": port}],
            }))
            .unwrap()
        };
        assert_eq!(slice("http").ready, 2);
        assert_eq!(slice("metrics").ready, 0);
    }

    #[test]
    fn the_main_container_speaks_for_the_pod_even_beside_sidecars() {
        let pod: PodItem = serde_json::from_value(json!({
            "metadata": {"name": "orders-1", "namespace": "shop"},
            "status": {"containerStatuses": [
                {"name": "sidecar", "restartCount": 9},
                {"name": "api", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "m"}}},
            ]},
        }))
        .unwrap();
        assert_eq!(pod.facts.restarts, 1);
        assert_eq!(pod.facts.waiting, Some(("CrashLoopBackOff".to_owned(), "m".to_owned())));
    }
}

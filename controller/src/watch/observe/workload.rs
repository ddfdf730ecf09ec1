//! Pods and EndpointSlices of our workloads, trimmed to core's facts.

use controller_api::names;
use controller_api::spec::WorkloadKind;
use controller_core::children::service::metrics_service_name;
use controller_core::facts::{PodFacts, PodsOfWorkload, Termination};
use controller_core::kind::{PORT_HTTP, PORT_METRICS};
use controller_core::metadata::Metadata;
use controller_core::probe::{PodAddressing, WorkloadOfPod, address_to_probe, is_of_workload};
use serde::Deserialize;

use super::{Condition, condition, lenient};

/// A pod of a workload.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "PodObject")]
pub(crate) struct PodItem {
    pub(crate) namespace: String,
    pub(crate) resource_version: String,
    /// Name of the MonitoredApi.
    pub(crate) owner: String,
    /// `unhealthy` is filled in by `gather`, which reads the events.
    pub(crate) facts: PodFacts,
}

#[derive(Debug, Clone, Deserialize)]
struct PodObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "lenient")]
    spec: PodSpec,
    #[serde(default, deserialize_with = "lenient")]
    status: PodStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    host_network: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: String,
    #[serde(rename = "hostIP")]
    host_ip: String,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    restart_count: i32,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    running: Option<Running>,
    waiting: Option<Reason>,
    terminated: Option<Reason>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Running {
    started_at: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reason {
    reason: String,
    message: String,
    exit_code: i32,
}

/// Label by which the Deployment controller tells pods of different templates apart.
const LABEL_TEMPLATE_HASH: &str = "pod-template-hash";

impl From<PodObject> for PodItem {
    fn from(mut pod: PodObject) -> Self {
        let owner = pod.metadata.labels.remove(names::LABEL_API_NAME).unwrap_or_default();
        Self {
            namespace: pod.metadata.namespace.clone(),
            resource_version: pod.metadata.resource_version.clone(),
            facts: pod.into_facts(WorkloadOfPod::Deployment(&owner), LABEL_TEMPLATE_HASH, names::CONTAINER),
            owner,
        }
    }
}

/// A pod with the labels that a workload selects by, which exists already. It may be another workload's.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct SelectedPod(PodObject);

impl SelectedPod {
    /// The pod, if the workload's controller made it.
    pub(crate) fn of(self, workload: &PodsOfWorkload) -> Option<PodFacts> {
        let Self(pod) = self;
        let of = match workload.kind {
            WorkloadKind::Deployment => WorkloadOfPod::Deployment(&workload.name),
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                WorkloadOfPod::Controller(workload.kind.as_str(), &workload.uid)
            }
        };
        let label = workload.template_label();
        is_of_workload(pod.addressing(of, label)).then(|| pod.into_facts(of, label, &workload.container))
    }
}

impl PodObject {
    fn addressing<'a>(&'a self, workload: WorkloadOfPod<'a>, template_label: &str) -> PodAddressing<'a> {
        PodAddressing {
            workload,
            template_hash: self.metadata.labels.get(template_label).map_or("", String::as_str),
            controller: self.metadata.controller_kind_and_name(),
            controller_uid: self.metadata.controller_uid().unwrap_or_default(),
            pod_ip: &self.status.pod_ip,
            host_ip: &self.status.host_ip,
            host_network: self.spec.host_network,
        }
    }

    /// `unhealthy` is filled in by `gather`, which reads the events. `container`: the name of the one that speaks for the pod.
    fn into_facts(self, workload: WorkloadOfPod<'_>, template_label: &str, container: &str) -> PodFacts {
        let address = address_to_probe(self.addressing(workload, template_label));
        let Self {
            metadata: mut meta,
            spec: _,
            mut status,
        } = self;
        let template_hash = meta.labels.remove(template_label).unwrap_or_default();
        let main = status
            .container_statuses
            .iter()
            .position(|known| known.name == container)
            .unwrap_or(0);
        let main = if main < status.container_statuses.len() {
            status.container_statuses.swap_remove(main)
        } else {
            ContainerStatus::default()
        };
        let terminated = main.state.terminated.or(main.last_state.terminated);
        let ready = condition(&status.conditions, "Ready", "True").is_some();
        let running_since = main.state.running.and_then(|running| running.started_at);
        PodFacts {
            template_hash,
            uid: meta.uid,
            created: meta.creation_timestamp,
            name: meta.name,
            ready,
            unschedulable: condition(&status.conditions, "PodScheduled", "False").map(|c| c.message.clone()),
            phase: status.phase,
            waiting: main.state.waiting.map(|waiting| (waiting.reason, waiting.message)),
            terminated: terminated.map(termination),
            restarts: main.restart_count,
            running_since: running_since.filter(|_| main.restart_count > 0 && !ready),
            unhealthy: None,
            unhealthy_at: None,
            address,
        }
    }
}

/// Returns the message only if the container never ran: a container that ran may have written any text there.
fn termination(end: Reason) -> Termination {
    let never_ran = ["StartError", "ContainerCannotRun"].contains(&end.reason.as_str());
    Termination {
        message: if never_ran { end.message } else { String::new() },
        reason: end.reason,
        code: end.exit_code,
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
    /// Ready endpoints, if the slice has the port of the Service: `http`, or `metrics` of the metrics Service.
    pub(crate) ready: usize,
}

#[derive(Debug, Deserialize)]
struct SliceObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
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
        let owner = meta.labels.remove(names::LABEL_API_NAME).unwrap_or_default();
        let service = meta.labels.remove("kubernetes.io/service-name").unwrap_or_default();
        let of_metrics = service == metrics_service_name(&owner);
        let wanted = if of_metrics { PORT_METRICS } else { PORT_HTTP };
        let named = ports.iter().any(|port| port.name.as_deref() == Some(wanted));
        // Absent means ready (the API's own words: "nil should be interpreted as true").
        let ready = endpoints.iter().filter(|e| e.conditions.ready.unwrap_or(true)).count();
        Self {
            owner,
            service,
            namespace: meta.namespace,
            name: meta.name,
            resource_version: meta.resource_version,
            ready: if named { ready } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
    fn a_pod_has_an_address_to_ask_only_with_a_network_of_its_own() {
        let pod = |change: fn(&mut serde_json::Value)| -> PodItem {
            let mut object = json!({
                "metadata": {
                    "name": "orders-6d4b75cb6d-x7k2p", "namespace": "shop",
                    "labels": {"monitoredapi.io/name": "orders", "pod-template-hash": "6d4b75cb6d"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "orders-6d4b75cb6d", "controller": true}],
                },
                "spec": {"containers": []},
                "status": {"podIP": "10.1.2.3", "hostIP": "10.0.0.7"},
            });
            change(&mut object);
            serde_json::from_value(object).unwrap()
        };
        assert_eq!(pod(|_| ()).facts.address, Some([10, 1, 2, 3].into()));
        assert_eq!(
            pod(|object| object["spec"]["hostNetwork"] = json!(true)).facts.address,
            None
        );
        assert_eq!(
            pod(|object| object["status"]["podIP"] = json!("10.0.0.7"))
                .facts
                .address,
            None
        );
        assert_eq!(
            pod(|object| object["metadata"]["ownerReferences"] = json!([]))
                .facts
                .address,
            None
        );
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

//! The spec of a MonitoredApi: what a user writes.
//!
//! Every field is optional in Rust, so that everything that the API server accepts decodes. The schema and CEL
//! (`crate::crd`) say which fields are required; controller-core's `validate` says what else is wrong.

mod autoscaling;
mod custom;
mod env;
mod monitoring;
mod objective;
mod pod;
mod scalar;
mod workload_ref;

use std::collections::BTreeMap;

pub use autoscaling::AutoscalingSpec;
pub use custom::{
    CustomDuration, CustomDurationType, CustomInFlight, CustomLabels, CustomMetrics, CustomRequests, CustomUnit,
};
pub use env::{EnvFrom, EnvVar, EnvVarSource, FieldRef, KeyRef, ObjectRef, PullSecret, ResourceFieldRef};
use kube::CustomResource;
pub use monitoring::{
    AlertOverride, AlertsSpec, DashboardForm, DashboardSpec, MetricsSpec, MonitoringSpec, ProxySpec, ScrapeLimits,
};
pub use objective::{ObjectiveSelector, ObjectiveSpec, ObjectiveType, ObjectiveWindow};
pub use pod::{
    HttpProbe, ImagePullPolicy, Probe, Probes, Resources, SecurityProfile, ServiceSpec, ServiceType, StorageSpec,
    Strategy, StrategyType, TcpProbe,
};
pub use scalar::{IntOrString, QUANTITY_EXPECTED, Quantity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use workload_ref::{WorkloadKind, WorkloadRef};

use crate::MonitoredApiStatus;

/// A web API that runs and is monitored: the workload, its Service, and all that Prometheus and Grafana need.
#[allow(clippy::duplicated_attributes, reason = "each printer column names its type")]
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "monitoredapi.io",
    version = "v1alpha1",
    kind = "MonitoredApi",
    plural = "monitoredapis",
    singular = "monitoredapi",
    shortname = "mapi",
    category = "all",
    category = "monitoring",
    namespaced,
    status = "MonitoredApiStatus",
    derive = "PartialEq",
    doc = "A web API that runs and is monitored: the workload, its Service, and all that Prometheus and Grafana need.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "READY",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "The workload runs as wanted."
    ),
    printcolumn(
        name = "REPLICAS",
        type_ = "integer",
        json_path = ".status.replicas",
        description = "Pods of the workload."
    ),
    printcolumn(
        name = "DIALECT",
        type_ = "string",
        json_path = ".status.metrics.dialect",
        description = "How its metrics are spelled."
    ),
    printcolumn(
        name = "MONITORED",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Monitored")].status"#,
        description = "The chain from the workload to Prometheus is proved."
    ),
    printcolumn(
        name = "BUDGET",
        type_ = "string",
        json_path = ".status.errorBudgetRemaining",
        description = "The lowest error budget that is left."
    ),
    printcolumn(
        name = "FIRING",
        type_ = "integer",
        json_path = ".status.firingAlerts",
        description = "Alerts that fire."
    ),
    printcolumn(
        name = "FIRST-FAILING",
        type_ = "string",
        json_path = ".status.firstFailing",
        description = "The first condition that fails, with its reason.",
        priority = 1
    ),
    printcolumn(
        name = "AGE",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was created."
    )
)]
#[serde(rename_all = "camelCase")]
pub struct MonitoredApiSpec {
    /// `true`: the operator stops writing objects and goes on reporting the status. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The container image, such as `ghcr.io/acme/orders:1.4.2`. Required, unless `workloadRef` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^\\S+$"))]
    pub image: Option<String>,
    /// Instead of `image`: a workload that exists already, in the same namespace, such as `{apiVersion: apps/v1, kind:
    /// Deployment, name: orders}`. It gets the same monitoring and is never changed, so fields about pods are refused. Where the
    /// metrics are is read from it, unless `metrics.port` and `metrics.path` say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_ref: Option<WorkloadRef>,
    /// Defaults for a kind of application: `auto` (default; safe for any image), `native` (the reference API), or a
    /// framework, such as `fastapi`, `spring-boot` or `express` (docs/reference/presets.md lists them). It decides port,
    /// probes, metrics path and dialect, writable paths, user and grace period. An unknown name is refused by the condition
    /// `Accepted`, not by the API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub preset: Option<String>,
    /// When the kubelet pulls the image. Default: Kubernetes's own (`Always` for the tag `latest`, else `IfNotPresent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// Secrets with registry credentials, such as `[{name: ghcr}]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub image_pull_secrets: Option<Vec<PullSecret>>,
    /// Replaces the image's entrypoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(max = 4096)))]
    pub command: Option<Vec<String>>,
    /// Replaces the image's arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), inner(length(max = 4096)))]
    pub args: Option<Vec<String>>,
    /// Number of pods. Without it the Deployment starts with 1 pod, and `kubectl scale` or an autoscaler may change the
    /// number. 0 is allowed: the API is scaled to zero and its alerts are silent. Ignored with `autoscaling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub replicas: Option<i32>,
    /// Port on which the container serves HTTP; the container port is named `http`. Default: the preset's, 8000 in
    /// `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Environment variables, such as `[{name: LOG_LEVEL, value: info}]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 256),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub env: Option<Vec<EnvVar>>,
    /// ConfigMaps and Secrets all of whose keys become environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub env_from: Option<Vec<EnvFrom>>,
    /// CPU, memory and other resources. Default: requests `{cpu: 50m, memory: 64Mi}`, no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// What the container may do. Default `Restricted`; an image that runs as root needs `Baseline` or `runAsUser`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_profile: Option<SecurityProfile>,
    /// User id of the container, such as 65532. Default: under `Restricted` the preset's, if it has one; else the image's
    /// own, which under `Restricted` must be a number other than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub run_as_user: Option<i64>,
    /// `true`: the container can write to its volumes only (`/tmp` is always one). Default `false`; `true` in preset
    /// `native`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_root_filesystem: Option<bool>,
    /// A PersistentVolumeClaim that keeps the data of the one pod when the pod is replaced. The rollout is then `Recreate`,
    /// and `replicas` at most 1. Without it (default) data is lost with the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// How old pods are replaced by new ones. Default: rolling, no pod missing, one more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Seconds that a pod has from the request to stop until it is killed; up to 5 of them pass before the signal, so
    /// that no request is sent to a pod that stops. Default: the preset's, 30 in `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub termination_grace_period_seconds: Option<i64>,
    /// ServiceAccount of the pods; its token is then mounted. Default: one of its own, without token and without Role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub service_account_name: Option<String>,
    /// Labels of every object that is made for this API, and of its pods, such as `cost-center: "4711"`: for policies that
    /// demand them. They win over those of the installation; `podLabels`, `monitoring.objectLabels` and
    /// `dashboard.objectLabels` win over these. A change replaces the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub object_labels: Option<BTreeMap<String, String>>,
    /// More labels of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub pod_labels: Option<BTreeMap<String, String>>,
    /// Annotations of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub pod_annotations: Option<BTreeMap<String, String>>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Taints that the pods tolerate (core/v1 Toleration).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::open_objects")]
    pub tolerations: Option<Vec<Value>>,
    /// Node and pod affinity (core/v1 Affinity).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::open_object")]
    pub affinity: Option<Value>,
    /// How pods spread (core/v1 TopologySpreadConstraint). Default: over zones and nodes, as far as possible; `[]`
    /// for no constraint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::open_objects")]
    pub topology_spread_constraints: Option<Vec<Value>>,
    /// The container's probes. Default: the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
    /// Escape hatch: a partial core/v1 PodTemplateSpec that is merged over the generated one (lists by name). It may
    /// not change the selector's labels or the ports `http` and `metrics`; the container is named `api`. A null for
    /// `spec.securityContext.fsGroup` or `runAsUser` takes the id away, for namespaces that choose it (OpenShift).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::open_object")]
    pub pod_template: Option<Value>,
    /// The Service in front of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSpec>,
    /// Monitoring as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<MonitoringSpec>,
    /// Where the metrics are and how they are spelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsSpec>,
    /// Alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<AlertsSpec>,
    /// What is promised of the API: recording rules, error budgets and alerts (`ApiErrorBudgetBurn`) are made for each.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub objectives: Option<Vec<ObjectiveSpec>>,
    /// The Grafana dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<DashboardSpec>,
    /// An autoscaler for the pods. Default: none. When it is removed, the number of pods stays, unless `replicas` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<AutoscalingSpec>,
}

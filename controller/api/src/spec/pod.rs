//! How the pods run: resources, security, rollout, probes, Service.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntOrString, Quantity};

/// When the kubelet pulls the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum ImagePullPolicy {
    /// At every start of a container.
    Always,
    /// Unless the node has it.
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

/// What the container may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum SecurityProfile {
    /// Pod Security Standard `restricted`: not root, no privilege escalation, no capabilities, seccomp RuntimeDefault.
    #[default]
    Restricted,
    /// Pod Security Standard `baseline`: the image's own user, root included.
    Baseline,
}

/// CPU, memory and other resources of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// What the scheduler reserves, by resource. Default `{cpu: 50m, memory: 64Mi}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::quantities")]
    pub requests: Option<BTreeMap<String, Quantity>>,
    /// What the container may use at most, by resource. Default: no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::quantities")]
    pub limits: Option<BTreeMap<String, Quantity>>,
}

/// The volume for the data. When the field is removed, the claim stays because it holds data; it is deleted with the
/// MonitoredApi.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageSpec {
    /// Size of the volume, such as `1Gi`. It can grow, where the StorageClass allows it, and never shrink.
    pub size: Quantity,
    /// StorageClass of the claim; fixed once the claim exists. Default: the cluster's default class; `""` for a volume
    /// without class, made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 253),
        regex(pattern = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$")
    )]
    pub storage_class_name: Option<String>,
    /// Where the container finds the volume. Default `/data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 1024), regex(pattern = "^/[^:\\s]+$"))]
    pub mount_path: Option<String>,
}

/// How old pods are replaced by new ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Strategy {
    /// `RollingUpdate` (default without `storage`): new pods first. `Recreate`: all old pods go before a new one starts.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<StrategyType>,
    /// Pods that may be missing during a rollout: a number or a percentage. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::number_or_percentage")]
    pub max_unavailable: Option<IntOrString>,
    /// Pods that may exist above `replicas` during a rollout: a number or a percentage. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::number_or_percentage")]
    pub max_surge: Option<IntOrString>,
}

/// Kind of rollout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum StrategyType {
    /// New pods first, old pods go as new ones become ready.
    #[default]
    RollingUpdate,
    /// All old pods go before a new one starts.
    Recreate,
}

/// The container's probes. Fields that a probe leaves out come from the preset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// Whether the pod gets traffic. Default: the preset's; in `auto` the port accepts a connection, in `native`
    /// `/health/ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Probe>,
    /// Whether the container is restarted. Default: preset `auto`: none; `native`: `/health/live`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Probe>,
    /// Delays the other probes until it succeeds once. Default: preset `auto`: none; `native`: `/health/startup`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<Probe>,
}

/// One probe. At most one of `http` and `tcp`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// `false` turns the preset's probe off. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Succeeds if a GET on `spec.port` answers 200 to 399.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// Succeeds if `spec.port` accepts a connection. Written `tcp: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpProbe>,
    /// Seconds between two probes. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub period_seconds: Option<i32>,
    /// Seconds after which a probe without an answer has failed. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: Option<i32>,
    /// Failures in a row after which the probe counts as failed. Default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failure_threshold: Option<i32>,
}

/// A probe by HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpProbe {
    /// Path of the GET request, such as `/health/ready`.
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^/\\S*$"))]
    pub path: String,
}

/// A probe by TCP connection; it has no settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpProbe {}

/// The Service in front of the pods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Kind of Service. Default `ClusterIP`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<ServiceType>,
    /// Port of the Service; it leads to `spec.port` of the container. Default 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Annotations of the Service, such as those of a cloud's load balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Kind of Service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum ServiceType {
    /// Reachable inside the cluster.
    #[default]
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// Also on a port of every node.
    NodePort,
    /// Also through the cloud's load balancer.
    LoadBalancer,
}

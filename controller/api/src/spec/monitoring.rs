//! What is monitored, and how: metrics, alerts, dashboard.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Monitoring as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoringSpec {
    /// `false`: a managed workload without ServiceMonitor, rules and dashboard. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Labels of ServiceMonitor and PrometheusRule, by which a Prometheus selects them, such as
    /// `release: kube-prometheus-stack`. They win over those of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub object_labels: Option<BTreeMap<String, String>>,
}

/// Where the metrics are and how they are spelled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsSpec {
    /// Path of the metrics page. Default: the preset's, `/metrics` in `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^/[^\\s?#]*$"))]
    pub path: Option<String>,
    /// Port of the metrics page. Default: `spec.port`. Another number gets a headless Service `<name>-metrics` of its
    /// own, so that the metrics are never on the public Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Time between two scrapes: a Prometheus duration in h, m, s, ms, at least 1s. Default `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = crate::schema::DURATION_PATTERN))]
    pub interval: Option<String>,
    /// Time after which a scrape is given up; at most `interval`. Default `10s`, or `interval` if that is shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = crate::schema::DURATION_PATTERN))]
    pub timeout: Option<String>,
    /// How the metrics are spelled: `auto` (what a ready pod's page shows), the name of a dialect, such as `native`, or `custom` for
    /// names by hand. Default: the preset's, else `auto`. An unknown name is refused by the condition `Accepted`, not by the API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub dialect: Option<String>,
    /// For `dialect: custom`: the names of the metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<super::CustomMetrics>,
    /// For a `dialect` of a proxy or a mesh, such as `istio`: how the proxy knows the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxySpec>,
    /// Regular expressions (RE2, whole value) of routes that count for no alert and no objective, such as
    /// `/internal/.*`. Probe and metrics paths are excluded always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 256)))]
    pub excluded_routes: Option<Vec<String>>,
    /// Limits of one scrape; a scrape above one of them fails as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ScrapeLimits>,
}

/// How a proxy that counts the requests knows the workload. What each dialect reads stands in docs/reference/dialects.md.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxySpec {
    /// The Service in this namespace through which the proxy's requests come. Default: that of the MonitoredApi; with
    /// `workloadRef` there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub service: Option<String>,
    /// The number of the Service's port. Default, for the MonitoredApi's own Service: `spec.service.port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// The name of the Service's port, where the proxy's route names it so. Default, for the MonitoredApi's own Service: `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub port_name: Option<String>,
    /// For `envoy` and `traefik`: what the proxy itself calls the workload, in the place of names made from the Service, such as
    /// `httproute/shop/orders/rule/0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 512)))]
    pub names: Option<Vec<String>>,
}

/// Limits of one scrape: a guard for Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScrapeLimits {
    /// Samples of a scrape. Default 50000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub samples: Option<i64>,
    /// Size of the page, such as `10MiB`. Default `10MiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = "^[0-9]+(\\.[0-9]+)?([KMGTPE]i?)?B$"))]
    pub body_size: Option<String>,
    /// Labels of a sample. Default 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 8, max = 1024))]
    pub labels: Option<i64>,
}

/// Alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertsSpec {
    /// `false`: no alerts. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Labels of each alert, such as `team: shop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::alert_labels")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Where the runbooks are: `<runbookBaseUrl>/<Alert>.md` is linked from each alert. Default: the installation's; without
    /// one, alerts name their runbooks and link nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 9, max = 512), regex(pattern = "^https://[^\\s{}\"'<>]+$"))]
    pub runbook_base_url: Option<String>,
    /// Changes to single alerts, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 64),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub overrides: Option<Vec<AlertOverride>>,
}

/// Changes to one alert. Fields that are left out keep the alert's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertOverride {
    /// Name of the alert, such as `ApiHighErrorRatio`.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The threshold in the alert's own unit: a ratio (`"0.02"`), a duration (`500ms`), bytes (`512Mi`), a count (`"10"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub threshold: Option<String>,
    /// How long the condition must hold before the alert fires, such as `2m`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = crate::schema::DURATION_PATTERN))]
    pub for_: Option<String>,
    /// How long the alert keeps firing after the condition stopped holding, such as `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = crate::schema::DURATION_PATTERN))]
    pub keep_firing_for: Option<String>,
    /// Value of the label `severity`, such as `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
    )]
    pub severity: Option<String>,
    /// Labels of this alert; they win over `spec.alerts.labels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::alert_labels")]
    pub labels: Option<BTreeMap<String, String>>,
    /// `false`: the alert is left out. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// The Grafana dashboard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DashboardSpec {
    /// `false`: no dashboard. Default `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The kind of object that holds the dashboard. Default `Auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<DashboardForm>,
    /// Folder in Grafana (annotation `grafana_folder`). Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9][A-Za-z0-9 ._-]*$"))]
    pub folder: Option<String>,
    /// Labels of the dashboard's object, by which Grafana's sidecar finds it. They win over those of the installation.
    /// Default `grafana_dashboard: "1"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub object_labels: Option<BTreeMap<String, String>>,
}

/// The kind of object that holds the dashboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DashboardForm {
    /// A GrafanaDashboard where the cluster serves that kind, else a ConfigMap.
    #[default]
    Auto,
    /// A ConfigMap for Grafana's sidecar.
    ConfigMap,
    /// A GrafanaDashboard for the Grafana Operator.
    GrafanaDashboard,
}

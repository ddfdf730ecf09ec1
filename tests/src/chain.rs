//! The whole chain on real nodes: test bed, Prometheus Operator, Prometheus, Alertmanager, our chart from our images.
//! `cargo xtask demo` and the end-to-end tests both drive it.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value by key gives null, never a panic"
)]

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use testbed::{Level, Testbed};

use crate::{
    eventually,
    image::Images,
    panels::{self, PanelValue},
    prometheus::{Prometheus, get_json},
    workspace,
};

/// Namespace of the operator.
pub const OPERATOR_NAMESPACE: &str = "monitored-api-system";
/// Helm release of the operator.
pub const RELEASE: &str = "monitored-api";

/// A running chain.
#[derive(Debug)]
pub struct Chain {
    /// The cluster.
    pub bed: Testbed,
    /// Prometheus, reached on 127.0.0.1.
    pub prometheus: Prometheus,
    /// Alertmanager's URL on 127.0.0.1.
    pub alertmanager: String,
}

impl Chain {
    /// Start a test bed called `name` with nodes, the monitoring stack and our two images; our chart is not installed yet.
    ///
    /// # Errors
    /// When a part does not come up; the error ends with its log.
    pub fn up(name: &str, images: &Images) -> Result<Self> {
        let bed = Testbed::builder(name).level(Level::Node).start()?;
        for tar in [&images.app, &images.app_next, &images.controller] {
            bed.load_image(tar)?;
        }
        let monitoring = bed.monitoring_up()?;
        Ok(Self {
            bed,
            prometheus: Prometheus {
                url: monitoring.prometheus,
            },
            alertmanager: monitoring.alertmanager,
        })
    }

    /// `helm` with this cluster's kubeconfig, in the checkout's root.
    ///
    /// # Errors
    /// When helm can't be built.
    pub fn helm(&self) -> Result<Command> {
        let mut command = Command::new(self.bed.bin("helm")?);
        command
            .env("KUBECONFIG", self.bed.kubeconfig())
            .current_dir(workspace::root()?);
        Ok(command)
    }

    /// Install or upgrade our chart and wait until the operator is ready.
    ///
    /// # Errors
    /// What helm says.
    pub fn install(&self, settings: &[&str]) -> Result<()> {
        let mut helm = self.helm()?;
        helm.args([
            "upgrade",
            "--install",
            RELEASE,
            "charts/monitored-api",
            "--namespace",
            OPERATOR_NAMESPACE,
            "--create-namespace",
        ]);
        helm.args(["--wait", "--timeout", "120s"]);
        helm.args(["--set", "defaults.monitoringObjectLabels.release=kube-prometheus-stack"]);
        for setting in settings {
            helm.args(["--set", setting]);
        }
        workspace::read(&mut helm).map(drop)
    }

    /// Make a namespace in which Pod Security `restricted` is enforced.
    ///
    /// # Errors
    /// What kubectl says.
    pub fn namespace(&self, name: &str) -> Result<()> {
        self.bed.apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}}}"
        ))
    }

    /// Apply a file of the repository in `namespace`.
    ///
    /// # Errors
    /// What kubectl says.
    pub fn apply_file(&self, namespace: &str, path: &Path) -> Result<()> {
        let path = workspace::root()?.join(path);
        self.bed
            .kubectl(&["--namespace", namespace, "apply", "-f", &path.to_string_lossy()])
            .map(drop)
    }

    /// A MonitoredApi as it is now.
    ///
    /// # Errors
    /// What kubectl says.
    pub fn api(&self, namespace: &str, name: &str) -> Result<Value> {
        let text = self
            .bed
            .kubectl(&["--namespace", namespace, "get", "monitoredapi", name, "-o", "json"])?;
        serde_json::from_str(&text).context("kubectl prints JSON")
    }

    /// Wait until a condition has a status; gives back its `reason: message`.
    ///
    /// # Errors
    /// When the time is over, with all conditions as they are.
    pub fn wait_condition(
        &self,
        namespace: &str,
        name: &str,
        condition: &str,
        status: &str,
        timeout: Duration,
    ) -> Result<String> {
        eventually(&format!("{namespace}/{name} {condition}={status}"), timeout, || {
            let api = self.api(namespace, name)?;
            let current = api["status"]["observedGeneration"] == api["metadata"]["generation"];
            Ok(match condition_of(&api, condition) {
                Some((seen, sentence)) if current && seen == status => Ok(sentence),
                Some(_) | None => Err(show_conditions(&api)),
            })
        })
    }

    /// Wait until Prometheus has `count` targets of the API and all are up.
    ///
    /// # Errors
    /// When the time is over, with the targets as they are.
    pub fn wait_targets_up(&self, namespace: &str, name: &str, count: usize, timeout: Duration) -> Result<()> {
        eventually(&format!("{count} targets of {namespace}/{name} up"), timeout, || {
            let targets = self.prometheus.targets(namespace, name)?;
            let up = targets.iter().filter(|(health, _)| health == "up").count();
            Ok(if up == count && targets.len() == count {
                Ok(())
            } else {
                Err(format!("{targets:?}"))
            })
        })
    }

    /// Wait until Prometheus evaluates every rule of the API without error; gives back their names.
    ///
    /// # Errors
    /// When the time is over, with the rules that are not healthy.
    pub fn wait_rules_ok(&self, namespace: &str, name: &str, timeout: Duration) -> Result<Vec<String>> {
        eventually(&format!("rules of {namespace}/{name} ok"), timeout, || {
            let rules = self.prometheus.rules(&format!("{namespace}-{name}-"))?;
            let healthy = !rules.is_empty() && rules.iter().all(|rule| rule.health == "ok");
            Ok(if healthy {
                Ok(rules.into_iter().map(|rule| rule.name).collect())
            } else {
                Err(format!("{rules:?}"))
            })
        })
    }

    /// State of an alert of the API in Prometheus: `inactive`, `pending` or `firing`; `no such rule` before it is loaded.
    ///
    /// # Errors
    /// When Prometheus can't be reached.
    pub fn alert_state(&self, namespace: &str, name: &str, alert: &str) -> Result<String> {
        let rules = self.prometheus.rules(&format!("{namespace}-{name}-"))?;
        let rule = rules.into_iter().find(|rule| rule.name == alert);
        Ok(rule.map_or("no such rule".to_owned(), |rule| rule.state))
    }

    /// Names of the alerts that Alertmanager holds active for the API.
    ///
    /// # Errors
    /// When Alertmanager can't be reached.
    pub fn alertmanager_alerts(&self, namespace: &str, name: &str) -> Result<Vec<String>> {
        let alerts = get_json(&format!("{}/api/v2/alerts?active=true", self.alertmanager))?;
        let ours = |labels: &Value| labels["namespace"] == namespace && labels["job"] == name;
        Ok(alerts
            .as_array()
            .into_iter()
            .flatten()
            .map(|alert| &alert["labels"])
            .filter(|labels| ours(labels))
            .filter_map(|labels| labels["alertname"].as_str().map(ToOwned::to_owned))
            .collect())
    }

    /// The dashboard that the operator placed for the API.
    ///
    /// # Errors
    /// When there is none, or not one JSON document.
    pub fn dashboard(&self, namespace: &str, name: &str) -> Result<Value> {
        self.dashboard_in(namespace, &format!("{name}-dashboard"))
    }

    /// The dashboard in a ConfigMap.
    ///
    /// # Errors
    /// When there is none, or not one JSON document.
    pub fn dashboard_in(&self, namespace: &str, config_map: &str) -> Result<Value> {
        let text = self
            .bed
            .kubectl(&["--namespace", namespace, "get", "configmap", config_map, "-o", "json"])?;
        let map: Value = serde_json::from_str(&text)?;
        let data = map["data"].as_object().context("the dashboard's ConfigMap has data")?;
        let [document] = data.values().collect::<Vec<_>>()[..] else {
            bail!("the dashboard's ConfigMap has {} keys", data.len())
        };
        serde_json::from_str(document.as_str().unwrap_or_default()).context("the dashboard is JSON")
    }

    /// Every query of the placed dashboard with the values that Prometheus has for it now.
    ///
    /// # Errors
    /// When Prometheus refuses a query.
    pub fn panel_values(&self, namespace: &str, name: &str) -> Result<Vec<PanelValue>> {
        panels::values(&self.prometheus, &self.dashboard(namespace, name)?, &[])
    }

    /// Wait until every query of a dashboard that the chart installs (`apis` or `operator`) has a result. See
    /// [`panels::wait_for_data`].
    ///
    /// # Errors
    /// When the time is over, with the queries without a result.
    pub fn wait_installed_dashboard(
        &self,
        about: &str,
        namespaces: &str,
        quiet: &[&str],
        timeout: Duration,
    ) -> Result<()> {
        let dashboard = self.dashboard_in(OPERATOR_NAMESPACE, &format!("{RELEASE}-dashboard-{about}"))?;
        let variables = [("namespace", namespaces), ("job", RELEASE)];
        panels::wait_for_data(&self.prometheus, &dashboard, &variables, quiet, timeout)
    }

    /// Reach a Service of the cluster on 127.0.0.1.
    ///
    /// # Errors
    /// When there is no such Service.
    pub fn service_url(&self, namespace: &str, service: &str, port: u16) -> Result<String> {
        self.bed
            .forward_service(namespace, service, port)
            .map(|port| format!("http://127.0.0.1:{port}"))
    }
}

/// Status and `reason: message` of a condition.
#[must_use]
pub fn condition_of(api: &Value, condition: &str) -> Option<(String, String)> {
    let row = api["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|row| row["type"] == condition)?;
    let part = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    Some((part("status"), format!("{}: {}", part("reason"), part("message"))))
}

/// All conditions, a line each.
#[must_use]
pub fn show_conditions(api: &Value) -> String {
    let rows = api["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let part = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            format!(
                "{}={} {}: {}",
                part(row, "type"),
                part(row, "status"),
                part(row, "reason"),
                part(row, "message")
            )
        })
        .collect();
    if lines.is_empty() {
        "no condition".to_owned()
    } else {
        format!("\n  {}", lines.join("\n  "))
    }
}

/// The path of an example below the checkout's root.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    Path::new("manifests/examples").join(name)
}

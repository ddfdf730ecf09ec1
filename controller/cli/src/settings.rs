//! The settings of the installation as arguments and environment variables: the operator and the commands take the same.

use std::collections::BTreeMap;

use clap::Args;
use controller_core::facts::Settings;
use controller_core::settings::{check_label, check_runbook_base_url, check_selected_label, compat_of};

/// Settings of the installation, the same for every MonitoredApi.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Label of every object that is made for a MonitoredApi, such as cost-center=4711. Pods do not get it. Give it several
    /// times or separated by commas.
    #[arg(long, env = "OBJECT_LABELS", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label)]
    object_labels: Vec<(String, String)>,
    /// Label of ServiceMonitors and PrometheusRules, by which a Prometheus selects them, such as
    /// release=kube-prometheus-stack. Give it several times or separated by commas.
    #[arg(long, env = "MONITORING_OBJECT_LABELS", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label)]
    monitoring_object_labels: Vec<(String, String)>,
    /// Label of dashboards, by which Grafana's sidecar finds them. Default: grafana_dashboard=1.
    #[arg(long, env = "DASHBOARD_OBJECT_LABELS", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label)]
    dashboard_object_labels: Vec<(String, String)>,
    /// Label of the Grafanas that get the dashboards where the Grafana Operator runs, such as dashboards=grafana. Give it several
    /// times or separated by commas. Default: none, so all its Grafanas get them.
    #[arg(long, env = "GRAFANA_INSTANCE_LABELS", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = selected_label)]
    grafana_instance_labels: Vec<(String, String)>,
    #[command(flatten)]
    rules: RuleSettingsArgs,
}

/// Those of them that rules and dashboards depend on.
#[derive(Debug, Args)]
pub(crate) struct RuleSettingsArgs {
    /// Base of the runbook links of alerts, for MonitoredApis that name none. Without one nothing is linked.
    #[arg(long, env = "RUNBOOK_BASE_URL", value_name = "URL", value_parser = runbook_base_url)]
    runbook_base_url: Option<String>,
    /// Record the figures of objectives also under the names of another generator, so that dashboards made for it work. The
    /// only one is sloth. Default: our own names alone.
    #[arg(long, env = "COMPAT", value_name = "NAME", value_parser = compat)]
    compat: Option<String>,
}

impl RuleSettingsArgs {
    /// Returns the settings as `controller-core` takes them; no object has a label.
    #[must_use]
    pub(crate) fn settings(self) -> Settings {
        Settings {
            runbook_base_url: self.runbook_base_url.filter(|url| !url.is_empty()),
            compat: self.compat.and_then(|name| compat_of(&name).ok()),
            ..Settings::default()
        }
    }
}

impl SettingsArgs {
    /// Returns the settings as `controller-core` takes them.
    #[must_use]
    pub fn settings(self) -> Settings {
        let mut dashboard: BTreeMap<String, String> = self.dashboard_object_labels.into_iter().collect();
        if dashboard.is_empty() {
            dashboard.insert("grafana_dashboard".to_owned(), "1".to_owned());
        }
        Settings {
            object_labels: self.object_labels.into_iter().collect(),
            monitoring_object_labels: self.monitoring_object_labels.into_iter().collect(),
            dashboard_object_labels: dashboard,
            grafana_instance_labels: self.grafana_instance_labels.into_iter().collect(),
            ..self.rules.settings()
        }
    }
}

/// A label that our objects get.
fn label(text: &str) -> Result<(String, String), String> {
    pair(text, check_label)
}

/// A label of others' objects, by which they are selected.
fn selected_label(text: &str) -> Result<(String, String), String> {
    pair(text, check_selected_label)
}

fn pair(text: &str, check: fn(&str, &str) -> Result<(), String>) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            let (key, value) = (key.trim(), value.trim());
            check(key, value).map(|()| (key.to_owned(), value.to_owned()))
        }
        Some(_) | None => Err(format!(
            "{text:?} is not a valid label: use KEY=VALUE, for example release=kube-prometheus-stack"
        )),
    }
}

/// Empty counts as not given, as below.
fn compat(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        compat_of(text)?;
    }
    Ok(text.to_owned())
}

/// Empty, as an environment variable that is set to nothing is, counts as not given.
fn runbook_base_url(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        check_runbook_base_url(text)?;
    }
    Ok(text.to_owned())
}

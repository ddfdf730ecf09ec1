//! The command line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use controller_core::facts::Settings;

use crate::run::Options;

/// Runs and monitors web APIs on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "monitored-api", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the operator against the cluster of KUBECONFIG, or of the pod that it runs in.
    Controller(ControllerArgs),
    /// Print the objects that MonitoredApis lead to. Exit code 0: fine, 1: findings, 2: unreadable input.
    Render(RenderArgs),
    /// Print the CustomResourceDefinition.
    Crd,
    /// Ask a running operator whether it is well. Exit code 0: it is.
    Healthcheck(HealthcheckArgs),
    /// Print the version.
    Version,
}

/// Settings of the installation, the same for every MonitoredApi.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// Label of ServiceMonitors and PrometheusRules, by which a Prometheus selects them, such as
    /// release=kube-prometheus-stack. Give it several times or separated by commas.
    #[arg(long, env = "MONITORING_OBJECT_LABELS", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label)]
    monitoring_object_labels: Vec<(String, String)>,
    /// Label of dashboards, by which Grafana's sidecar finds them. Default: grafana_dashboard=1.
    #[arg(long, env = "DASHBOARD_OBJECT_LABELS", value_name = "KEY=VALUE", value_delimiter = ',', value_parser = label)]
    dashboard_object_labels: Vec<(String, String)>,
    /// Base of the runbook links of alerts, for MonitoredApis that name none.
    #[arg(long, env = "RUNBOOK_BASE_URL", value_name = "URL")]
    runbook_base_url: Option<String>,
}

impl SettingsArgs {
    /// As core takes them.
    pub(crate) fn settings(self) -> Settings {
        let mut dashboard: BTreeMap<String, String> = self.dashboard_object_labels.into_iter().collect();
        if dashboard.is_empty() {
            dashboard.insert("grafana_dashboard".to_owned(), "1".to_owned());
        }
        Settings {
            monitoring_object_labels: self.monitoring_object_labels.into_iter().collect(),
            dashboard_object_labels: dashboard,
            runbook_base_url: self.runbook_base_url.filter(|url| !url.is_empty()),
        }
    }
}

/// Arguments of `controller`.
#[derive(Debug, Args)]
pub(crate) struct ControllerArgs {
    /// Namespaces to work in, separated by commas. Default: all.
    #[arg(long, env = "WATCH_NAMESPACES", value_name = "NAMESPACE", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
    /// Elect a leader among several replicas.
    #[arg(long, env = "LEADER_ELECT", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// Namespace of the Lease. Default: the operator's own.
    #[arg(long, env = "LEASE_NAMESPACE", value_name = "NAMESPACE")]
    lease_namespace: Option<String>,
    /// Name of the Lease.
    #[arg(long, env = "LEASE_NAME", value_name = "NAME", default_value = "monitored-api")]
    lease_name: String,
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_listen: SocketAddr,
    #[command(flatten)]
    settings: SettingsArgs,
}

impl From<ControllerArgs> for Options {
    fn from(args: ControllerArgs) -> Self {
        let ControllerArgs {
            watch_namespaces,
            leader_elect,
            lease_namespace,
            lease_name,
            metrics_listen,
            settings,
        } = args;
        Self {
            // An empty variable is no namespace.
            watch_namespaces: watch_namespaces.into_iter().filter(|n| !n.is_empty()).collect(),
            leader_elect,
            lease_namespace: lease_namespace.filter(|namespace| !namespace.is_empty()),
            lease_name,
            metrics_listen,
            settings: settings.settings(),
        }
    }
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// File with MonitoredApis (YAML or JSON, several documents allowed), or - for standard input. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write one file an object into this directory instead of standard output.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// Arguments of `healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    /// What to ask.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080/healthz")]
    pub(crate) url: String,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        Some(_) | None => Err(format!("{text:?} is no label: write KEY=VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn controller(args: &[&str]) -> Options {
        let cli = Cli::try_parse_from([&["monitored-api", "controller"], args].concat()).unwrap();
        let Command::Controller(args) = cli.command else {
            panic!("another command")
        };
        args.into()
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn labels_are_given_repeatedly_or_separated_by_commas() {
        let options = controller(&[
            "--monitoring-object-labels",
            "release=prom,team=a",
            "--monitoring-object-labels=x=",
        ]);
        let expected = [("release", "prom"), ("team", "a"), ("x", "")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(options.settings.monitoring_object_labels, expected);
    }

    #[test]
    fn a_label_without_a_value_is_refused_with_what_was_expected() {
        let error = Cli::try_parse_from(["m", "controller", "--monitoring-object-labels", "release"]).unwrap_err();
        assert!(error.to_string().contains("write KEY=VALUE"), "{error}");
    }

    #[test]
    fn leader_election_is_on_and_can_be_turned_off() {
        assert!(controller(&[]).leader_elect);
        assert!(!controller(&["--leader-elect=false"]).leader_elect);
    }
}

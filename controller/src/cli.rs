//! The command line of the operator. Commands that need no running operator are in the crate `controller-cli`.

#[cfg(test)]
mod documented;

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};
use controller_cli::SettingsArgs;
use controller_core::prometheus::check_address;
use controller_core::settings::{check_namespace, check_object_name};

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
    /// A command that needs no running operator.
    #[command(flatten)]
    Offline(controller_cli::Command),
    /// Ask a running operator whether it is healthy. Exit code 0: it is.
    Healthcheck(HealthcheckArgs),
    /// Print the version.
    Version,
}

/// Arguments of `controller`.
#[derive(Debug, Args)]
pub(crate) struct ControllerArgs {
    /// Namespaces to work in, separated by commas. Default: all.
    #[arg(long, env = "WATCH_NAMESPACES", value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace)]
    watch_namespaces: Vec<String>,
    /// Elect a leader among several replicas.
    #[arg(long, env = "LEADER_ELECT", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// Namespace of the Lease. Default: the operator's own.
    #[arg(long, env = "LEASE_NAMESPACE", value_name = "NAMESPACE", value_parser = namespace)]
    lease_namespace: Option<String>,
    /// Name of the Lease.
    #[arg(long, env = "LEASE_NAME", value_name = "NAME", default_value = "monitored-api", value_parser = object_name)]
    lease_name: String,
    /// Where /healthz, /readyz, /metrics and /runbooks are served. [::] is every address, IPv4 too.
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS", default_value = "[::]:8080")]
    metrics_listen: SocketAddr,
    /// The Prometheus that is asked whether the APIs are scraped and their rules evaluated. Default: the one that selects the
    /// ServiceMonitor, if exactly one does.
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", value_parser = prometheus_url)]
    prometheus_url: Option<String>,
    /// Ask pods for their page of metrics, to find out how they name their metrics. Without, an API has alerts on its requests only
    /// where spec.metrics.dialect or the preset names the dialect.
    #[arg(long, env = "DETECTION", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    detection: bool,
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
            prometheus_url,
            detection,
            settings,
        } = args;
        Self {
            // An environment variable that is set to nothing gives one empty text.
            watch_namespaces: watch_namespaces.into_iter().filter(|n| !n.is_empty()).collect(),
            leader_elect,
            lease_namespace: lease_namespace.filter(|namespace| !namespace.is_empty()),
            lease_name,
            metrics_listen,
            prometheus_url: prometheus_url
                .map(|url| url.trim_end_matches('/').to_owned())
                .filter(|url| !url.is_empty()),
            detection,
            settings: settings.settings(),
        }
    }
}

/// Empty, as an environment variable that is set to nothing is, counts as not given.
fn namespace(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        check_namespace(text)?;
    }
    Ok(text.to_owned())
}

/// Empty counts as not given.
fn prometheus_url(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        check_address(text)?;
    }
    Ok(text.to_owned())
}

fn object_name(text: &str) -> Result<String, String> {
    check_object_name(text).map(|()| text.to_owned())
}

/// Arguments of `healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    /// What to ask.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080/healthz")]
    pub(crate) url: String,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;
    use controller_rules::Compat;

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
    fn nothing_is_hidden_because_the_completions_of_bash_would_show_it() {
        let command_line = Cli::command();
        for command in std::iter::once(&command_line).chain(command_line.get_subcommands()) {
            assert!(!command.is_hide_set(), "{}", command.get_name());
            let hidden = command.get_arguments().find(|argument| argument.is_hide_set());
            assert!(hidden.is_none(), "{}: {hidden:?}", command.get_name());
        }
    }

    #[test]
    fn every_command_of_the_documentation_is_one_that_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let programs = ["monitored-api", "/monitored-api", "cargo run -p controller --"];
        let commands = documented::commands(&root, &programs).unwrap();
        assert!(commands.len() > 50, "{}: {commands:?}", commands.len());
        let refused = documented::refused(&commands, &Cli::command());
        assert!(refused.is_empty(), "{}", refused.join("\n"));
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
        assert!(error.to_string().contains("use KEY=VALUE"), "{error}");
    }

    #[test]
    fn a_setting_that_can_not_be_used_ends_the_start_with_code_2_and_its_flag() {
        let cases = [
            ("--runbook-base-url", "http://wiki.corp/runbooks"),
            ("--runbook-base-url", "https://wiki/x y"),
            ("--compat", "pyrra"),
            ("--object-labels", "cost-center=a b"),
            ("--object-labels", "app.kubernetes.io/managed-by=me"),
            ("--monitoring-object-labels", "release=a b"),
            ("--monitoring-object-labels", "app.kubernetes.io/managed-by=me"),
            ("--dashboard-object-labels", "grafana dashboard=1"),
            ("--watch-namespaces", "shop,Shop_2"),
            ("--lease-namespace", "a.b"),
            ("--lease-name", "Lease"),
            ("--metrics-listen", "8080"),
            ("--prometheus-url", "prometheus:9090"),
            ("--prometheus-url", "http://user:secret@prometheus"),
        ];
        for (flag, value) in cases {
            let error = Cli::try_parse_from(["m", "controller", flag, value]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flag} {value}");
            assert!(error.to_string().contains(flag), "{error}");
        }
        let nothing = controller(&[
            "--runbook-base-url=",
            "--compat=",
            "--watch-namespaces=",
            "--lease-namespace=",
        ]);
        assert_eq!(
            (nothing.settings.runbook_base_url, nothing.settings.compat),
            (None, None)
        );
        assert_eq!(controller(&["--compat=sloth"]).settings.compat, Some(Compat::Sloth));
        assert_eq!((nothing.watch_namespaces.len(), nothing.lease_namespace), (0, None));
    }

    #[test]
    fn leader_election_is_on_and_can_be_turned_off() {
        assert!(controller(&[]).leader_elect);
        assert!(!controller(&["--leader-elect=false"]).leader_elect);
    }
}

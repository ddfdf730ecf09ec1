//! The monitoring of APIs on one machine, without a cluster: configuration of Prometheus, Alertmanager and Grafana, and a
//! compose file that runs them. The rules and the dashboards are those of the engine, for static targets.
//!
//! [`files`] is the whole folder. [`prometheus::config`], [`alertmanager::config`] and [`StackApi::rules`] are its parts for
//! those who start the programs otherwise, with a [`Layout`] of their own. [`folder`] decides what may be written over what is
//! there already.

pub mod alertmanager;
mod api;
mod compose;
pub mod folder;
mod grafana;
pub mod prometheus;

use controller_rules::promql::PromDuration;
use serde::Serialize;

use crate::yaml::{self, YamlError};

pub use api::StackApi;
pub use compose::{Port, RESERVED_SERVICES};

/// What a file says of itself in its first lines.
const HEADER: &str = "# Written by `monitored-api compose`, which leaves this file alone once you have changed it.\n";

/// Where the programs reach each other and find their files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Pattern of the rule files, as Prometheus reads it.
    pub rules: String,
    /// `HOST:PORT` of Prometheus.
    pub prometheus: String,
    /// `HOST:PORT` of Alertmanager.
    pub alertmanager: String,
    /// Folder of the secrets, one file each.
    pub secrets: String,
}

impl Layout {
    /// That of the containers of the compose file.
    #[must_use]
    pub fn of_containers() -> Self {
        Self {
            rules: "/etc/prometheus/rules/*.yaml".to_owned(),
            prometheus: "prometheus:9090".to_owned(),
            alertmanager: "alertmanager:9093".to_owned(),
            secrets: "/run/secrets".to_owned(),
        }
    }
}

/// Everything that runs on the machine.
#[derive(Debug)]
pub struct Stack {
    /// The APIs that are monitored.
    pub apis: Vec<StackApi>,
    /// Time between two evaluations of the rules.
    pub evaluation_interval: PromDuration,
    /// How long Prometheus keeps its data; at least [`StackApi::needed_retention`] of each API.
    pub retention: PromDuration,
    /// Who is told of alerts.
    pub notifications: alertmanager::Notifications,
    /// Everybody may look at the dashboards.
    pub grafana_anonymous: bool,
    /// Ports of 127.0.0.1 on which the programs are reached.
    pub ports: Ports,
    /// The API that the compose file runs too.
    pub api_service: Option<ApiService>,
    /// A target, a mail server or a webhook is on this machine, outside of the containers.
    pub reaches_host: bool,
}

/// Ports of 127.0.0.1 on which the programs are reached from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// That of Prometheus.
    pub prometheus: u16,
    /// That of Alertmanager.
    pub alertmanager: u16,
    /// That of Grafana.
    pub grafana: u16,
}

/// An API that the compose file runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiService {
    /// Its name in the network of the containers.
    pub name: String,
    /// Where its image comes from.
    pub image: ImageSource,
    /// Where it listens.
    pub port: u16,
    /// It is the reference API, or built like it: `/monitored-app` answers health checks, and its data is in `/data`.
    pub is_native: bool,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A registry, by this name.
    Pulled(String),
    /// A folder with a Dockerfile.
    Built(String),
}

/// A file of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFile {
    /// Its path within the folder, with slashes.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// A secret that the compose file hands to containers as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The password of Grafana's user `admin`.
    GrafanaAdminPassword,
    /// The password of the mail server's user.
    SmtpPassword,
    /// The address of the webhook: those of chats hold a token.
    WebhookUrl,
}

impl Secret {
    /// Folder of the secrets within the stack's folder. Others of the machine must not enter it; the files themselves are readable,
    /// because the containers read them as users of their own.
    pub const FOLDER: &'static str = "secrets";

    /// The name of the secret, which is also that of its file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GrafanaAdminPassword => "grafana_admin_password",
            Self::SmtpPassword => "smtp_password",
            Self::WebhookUrl => "webhook_url",
        }
    }
}

impl Stack {
    /// The secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![Secret::GrafanaAdminPassword];
        secrets.extend(self.notifications.secrets());
        secrets
    }
}

/// Every file of the stack but those of the secrets, sorted by path. The same stack gives the same bytes.
///
/// # Errors
///
/// None of our own types is refused by the YAML writer; it has no infallible form.
pub fn files(stack: &Stack) -> Result<Vec<StackFile>, YamlError> {
    let layout = Layout::of_containers();
    let apis = &stack.apis;
    let prometheus = prometheus::config(apis, &layout, stack.evaluation_interval);
    let mut files = vec![
        yaml_file("compose.yaml", &compose::compose_file(stack))?,
        yaml_file("prometheus/prometheus.yml", &prometheus)?,
        yaml_file(
            "alertmanager/alertmanager.yml",
            &alertmanager::config(&stack.notifications, &layout),
        )?,
        yaml_file(
            "grafana/provisioning/datasources/monitored-api.yaml",
            &grafana::data_sources(&layout),
        )?,
        yaml_file(
            "grafana/provisioning/dashboards/monitored-api.yaml",
            &grafana::dashboard_providers(),
        )?,
    ];
    for api in apis {
        let name = api.file_name();
        if let Some(rules) = api.rules() {
            files.push(yaml_file(&format!("prometheus/rules/{name}.yaml"), rules)?);
        }
        if let Some(dashboard) = api.dashboard() {
            files.push(StackFile {
                path: format!("grafana/dashboards/{name}.json"),
                text: format!("{dashboard}\n"),
            });
        }
    }
    files.push(StackFile {
        path: ".gitignore".to_owned(),
        text: format!("{HEADER}/{}/\n", Secret::FOLDER),
    });
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn yaml_file(path: &str, value: &impl Serialize) -> Result<StackFile, YamlError> {
    Ok(StackFile {
        path: path.to_owned(),
        text: format!("{HEADER}{}", yaml::to_string(value)?),
    })
}

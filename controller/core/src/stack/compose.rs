//! The compose file: one row for each program, with its image, its health check, its folders and its secrets.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ApiService, ImageSource, Ports, Secret, Stack, alertmanager::Notifications, grafana};

/// The network of the containers.
const NETWORK: &str = "monitoring";
/// By this name containers reach the machine. podman knows `host-gateway` since 4.7 only: for an older one a person sets the address.
const HOST_GATEWAY: &str = "host.docker.internal:${HOST_GATEWAY:-host-gateway}";

/// A program of the stack, as one row.
#[derive(Debug, Clone, Copy)]
struct Program {
    /// Its name in the network of the containers.
    service: &'static str,
    /// The version that the tests run, except Grafana's, which is none of theirs.
    image: &'static str,
    /// The port on which it listens.
    port: u16,
    /// The port of the machine on which it is reached.
    published: fn(&Ports) -> u16,
    /// Its arguments and environment variables.
    settings: fn(&Stack) -> Settings,
    /// Asks it whether it is healthy, with programs that are in its image.
    healthcheck: &'static [&'static str],
    /// Folders of the stack, and where it finds them.
    folders: &'static [(&'static str, &'static str)],
    /// Where its data is.
    data: &'static str,
    /// It is started when this one is healthy.
    after: Option<&'static str>,
    /// It writes to its data alone.
    read_only: bool,
    /// Whether it reaches targets, mail servers or webhooks.
    reaches_out: bool,
}

/// Arguments and environment variables of a program.
#[derive(Debug, Default)]
struct Settings {
    command: Vec<String>,
    environment: BTreeMap<&'static str, String>,
}

const PROGRAMS: [Program; 3] = [
    Program {
        service: "alertmanager",
        image: "docker.io/prom/alertmanager:v0.31.1",
        port: 9093,
        published: |ports| ports.alertmanager,
        settings: alertmanager,
        healthcheck: &["amtool", "--alertmanager.url=http://127.0.0.1:9093", "cluster", "show"],
        folders: &[("alertmanager", "/etc/alertmanager")],
        data: "/alertmanager",
        after: None,
        read_only: true,
        reaches_out: true,
    },
    Program {
        service: "prometheus",
        image: "docker.io/prom/prometheus:v3.15.0",
        port: 9090,
        published: |ports| ports.prometheus,
        settings: prometheus,
        healthcheck: &["promtool", "check", "healthy", "--url=http://127.0.0.1:9090"],
        folders: &[("prometheus", "/etc/prometheus")],
        data: "/prometheus",
        after: Some("alertmanager"),
        read_only: true,
        reaches_out: true,
    },
    Program {
        service: "grafana",
        image: "docker.io/grafana/grafana:12.3.1",
        port: 3000,
        published: |ports| ports.grafana,
        settings: grafana,
        healthcheck: &["curl", "--fail", "--silent", "http://127.0.0.1:3000/api/health"],
        folders: &[
            ("grafana/provisioning", "/etc/grafana/provisioning"),
            ("grafana/dashboards", grafana::DASHBOARDS),
        ],
        data: "/var/lib/grafana",
        after: Some("prometheus"),
        read_only: false,
        reaches_out: false,
    },
];

/// Names that an API that the compose file runs cannot have.
pub const RESERVED_SERVICES: [&str; 3] = [PROGRAMS[0].service, PROGRAMS[1].service, PROGRAMS[2].service];

/// A port of 127.0.0.1, and what is reached there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The service.
    pub service: String,
    /// The port.
    pub number: u16,
}

impl Stack {
    /// The ports of 127.0.0.1 on which its programs are reached.
    #[must_use]
    pub fn published_ports(&self) -> Vec<Port> {
        let programs = PROGRAMS.iter().map(|program| Port {
            service: program.service.to_owned(),
            number: (program.published)(&self.ports),
        });
        let api = self.api_service.iter().map(|api| Port {
            service: api.name.clone(),
            number: api.port,
        });
        programs.chain(api).collect()
    }
}

/// A compose file.
#[derive(Debug, Serialize)]
pub(super) struct ComposeFile {
    services: BTreeMap<String, Service>,
    networks: BTreeMap<&'static str, Network>,
    volumes: BTreeMap<String, Volume>,
    secrets: BTreeMap<&'static str, SecretFile>,
}

#[derive(Debug, Serialize)]
struct Network {
    driver: &'static str,
}

/// A named volume: all of its settings are the defaults.
#[derive(Debug, Serialize)]
struct Volume {}

#[derive(Debug, Serialize)]
struct SecretFile {
    file: String,
}

#[derive(Debug, Default, Serialize)]
struct Service {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<&'static str, String>,
    ports: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<&'static str>,
    networks: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra_hosts: Vec<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    depends_on: BTreeMap<&'static str, Dependency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<HealthCheck>,
    restart: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    read_only: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cap_drop: Vec<&'static str>,
    security_opt: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Dependency {
    condition: &'static str,
}

#[derive(Debug, Serialize)]
struct HealthCheck {
    test: Vec<&'static str>,
    interval: &'static str,
    timeout: &'static str,
    retries: u32,
    start_period: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

pub(super) fn compose_file(stack: &Stack) -> ComposeFile {
    let programs = PROGRAMS
        .iter()
        .map(|program| (program.service.to_owned(), service(program, stack)));
    let api = stack.api_service.iter().map(|api| (api.name.clone(), api_service(api)));
    let volumes = PROGRAMS.iter().map(|program| volume_name(program.service));
    let api_volume = stack.api_service.iter().filter(|api| api.is_native);
    let volumes = volumes.chain(api_volume.map(|api| volume_name(&api.name)));
    let secrets = stack.secrets().into_iter().map(|secret| {
        let file = format!("./{}/{}", Secret::FOLDER, secret.name());
        (secret.name(), SecretFile { file })
    });
    ComposeFile {
        services: programs.chain(api).collect(),
        networks: BTreeMap::from([(NETWORK, Network { driver: "bridge" })]),
        volumes: volumes.map(|name| (name, Volume {})).collect(),
        secrets: secrets.collect(),
    }
}

fn service(program: &Program, stack: &Stack) -> Service {
    let Settings { command, environment } = (program.settings)(stack);
    // `z`: where SELinux is on, the containers may read the folders.
    let folders = program
        .folders
        .iter()
        .map(|(folder, place)| format!("./{folder}:{place}:ro,z"));
    let data = format!("{}:{}", volume_name(program.service), program.data);
    let published = (program.published)(&stack.ports);
    Service {
        image: Some(program.image.to_owned()),
        command,
        environment,
        ports: vec![published_port(published, program.port)],
        volumes: folders.chain([data]).collect(),
        secrets: secrets_of(program, &stack.notifications),
        networks: vec![NETWORK],
        extra_hosts: [HOST_GATEWAY]
            .into_iter()
            .filter(|_| stack.reaches_host && program.reaches_out)
            .collect(),
        depends_on: program.after.into_iter().map(healthy).collect(),
        healthcheck: Some(health_check(program.healthcheck)),
        restart: "unless-stopped",
        read_only: program.read_only,
        cap_drop: vec!["ALL"],
        security_opt: vec!["no-new-privileges"],
        ..Service::default()
    }
}

/// No program waits for the API, nor the API for one: that it does not start is what its alerts are for.
fn api_service(api: &ApiService) -> Service {
    let ApiService {
        name,
        image,
        port,
        is_native,
    } = api;
    let (image, build) = match image {
        ImageSource::Pulled(image) => (Some(uninterpolated(image)), None),
        ImageSource::Built(folder) => (None, Some(uninterpolated(folder))),
    };
    let service = Service {
        image,
        build,
        ports: vec![published_port(*port, *port)],
        networks: vec![NETWORK],
        restart: "unless-stopped",
        security_opt: vec!["no-new-privileges"],
        ..Service::default()
    };
    if !is_native {
        return service;
    }
    Service {
        environment: BTreeMap::from([("LISTEN", format!("0.0.0.0:{port}"))]),
        volumes: vec![format!("{}:/data", volume_name(name))],
        healthcheck: Some(health_check(&["/monitored-app", "healthcheck"])),
        read_only: true,
        cap_drop: vec!["ALL"],
        ..service
    }
}

fn secrets_of(program: &Program, notifications: &Notifications) -> Vec<&'static str> {
    let secrets = match program.service {
        "grafana" => vec![Secret::GrafanaAdminPassword],
        "alertmanager" => notifications.secrets(),
        _ => Vec::new(),
    };
    secrets.into_iter().map(Secret::name).collect()
}

fn alertmanager(stack: &Stack) -> Settings {
    Settings {
        command: vec![
            "--config.file=/etc/alertmanager/alertmanager.yml".to_owned(),
            "--storage.path=/alertmanager".to_owned(),
            // It is alone.
            "--cluster.listen-address=".to_owned(),
            format!("--web.external-url=http://localhost:{}", stack.ports.alertmanager),
        ],
        ..Settings::default()
    }
}

fn prometheus(stack: &Stack) -> Settings {
    Settings {
        command: vec![
            "--config.file=/etc/prometheus/prometheus.yml".to_owned(),
            "--storage.tsdb.path=/prometheus".to_owned(),
            format!("--storage.tsdb.retention.time={}", stack.retention),
            format!("--web.external-url=http://localhost:{}", stack.ports.prometheus),
        ],
        ..Settings::default()
    }
}

fn grafana(stack: &Stack) -> Settings {
    let password = format!("/run/secrets/{}", Secret::GrafanaAdminPassword.name());
    let mut environment = BTreeMap::from([
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false".to_owned()),
        ("GF_ANALYTICS_REPORTING_ENABLED", "false".to_owned()),
        ("GF_SECURITY_ADMIN_PASSWORD__FILE", password),
        (
            "GF_SERVER_ROOT_URL",
            format!("http://localhost:{}", stack.ports.grafana),
        ),
        ("GF_USERS_ALLOW_SIGN_UP", "false".to_owned()),
    ]);
    if stack.grafana_anonymous {
        environment.insert("GF_AUTH_ANONYMOUS_ENABLED", "true".to_owned());
        environment.insert("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer".to_owned());
    }
    Settings {
        command: Vec::new(),
        environment,
    }
}

const fn healthy(service: &'static str) -> (&'static str, Dependency) {
    let condition = "service_healthy";
    (service, Dependency { condition })
}

fn health_check(program: &[&'static str]) -> HealthCheck {
    HealthCheck {
        test: ["CMD"].iter().chain(program).copied().collect(),
        interval: "10s",
        timeout: "5s",
        retries: 3,
        start_period: "30s",
    }
}

/// Only this machine reaches it: Prometheus and Alertmanager ask nobody for a password.
fn published_port(published: u16, port: u16) -> String {
    format!("127.0.0.1:{published}:{port}")
}

fn volume_name(service: &str) -> String {
    format!("{service}-data")
}

/// A text in which compose replaces no variable.
fn uninterpolated(text: &str) -> String {
    text.replace('$', "$$")
}

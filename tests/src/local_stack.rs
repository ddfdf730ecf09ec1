//! Prometheus and Alertmanager as processes on 127.0.0.1, with the configuration that `monitored-api compose` writes for
//! containers: the same generator, with a layout of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use controller_core::stack::{
    Layout, Secret, StackApi,
    alertmanager::{self, Notifications},
    prometheus,
};
use controller_rules::promql::PromDuration;
use testbed::Toolbox;

use crate::{
    eventually, free_ports,
    prometheus_server::{self, ServerProcess},
};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long Prometheus keeps its data.
const RETENTION: &str = "15d";

/// The programs of a stack.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Prometheus, 2.45 or later.
    pub prometheus: PathBuf,
    /// Alertmanager.
    pub alertmanager: PathBuf,
}

impl Programs {
    /// Those of the test bed, built if they aren't yet.
    ///
    /// # Errors
    /// When a build fails.
    pub fn of_testbed() -> Result<Self> {
        let toolbox = Toolbox::open()?;
        Ok(Self {
            prometheus: toolbox.bin("prometheus")?,
            alertmanager: toolbox.bin("alertmanager")?,
        })
    }
}

/// How a stack is started.
#[derive(Debug)]
pub struct StackStart<'a> {
    /// Where its files are; Prometheus and Alertmanager log there too.
    pub folder: &'a Path,
    /// Its programs.
    pub programs: &'a Programs,
    /// The API that it monitors.
    pub api: StackApi,
    /// Who is told of alerts.
    pub notifications: &'a Notifications,
    /// The secrets of those who are told.
    pub secrets: &'a [(Secret, String)],
    /// Time between two evaluations of the rules.
    pub interval: PromDuration,
}

/// A running stack; its programs are killed when this is dropped.
#[derive(Debug)]
pub struct LocalStack {
    /// Address of Prometheus.
    pub prometheus: String,
    /// Address of Alertmanager.
    pub alertmanager: String,
    _processes: [ServerProcess; 2],
}

impl LocalStack {
    /// Starts both programs at free ports, and waits until they answer.
    ///
    /// # Errors
    /// When a file can't be written, or a program does not start in time.
    pub fn start(start: StackStart<'_>) -> Result<Self> {
        let folder = start.folder;
        let programs = start.programs;
        let [prometheus_port, alertmanager_port] = free_ports()?;
        let layout = Layout {
            rules: format!("{}/rules/*.yaml", folder.display()),
            prometheus: format!("127.0.0.1:{prometheus_port}"),
            alertmanager: format!("127.0.0.1:{alertmanager_port}"),
            secrets: folder.join(Secret::FOLDER).display().to_string(),
        };
        write(start, &layout)?;
        let alertmanager = start_alertmanager(&programs.alertmanager, folder, alertmanager_port)?;
        let prometheus = prometheus_server::spawn_program(&programs.prometheus, folder, prometheus_port, RETENTION)?;
        let stack = Self {
            prometheus: format!("http://{}", layout.prometheus),
            alertmanager: format!("http://{}", layout.alertmanager),
            _processes: [prometheus, alertmanager],
        };
        prometheus_server::wait_ready(&stack.prometheus)?;
        let ready = format!("{}/-/ready", stack.alertmanager);
        eventually("Alertmanager to be ready", PATIENCE, || {
            Ok(ureq::get(&ready).call().map(drop).map_err(|error| error.to_string()))
        })?;
        Ok(stack)
    }
}

/// Writes what the programs read, as JSON, which is YAML.
fn write(start: StackStart<'_>, layout: &Layout) -> Result<()> {
    let folder = start.folder;
    fs::create_dir_all(folder.join("rules"))?;
    fs::create_dir_all(&layout.secrets)?;
    for (secret, text) in start.secrets {
        fs::write(Path::new(&layout.secrets).join(secret.name()), text)?;
    }
    let rules = start.api.rules().context("the API has no rules")?.to_string();
    fs::write(folder.join("rules/api.yaml"), rules)?;
    let prometheus = serde_json::to_string(&prometheus::config(&[start.api], layout, start.interval))?;
    fs::write(folder.join("prometheus.yml"), prometheus)?;
    let alertmanager = serde_json::to_string(&alertmanager::config(start.notifications, layout))?;
    fs::write(folder.join("alertmanager.yml"), alertmanager)?;
    Ok(())
}

/// The kernel kills it when this process dies.
fn start_alertmanager(program: &Path, folder: &Path, port: u16) -> Result<ServerProcess> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .arg(format!("--config.file={}", folder.join("alertmanager.yml").display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .env_clear();
    let log = File::create(folder.join("alertmanager.log")).context("create the log of Alertmanager")?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().map(ServerProcess).context("start Alertmanager")
}

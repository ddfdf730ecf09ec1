//! A Prometheus process of the test bed with targets, each of which stands for a MonitoredApi, and rules as Prometheus
//! Operator loads them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use testbed::Toolbox;

use crate::{eventually, free_ports};

/// How long a start or a reload may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The MonitoredApi whose target is scraped: namespace and name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name, which is the job.
    pub name: &'static str,
}

/// How a server is started.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Where its files are.
    pub folder: &'a Path,
    /// Whose target it scrapes.
    pub target: Target,
    /// The port of 127.0.0.1 that it scrapes; `None`: its own.
    pub scraped: Option<u16>,
    /// Further targets, and the port of 127.0.0.1 of each.
    pub others: &'a [(Target, u16)],
    /// How long it keeps its data, such as `31d`.
    pub retention: &'a str,
}

/// The process of a server; it is killed when this is dropped.
#[derive(Debug)]
pub struct ServerProcess(pub Child);

impl ServerProcess {
    /// Ends it at once.
    ///
    /// # Errors
    /// When it can't be ended.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // An error means that it has already ended, which is fine.
        let _ = self.kill();
    }
}

/// A server whose files are in one folder, so that a later one goes on with its data. It ends when it is dropped.
#[derive(Debug)]
pub struct PrometheusServer {
    process: ServerProcess,
    folder: PathBuf,
    target: Target,
    others: Vec<(Target, u16)>,
    port: u16,
}

impl PrometheusServer {
    /// Starts a server that scrapes the target once a second.
    ///
    /// # Errors
    /// When the files can't be written, or the program is missing.
    pub fn start(start: Start<'_>) -> Result<Self> {
        let Start {
            folder,
            target,
            scraped,
            others,
            retention,
        } = start;
        let [port] = free_ports()?;
        configure(folder, (target, scraped.unwrap_or(port)), others)?;
        Ok(Self {
            process: spawn(folder, port, retention)?,
            folder: folder.to_owned(),
            target,
            others: others.to_vec(),
            port,
        })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until it answers queries.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait_ready(&self) -> Result<()> {
        wait_ready(&self.url())
    }

    /// Scrapes another port as the target.
    ///
    /// # Errors
    /// When the configuration can't be written or is not loaded.
    pub fn scrape(&self, port: u16) -> Result<()> {
        configure(&self.folder, (self.target, port), &self.others)?;
        self.reload()
    }

    /// Loads `spec` as the rules of this PrometheusRule.
    ///
    /// # Errors
    /// When the file can't be written or is not loaded.
    pub fn load(&self, rule: &Value, spec: &Value) -> Result<()> {
        write_rules(&self.folder, rule, spec)?;
        self.reload()
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When it can't be ended.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    fn reload(&self) -> Result<()> {
        reload(&self.url())
    }
}

/// Lets a server read its configuration and its rules again.
///
/// # Errors
/// When it does not take them in time.
pub fn reload(url: &str) -> Result<()> {
    eventually("Prometheus to reload", PATIENCE, || {
        let reloaded = ureq::post(format!("{url}/-/reload")).send_empty();
        Ok(reloaded.map(drop).map_err(|error| error.to_string()))
    })
}

/// Waits until a server answers queries.
///
/// # Errors
/// When it does not in time.
pub fn wait_ready(url: &str) -> Result<()> {
    eventually("Prometheus to be ready", PATIENCE, || {
        let ready = ureq::get(format!("{url}/-/ready")).call();
        Ok(ready.map(drop).map_err(|error| error.to_string()))
    })
}

/// Starts the test bed's Prometheus at this port of 127.0.0.1, as [`spawn_program`] does.
///
/// # Errors
/// When the program is missing.
pub fn spawn(folder: &Path, port: u16, retention: &str) -> Result<ServerProcess> {
    spawn_program(&Toolbox::open()?.bin("prometheus")?, folder, port, retention)
}

/// Starts a Prometheus at this port of 127.0.0.1, with `prometheus.yml` of a folder and its data in [`data`]. It logs to
/// `prometheus.log`. The kernel kills it when the process that called this dies.
///
/// # Errors
/// When the program is missing, or the log can't be created.
pub fn spawn_program(program: &Path, folder: &Path, port: u16, retention: &str) -> Result<ServerProcess> {
    let args = [
        format!("--config.file={}", folder.join("prometheus.yml").display()),
        format!("--storage.tsdb.path={}", data(folder).display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        format!("--storage.tsdb.retention.time={retention}"),
        "--web.enable-lifecycle".to_owned(),
    ];
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .args(args)
        .env_clear();
    let log = File::create(folder.join("prometheus.log")).context("create the log of Prometheus")?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().map(ServerProcess).context("start Prometheus")
}

/// Where a server of this folder keeps its blocks.
#[must_use]
pub fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Writes samples, lines of OpenMetrics with times in seconds, as blocks of a server of this folder. It reads them when it starts.
///
/// # Errors
/// When promtool refuses the text, or is missing.
pub fn backfill(folder: &Path, samples: &str) -> Result<()> {
    let file = folder.join("history.txt");
    fs::write(&file, format!("{samples}# EOF\n")).context("write the history")?;
    let mut promtool = Command::new(Toolbox::open()?.bin("promtool")?);
    promtool.args(["tsdb", "create-blocks-from", "openmetrics", "-q"]);
    let output = promtool.arg(&file).arg(data(folder)).output()?;
    ensure!(
        output.status.success(),
        "promtool: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Writes `spec` as the rules of this PrometheusRule where a server of this folder reads them, in a file that is named after
/// the PrometheusRule and its uid, as Prometheus Operator does.
///
/// # Errors
/// When the object has no name, namespace or uid, or the file can't be written.
pub fn write_rules(folder: &Path, rule: &Value, spec: &Value) -> Result<()> {
    let text = |field: &str| {
        let found = rule.get("metadata").and_then(|metadata| metadata.get(field));
        let found = found.and_then(Value::as_str);
        found.with_context(|| format!("the PrometheusRule has no {field}"))
    };
    let file = folder.join(format!(
        "{}-{}-{}.yaml",
        text("namespace")?,
        text("name")?,
        text("uid")?
    ));
    fs::write(file, spec.to_string()).context("write the rules")
}

/// The rules, with budgets computed this often, such as `5s`, instead of every five minutes.
#[must_use]
pub fn hurried(spec: &Value, interval: &str) -> Value {
    let mut spec = spec.clone();
    let groups = spec.get_mut("groups").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten().filter_map(Value::as_object_mut) {
        let name = group.get("name").and_then(Value::as_str);
        if name.is_some_and(|name| name.ends_with(".budget")) {
            group.insert("interval".to_owned(), interval.into());
        }
    }
    spec
}

fn configure(folder: &Path, first: (Target, u16), others: &[(Target, u16)]) -> Result<()> {
    let mut config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [\"{}/*-*-*.yaml\"]\n\
         scrape_configs:\n",
        folder.display()
    );
    for (Target { namespace, name }, port) in std::iter::once(&first).chain(others) {
        config.push_str(&format!(
            "- job_name: serviceMonitor/{namespace}/{name}/0\n  static_configs:\n  - targets: [\"127.0.0.1:{port}\"]\n    \
             labels: {{namespace: {namespace}, job: {name}}}\n"
        ));
    }
    fs::write(folder.join("prometheus.yml"), config).context("write prometheus.yml")
}

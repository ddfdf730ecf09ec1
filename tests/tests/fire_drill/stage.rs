//! Where the drill takes place: APIs as processes, one Prometheus that has the rules of all of them, and an Alertmanager.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{
    eventually,
    operator::Operator,
    prometheus::{Prometheus, get_json},
    prometheus_server::{self, ServerProcess, hurried},
};
use serde_json::{Value, json};
use testbed::Toolbox;

use crate::{
    api::{Api, MEMORY_AT_LAST, Setup, free_address},
    cluster::{Cluster, NAMESPACE, OPERATOR_JOB, operator_rules},
    scenario::{Needs, Scenario},
    table::Row,
};

const PATIENCE: Duration = Duration::from_secs(120);
const WEEK: u64 = 7 * 24 * 60 * 60;
const HOUR: u64 = 60 * 60;

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) apis: Vec<(Scenario, Api)>,
    /// The rules of each API, by its name: `spec` of the PrometheusRule.
    rules: Vec<(String, Value)>,
    alertmanager: SocketAddr,
    _servers: [ServerProcess; 2],
}

impl Stage {
    /// Starts everything but the cluster. Its files are in `folder`.
    pub(crate) fn start(folder: &Path, scenarios: &[Scenario], cluster: Option<&Arc<Cluster>>) -> Result<Self> {
        let (prometheus, alertmanager) = (free_address()?, free_address()?);
        let url = format!("http://{prometheus}");
        let reading = Prometheus { url: url.clone() };
        let mut apis = Vec::new();
        let mut rules = Vec::new();
        if cluster.is_some() {
            rules.push((OPERATOR_JOB.to_owned(), operator_rules()?));
        }
        for scenario in scenarios {
            if let (Needs::Operator | Needs::Containers, Some(cluster)) = (scenario.needs, cluster) {
                cluster.create(&scenario.monitored_api(NAMESPACE))?;
            }
            let name = scenario.api_name();
            let database = folder.join(format!("{name}.db"));
            let file = || format!("sqlite://{}", database.display());
            let api = Api::start(Setup {
                database_url: scenario.database.map_or_else(file, str::to_owned),
                metrics: scenario.needs.metrics(),
                open_files: scenario.open_files,
                replicas: scenario.replicas,
                prometheus: reading.clone(),
                cluster: cluster.cloned(),
                name,
                database,
            })?;
            apis.push((*scenario, api));
            if scenario.needs != Needs::OperatorAlone {
                rules.push((scenario.api_name(), rendered_rules(folder, scenario)?));
            }
        }
        for (name, spec) in &rules {
            fs::write(folder.join(format!("{name}.rules.yaml")), spec.to_string())?;
        }
        fs::write(
            folder.join("prometheus.yml"),
            configuration(folder, &apis, cluster, alertmanager).to_string(),
        )?;
        backfill(folder)?;
        let servers = [
            start_alertmanager(folder, alertmanager)?,
            prometheus_server::spawn(folder, prometheus.port(), "15d")?,
        ];
        for ready in [url, format!("http://{alertmanager}")] {
            eventually("the servers to be ready", PATIENCE, || {
                let answer = ureq::get(format!("{ready}/-/ready")).call();
                Ok(answer.map(drop).map_err(|error| error.to_string()))
            })?;
        }
        Ok(Self {
            apis,
            rules,
            alertmanager,
            _servers: servers,
        })
    }

    /// The alerts of an API that are firing in Alertmanager.
    pub(crate) fn firing(&self, api: &Api) -> Result<Vec<Value>> {
        let all = get_json(&format!("http://{}/api/v2/alerts?active=true", self.alertmanager))?;
        let all = all.as_array().cloned().context("a list of alerts")?;
        let of_api = |alert: &Value| alert["labels"]["job"] == api.name.as_str();
        Ok(all.into_iter().filter(of_api).collect())
    }

    /// The rule of an alert, as `render` or the chart gives it.
    pub(crate) fn rule(&self, api: &Api, row: &Row) -> Result<&Value> {
        // Those about the operator are alike for all APIs.
        let own = self.rules.iter().filter(|(name, _)| *name == api.name);
        let mut rules = own
            .chain(&self.rules)
            .filter_map(|(_, spec)| spec["groups"].as_array())
            .flatten()
            .filter_map(|group| group["rules"].as_array())
            .flatten();
        let rule = rules.find(|rule| row.is_of(&rule["alert"], &rule["labels"]));
        rule.with_context(|| format!("{} has no rule", row.shown()))
    }
}

/// The rules as `monitored-api render` gives them. What is left of a budget is recorded every few seconds instead of every
/// five minutes.
fn rendered_rules(folder: &Path, scenario: &Scenario) -> Result<Value> {
    let file = folder.join(format!("{}.api.json", scenario.api_name()));
    fs::write(&file, scenario.monitored_api(NAMESPACE).to_string())?;
    let mut command = Command::new(Operator::binary()?);
    let output = command
        .args(["render", "--output=json", "--file"])
        .arg(&file)
        .output()?;
    ensure!(
        output.status.success(),
        "render: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let list: Value = serde_json::from_slice(&output.stdout)?;
    let mut objects = list["items"].as_array().context("a list of objects")?.iter();
    let rule = objects.find(|object| object["kind"] == "PrometheusRule");
    let spec = &rule.context("a PrometheusRule")?["spec"];
    Ok(hurried(spec, "5s"))
}

fn configuration(
    folder: &Path,
    apis: &[(Scenario, Api)],
    cluster: Option<&Arc<Cluster>>,
    alertmanager: SocketAddr,
) -> Value {
    let scrape = |name: &str, targets: Vec<SocketAddr>, seconds: u32, samples: u32| {
        let interval = format!("{seconds}s");
        json!({
            "job_name": name, "scrape_interval": interval, "scrape_timeout": interval, "sample_limit": samples,
            "static_configs": [{"targets": targets, "labels": {"namespace": NAMESPACE}}],
        })
    };
    let scenarios = apis.iter().filter(|(one, _)| one.needs != Needs::OperatorAlone);
    let apis = scenarios.map(|(one, api)| scrape(&api.name, api.targets(), one.scrape_seconds, one.samples));
    let operator = cluster.map(|cluster| scrape(OPERATOR_JOB, vec![cluster.operator.address()], 1, 50_000));
    json!({
        "global": {"evaluation_interval": "1s"},
        "rule_files": [folder.join("*.rules.yaml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": apis.chain(operator).collect::<Vec<_>>(),
    })
}

fn start_alertmanager(folder: &Path, address: SocketAddr) -> Result<ServerProcess> {
    let config = folder.join("alertmanager.yml");
    fs::write(
        &config,
        r#"{"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}"#,
    )?;
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(Toolbox::open()?.bin("alertmanager")?)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=")
        .env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(ServerProcess(command.spawn().context("start alertmanager")?))
}

/// Writes what the rules of some APIs would have recorded a week ago and in the last hours, as blocks.
fn backfill(folder: &Path) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut history = String::new();
    let mut record = |name: &str, api: &str, label: &str, value: &str| -> Result<()> {
        for at in (now - WEEK - 2 * HOUR..now - WEEK + 2 * HOUR).step_by(60) {
            writeln!(
                history,
                "{name}{{namespace=\"{NAMESPACE}\",job=\"{api}\"{label}}} {value} {at}"
            )?;
        }
        Ok(())
    };
    let requests = "namespace_job:api_requests:rate5m";
    record(requests, "clients-stay-away", "", "1")?;
    record(requests, "clients-rush-in", "", "0.05")?;
    for (bound, requests) in [("0.1", "0"), ("0.25", "1"), ("+Inf", "1")] {
        let label = format!(",le=\"{bound}\"");
        record("namespace_job_le:api_latency_buckets:rate5m", "slow", &label, requests)?;
    }
    for at in (now - 7 * HOUR..now - 60).step_by(60) {
        let bytes = MEMORY_AT_LAST - (now - at) * 2_000;
        let labels = format!("namespace=\"{NAMESPACE}\",job=\"memory-grows\"");
        writeln!(history, "namespace_job:api_memory_bytes:max5m{{{labels}}} {bytes} {at}")?;
    }
    // Half of the requests of the last day failed.
    for at in (now - 26 * HOUR..now - 10 * 60).step_by(60) {
        for (result, requests) in [("total", 2_000), ("error", 1_000)] {
            writeln!(
                history,
                "namespace_job_objective_result:api_objective_events:increase1h{{namespace=\"{NAMESPACE}\",\
                 job=\"fails-for-hours\",objective=\"availability\",result=\"{result}\"}} {requests} {at}"
            )?;
        }
    }
    prometheus_server::backfill(folder, &history)
}

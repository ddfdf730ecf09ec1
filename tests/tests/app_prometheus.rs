//! Compares the figures that the reference API reports itself with those of a real Prometheus: rates, errors and
//! percentiles of `/metrics/summary` with the results of the queries in `/metrics/prometheus-queries`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may panic, and prints its figures"
)]

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use integration_tests::{Traffic, api::Process, eventually, prometheus::Prometheus};
use serde_json::Value;
use testbed::Toolbox;

/// The length of the window over which both sides compute, seconds.
const WINDOW: u32 = 20;
/// How far rates may differ, as a ratio: the windows of the two sides are up to one scrape (1 s of 20) apart.
const RATE_TOLERANCE: f64 = 0.05;
/// Queries that may return nothing, because no background task has run.
const MAY_BE_EMPTY: &[&str] = &["Background tasks"];
const PATIENCE: Duration = Duration::from_secs(60);

/// A Prometheus server; it is killed when this is dropped. The kernel kills it when the test process dies, even if that is
/// by SIGKILL.
struct PrometheusProcess(Child);

impl Drop for PrometheusProcess {
    fn drop(&mut self) {
        // An error means that it has already ended, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the reference API.
fn start_app() -> Process {
    let settings = [("METRICS_COLLECTION_INTERVAL", "1s"), ("SYSTEM_METRICS_INTERVAL", "1s")];
    Process::start_with("sqlite::memory:", &settings).unwrap()
}

/// Starts a Prometheus that scrapes `target`.
fn start_prometheus(target: SocketAddr, directory: &Path) -> (PrometheusProcess, Prometheus) {
    let config = directory.join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n\
         - job_name: orders\n  static_configs:\n  - targets: [\"{target}\"]\n    labels: {{namespace: shop}}\n"
    );
    fs::write(&config, text).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", directory.join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let binary = Toolbox::open().unwrap().bin("prometheus").unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(binary).args(args);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let program = PrometheusProcess(command.spawn().unwrap());
    let url = format!("http://127.0.0.1:{port}");
    (program, Prometheus { url })
}

fn get(url: &str) -> Value {
    let mut answer = ureq::get(url).header("accept", "application/json").call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// The PromQL of the query with this title.
fn promql<'a>(queries: &'a Value, title: &str) -> &'a str {
    let rows = queries["queries"].as_array().unwrap();
    let row = rows.iter().find(|row| row["title"] == title);
    row.unwrap_or_else(|| panic!("no query {title}"))["promql"]
        .as_str()
        .unwrap()
}

/// The bucket in which a percentile lies.
fn bucket(seconds: f64) -> usize {
    let bounds = metric_contract::dialects::native::DURATION_BUCKETS_SECONDS;
    bounds.iter().filter(|bound| seconds > **bound).count()
}

/// Compares both sides: the figures if they agree, else the differences.
fn compare(app: &str, queries: &Value, prometheus: &Prometheus) -> anyhow::Result<Result<String, String>> {
    let summary = get(&format!("{app}/metrics/summary?window={WINDOW}"));
    let mut figures = format!("window {} s\n", summary["window_seconds"]);
    let mut differences = Vec::new();
    let mut check = |name: &str, ours: &Value, theirs: Option<f64>, agree: &dyn Fn(f64, f64) -> bool| {
        let line = format!("{name}: summary {ours}, Prometheus {theirs:?}");
        if !ours
            .as_f64()
            .zip(theirs)
            .is_some_and(|(ours, theirs)| agree(ours, theirs))
        {
            differences.push(line.clone());
        }
        figures.push_str(&line);
        figures.push('\n');
    };
    let ask = |title: &str| -> anyhow::Result<Option<f64>> {
        Ok(prometheus
            .query(promql(queries, title))?
            .first()
            .map(|(_, value)| *value))
    };
    let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= RATE_TOLERANCE * theirs;
    let total = &summary["total"];
    check("rate", &total["rate_per_second"], ask("Request rate")?, &near);
    let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= 0.01;
    check("error ratio", &total["error_ratio"], ask("Error ratio")?, &close);
    let neighbours = |ours: f64, theirs: f64| bucket(ours).abs_diff(bucket(theirs)) <= 1;
    for percent in ["50", "95", "99"] {
        let ours = &total[format!("p{percent}_seconds")];
        check(
            &format!("p{percent}"),
            ours,
            ask(&format!("Latency P{percent}"))?,
            &neighbours,
        );
    }
    let by_endpoint = prometheus.query(promql(queries, "Requests by endpoint"))?;
    for row in summary["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["route"] != "/api/slow")
    {
        let same = |labels: &Value| labels["route"] == row["route"] && labels["method"] == row["method"];
        let theirs = by_endpoint
            .iter()
            .find(|(labels, _)| same(labels))
            .map(|(_, value)| *value);
        let name = format!("rate of {} {}", row["method"], row["route"]);
        // With a few requests a second, one more or less at the edge of a window exceeds the tolerance.
        let near = |ours: f64, theirs: f64| near(ours, theirs) || (ours - theirs).abs() * f64::from(WINDOW) <= 2.0;
        check(&name, &row["rate_per_second"], theirs, &near);
    }
    Ok(if differences.is_empty() {
        Ok(figures)
    } else {
        Err(differences.join("\n"))
    })
}

#[test]
fn the_summary_of_the_api_agrees_with_a_real_prometheus() {
    let api = start_app();
    let app = format!("http://{}", api.address);
    let directory = tempfile::tempdir().unwrap();
    let (_server, prometheus) = start_prometheus(api.address, directory.path());
    let urls = [
        "/",
        "/api/v1/data",
        "/",
        "/api/v1/data/stats/summary",
        "/",
        "/api/error",
        "/",
        "/nowhere",
    ];
    let quick = Traffic::start(urls.iter().map(|path| format!("{app}{path}")).collect(), 40);
    let slow = || Traffic::start(vec![format!("{app}/api/slow")], 1);
    let _slow = [slow(), slow()];

    // Waits until both sides have seen the same traffic for a whole window.
    let queries = get(&format!(
        "{app}/metrics/prometheus-queries?namespace=shop&job=orders&window={WINDOW}"
    ));
    eventually("a window of traffic", PATIENCE, || {
        let since = prometheus
            .query("count_over_time(up[1h])")
            .map_err(|error| error.to_string());
        Ok(match since.as_ref().map(|rows| rows.first()) {
            Ok(Some((_, scrapes))) if *scrapes > f64::from(WINDOW) + 5.0 => Ok(()),
            _ => Err(format!("{since:?}")),
        })
    })
    .unwrap();
    assert!(
        quick.answered() > u64::from(WINDOW) * 10,
        "too few requests were answered: {}",
        quick.answered()
    );

    let mut unanswered = Vec::new();
    for row in queries["queries"].as_array().unwrap() {
        let (title, promql) = (row["title"].as_str().unwrap(), row["promql"].as_str().unwrap());
        let rows = prometheus.query(promql).unwrap();
        if rows.is_empty() && !MAY_BE_EMPTY.contains(&title) {
            unanswered.push(format!("{title}: {promql}"));
        }
        println!(
            "{title}: {} series, first {:?}",
            rows.len(),
            rows.first().map(|(_, value)| value)
        );
    }
    assert!(unanswered.is_empty(), "no answer to:\n{}", unanswered.join("\n"));

    // Retried, because a burst at the edge of a window may be seen by one side only.
    let figures = eventually("the summary and Prometheus to agree", PATIENCE, || {
        compare(&app, &queries, &prometheus)
    })
    .unwrap();
    println!("{figures}");
}

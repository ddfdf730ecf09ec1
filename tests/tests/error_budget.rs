//! An outage of five minutes in counters that the test chooses: it pages within its short window and stops, and what is left
//! of the error budget is the same in Prometheus, in the status, in `kubectl get` and by hand.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may panic, prints its figures, and a JSON value indexed by key gives null"
)]

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use integration_tests::{
    eventually,
    install::{Installed, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, condition, monitored_api},
    operator::Operator,
    page_server,
    prometheus::Prometheus,
    prometheus_server::{PrometheusServer, Start, Target, data, hurried, write_rules},
};
use serde_json::{Value, json};
use testbed::{Testbed, Toolbox};

const TARGET: Target = Target {
    namespace: "shop",
    name: "orders",
};
const PROMETHEUS_RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
const PATIENCE: Duration = Duration::from_secs(3 * 60);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Full hours of counters before the current one.
const HISTORY_HOURS: u64 = 60;
/// When the outage begins, after the first sample.
const OUTAGE_AT: u64 = 20 * HOUR + 10 * MINUTE;
const OUTAGE: u64 = 5 * MINUTE;
/// Requests that are answered well, a second.
const GOOD_PER_SECOND: u64 = 2;
/// Requests that fail beside the good ones, a second of the outage: enough to burn fast, few enough to leave some budget.
const ERRORS_PER_SECOND: u64 = 1;
/// What each counter has at the beginning of the history: of one that begins at 0, `rate()` takes the first increase for less
/// than it is.
const BEFORE: u64 = 1_000;
/// What a target of 99.9 % allows.
const BUDGET: f64 = 0.001;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The raw counters since the beginning of the history, as functions of the time.
#[derive(Debug, Clone, Copy)]
struct Counters {
    begin: u64,
    port: u16,
}

impl Counters {
    fn good(self, at: u64) -> u64 {
        (at - self.begin) * GOOD_PER_SECOND
    }

    fn errors(self, at: u64) -> u64 {
        (at - self.begin).saturating_sub(OUTAGE_AT).min(OUTAGE) * ERRORS_PER_SECOND
    }

    /// Percent of the budget that is left by the counters alone, at the last full hour: the rules add up full hours.
    fn budget_left(self, at: u64) -> f64 {
        let hour = at - at % HOUR;
        let (good, errors) = (self.good(hour) as f64, self.errors(hour) as f64);
        100.0 * (1.0 - errors / (good + errors) / BUDGET)
    }

    /// The history as OpenMetrics, a sample every 15 seconds, with the labels that the scraped series have.
    fn history(self, until: u64) -> String {
        let mut text = "# TYPE http_requests counter\n".to_owned();
        for (status, value) in [("200", Self::good as fn(Self, u64) -> u64), ("500", Self::errors)] {
            for at in (self.begin..until).step_by(15) {
                let labels = format!(
                    "namespace=\"{}\",job=\"{}\",instance=\"127.0.0.1:{}\",method=\"GET\",route=\"/orders\",status=\"{status}\"",
                    TARGET.namespace, TARGET.name, self.port
                );
                let value = BEFORE + value(self, at);
                writeln!(text, "http_requests_total{{{labels}}} {value} {at}").unwrap();
            }
        }
        text + "# EOF\n"
    }

    /// The page of the moment.
    fn page(self) -> String {
        let at = now();
        let line = |status: &str, value: u64| {
            format!("http_requests_total{{method=\"GET\",route=\"/orders\",status=\"{status}\"}} {value}\n")
        };
        format!(
            "# TYPE http_requests_total counter\n{}{}",
            line("200", BEFORE + self.good(at)),
            line("500", BEFORE + self.errors(at))
        )
    }
}

fn promtool(args: &[&str]) {
    let program = Toolbox::open().unwrap().bin("promtool").unwrap();
    let output = Command::new(program).args(args).output().unwrap();
    assert!(
        output.status.success(),
        "promtool {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn start_prometheus(folder: &Path, scraped: Option<u16>) -> PrometheusServer {
    let server = PrometheusServer::start(Start {
        folder,
        target: TARGET,
        scraped,
        others: &[],
        retention: "31d",
    })
    .unwrap();
    server.wait_ready().unwrap();
    server
}

/// The recording rules that the budget is computed from, each as a rule file of its own, in the order of evaluation.
fn stages(spec: &Value) -> Vec<Value> {
    let groups = spec["groups"].as_array().unwrap().iter();
    let recordings = groups.filter(|group| group["name"].as_str().is_some_and(|name| name.ends_with(".recording")));
    let rules = recordings.flat_map(|group| group["rules"].as_array().unwrap());
    rules
        .filter(|rule| {
            !["memory", "latency"]
                .iter()
                .any(|part| rule["record"].as_str().unwrap().contains(part))
        })
        .map(|rule| json!({"groups": [{"name": "backfill", "rules": [rule]}]}))
        .collect()
}

/// Writes the history of the counters, and of what the rules record of them, one after the other as each reads the one
/// before.
fn backfill(folder: &Path, counters: Counters, spec: &Value) {
    let until = now() - MINUTE;
    let (history, data) = (folder.join("history.txt"), data(folder));
    fs::write(&history, counters.history(until)).unwrap();
    let (history, data) = (history.to_str().unwrap(), data.to_str().unwrap());
    promtool(&["tsdb", "create-blocks-from", "openmetrics", "-q", history, data]);
    for stage in stages(spec) {
        // A server reads new blocks when it starts.
        let server = start_prometheus(folder, None);
        let file = folder.join("stage.yml");
        fs::write(&file, stage.to_string()).unwrap();
        let (url, start, end) = (server.url(), counters.begin.to_string(), until.to_string());
        let args = [
            "tsdb",
            "create-blocks-from",
            "rules",
            "--url",
            &url,
            "--start",
            &start,
            "--end",
            &end,
        ];
        promtool(
            &[
                &args[..],
                &["--eval-interval", "15s", "--output-dir", data, file.to_str().unwrap()],
            ]
            .concat(),
        );
    }
}

/// When the alert of the fastest tier would have fired, by the rule's own expression, after the beginning of the outage.
fn pages(url: &str, spec: &Value, counters: Counters) -> Vec<i64> {
    let groups = spec["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let fastest = rules
        .into_iter()
        .find(|rule| rule["labels"]["tier"] == "14.4x")
        .unwrap();
    assert_eq!(fastest["labels"]["severity"], "critical");
    let outage = counters.begin + OUTAGE_AT;
    let mut answer = ureq::get(format!("{url}/api/v1/query_range"))
        .query("query", fastest["expr"].as_str().unwrap())
        .query("start", (outage - HOUR).to_string())
        .query("end", (outage + 3 * HOUR).to_string())
        .query("step", "60")
        .call()
        .unwrap();
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let values = body["data"]["result"][0]["values"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let seconds = values
        .iter()
        .map(|value| value[0].as_f64().unwrap() as i64 - outage as i64);
    seconds.collect()
}

/// Creates the MonitoredApi and waits for its PrometheusRule.
fn create_api(api: &Kubernetes) -> Value {
    api.create_namespace(TARGET.namespace).unwrap();
    let spec = json!({
        "image": "example.org/orders:1", "preset": "native",
        "objectives": [{"name": "availability", "type": "Availability", "target": "99.9"}],
    });
    let object = monitored_api(TARGET.name, &spec);
    api.create(&MONITORED_APIS.within(TARGET.namespace), &object).unwrap();
    let rule = PROMETHEUS_RULES.object(TARGET.namespace, TARGET.name);
    api.wait_for(&rule, PATIENCE, |_| Ok(())).unwrap()
}

#[test]
fn the_budget_is_the_same_in_prometheus_in_the_status_and_by_hand() {
    let bed = Testbed::builder("error-budget").start().unwrap();
    bed.start_kwok(1).unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let start = |args: &[&str]| Operator::start(&kubeconfig, &installed.operator_log(), args).unwrap();
    let mut operator = start(&[]);
    operator.wait_ready().unwrap();
    let rule = create_api(&api);
    assert!(operator.stop().unwrap().success());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let counters = Counters {
        begin: now() / HOUR * HOUR - HISTORY_HOURS * HOUR,
        port: listener.local_addr().unwrap().port(),
    };
    let folder = tempfile::tempdir().unwrap();
    backfill(folder.path(), counters, &rule["spec"]);
    // The counters go on as they did before.
    page_server::serve(listener, move || counters.page());
    write_rules(folder.path(), &rule, &hurried(&rule["spec"], "5s")).unwrap();
    let server = start_prometheus(folder.path(), Some(counters.port));
    check_pages(&pages(&server.url(), &rule["spec"], counters));

    let operator = start(&[&format!("--prometheus-url={}", server.url())]);
    wait_budget(&api, &server.url(), counters);
    check_status(&bed, &api);
    assert!(operator.stop().unwrap().success());
}

fn check_pages(fired: &[i64]) {
    let (first, last) = (*fired.first().unwrap(), *fired.last().unwrap());
    println!("the fastest alert fires from {first} s to {last} s after the beginning of the outage");
    let outage = OUTAGE as i64;
    assert!((0..=outage).contains(&first), "within the short window: {fired:?}");
    assert!((outage..=outage + 6 * 60).contains(&last), "it stops: {fired:?}");
    assert!(
        fired.windows(2).all(|two| two[1] - two[0] == 60),
        "without a break: {fired:?}"
    );
}

/// Waits until the budget that is recorded and the one that the status shows are that of the counters.
fn wait_budget(api: &Kubernetes, url: &str, counters: Counters) {
    let prometheus = Prometheus { url: url.to_owned() };
    let path = MONITORED_APIS.object(TARGET.namespace, TARGET.name);
    eventually("the budget by hand", PATIENCE, || {
        let budgets = prometheus.query("namespace_job_objective:api_objective_error_budget:remaining28d")?;
        let Some((labels, recorded)) = budgets.first() else {
            return Ok(Err("no budget is recorded".to_owned()));
        };
        assert_eq!(labels["objective"], "availability");
        let object = api.get(&path)?.unwrap();
        let shown = object["status"]["errorBudgetRemaining"].as_str();
        let shown = shown.and_then(|text| text.trim_end_matches('%').parse::<f64>().ok());
        let (by_hand, recorded) = (counters.budget_left(now()), recorded * 100.0);
        let close = |value: f64| (value - by_hand).abs() <= 1.0;
        let seen = format!("by hand {by_hand:.2} %, recorded {recorded:.2} %, status {shown:?}");
        let same = close(recorded) && shown.is_some_and(close);
        if same {
            println!("{seen}");
        }
        Ok(if same { Ok(()) } else { Err(seen) })
    })
    .unwrap();
}

/// The rest of what is shown of the objective.
fn check_status(bed: &Testbed, api: &Kubernetes) {
    let object = api
        .get(&MONITORED_APIS.object(TARGET.namespace, TARGET.name))
        .unwrap()
        .unwrap();
    let status = &object["status"]["objectives"][0];
    // 300 of 432,300 requests failed.
    assert_eq!(status["sli"], "99.93");
    assert_eq!(
        (&status["burnRate1h"], &status["burnRate6h"]),
        (&json!("<1"), &json!("<1"))
    );
    let (truth, reason, _) = condition(&object, "ObjectivesEvaluated").unwrap();
    assert_eq!((truth, reason), ("True", "BudgetsRecorded"));
    let table = bed
        .kubectl(&["-n", TARGET.namespace, "get", "mapi", TARGET.name])
        .unwrap();
    println!("{table}");
    assert!(table.contains(status["budgetRemaining"].as_str().unwrap()), "{table}");
}

//! What it costs that the operator asks a real Prometheus about many MonitoredApis while nothing happens: requests to
//! Prometheus, writes to the API server, CPU and memory of the operator.
//!
//! Pods are those of simulated nodes. All targets are one metrics page, under an instance of its own each. The measurement fails if
//! the number of requests grows with the number of MonitoredApis, if an API is written more often than once in five minutes, or if
//! a request or a reconcile fails.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::TcpListener,
    path::Path,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{
    audit::{AuditLog, Entry, Mark},
    eventually,
    install::{Installed, OPERATOR_USER, prometheus_operator_crds, select_everything},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, Write, monitored_api, says},
    operator::Operator,
    page_server, process,
    prometheus_server::{self, ServerProcess, backfill, hurried, reload, wait_ready, write_rules},
};
use metric_contract::platform::RECONCILE_ERRORS;
use serde_json::json;
use testbed::Testbed;

const PROMETHEUS_RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
/// Simulated nodes.
const NODES: usize = 10;
/// MonitoredApis in one namespace.
const IN_NAMESPACE: usize = 100;
const IN_FLIGHT: usize = 16;
const HOUR: u64 = 60 * 60;
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// No write for so long means that the operator has shown what it found.
const QUIET: Duration = Duration::from_secs(90);
/// What one round of questions may add: the window begins and ends in the middle of one.
const ONE_ROUND: f64 = 12.0;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Numbers of MonitoredApis, ascending; each is measured.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000])]
    resources: Vec<usize>,
    /// How long each is measured.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

/// Measures, and returns the table.
pub(super) fn measure(args: &Args, binary: &Path) -> Result<String> {
    ensure!(
        args.minutes > 0 && args.resources.is_sorted() && args.resources.first().is_some_and(|first| *first > 0),
        "--minutes and --resources must be at least 1, and --resources ascend"
    );
    let most = args.resources.last().copied().unwrap_or_default();
    let mut bench = Bench::start(binary, most)?;
    let mut all = Vec::new();
    for resources in &args.resources {
        bench.grow(*resources)?;
        all.push(bench.measure(*resources, args.minutes)?);
    }
    check(&all, args.minutes)?;
    Ok(format!("{} minutes each.\n\n{}", args.minutes, table(&all)))
}

/// What was measured with a number of MonitoredApis.
struct Figures {
    resources: usize,
    /// Requests to Prometheus.
    asked: Served,
    /// The operator's writes, without those of the Lease.
    writes: usize,
    /// Of one MonitoredApi, at most.
    writes_of_one: usize,
    /// The operator's other requests to the API server.
    reads: usize,
    cpu: Duration,
    anonymous: u64,
    resident: u64,
    /// Reconciles that failed.
    errors: f64,
}

/// What Prometheus has answered so far, by its own count.
#[derive(Debug, Clone, Copy, Default)]
struct Served {
    requests: f64,
    /// Those that it did not answer with 200.
    failed: f64,
    bytes: f64,
}

struct Bench {
    _bed: Testbed,
    api: Kubernetes,
    audit: AuditLog,
    operator: Operator,
    _prometheus: ServerProcess,
    url: String,
    folder: tempfile::TempDir,
    /// Where the metrics page is served.
    page: u16,
    /// MonitoredApis so far.
    resources: usize,
}

impl Bench {
    fn start(binary: &Path, most: usize) -> Result<Self> {
        let bed = Testbed::builder("bench-prometheus").start()?;
        bed.start_kwok(NODES)?;
        prometheus_operator_crds(&bed)?;
        let installed = Installed::into(&bed)?;
        let api = Kubernetes::connect(&bed.kubeconfig())?;
        select_everything(&api)?;

        let folder = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let page = listener.local_addr()?.port();
        page_server::serve(listener, metrics_page);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        configure(folder.path(), page, 0)?;
        backfill(folder.path(), &history(most)?)?;
        let prometheus = prometheus_server::spawn(folder.path(), port, "31d")?;
        wait_ready(&url)?;

        let kubeconfig = installed.operator_kubeconfig(None)?;
        let argument = format!("--prometheus-url={url}");
        let mut operator = Operator::start_program(binary, &kubeconfig, &installed.operator_log(), &[&argument])?;
        operator.wait_ready()?;
        operator.wait_until_leader()?;
        Ok(Self {
            audit: AuditLog::of(&bed),
            _bed: bed,
            api,
            operator,
            _prometheus: prometheus,
            url,
            folder,
            page,
            resources: 0,
        })
    }

    /// Creates MonitoredApis until there are so many, and waits until all of them are monitored and nothing is written any more.
    fn grow(&mut self, resources: usize) -> Result<()> {
        let spec = json!({
            "image": "example.org/orders:1", "preset": "native",
            "objectives": [{"name": "availability", "type": "Availability", "target": "99.9"}],
        });
        let mut writes = Vec::new();
        for index in self.resources..resources {
            if index.is_multiple_of(IN_NAMESPACE) {
                self.api.create_namespace(&namespace(index))?;
            }
            let object = monitored_api(&name(index), &spec);
            writes.push(Write::create(MONITORED_APIS.within(&namespace(index)), &object));
        }
        self.api.send_all(&writes, IN_FLIGHT)?;
        self.resources = resources;
        let rules = eventually("the rules of every MonitoredApi", PATIENCE, || {
            sleep(Duration::from_secs(1));
            let rules = self.api.list(&PROMETHEUS_RULES.everywhere(), "")?;
            Ok(if rules.len() == resources {
                Ok(rules)
            } else {
                Err(format!("{} have some", rules.len()))
            })
        })?;
        for rule in &rules {
            let spec = hurried(rule.get("spec").context("a spec")?, "1m");
            write_rules(self.folder.path(), rule, &spec)?;
        }
        configure(self.folder.path(), self.page, resources)?;
        reload(&self.url)?;
        eventually("every MonitoredApi to be monitored", PATIENCE, || {
            sleep(Duration::from_secs(5));
            let all = self.api.list(&MONITORED_APIS.everywhere(), "")?;
            let mut not_yet = all.iter().filter_map(|object| says(object, "Monitored", "True").err());
            Ok(not_yet.next().map_or(Ok(()), Err))
        })?;
        eventually("the operator to write nothing", PATIENCE, || {
            let mark = self.audit.mark()?;
            sleep(QUIET);
            let writes = self.writes(mark)?;
            Ok(writes.first().map_or(Ok(()), |first| {
                Err(format!("{} writes, the first is {}", writes.len(), first.show()))
            }))
        })
    }

    fn entries(&self, mark: Mark) -> Result<Vec<Entry>> {
        let mut entries = self.audit.since(mark, OPERATOR_USER)?;
        entries.retain(|entry| entry.resource != "leases");
        Ok(entries)
    }

    fn writes(&self, mark: Mark) -> Result<Vec<Entry>> {
        let mut entries = self.entries(mark)?;
        entries.retain(Entry::is_write);
        Ok(entries)
    }

    fn errors(&self) -> Result<f64> {
        Ok(self.operator.metric(RECONCILE_ERRORS.name)?.unwrap_or_default())
    }

    /// Looks on for so many minutes.
    fn measure(&self, resources: usize, minutes: u64) -> Result<Figures> {
        let pid = self.operator.id();
        let (mark, served, errors) = (self.audit.mark()?, served_by(&self.url)?, self.errors()?);
        let cpu = process::cpu(pid)?;
        sleep(Duration::from_secs(60 * minutes));
        let cpu = process::cpu(pid)?.saturating_sub(cpu);
        let now = served_by(&self.url)?;
        let entries = self.entries(mark)?;
        let mut of_each = BTreeMap::<(&str, &str), usize>::new();
        for write in entries.iter().filter(|entry| entry.is_write()) {
            *of_each.entry((&write.namespace, &write.name)).or_default() += 1;
        }
        let writes = of_each.values().sum();
        Ok(Figures {
            resources,
            asked: Served {
                requests: now.requests - served.requests,
                failed: now.failed - served.failed,
                bytes: now.bytes - served.bytes,
            },
            writes,
            writes_of_one: of_each.values().copied().max().unwrap_or_default(),
            reads: entries.len() - writes,
            cpu,
            anonymous: process::anonymous(pid)?,
            resident: process::resident(pid)?,
            errors: self.errors()? - errors,
        })
    }
}

fn namespace(index: usize) -> String {
    format!("many-{}", index / IN_NAMESPACE)
}

fn name(index: usize) -> String {
    format!("api-{index}")
}

/// The page of every target: an API that answers two requests a second, each within a tenth of a second.
fn metrics_page() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let requests = now % 100_000_000 * 2;
    let labels = r#"method="GET",route="/orders""#;
    let mut page = format!("http_requests_total{{{labels},status=\"200\"}} {requests}\n");
    let name = "http_request_duration_seconds";
    for bound in metric_contract::dialects::native::DURATION_BUCKETS_SECONDS {
        let count = if *bound < 0.1 { 0 } else { requests };
        // Writing into a String can't fail.
        let _ = writeln!(page, "{name}_bucket{{{labels},le=\"{bound:?}\"}} {count}");
    }
    let _ = writeln!(page, "{name}_bucket{{{labels},le=\"+Inf\"}} {requests}");
    let _ = writeln!(
        page,
        "{name}_sum{{{labels}}} {requests}\n{name}_count{{{labels}}} {requests}"
    );
    page + "http_requests_in_progress{method=\"GET\",route=\"/orders\"} 1\nprocess_resident_memory_bytes 20000000\n"
}

/// What the rules of so many MonitoredApis counted at the end of the last full hours: without it there is no budget in the first
/// ten minutes.
fn history(resources: usize) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut text = String::new();
    for index in 0..resources {
        for (result, events) in [("total", 7_200), ("error", 0)] {
            for at in (now / HOUR - 2..=now / HOUR).map(|hour| hour * HOUR) {
                let (namespace, job) = (namespace(index), name(index));
                writeln!(
                    text,
                    "namespace_job_objective_result:api_objective_events:increase1h{{namespace=\"{namespace}\",job=\"{job}\",\
                     objective=\"availability\",result=\"{result}\"}} {events} {at}"
                )?;
            }
        }
    }
    Ok(text)
}

/// Writes the configuration for so many targets of the page.
fn configure(folder: &Path, page: u16, targets: usize) -> Result<()> {
    let target = |index| {
        let labels =
            json!({"namespace": namespace(index), "job": name(index), "instance": format!("pod-of-{}", name(index))});
        json!({"targets": [format!("127.0.0.1:{page}")], "labels": labels})
    };
    let targets: Vec<_> = (0..targets).map(target).collect();
    let config = json!({
        "global": {"scrape_interval": "30s", "evaluation_interval": "1m"},
        "rule_files": [folder.join("*-*-*.yaml")],
        "scrape_configs": [{"job_name": "all", "static_configs": targets}],
    });
    fs::write(folder.join("prometheus.yml"), config.to_string()).context("write prometheus.yml")
}

/// What Prometheus has answered so far on the paths that the operator asks.
fn served_by(url: &str) -> Result<Served> {
    let mut answer = ureq::get(format!("{url}/metrics")).call()?;
    // Prometheus exports figures of every group of rules: more than 10 MB with 1,000 MonitoredApis.
    let page = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
    let mut served = Served::default();
    for line in page.lines().filter(|line| line.contains("handler=\"/api/v1/")) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let value: f64 = value.parse().with_context(|| line.to_owned())?;
        if series.starts_with("prometheus_http_requests_total{") {
            served.requests += value;
            if !series.contains("code=\"200\"") {
                served.failed += value;
            }
        } else if series.starts_with("prometheus_http_response_size_bytes_sum{") {
            served.bytes += value;
        }
    }
    Ok(served)
}

/// What must hold whatever the machine.
fn check(all: &[Figures], minutes: u64) -> Result<()> {
    let first = all.first().context("nothing was measured")?;
    for one in all {
        let Figures { resources, asked, .. } = one;
        ensure!(
            asked.requests <= first.asked.requests + ONE_ROUND,
            "{resources} MonitoredApis take {} requests to Prometheus, {} take {}",
            asked.requests,
            first.resources,
            first.asked.requests
        );
        ensure!(
            asked.failed < 0.5,
            "{} requests to Prometheus failed with {resources}",
            asked.failed
        );
        ensure!(one.errors < 0.5, "{} reconciles failed with {resources}", one.errors);
        let allowed = usize::try_from(minutes.div_ceil(5))?;
        ensure!(
            one.writes_of_one <= allowed,
            "a MonitoredApi was written {} times with {resources}, more than {allowed}",
            one.writes_of_one
        );
    }
    Ok(())
}

/// The figures in Markdown, a column for each number of MonitoredApis.
fn table(all: &[Figures]) -> String {
    type Show = fn(&Figures) -> String;
    let rows: [(&str, Show); 9] = [
        ("requests to Prometheus", |one| format!("{:.0}", one.asked.requests)),
        ("failed requests to Prometheus", |one| {
            format!("{:.0}", one.asked.failed)
        }),
        ("answered by Prometheus, MB", |one| {
            format!("{:.1}", one.asked.bytes / 1e6)
        }),
        ("writes to the API server, without the Lease", |one| {
            one.writes.to_string()
        }),
        ("other requests to the API server", |one| one.reads.to_string()),
        ("reconciles that failed", |one| format!("{:.0}", one.errors)),
        ("CPU of the operator, s", |one| format!("{:.1}", one.cpu.as_secs_f64())),
        ("anonymous memory of the operator, MiB", |one| {
            (one.anonymous >> 20).to_string()
        }),
        ("resident memory of the operator, MiB", |one| {
            (one.resident >> 20).to_string()
        }),
    ];
    let cells = |cell: &dyn Fn(&Figures) -> String| -> String {
        all.iter()
            .flat_map(|one| [" ".to_owned(), cell(one), " |".to_owned()])
            .collect()
    };
    let mut text = format!(
        "| measure |{}\n",
        cells(&|one| format!("{} MonitoredApis", one.resources))
    );
    text += &format!("|---|{}\n", "---|".repeat(all.len()));
    for (measure, show) in rows {
        text += &format!("| {measure} |{}\n", cells(&show));
    }
    text
}

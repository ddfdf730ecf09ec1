//! What the rules and the dashboard of one API cost a real Prometheus, with some and with many routes.
//!
//! The data are blocks that promtool makes: the last hours of an API's own series, and 28 days of what its rules record.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use controller_rules::{
    AlertSettings, ApiFacts, ApiLimits, EventSelector, Objective, ObjectiveEvents, ObjectiveWindow, Rule, RuleSet,
    build_dashboard, build_rules, panel_queries,
    promql::{PromDuration, metrics},
};
use metric_contract::{Attribute, DialectId, MetricKind, MetricSpelling, TargetKind, dialects::native};
use serde_json::Value;
use testbed::Toolbox;

const INTERVAL_SECONDS: u64 = 15;
/// The API's own series: the hour that the dashboard shows, and the longest window of a rate before it.
const OWN_SECONDS: u64 = 70 * 60;
const RECORDED_SECONDS: u64 = 28 * 24 * 3_600;
const RECORDED_STEP_SECONDS: u64 = 60;
const STATUSES: [&str; 3] = ["200", "404", "500"];
/// Within this time a Prometheus is ready or something is wrong.
const READY: Duration = Duration::from_secs(120);
const TARGET: &str = r#"namespace="shop",job="orders",instance="10.0.0.1:8000",pod="orders-1",service="orders",container="api",endpoint="http""#;

/// Measures, and returns the table.
pub(super) fn measure(routes: &[usize]) -> Result<String> {
    let mut table = "| routes | metrics over all routes | objectives | own recordings | other alerts | together | budgets | ms | dashboard, ms |\n\
                     |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for count in routes {
        let server = Server::start(*count)?;
        for (name, has_overall) in [("yes", true), ("no", false)] {
            let row = row(&server, has_overall)?;
            writeln!(table, "| {count} | {name} | {row} |")?;
        }
    }
    Ok(table)
}

fn objectives() -> Result<Vec<Objective>> {
    let objective = |name: &str, events, target: &str| {
        Ok::<_, anyhow::Error>(Objective {
            name: name.to_owned(),
            events,
            target: target.parse()?,
            window: ObjectiveWindow::Days28,
            selector: EventSelector::default(),
            min_events_per_hour: 10,
        })
    };
    let threshold = PromDuration::from_millis(1_000);
    Ok(vec![
        objective("availability", ObjectiveEvents::Availability, "99.9")?,
        objective("fast", ObjectiveEvents::Latency { threshold }, "99")?,
    ])
}

fn facts<'a>(has_overall: bool, excluded: &'a [String], objectives: &'a [Objective]) -> ApiFacts<'a> {
    ApiFacts {
        namespace: "shop",
        name: "orders",
        spelling: Some(DialectId::Native.spelling()),
        proxy: None,
        has_overall,
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: 15,
        excluded_routes: excluded,
        limits: ApiLimits {
            memory_bytes: Some(256 << 20),
            cpu_millicores: Some(500),
            scrape_timeout_millis: Some(10_000),
            scrape_samples: Some(50_000),
            autoscaler_max: None,
        },
        objectives,
        compat: None,
    }
}

fn excluded() -> Vec<String> {
    ["/health/live", "/health/ready", "/health/startup", "/metrics"]
        .map(str::to_owned)
        .to_vec()
}

fn rules(has_overall: bool) -> Result<RuleSet> {
    let (excluded, objectives) = (excluded(), objectives()?);
    build_rules(&facts(has_overall, &excluded, &objectives), &AlertSettings::default())
        .map_err(|errors| anyhow::anyhow!("the rules cannot be built: {errors:?}"))
}

/// The columns of a table's row.
fn row(server: &Server, has_overall: bool) -> Result<String> {
    let [mut objectives, mut own, mut alerts, mut budgets] = [0_u64; 4];
    let started = Instant::now();
    let mut of_budgets = Duration::ZERO;
    for group in rules(has_overall)?.groups {
        let before = Instant::now();
        for rule in &group.rules {
            let (name, expr) = match rule {
                Rule::Recording(rule) => (&rule.record, &rule.expr),
                Rule::Alerting(rule) => (&rule.alert, &rule.expr),
            };
            let samples = server.samples(&expr.to_string(), None)?;
            let is_of_objective = name.contains("objective") || name == "ApiErrorBudgetBurn";
            *match rule {
                _ if group.interval.is_some() => &mut budgets,
                _ if is_of_objective => &mut objectives,
                Rule::Recording(_) => &mut own,
                Rule::Alerting(_) => &mut alerts,
            } += samples;
        }
        if group.interval.is_some() {
            of_budgets = before.elapsed();
        }
    }
    let rules = started.elapsed().saturating_sub(of_budgets).as_millis();
    let (excluded, promised) = (excluded(), self::objectives()?);
    let dashboard = build_dashboard(&facts(has_overall, &excluded, &promised), &AlertSettings::default());
    let started = Instant::now();
    for query in panel_queries(&dashboard, "5m") {
        server.samples(&query.expr, Some(Duration::from_secs(3_600)))?;
    }
    let shown = started.elapsed().as_millis();
    let together = objectives + own + alerts;
    Ok(format!(
        "{objectives} | {own} | {alerts} | {together} | {budgets} | {rules} | {shown}"
    ))
}

/// A Prometheus on 127.0.0.1 with the data of one API.
struct Server {
    child: Child,
    url: String,
    now: u64,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Server {
    fn start(routes: usize) -> Result<Self> {
        let toolbox = Toolbox::open()?;
        let folder = tempfile::tempdir()?;
        // A whole hour, so that the counts of hours have a value where they are read.
        let now = jiff::Timestamp::now().as_second().unsigned_abs() / 3_600 * 3_600;
        let text = folder.path().join("series.txt");
        write_series(&text, routes, now)?;
        let blocks = folder.path().join("data");
        let status = Command::new(toolbox.bin("promtool")?)
            .args(["tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics"])
            .args([&text, &blocks])
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "promtool makes no blocks: {status}");
        std::fs::remove_file(&text)?;
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, "{}\n")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(toolbox.bin("prometheus")?)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", blocks.display()))
            .arg("--storage.tsdb.retention.time=90d")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            now,
            _folder: folder,
        };
        let deadline = Instant::now() + READY;
        while ureq::get(format!("{}/-/ready", server.url)).call().is_err() {
            ensure!(Instant::now() < deadline, "Prometheus is not ready after {READY:?}");
            sleep(Duration::from_millis(100));
        }
        Ok(server)
    }

    /// The samples that Prometheus touches for an expression, at one time or, every 15 seconds, over a time that ends then.
    fn samples(&self, expr: &str, over: Option<Duration>) -> Result<u64> {
        let now = self.now.to_string();
        let request = match over {
            None => ureq::get(format!("{}/api/v1/query", self.url)).query("time", &now),
            Some(over) => ureq::get(format!("{}/api/v1/query_range", self.url))
                .query("start", (self.now - over.as_secs()).to_string())
                .query("end", &now)
                .query("step", "15"),
        };
        let mut answer = request.query("query", expr).query("stats", "all").call()?;
        let body: Value = serde_json::from_str(&answer.body_mut().with_config().limit(1 << 30).read_to_string()?)?;
        let samples = body.pointer("/data/stats/samples/totalQueryableSamples");
        match samples.and_then(Value::as_u64) {
            Some(samples) => Ok(samples),
            None => bail!("{expr}: no statistics"),
        }
    }
}

/// Writes the series of an API with so many routes, up to a time.
fn write_series(path: &PathBuf, routes: usize, now: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for series in own_series(routes)? {
        write_samples(&mut out, &series, now - OWN_SECONDS, now, INTERVAL_SECONDS)?;
    }
    for series in recorded_series()? {
        write_samples(&mut out, &series, now - RECORDED_SECONDS, now, RECORDED_STEP_SECONDS)?;
    }
    writeln!(out, "# EOF")?;
    out.flush().context("write the series")
}

fn write_samples(out: &mut impl Write, series: &str, from: u64, until: u64, step: u64) -> Result<()> {
    for at in (from..=until).step_by(usize::try_from(step)?) {
        writeln!(out, "{series} {} {at}", 1 + at - from)?;
    }
    Ok(())
}

/// The series that a target exports, and those of Prometheus and of the operator, as far as rules and panels read them.
fn own_series(routes: usize) -> Result<Vec<String>> {
    let spelled = DialectId::Native.spelling().metrics.iter();
    let mut all: Vec<String> = spelled.flat_map(|metric| series_of(metric, routes)).collect();
    let mut read = Vec::new();
    // The series of routes and those over all routes are in the table; the others are the same with and without the latter.
    for rule in rules(false)?.groups.iter().flat_map(|group| &group.rules) {
        let expr = match rule {
            Rule::Recording(rule) => &rule.expr,
            Rule::Alerting(rule) => &rule.expr,
        };
        read.extend(metrics(expr).into_iter().map(|name| name.as_str().to_owned()));
    }
    read.sort();
    read.dedup();
    for name in read.into_iter().filter(|name| !name.contains(':')) {
        let start = format!("{name}{{");
        if name.starts_with("monitored_api_") {
            let labels = r#"namespace="shop",api_namespace="shop",name="orders",job="monitored-api",pod="operator-1""#;
            all.push(format!("{start}{labels}}}"));
        } else if !all.iter().any(|series| series.starts_with(&start)) {
            all.push(format!("{start}{TARGET}}}"));
        }
    }
    Ok(all)
}

/// The series of one family, with every status on every route.
fn series_of(metric: &MetricSpelling, routes: usize) -> Vec<String> {
    let has = |wanted| metric.label(wanted).is_some();
    let routes = if metric.path_label().is_some() { routes } else { 1 };
    let statuses = if has(Attribute::Status) {
        &STATUSES[..]
    } else {
        &STATUSES[..1]
    };
    let mut all = Vec::new();
    for (route, status) in (0..routes).flat_map(|route| statuses.iter().map(move |status| (route, status))) {
        let mut labels = TARGET.to_owned();
        for (label, attribute) in &metric.labels {
            let value = match attribute {
                Attribute::Route | Attribute::RawPath => format!("/api/v1/resource{route}/{{id}}"),
                Attribute::Status => (*status).to_owned(),
                Attribute::Method => "GET".to_owned(),
                _ => "success".to_owned(),
            };
            let label = TargetKind::ServiceMonitor.stored_label(label);
            // Writing to a String does not fail.
            let _ = write!(labels, ",{label}=\"{value}\"");
        }
        let name = &metric.name;
        if metric.kind != MetricKind::Histogram {
            all.push(format!("{name}{{{labels}}}"));
            continue;
        }
        all.extend(["sum", "count"].map(|part| format!("{name}_{part}{{{labels}}}")));
        let bounds = metric
            .buckets
            .iter()
            .map(|bound| format!("{bound:?}"))
            .chain(["+Inf".to_owned()]);
        all.extend(bounds.map(|le| format!("{name}_bucket{{{labels},le=\"{le}\"}}")));
    }
    all
}

/// What the rules record, with the labels that stand in the names of the series.
fn recorded_series() -> Result<Vec<String>> {
    let mut all = Vec::new();
    for rule in rules(false)?.groups.into_iter().flat_map(|group| group.rules) {
        let Rule::Recording(rule) = rule else { continue };
        let own: String = rule
            .labels
            .iter()
            .map(|(name, value)| format!(",{name}=\"{value}\""))
            .collect();
        let start = format!("{}{{namespace=\"shop\",job=\"orders\"{own}", rule.record);
        let level = rule.record.split(':').next().unwrap_or_default();
        let values: Vec<String> = match level.rsplit('_').next() {
            Some("status") => STATUSES.map(|status| format!(",status=\"{status}\"")).to_vec(),
            Some("result") => ["total", "error"]
                .map(|result| format!(",result=\"{result}\""))
                .to_vec(),
            Some("le") => {
                let bounds = native::DURATION_BUCKETS_SECONDS
                    .iter()
                    .map(|bound| format!("{bound:?}"));
                bounds
                    .chain(["+Inf".to_owned()])
                    .map(|le| format!(",le=\"{le}\""))
                    .collect()
            }
            Some(_) | None => vec![String::new()],
        };
        all.extend(values.into_iter().map(|value| format!("{start}{value}}}")));
    }
    Ok(all)
}

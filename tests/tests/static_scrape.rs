//! Without a cluster: a real Prometheus scrapes the reference API by a static configuration. Under traffic every query of the
//! dashboard and every part of every rule has data, where it exists.
//!
//! The rules and the dashboards are those of the engine, as `monitored-api compose` writes them.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may panic, prints its figures, and a JSON value indexed by key gives null"
)]

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use controller_rules::{
    AlertSettings, ApiFacts, ApiLimits, EventSelector, Objective, ObjectiveEvents, ObjectiveWindow, Rule, RuleSet,
    build_dashboard, build_rules, panel_queries,
    promql::{BinaryOp, Expr, PromDuration},
};
use integration_tests::{
    Repeated, Traffic, api,
    cpu_group::CpuGroup,
    eventually,
    prometheus::Prometheus,
    prometheus_server::{self, PrometheusServer, Start, Target, write_rules},
};
use metric_contract::{DialectId, TargetKind};
use serde_json::{Value, json};

/// Its rules read the series of routes, as for an API of which nothing else is known.
const BY_ROUTE: Target = Target {
    namespace: "shop",
    name: "orders",
};
/// Its rules read what is counted over all routes.
const OVERALL: Target = Target {
    namespace: "shop",
    name: "carts",
};
const PATIENCE: Duration = Duration::from_secs(120);
/// The time that a dashboard shows when it is opened.
const SHOWN: u64 = 60 * 60;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Where the written history ends: before what an instant query looks back to, so that it stands for nothing of the present.
const HISTORY_ENDS: u64 = 10 * MINUTE;

/// The paths of probes and metrics.
fn excluded() -> Vec<String> {
    ["/metrics", "/health(/.*)?"].map(str::to_owned).to_vec()
}

fn objectives() -> Vec<Objective> {
    let threshold = PromDuration::from_millis(1_000);
    let objective = |name: &str, events, target: &str| Objective {
        name: name.to_owned(),
        events,
        target: target.parse().unwrap(),
        window: ObjectiveWindow::Days28,
        selector: EventSelector::default(),
        min_events_per_hour: 10,
    };
    vec![
        objective("availability", ObjectiveEvents::Availability, "99.9"),
        objective("fast", ObjectiveEvents::Latency { threshold }, "99"),
    ]
}

fn facts<'a>(target: Target, excluded: &'a [String], objectives: &'a [Objective]) -> ApiFacts<'a> {
    ApiFacts {
        namespace: target.namespace,
        name: target.name,
        spelling: Some(DialectId::Native.spelling()),
        proxy: None,
        has_overall: target.name == OVERALL.name,
        target: TargetKind::Static,
        scrape_interval_seconds: 1,
        excluded_routes: excluded,
        limits: ApiLimits {
            memory_bytes: Some(256 << 20),
            cpu_millicores: Some(500),
            scrape_timeout_millis: Some(1_000),
            scrape_samples: Some(50_000),
            autoscaler_max: None,
        },
        objectives,
        compat: None,
    }
}

/// Something that Prometheus is asked.
struct Question {
    /// What asks it.
    of: String,
    expr: Expr,
}

/// What is made for a target.
struct Generated {
    rules: RuleSet,
    questions: Vec<Question>,
    /// The queries of the dashboard as they are asked.
    panels: Vec<(String, String)>,
}

fn generate(target: Target) -> Generated {
    let (excluded, objectives) = (excluded(), objectives());
    let facts = facts(target, &excluded, &objectives);
    let settings = AlertSettings::default();
    let rules = build_rules(&facts, &settings).unwrap();
    let rule = |rule: &Rule| match rule {
        Rule::Recording(rule) => (rule.record.clone(), rule.expr.clone()),
        Rule::Alerting(rule) => (rule.alert.clone(), rule.expr.clone()),
    };
    let all = rules.groups.iter().flat_map(|group| &group.rules).map(rule);
    let questions = all.map(|(name, expr)| Question {
        of: format!("{}: {name}", target.name),
        expr,
    });
    let dashboard = build_dashboard(&facts, &settings);
    let panels = panel_queries(&dashboard, "1m").into_iter();
    Generated {
        questions: questions.collect(),
        panels: panels
            .map(|query| (format!("{}: panel {}", target.name, query.title), query.expr))
            .collect(),
        rules,
    }
}

/// The rules as a file of Prometheus. What is left of a budget is computed every second instead of every five minutes.
fn hurried(rules: &RuleSet) -> Value {
    let mut spec = serde_json::to_value(rules).unwrap();
    for group in spec["groups"].as_array_mut().unwrap() {
        group["interval"] = json!("1s");
    }
    spec
}

/// Writes what rules recorded of an API for three days and a week ago, as blocks: the windows of some rules are that long.
fn backfill(folder: &Path) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut history = String::new();
    let mut record = |name: &str, labels: &str, value: u32, from: u64, until: u64| {
        for target in [BY_ROUTE, OVERALL] {
            for at in (now - from..now - until).step_by(60) {
                let Target { namespace, name: job } = target;
                writeln!(
                    history,
                    "{name}{{namespace=\"{namespace}\",job=\"{job}\"{labels}}} {value} {at}"
                )
                .unwrap();
            }
        }
    };
    for series in ["api_requests", "api_errors"] {
        record(&format!("namespace_job:{series}:rate5m"), "", 2, 2 * HOUR, HISTORY_ENDS);
    }
    let memory = "namespace_job:api_memory_bytes:max5m";
    record(memory, "", 20_000_000, 7 * HOUR, HISTORY_ENDS);
    let (begin, end) = (7 * DAY + 2 * HOUR, 7 * DAY - 2 * HOUR);
    record("namespace_job:api_requests:rate5m", "", 2, begin, end);
    for bound in ["0.1", "0.25", "+Inf"] {
        let label = format!(",le=\"{bound}\"");
        record("namespace_job_le:api_latency_buckets:rate5m", &label, 2, begin, end);
    }
    for objective in objectives() {
        // Nothing failed, so that there is a budget to spend.
        for (result, events) in [("total", 1_000), ("error", 0)] {
            let labels = format!(",objective=\"{}\",result=\"{result}\"", objective.name);
            let series = "namespace_job_objective_result:api_objective_events";
            record(&format!("{series}:rate5m"), &labels, events, 2 * HOUR, HISTORY_ENDS);
            record(&format!("{series}:increase1h"), &labels, events, 3 * DAY, HISTORY_ENDS);
        }
    }
    prometheus_server::backfill(folder, &history).unwrap();
}

/// What a query of the present has data for: requests that succeed, fail, are slow, for no route, given up by their clients;
/// writes to the database with a task each, and lookups in the cache.
fn traffic(address: SocketAddr) -> (Vec<Traffic>, Vec<Repeated>) {
    let paths = [
        "/",
        "/api/v1/data",
        "/api/error",
        "/nowhere",
        "/users/1",
        "/users/987654",
    ];
    let base = format!("http://{address}");
    let quick = Traffic::start(paths.iter().map(|path| format!("{base}{path}")).collect(), 60);
    let slow = || Traffic::start(vec![format!("{base}/api/slow")], 2);
    let user = r#"{"name":"Ada Lovelace","email":"ada@example.com"}"#;
    let writes = Repeated::start(move || {
        // The panels show it if a write fails.
        let _ = api::send(address, "POST", "/users", Some(user));
        std::thread::sleep(Duration::from_millis(100));
    });
    (
        vec![quick, slow(), slow()],
        vec![writes, Repeated::leave(address, "/api/slow")],
    )
}

/// The parts of an expression that have no series, although it needs each: both sides of a comparison, and one side of `or`.
fn without_data(prometheus: &Prometheus, expr: &Expr) -> Result<Vec<String>> {
    let sides = |one: &Expr, other: &Expr| -> Result<(Vec<String>, Vec<String>)> {
        Ok((without_data(prometheus, one)?, without_data(prometheus, other)?))
    };
    match expr {
        Expr::Number(_) => return Ok(Vec::new()),
        Expr::Binary(binary) => match binary.op {
            BinaryOp::Compare(_) | BinaryOp::And => {
                let (left, right) = sides(&binary.left, &binary.right)?;
                return Ok([left, right].concat());
            }
            BinaryOp::Or => {
                let (left, right) = sides(&binary.left, &binary.right)?;
                let has_data = left.is_empty() || right.is_empty();
                return Ok(if has_data { Vec::new() } else { [left, right].concat() });
            }
            BinaryOp::Unless => return without_data(prometheus, &binary.left),
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Subtract => {}
        },
        Expr::Select(_) | Expr::Aggregate(_) | Expr::Call(_) => {}
    }
    let text = expr.to_string();
    let is_empty = prometheus.query(&text)?.is_empty();
    Ok(if is_empty { vec![text] } else { Vec::new() })
}

/// Everything that has no data, each with what asks for it.
fn empty(prometheus: &Prometheus, generated: &[Generated]) -> Result<Vec<(String, String)>> {
    let mut empty = Vec::new();
    for one in generated {
        for Question { of, expr } in &one.questions {
            let parts = without_data(prometheus, expr).with_context(|| of.clone())?;
            empty.extend(parts.into_iter().map(|part| (of.clone(), part)));
        }
        for (of, expr) in &one.panels {
            if prometheus.query(expr).with_context(|| of.clone())?.is_empty() {
                empty.push((of.clone(), expr.clone()));
            }
        }
    }
    Ok(empty)
}

/// How long all queries of a dashboard take, one after the other, over the time that it shows.
fn time_of(url: &str, panels: &[(String, String)]) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let begun = Instant::now();
    for (of, expr) in panels {
        let answer = ureq::get(format!("{url}/api/v1/query_range"))
            .query("query", expr)
            .query("start", (now - SHOWN).to_string())
            .query("end", now.to_string())
            .query("step", "15")
            .call();
        answer
            .with_context(|| of.clone())
            .unwrap()
            .body_mut()
            .read_to_vec()
            .unwrap();
    }
    begun.elapsed()
}

#[test]
fn every_panel_and_every_rule_of_a_static_target_has_data_under_traffic() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("api.db").display());
    let settings = [("METRICS_COLLECTION_INTERVAL", "1s"), ("SYSTEM_METRICS_INTERVAL", "1s")];
    // Only within a limit does the kernel count how often it is reached.
    let group = CpuGroup::create("static-scrape").unwrap();
    let process = api::Process::launch(group.command(&api::binary().unwrap()), &database, &settings).unwrap();
    process.wait_ready().unwrap();
    let _traffic = traffic(process.address);

    let targets = [BY_ROUTE, OVERALL];
    let generated = targets.map(generate);
    for (target, one) in targets.iter().zip(&generated) {
        let object = json!({"metadata": {"namespace": target.namespace, "name": target.name, "uid": "static"}});
        write_rules(folder.path(), &object, &hurried(&one.rules)).unwrap();
    }
    backfill(folder.path());
    let port = process.address.port();
    let server = PrometheusServer::start(Start {
        folder: folder.path(),
        target: BY_ROUTE,
        scraped: Some(port),
        others: &[(OVERALL, port)],
        retention: "31d",
    })
    .unwrap();
    server.wait_ready().unwrap();

    let prometheus = Prometheus { url: server.url() };
    let begun = Instant::now();
    eventually("data in every query", PATIENCE, || {
        let empty = empty(&prometheus, &generated)?;
        Ok(if empty.is_empty() {
            Ok(())
        } else {
            Err(format!("{empty:#?}"))
        })
    })
    .unwrap();
    println!("all data after {:.0} s", begun.elapsed().as_secs_f64());
    let rules = prometheus.rules("-static").unwrap();
    let failing: Vec<_> = rules.iter().filter(|rule| rule.health != "ok").collect();
    assert!(
        !rules.is_empty() && failing.is_empty(),
        "{} rules, {failing:?}",
        rules.len()
    );
    for (target, one) in targets.iter().zip(&generated) {
        let (panels, time) = (one.panels.len(), time_of(&server.url(), &one.panels));
        println!(
            "{}: {} rules, {panels} queries of the dashboard take {} ms",
            target.name,
            one.questions.len(),
            time.as_millis()
        );
    }
}

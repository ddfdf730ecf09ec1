//! The fire drill: alerts are made to fire by causing their trouble for real, on the reference API, and are seen through a
//! real Prometheus to a real Alertmanager. Then the trouble ends, and they must resolve.
//!
//! The conditions are those of the rules that `monitored-api render` writes. Only the waiting is shorter, by
//! `spec.alerts.overrides`: an alert fires after a second, and where `table.rs` says so, at another threshold.
//!
//! The gate drills what fires and resolves within two minutes; `cargo xtask campaign alerts` drills the rest too, and
//! `FIRE_DRILL=<alert>` one alert.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may panic, prints its figures, and a JSON value indexed by key gives null"
)]

mod api;
mod causes;
mod cluster;
mod cluster_causes;
mod scenario;
mod stage;
mod table;
mod trouble;

use std::{
    collections::BTreeSet,
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use integration_tests::{eventually, workspace};
use serde_json::Value;

use self::{
    api::Api,
    cluster::{Cluster, NAMESPACE, Nodes},
    scenario::{Needs, SCENARIOS, Scenario},
    stage::Stage,
    table::{ROWS, Row, alerts_of},
};

/// How long the rules may take until Prometheus has evaluated them.
const RULES_PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn every_alert_has_a_row_and_every_row_a_scenario() {
    // Every alert has a runbook of its name, which other tests see to.
    let runbooks = fs::read_dir(workspace::root().unwrap().join("docs/runbooks")).unwrap();
    let names = runbooks.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let documented: BTreeSet<_> = names
        .filter_map(|name| Some(name.strip_suffix(".md")?.to_owned()))
        .collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.alert.to_owned()).collect();
    let shown: BTreeSet<_> = ROWS.iter().map(Row::shown).collect();
    assert_eq!(shown.len(), ROWS.len(), "two rows of one alert");
    assert_eq!(rows, documented);
    let catalogue: Vec<_> = controller_rules::alerts::alerts().map(|def| def.name).collect();
    assert!(catalogue.iter().all(|name| rows.contains(*name)), "{catalogue:?}");
    for row in ROWS {
        let has_scenario = SCENARIOS.iter().any(|one| one.name == row.scenario);
        assert!(has_scenario, "{}: {}", row.shown(), row.scenario);
    }
    for scenario in SCENARIOS {
        assert!(!alerts_of(scenario.name).is_empty(), "{} fires nothing", scenario.name);
    }
}

/// The scenarios of this run on these nodes; `None`: without a cluster.
fn chosen(nodes: Option<Nodes>) -> Vec<Scenario> {
    let wanted = std::env::var("FIRE_DRILL").unwrap_or_default();
    assert!(
        ["", "full"].contains(&wanted.as_str()) || ROWS.iter().any(|row| row.alert == wanted),
        "FIRE_DRILL names no alert: {wanted}"
    );
    let is_chosen = |scenario: &&Scenario| match wanted.as_str() {
        "" => !scenario.is_long,
        "full" => true,
        alert => alerts_of(scenario.name).iter().any(|row| row.alert == alert),
    };
    let of_kind = |scenario: &&Scenario| scenario.needs.nodes() == nodes;
    SCENARIOS.iter().filter(of_kind).filter(is_chosen).copied().collect()
}

#[test]
fn alerts_fire_in_alertmanager_while_their_trouble_lasts_and_resolve_when_it_ends() {
    run(&chosen(None), None);
}

/// Runs the scenarios of a cluster, if there are any in this run.
fn run_on(nodes: Nodes) {
    let scenarios = chosen(Some(nodes));
    if !scenarios.is_empty() {
        let cluster = Arc::new(Cluster::start(nodes).unwrap());
        run(&scenarios, Some(&cluster));
    }
}

#[test]
fn alerts_that_read_what_the_operator_reports_fire_and_resolve() {
    run_on(Nodes::Simulated);
}

#[test]
fn alerts_about_containers_that_end_fire_and_resolve() {
    run_on(Nodes::Real);
}

/// Takes APIs through their troubles at the same time; the operator through its own, one after the other, when all others have
/// ended.
fn run(scenarios: &[Scenario], cluster: Option<&Arc<Cluster>>) {
    if scenarios.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::start(folder.path(), scenarios, cluster).unwrap();
    let stage = &stage;
    let (operator, others): (Vec<_>, Vec<_>) = stage
        .apis
        .iter()
        .partition(|(scenario, _)| scenario.needs == Needs::OperatorAlone);
    let mut ends: Vec<_> = thread::scope(|scope| {
        let others = others.into_iter();
        let running: Vec<_> = others
            .map(|(scenario, api)| scope.spawn(move || (scenario, drill(stage, scenario, api))))
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    ends.extend(
        operator
            .iter()
            .map(|(scenario, api)| (scenario, drill(stage, scenario, api))),
    );
    let mut failed = Vec::new();
    for (scenario, end) in ends {
        println!("\n{}: {}", scenario.name, scenario.text);
        match end {
            Ok(lines) => lines.iter().for_each(|line| println!("  {line}")),
            Err(error) => failed.push(format!("{}: {error:#}", scenario.name)),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Takes an API through its trouble; a line for each alert.
fn drill(stage: &Stage, scenario: &Scenario, api: &Api) -> Result<Vec<String>> {
    let alerts = alerts_of(scenario.name);
    wait_quiet(stage, api, &alerts)?;
    let begin = Instant::now();
    let trouble = (scenario.begin)(api).context("make the trouble")?;
    let mut fired = Vec::new();
    for row in &alerts {
        let alert = row.shown();
        let seen = eventually(&format!("{alert} to fire"), scenario.patience(), || {
            let found = stage.firing(api)?.into_iter().find(|seen| is_of(row, seen));
            Ok(found.ok_or_else(|| state(api, row.alert)))
        })?;
        let after = begin.elapsed().as_secs();
        check_alert(stage, api, row, &seen)?;
        let rows = ask_runbook(api, row.alert, scenario.patience())?;
        let threshold = row
            .threshold
            .map_or_else(String::new, |text| format!(", threshold {text}"));
        fired.push((
            row,
            format!("fired after {after} s{threshold}; its runbook's query gave {rows} series"),
        ));
    }
    let ended = Instant::now();
    let _recovery = trouble().context("end the trouble")?;
    let mut lines = Vec::new();
    for (row, text) in fired {
        let alert = row.shown();
        eventually(&format!("{alert} to resolve"), scenario.patience(), || {
            let is_gone = !stage.firing(api)?.iter().any(|seen| is_of(row, seen));
            Ok(is_gone.then_some(()).ok_or_else(|| state(api, row.alert)))
        })?;
        lines.push(format!(
            "{alert}: {text}; resolved after {} s",
            ended.elapsed().as_secs()
        ));
    }
    Ok(lines)
}

/// Whether an alert of Alertmanager is that of the row.
fn is_of(row: &Row, seen: &Value) -> bool {
    row.is_of(&seen["labels"]["alertname"], &seen["labels"])
}

/// Waits until the API is scraped and its rules are evaluated without an error. None of the alerts may fire.
fn wait_quiet(stage: &Stage, api: &Api, alerts: &[Row]) -> Result<()> {
    eventually("the rules to be evaluated", RULES_PATIENCE, || {
        let rules = api.prometheus.rules(&format!("/{}.rules", api.name))?;
        let bad = rules.iter().find(|rule| rule.health != "ok");
        let up = api.prometheus.query(&format!("min(up{{job=\"{}\"}}) > 0", api.name))?;
        Ok(match (rules.is_empty() || up.is_empty(), bad) {
            (false, None) => Ok(()),
            (_, bad) => Err(format!("{} rules, {bad:?}, up {up:?}", rules.len())),
        })
    })?;
    let firing = stage.firing(api)?;
    let early = firing.iter().find(|seen| alerts.iter().any(|row| is_of(row, seen)));
    ensure!(early.is_none(), "before its trouble: {early:?}");
    Ok(())
}

/// What Prometheus makes of an alert.
fn state(api: &Api, alert: &str) -> String {
    let rules = api.prometheus.rules(&format!("/{}.rules", api.name));
    let rules = rules.map_err(|error| error.to_string());
    let of_alert = rules.map(|rules| rules.into_iter().filter(|rule| rule.name == alert).collect::<Vec<_>>());
    format!("{of_alert:?}")
}

/// It has the labels of its rule, those that alerts are routed by, and texts.
fn check_alert(stage: &Stage, api: &Api, row: &Row, seen: &Value) -> Result<()> {
    let alert = row.alert;
    let labels = &seen["labels"];
    ensure!(
        labels["namespace"] == NAMESPACE && labels["job"] == api.name.as_str(),
        "{alert}: {labels}"
    );
    let rule = stage.rule(api, row)?;
    for label in ["severity", "family"] {
        let wanted = rule["labels"][label].as_str().context("the rule has the label")?;
        ensure!(labels[label] == wanted, "{alert}: {label} is not {wanted}: {labels}");
    }
    for text in ["summary", "description"] {
        let shown = seen["annotations"][text].as_str().unwrap_or_default();
        if shown.is_empty() || shown.contains("{{") || shown.contains("no value") {
            bail!("{alert}: {text} is {shown:?}");
        }
    }
    Ok(())
}

/// The number of series that the first query of the alert's runbook gives; never 0. On a busy machine a scrape may be too
/// late, and until the next one there are none.
fn ask_runbook(api: &Api, alert: &str, patience: Duration) -> Result<usize> {
    let page = fs::read_to_string(workspace::root()?.join(format!("docs/runbooks/{alert}.md")))?;
    let (_, queries) = page.split_once("```promql\n").context("the runbook has a query")?;
    let query = queries.lines().next().context("the runbook has a query")?;
    let query = query.replace("<namespace>", NAMESPACE).replace("<name>", &api.name);
    let query = query
        .replace("<operator's namespace>", NAMESPACE)
        .replace("<release>", &api.name);
    eventually(&format!("{alert}: an answer to {query}"), patience, || {
        let rows = api.prometheus.query(&query)?.len();
        Ok((rows > 0).then_some(rows).ok_or_else(|| "no series".to_owned()))
    })
}

//! Grafana's own typed models decode every dashboard: no field that Grafana does not know, no value of a wrong type. Its own linter
//! finds nothing in them without a written reason. Two Go programs (`tests/dashboards`) do it, with the modules that Grafana publishes
//! for this, pinned.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use controller_rules::{
    AlertSettings, ApiFacts, ApiLimits, Compat, InstalledDashboard, Objective, ObjectiveSettings, ObjectiveType,
    build_dashboard, build_installed_dashboard, read_objectives,
};
use integration_tests::workspace;
use metric_contract::{DialectId, TargetKind};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the program in a folder of the module does.
#[derive(Debug, Clone, Copy)]
enum Program {
    Decode,
    Lint,
}

/// The program, built.
fn program(program: Program) -> Result<PathBuf> {
    let (name, package) = match program {
        Program::Decode => ("dashboards", "."),
        Program::Lint => ("lint", "./lint"),
    };
    let out = workspace::target()?.join("dashboards");
    fs::create_dir_all(&out)?;
    let binary = out.join(name);
    let mut go = Command::new("go");
    go.args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(&binary)
        .arg(package)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .current_dir(workspace::root()?.join("tests/dashboards"));
    workspace::run(&mut go).context("build tests/dashboards")?;
    Ok(binary)
}

/// One objective of each type.
fn objectives() -> Vec<Objective> {
    let objective = |name: &str, kind| ObjectiveSettings {
        name: name.to_owned(),
        kind,
        target: "99.9".to_owned(),
        window: None,
        selector: controller_rules::EventSelector::default(),
        min_events_per_hour: None,
        threshold: (kind == ObjectiveType::Latency).then(|| "1s".to_owned()),
        errors: (kind == ObjectiveType::Custom).then(|| "payments_declined_total".to_owned()),
        total: (kind == ObjectiveType::Custom).then(|| "payments_total".to_owned()),
    };
    let (read, wrong) = read_objectives(&[
        objective("availability", ObjectiveType::Availability),
        objective("fast", ObjectiveType::Latency),
        objective("payments", ObjectiveType::Custom),
    ]);
    assert_eq!(wrong, []);
    read
}

/// Every dashboard, with a name: of an API in each dialect and spelling, before it was scraped and under Sloth's names; of all
/// APIs; and of the operator.
fn dashboards() -> Vec<(String, String)> {
    let objectives = objectives();
    let undetected = ApiFacts {
        namespace: "shop",
        name: "orders",
        spelling: None,
        proxy: None,
        has_overall: false,
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: 15,
        excluded_routes: &[],
        limits: ApiLimits {
            memory_bytes: Some(256 << 20),
            cpu_millicores: Some(500),
            scrape_timeout_millis: Some(10_000),
            scrape_samples: Some(50_000),
            autoscaler_max: Some(4),
        },
        objectives: &objectives,
        compat: None,
    };
    let settings = AlertSettings {
        runbook_base_url: Some("https://example.org/runbooks".to_owned()),
        ..AlertSettings::default()
    };
    let mut apis = vec![("undetected".to_owned(), undetected)];
    for id in DialectId::ALL {
        for has_overall in [false, true] {
            let api = ApiFacts {
                spelling: Some(id.spelling()),
                has_overall,
                compat: has_overall.then_some(Compat::Sloth),
                ..undetected
            };
            apis.push((format!("{id}-{has_overall}"), api));
        }
    }
    let of_apis = apis
        .into_iter()
        .map(|(name, api)| (name, build_dashboard(&api, &settings).to_json()));
    let installed = InstalledDashboard::ALL
        .iter()
        .map(|of| (of.uid().to_owned(), build_installed_dashboard(*of).to_json()));
    of_apis.chain(installed).collect()
}

fn write(folder: &TempDir, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.path().join(format!("{name}.json"));
    fs::write(&path, text)?;
    Ok(path)
}

fn check(program: &Path, paths: &[PathBuf]) -> Result<Output> {
    Command::new(program)
        .args(paths)
        .output()
        .context("run tests/dashboards")
}

/// Fails with what the program finds in these dashboards.
fn accepts(program: &Path, folder: &TempDir, made: &[(String, String)]) -> Result<()> {
    let paths: Vec<_> = made
        .iter()
        .map(|(name, text)| write(folder, name, text))
        .collect::<Result<_>>()?;
    let output = check(program, &paths)?;
    let (found, failed) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{found}\n{failed}");
    Ok(())
}

#[test]
fn grafanas_typed_models_decode_every_dashboard_with_no_field_left() {
    let program = program(Program::Decode).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let made = dashboards();
    assert!(made.len() > 2 * DialectId::ALL.len());
    accepts(&program, &folder, &made).unwrap();
}

#[test]
fn a_field_that_grafana_does_not_know_is_found_wherever_it_stands() {
    let program = program(Program::Decode).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let made = dashboards();
    let of = |name: &str| -> Value {
        let (_, text) = made.iter().find(|(known, _)| known == name).unwrap();
        serde_json::from_str(text).unwrap()
    };
    let (api, overview) = (of("native-true"), of(InstalledDashboard::Apis.uid()));
    let panel = |dashboard: &Value, kind: &str| {
        let panels = dashboard["panels"].as_array().unwrap();
        let at = panels.iter().position(|panel| panel["type"] == kind).unwrap();
        format!("/panels/{at}")
    };
    let (row, series, table) = (panel(&api, "row"), panel(&api, "timeseries"), panel(&overview, "table"));
    let cases = [
        (&api, String::new()),
        (&api, row),
        (&api, series.clone()),
        (&api, format!("{series}/targets/0")),
        (&api, format!("{series}/options")),
        (&api, format!("{series}/fieldConfig/defaults")),
        (&api, format!("{series}/fieldConfig/defaults/custom")),
        (&overview, format!("{table}/options")),
        (&overview, format!("{table}/transformations/0")),
        (&overview, format!("{table}/fieldConfig/overrides/0")),
        (&overview, "/templating/list/0".to_owned()),
    ];
    for (dashboard, place) in cases {
        let mut changed = dashboard.clone();
        changed.pointer_mut(&place).unwrap()["noSuchField"] = json!(1);
        let path = write(&folder, "changed", &changed.to_string()).unwrap();
        let output = check(&program, &[path]).unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{place}: {told}");
        assert!(told.contains("noSuchField"), "{place}: {told}");
    }
    let mut changed = api.clone();
    changed.pointer_mut(&series).unwrap()["type"] = json!("no-such-panel");
    let path = write(&folder, "changed", &changed.to_string()).unwrap();
    assert_eq!(check(&program, &[path]).unwrap().status.code(), Some(1));
}

#[test]
fn grafanas_own_linter_finds_nothing_without_a_written_reason() {
    let program = program(Program::Lint).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let made = dashboards();
    accepts(&program, &folder, &made).unwrap();
    // It finds a panel that says nothing of itself.
    let (_, text) = made.first().unwrap();
    let mut changed: Value = serde_json::from_str(text).unwrap();
    for panel in changed["panels"].as_array_mut().unwrap() {
        panel["title"] = json!("");
    }
    let path = write(&folder, "changed", &changed.to_string()).unwrap();
    let output = check(&program, &[path]).unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("panel-title-description-rule"), "{told}");
}

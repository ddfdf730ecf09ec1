//! Runs one scenario with the real promtool.

use std::{collections::BTreeSet, env, fs, path::PathBuf, process::Command};

use controller_rules::{ApiFacts, RuleSet, alert_tests::Drawing};
use serde_json::{Value, json};

use super::Scenario;
use crate::common::{behind, orders, rules};

/// What promtool saw.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The alerts that fired at some time.
    pub(crate) fired: BTreeSet<String>,
    /// The alerts that the rules have.
    pub(crate) made: BTreeSet<String>,
    /// promtool's own verdict on what the scenario expects, and its report.
    pub(crate) passed: bool,
    pub(crate) report: String,
}

/// The facts of the API of a scenario.
fn facts(scenario: &Scenario, has_overall: bool) -> ApiFacts<'static> {
    ApiFacts {
        spelling: Some((scenario.spelling)()),
        proxy: behind(&(scenario.spelling)().dialect),
        has_overall,
        target: scenario.target,
        scrape_interval_seconds: scenario.interval,
        ..orders()
    }
}

fn alerts_of(rules: &RuleSet) -> BTreeSet<String> {
    let all = common_names(rules);
    all.filter(|name| !name.contains(':')).collect()
}

fn common_names(rules: &RuleSet) -> impl Iterator<Item = String> {
    crate::common::expressions(rules).into_iter().map(|(name, _)| name)
}

/// The scenario as a unit test file of promtool; `expected` are the alerts that fire at some time.
fn unit_test<'a>(
    scenario: &Scenario,
    has_overall: bool,
    rules: &RuleSet,
    expected: impl IntoIterator<Item = &'a str>,
) -> Value {
    let mut drawing = Drawing::new(&facts(scenario, has_overall), scenario.minutes, scenario.interval);
    (scenario.draw)(&mut drawing);
    let series: Vec<_> = drawing
        .series()
        .iter()
        .map(|(series, values)| json!({"series": series, "values": values}))
        .collect();
    let firing: Vec<_> = expected
        .into_iter()
        .map(|alert| json!({"labels": format!("{{alertname={alert:?}}}"), "value": 1}))
        .collect();
    let groups: Vec<_> = rules.groups.iter().map(|group| &group.name).collect();
    json!({
        "rule_files": ["rules.json"],
        "evaluation_interval": format!("{}s", scenario.evaluation),
        // promtool runs groups in no order unless told; Prometheus reads what was recorded a moment ago.
        "group_eval_order": groups,
        "tests": [{
            "name": scenario.name,
            "interval": format!("{}s", scenario.interval),
            "input_series": series,
            "promql_expr_test": [{
                "expr": format!(
                    "max by (alertname) (max_over_time(ALERTS{{alertstate=\"firing\"}}[{}m]))",
                    scenario.minutes
                ),
                "eval_time": format!("{}m", scenario.minutes),
                "exp_samples": firing,
            }],
        }],
    })
}

/// Runs promtool on the scenario, with or without metrics over all routes, and compares what fires with what the scenario
/// expects.
pub(crate) fn run(scenario: &Scenario, has_overall: bool) -> Outcome {
    let rules = rules(&facts(scenario, has_overall));
    let made = alerts_of(&rules);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("scenarios")
        .join(if has_overall { "overall" } else { "by-route" })
        .join(scenario.name);
    fs::create_dir_all(&folder).expect("the folder can be made");
    let text = serde_json::to_string_pretty(&rules).expect("rules are JSON");
    fs::write(folder.join("rules.json"), text).expect("the rules can be written");
    let promtool = |expected: Vec<&str>| {
        let test = unit_test(scenario, has_overall, &rules, expected).to_string();
        let file = folder.join("test.yaml");
        fs::write(&file, test).expect("the test can be written");
        let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
        let output = Command::new(program)
            .args(["test", "rules"])
            .arg(&file)
            .output()
            .expect("promtool runs");
        let report = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        (output.status.success(), report)
    };
    let expected: Vec<_> = scenario.fires.to_vec();
    let (passed, report) = promtool(expected);
    let fired = if passed {
        scenario.fires.iter().map(|alert| (*alert).to_owned()).collect()
    } else {
        named_as_seen(&report)
    };
    Outcome {
        fired,
        made,
        passed,
        report,
    }
}

/// The alerts that promtool's report names as seen: in its lines `got:`.
fn named_as_seen(report: &str) -> BTreeSet<String> {
    let lines = report.lines().filter_map(|line| line.split_once("got:"));
    lines
        .flat_map(|(_, seen)| seen.split("alertname=\"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

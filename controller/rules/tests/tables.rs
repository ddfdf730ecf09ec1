//! The files that belong to each row of the tables of alerts and panels. A row without its file and a file without its
//! row fail, and the message names the file to write.
#![expect(clippy::disallowed_methods, reason = "tests read files; the engine does not")]
#![expect(clippy::unwrap_used, reason = "a test's own helpers fail the test")]

mod common;

use std::{collections::BTreeSet, fs};

use common::{in_repository, listed};
use controller_rules::{
    PanelId,
    alerts::{SourceSystem, ThresholdUnit, alerts},
    dashboards::ROWS,
    operator,
    promql::PromDuration,
};

const RUNBOOKS: &str = "docs/runbooks";
const UNIT_TESTS: &str = "controller/rules/tests/promtool";
const ALERT_TABLES: &str = "controller/rules/src/alerts/<family>.rs";

/// The names of a folder's files without their extensions.
fn stems(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(in_repository(folder)).unwrap();
    entries
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.split_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned()
        })
        .collect()
}

/// The names of all alerts: about an API, and about the operator.
fn names() -> impl Iterator<Item = &'static str> {
    let about_the_operator = operator::ALERTS.iter().map(|alert| alert.name);
    alerts().map(|def| def.name).chain(about_the_operator)
}

/// What each alert's file of a folder lacks; a missing file is named too.
fn lacking(folder: &str, extension: &str, kind: &str, wanted: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut findings = Vec::new();
    for name in names() {
        let path = format!("{folder}/{name}.{extension}");
        let Ok(page) = fs::read_to_string(in_repository(&path)) else {
            findings.push(format!(
                "{path} is missing: write it, because the alert {name} has no {kind}"
            ));
            continue;
        };
        let missing = wanted(name).into_iter().filter(|text| !page.contains(text.as_str()));
        findings.extend(missing.map(|text| format!("{path} lacks {text:?}")));
    }
    findings
}

#[test]
fn each_alert_has_a_runbook_that_answers_every_question() {
    let findings = lacking(RUNBOOKS, "md", "runbook", |alert| {
        vec![
            format!("# {alert}"),
            "## What it means".to_owned(),
            "## Why it matters".to_owned(),
            "## How to find the cause".to_owned(),
            "## How to fix it".to_owned(),
            "## How to silence it or change it".to_owned(),
            // An alert about an API is changed in its spec; one about the operator can be silenced.
            if alerts().any(|def| def.name == alert) {
                format!("name: {alert}")
            } else {
                format!("alertname={alert}")
            },
        ]
    });
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn the_first_line_of_each_runbook_says_what_the_table_says() {
    let minutes = |time: PromDuration| match time.millis() / 60_000 {
        0 => "at once".to_owned(),
        1 => "after 1 minute".to_owned(),
        minutes => format!("after {minutes} minutes"),
    };
    let about_an_api = alerts().map(|def| {
        let setting = def.threshold_unit().zip(def.default_threshold()).map(|(unit, value)| {
            let setting = unit.setting(value);
            // What YAML would read as a number is quoted.
            match unit {
                ThresholdUnit::Ratio | ThresholdUnit::Count => format!("(`\"{setting}\"`)"),
                ThresholdUnit::Duration | ThresholdUnit::Bytes => format!("(`{setting}`)"),
            }
        });
        (def.name, def.severity, def.family.as_str(), def.for_, setting)
    });
    let about_the_operator = operator::ALERTS
        .iter()
        .map(|alert| (alert.name, alert.severity, "operator", alert.for_, None));
    let mut findings = Vec::new();
    for (name, severity, family, for_, setting) in about_an_api.chain(about_the_operator) {
        let page = fs::read_to_string(in_repository(&format!("{RUNBOOKS}/{name}.md"))).unwrap();
        let line = page.lines().nth(2).unwrap_or_default();
        let parts = [
            format!("`{}`", severity.as_str()),
            format!(" · {family} · {}", minutes(for_)),
        ];
        for part in parts.into_iter().chain(setting) {
            if !line.contains(&part) {
                findings.push(format!("{name}: {part} is not in: {line}"));
            }
        }
    }
    assert!(findings.is_empty(), "{}", listed(&findings));
}

/// The queries of a runbook: each line of a block `promql`, with the lines that are indented below it.
fn queries_of(page: &str) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    for block in page.split("```promql\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            match queries.last_mut() {
                Some(query) if line.starts_with(' ') => *query += line,
                _ => queries.push(line.to_owned()),
            }
        }
    }
    queries
}

#[test]
fn each_runbook_begins_its_search_with_a_query_and_prometheus_can_read_all_of_them() {
    for name in names() {
        let page = fs::read_to_string(in_repository(&format!("{RUNBOOKS}/{name}.md"))).unwrap();
        let (_, search) = page.split_once("## How to find the cause").unwrap();
        let first = search.split("```").nth(1).unwrap_or_default();
        assert!(first.starts_with("promql"), "{name}: the first block is {first}");
        for query in queries_of(&page) {
            promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{name}: {error}\n{query}"));
        }
    }
}

#[test]
fn the_twelve_alerts_of_the_first_source_system_are_all_there() {
    let tagged = alerts().filter(|def| def.sources.contains(&SourceSystem::S0));
    assert_eq!(tagged.count(), 12);
}

#[test]
fn each_alert_has_a_unit_test_with_a_firing_and_a_silent_case() {
    let findings = lacking(UNIT_TESTS, "yaml", "unit test", |alert| {
        vec![
            "- name: fires ".to_owned(),
            "- name: silent ".to_owned(),
            format!("alertname: {alert}"),
        ]
    });
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn each_runbook_and_each_unit_test_belongs_to_an_alert() {
    let names: BTreeSet<_> = names().map(str::to_owned).collect();
    let mut findings = Vec::new();
    for (folder, extension) in [(RUNBOOKS, "md"), (UNIT_TESTS, "yaml")] {
        findings.extend(stems(folder).difference(&names).map(|stem| {
            format!(
                "{folder}/{stem}.{extension} belongs to no alert: add the alert to {ALERT_TABLES} or to controller/rules/src/operator.rs, or delete the file"
            )
        }));
    }
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn each_panel_id_has_exactly_one_panel() {
    let panels: Vec<_> = ROWS.iter().flat_map(|row| row.panels).map(|def| def.id).collect();
    let findings: Vec<_> = PanelId::ALL
        .iter()
        .filter_map(|id| match panels.iter().filter(|panel| *panel == id).count() {
            1 => None,
            0 => Some(format!(
                "{id:?} has no panel: write it in controller/rules/src/dashboards/rows/<row>.rs, or remove the id from \
                 controller/rules/src/panel_id.rs"
            )),
            count => Some(format!(
                "{id:?} has {count} panels in controller/rules/src/dashboards/rows: give each an id of its own in \
                 controller/rules/src/panel_id.rs"
            )),
        })
        .collect();
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn each_source_file_of_a_table_is_compiled_and_each_row_of_a_dashboard_is_shown() {
    let mut findings = Vec::new();
    for (folder, parent) in [
        ("controller/rules/src/alerts", "controller/rules/src/alerts/mod.rs"),
        (
            "controller/rules/src/dashboards/rows",
            "controller/rules/src/dashboards/rows.rs",
        ),
    ] {
        let declarations = fs::read_to_string(in_repository(parent)).unwrap();
        for stem in stems(folder).into_iter().filter(|stem| stem != "mod") {
            let declared = declarations.contains(&format!("mod {stem};"));
            let shown = !folder.ends_with("rows") || declarations.contains(&format!("{stem}::ROW"));
            if !(declared && shown) {
                findings.push(format!("{folder}/{stem}.rs is not used: name it in {parent}"));
            }
        }
    }
    assert!(findings.is_empty(), "{}", listed(&findings));
}

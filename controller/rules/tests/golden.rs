//! The bytes for sample APIs, and the files that each alert must have. `BLESS=1 cargo test -p controller-rules --test
//! golden` accepts new bytes.
#![expect(clippy::disallowed_methods, reason = "tests read files; the engine does not")]
#![expect(clippy::unwrap_used, reason = "a test's own helpers fail the test")]

mod common;

use std::{env, fs};

use common::{dashboard, in_repository, listed, orders, rules, undetected};
use controller_rules::alerts::ALERTS;
use serde::Serialize;

fn golden(case: &str, file: &str, value: &impl Serialize) {
    let path = in_repository("controller/rules/tests/cases").join(case).join(file);
    let made = serde_json::to_string_pretty(value).unwrap() + "\n";
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "{} differs: look at it with BLESS=1 and git diff",
        path.display()
    );
}

#[test]
fn a_native_apis_rules_and_dashboard_are_as_accepted() {
    golden("native", "rules.json", &rules(&orders()));
    golden("native", "dashboard.json", &dashboard(&orders()));
}

#[test]
fn an_undetected_apis_rules_and_dashboard_are_as_accepted() {
    golden("undetected", "rules.json", &rules(&undetected()));
    golden("undetected", "dashboard.json", &dashboard(&undetected()));
}

#[test]
fn each_alert_has_a_runbook_that_answers_every_question() {
    let mut findings = Vec::new();
    for def in ALERTS {
        let path = format!("docs/runbooks/{}.md", def.name);
        let Ok(page) = fs::read_to_string(in_repository(&path)) else {
            findings.push(format!("{path} is missing"));
            continue;
        };
        let sections = [
            format!("# {}", def.name),
            "## What it means".to_owned(),
            "## Why it matters".to_owned(),
            "## How to find the cause".to_owned(),
            "## How to fix it".to_owned(),
            "## How to silence it or change it".to_owned(),
            format!("name: {}", def.name),
        ];
        let missing = sections.into_iter().filter(|section| !page.contains(section.as_str()));
        findings.extend(missing.map(|section| format!("{path} lacks {section:?}")));
    }
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn each_alert_has_a_unit_test_with_a_firing_and_a_silent_case() {
    let mut findings = Vec::new();
    for def in ALERTS {
        let path = format!("controller/rules/tests/promtool/{}.yaml", def.name);
        let Ok(page) = fs::read_to_string(in_repository(&path)) else {
            findings.push(format!("{path} is missing"));
            continue;
        };
        let wanted = ["- name: fires ", "- name: silent ", &format!("alertname: {}", def.name)];
        let missing = wanted.into_iter().filter(|text| !page.contains(*text));
        findings.extend(missing.map(|text| format!("{path} lacks {text:?}")));
    }
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn no_runbook_and_no_unit_test_is_left_of_an_alert_that_is_gone() {
    let mut findings = Vec::new();
    for directory in ["docs/runbooks", "controller/rules/tests/promtool"] {
        for entry in fs::read_dir(in_repository(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.split('.').next().unwrap_or_default();
            if stem.starts_with("Api") && !ALERTS.iter().any(|def| def.name == stem) {
                findings.push(format!("{directory}/{name} belongs to no row of ALERTS"));
            }
        }
    }
    assert!(findings.is_empty(), "{}", listed(&findings));
}

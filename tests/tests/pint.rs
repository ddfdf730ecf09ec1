//! Every set of rules that is kept as an example passes a linter that others wrote: pint, with all its checks that need no
//! Prometheus and two that it makes only where they are asked for. What it finds nevertheless has a reason here.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use integration_tests::workspace;
use serde::Deserialize;
use testbed::Toolbox;

/// The examples: a folder each, with `rules.json`.
const CASES: &str = "controller/rules/tests/cases";

/// An aggregation that loses the namespace would lose Alertmanager's routing by namespace.
const SETTINGS: &str = r#"
parser {
  schema = "prometheus"
}
rule {
  match { kind = "alerting" }
  annotation "summary" {
    severity = "bug"
    required = true
  }
  annotation "description" {
    severity = "bug"
    required = true
  }
  label "severity" {
    severity = "bug"
    value    = "critical|warning|info"
    required = true
  }
}
rule {
  aggregate ".+" {
    severity = "bug"
    keep     = ["namespace", "job"]
  }
}
"#;

/// A finding that stays.
struct Accepted {
    /// The check.
    reporter: &'static str,
    /// What the name of the rule contains.
    rule: &'static str,
}

const ACCEPTED: [Accepted; 3] = [
    // What is left of a budget is computed over the whole window, every five minutes and in a group of its own, so that it cannot
    // make the alerts late. A count of an hour that is one evaluation old moves it by nothing that is shown.
    Accepted {
        reporter: "rule/dependency",
        rule: ":api_objective_events:increase28d",
    },
    // The same under Sloth's names.
    Accepted {
        reporter: "rule/dependency",
        rule: "slo:",
    },
    // An alert on a burn rate divides two counts that one group records at the same moment from the same series: after a restart
    // both are there or neither is. Its short window ends it, and a `for` would only make a page late.
    Accepted {
        reporter: "promql/fragile",
        rule: "ApiErrorBudgetBurn",
    },
];

/// One finding of pint's report.
#[derive(Debug, Deserialize)]
struct Finding {
    reporter: String,
    #[expect(dead_code, reason = "a test that fails shows it")]
    problem: String,
    severity: String,
    /// Lines of the file, from 1.
    lines: Vec<usize>,
    /// The rule that it is about.
    #[serde(skip)]
    rule: String,
}

impl Finding {
    fn is(&self, accepted: &Accepted) -> bool {
        self.reporter == accepted.reporter && self.severity == "Warning" && self.rule.contains(accepted.rule)
    }
}

/// The name of the rule that a line belongs to: the one before it that is nearest, because each rule begins with its name.
fn rule_at(text: &str, line: usize) -> String {
    let names = text.lines().take(line).filter_map(|line| {
        let (key, value) = line.trim().split_once(": ")?;
        ["\"alert\"", "\"record\""]
            .contains(&key)
            .then(|| value.trim_matches(['"', ',']).to_owned())
    });
    names.last().unwrap_or_default()
}

/// Runs pint over rules.
fn findings(pint: &Path, rules: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name);
    fs::write(file("settings.hcl"), SETTINGS).unwrap();
    fs::write(file("rules.yaml"), rules).unwrap();
    // It fails if a finding is severe. What it found stands in the report.
    let out = Command::new(pint)
        .args([
            "--offline",
            "--no-color",
            "--show-duplicates",
            "--config",
            "settings.hcl",
            "lint",
        ])
        .args(["--json", "report.json", "rules.yaml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = fs::read_to_string(file("report.json"));
    assert!(report.is_ok(), "{}", String::from_utf8_lossy(&out.stderr));
    let mut found: Vec<Finding> = serde_json::from_str(&report.unwrap()).unwrap();
    for finding in &mut found {
        finding.rule = rule_at(rules, finding.lines.first().copied().unwrap_or_default());
    }
    found
}

/// Name and text of every example.
fn examples() -> Vec<(String, String)> {
    let root = workspace::root().unwrap();
    let folders = fs::read_dir(root.join(CASES))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = folders.map(|folder| folder.join("rules.json"));
    // Some cases have no rules.
    let mut files: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    let example = |file: &PathBuf| (file.to_string_lossy().into_owned(), fs::read_to_string(file).unwrap());
    files.iter().map(example).collect()
}

#[test]
fn pint_finds_nothing_without_a_written_reason() {
    let pint = Toolbox::open().unwrap().bin("pint").unwrap();
    let mut seen = BTreeSet::new();
    for (name, rules) in examples() {
        for finding in findings(&pint, &rules) {
            let accepted = ACCEPTED.iter().position(|accepted| finding.is(accepted));
            assert!(accepted.is_some(), "{name}: {finding:?}");
            seen.extend(accepted);
        }
    }
    assert_eq!(
        seen.len(),
        ACCEPTED.len(),
        "a reason for nothing: only {seen:?} were needed"
    );
}

#[test]
fn pint_finds_mistakes() {
    let pint = Toolbox::open().unwrap().bin("pint").unwrap();
    let rules = r#"{"groups": [{"name": "a", "rules": [{"alert": "ApiDown", "expr": "sum(up) > 0"}]}]}"#;
    let found = findings(&pint, rules);
    let reporters: BTreeSet<_> = found.iter().map(|finding| finding.reporter.as_str()).collect();
    for expected in ["alerts/annotation", "rule/label", "promql/aggregate"] {
        assert!(reporters.contains(expected), "{found:?}");
    }
}

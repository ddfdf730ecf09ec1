//! The real promtool on the golden rules: `cargo test -p controller-rules --features promtool`, with the path of
//! promtool in `PROMTOOL`.
#![cfg(feature = "promtool")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run a program; the engine does not"
)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test's own helpers fail the test")]

mod common;

use std::{collections::BTreeSet, env, ffi::OsStr, path::PathBuf, process::Command};

use common::{in_repository, listed, orders, overall, rules, settings};
use controller_rules::{
    AlertOverride, AlertSettings, ApiFacts, Rule, RuleSet,
    alert_tests::{AlertCase, AlertTest, AlertTestFile, AlertTests, alert_tests, overall_part},
    alerts::alerts,
    alerts_against_a_week_ago,
    promql::check_pattern,
};
use metric_contract::DialectId;

/// Fails where promtool is missing: a test that did not run must never look like one that passed.
fn promtool<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) {
    let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
    let output = Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{} cannot be run: {error}", PathBuf::from(&program).display()));
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    assert!(output.status.success(), "{text}");
}

#[test]
fn promtool_accepts_the_rules_without_a_lint_finding() {
    let own = ["native", "overall", "undetected", "objectives", "sloth", "operator"];
    let proxies = ["istio", "ingress-nginx"];
    let by_hand = common::custom_spellings().map(|(case, _)| case);
    for case in own.into_iter().chain(proxies).chain(by_hand) {
        let rules = in_repository(&format!("controller/rules/tests/cases/{case}/rules.json"));
        promtool([
            "check".as_ref(),
            "rules".as_ref(),
            "--lint=all".as_ref(),
            "--lint-fatal".as_ref(),
            rules.as_os_str(),
        ]);
    }
}

#[test]
fn each_alert_fires_when_it_should_and_is_silent_when_it_should_not() {
    // An alert may have more than one file; that each has its own is a test of its own.
    let folder = in_repository("controller/rules/tests/promtool");
    let entries = std::fs::read_dir(folder).expect("the unit tests can be listed");
    let files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    assert!(files.len() >= alerts().count());
    let arguments = ["test", "rules"].map(PathBuf::from).into_iter().chain(files);
    promtool(arguments.map(PathBuf::into_os_string));
}

#[test]
fn the_series_under_sloths_names_hold_what_they_are_called() {
    promtool([
        "test".as_ref(),
        "rules".as_ref(),
        in_repository("controller/rules/tests/cases/sloth/values.yaml").as_os_str(),
    ]);
}

#[test]
fn each_alert_decides_the_same_by_metrics_over_all_routes() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("overall");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let text = serde_json::to_string(&rules(&overall())).expect("rules are JSON");
    std::fs::write(folder.join("rules.json"), text).expect("the rules can be written");
    let entries = std::fs::read_dir(in_repository("controller/rules/tests/promtool")).expect("a folder");
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("a file").path()) {
        let name = path.file_name().unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path).expect("the unit tests can be read");
        let changed = with_overall(&text);
        // Days of data are slow to evaluate, and are counted as hours are.
        if changed != text && !name.to_string_lossy().contains(".days.") {
            let changed = changed
                .replace("../cases/native/rules.json", "rules.json")
                .replace("../cases/objectives/rules.json", "rules.json");
            std::fs::write(folder.join(&name), changed).expect("the file can be written");
            files.push(folder.join(name));
        }
    }
    assert!(files.len() > 10, "{files:?}");
    let arguments = ["test", "rules"].map(PathBuf::from).into_iter().chain(files);
    promtool(arguments.map(PathBuf::into_os_string));
}

/// Writes a rule set and unit tests of its alerts. Returns the path of the tests.
fn write_tests(folder: &str, rules: &RuleSet, file: &AlertTestFile, tests: &[&AlertTest]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let text = serde_json::to_string(rules).expect("rules are JSON");
    std::fs::write(folder.join("rules.json"), text).expect("the rules can be written");
    let path = folder.join(format!("{}.{}.json", file.alert, tests.len()));
    let text = file.json("rules.json", tests.iter().copied()).to_string();
    std::fs::write(&path, text).expect("the tests can be written");
    path
}

#[test]
fn each_alert_of_an_api_fires_in_its_trouble_and_is_silent_in_health() {
    // Rules of objectives are slow to evaluate, and the other alerts read none of them.
    let without_objectives = ApiFacts {
        objectives: &[],
        ..overall()
    };
    let mut paths = Vec::new();
    let mut tested = BTreeSet::new();
    for (folder, api) in [
        ("alert-tests", without_objectives),
        ("alert-tests-objectives", overall()),
    ] {
        let AlertTests { rules, files, untested } = alert_tests(&api, &settings()).expect("settings that can be used");
        assert_eq!(untested, [""; 0]);
        for file in files {
            if tested.insert(file.alert.clone()) {
                for case in [AlertCase::Fires, AlertCase::Silent] {
                    assert!(
                        file.tests.iter().any(|test| test.case == case),
                        "{} {case:?}",
                        file.alert
                    );
                }
                paths.push(write_tests(
                    folder,
                    &rules,
                    &file,
                    &file.tests.iter().collect::<Vec<_>>(),
                ));
            }
        }
    }
    let known: BTreeSet<_> = alerts().map(|def| def.name.to_owned()).collect();
    assert_eq!(tested, known);
    promtool(["test", "rules"].map(PathBuf::from).into_iter().chain(paths));
}

#[test]
fn each_alert_fires_in_its_trouble_and_is_silent_in_health_in_every_spelling() {
    let mut paths = Vec::new();
    for spelling in common::spellings() {
        let api = ApiFacts {
            spelling: Some(&spelling),
            proxy: common::behind(&spelling.dialect),
            objectives: &[],
            ..orders()
        };
        let AlertTests { rules, files, untested } = alert_tests(&api, &settings()).expect("settings that can be used");
        assert_eq!(untested, [""; 0], "{}", spelling.dialect);
        let without_metrics = ApiFacts {
            spelling: None,
            proxy: None,
            ..api
        };
        let unaffected = alert_names(&without_metrics);
        // Slow to evaluate; the other alerts read the same series.
        let of_a_week_ago = alerts_against_a_week_ago(&api, &settings());
        let read = |file: &&AlertTestFile| !unaffected.contains(&file.alert) && !of_a_week_ago.contains(&&*file.alert);
        let folder = format!("spellings/{}", spelling.dialect);
        let before = paths.len();
        for file in files.iter().filter(read) {
            let tests: Vec<_> = file.tests.iter().collect();
            let folder = format!("{folder}/{}", file.alert);
            paths.push(write_tests(
                &folder,
                &without_other_alerts(&rules, &file.alert),
                file,
                &tests,
            ));
        }
        // Without statuses there are no alerts on errors.
        let has_statuses = spelling.requests().is_some_and(|requests| requests.status.is_some());
        let few = if has_statuses { 5 } else { 3 };
        assert!(paths.len() >= before + few, "{}: few alerts", spelling.dialect);
    }
    promtool(["test", "rules"].map(PathBuf::from).into_iter().chain(paths));
}

#[test]
fn each_alert_of_an_api_behind_a_proxy_decides_by_its_own_series_however_the_proxy_is_scraped() {
    let mut paths = Vec::new();
    for id in DialectId::ALL {
        let Some(sets) = common::behind(id.as_str()) else {
            continue;
        };
        for set in 0..sets.len() {
            // The series are drawn with the labels of the first set.
            let mut sets = sets.to_vec();
            sets.rotate_left(set);
            let api = ApiFacts {
                proxy: Some(&sets),
                ..common::in_dialect(*id)
            };
            let AlertTests { rules, files, untested } =
                alert_tests(&api, &settings()).expect("settings that can be used");
            assert_eq!(untested, [""; 0], "{id}");
            // What is left to test of the first set: the other alerts are tested in every spelling. Of the others, how they
            // are read.
            let read: &[&str] = match set {
                0 => &["ApiDown", "ApiErrorBudgetBurn"],
                _ => &["ApiHighErrorRatio", "ApiHighLatencyP95"],
            };
            for file in files.iter().filter(|file| read.contains(&&*file.alert)) {
                let tests: Vec<_> = file.tests.iter().collect();
                let folder = format!("proxies/{id}/{set}/{}", file.alert);
                let rules = match file.alert.as_str() {
                    "ApiErrorBudgetBurn" => rules.clone(),
                    alert => without_other_alerts(&rules, alert),
                };
                paths.push(write_tests(&folder, &rules, file, &tests));
            }
        }
    }
    assert_eq!(paths.len(), 18, "{paths:?}");
    promtool(["test", "rules"].map(PathBuf::from).into_iter().chain(paths));
}

#[test]
fn an_alert_that_can_never_fire_or_never_be_silent_fails_its_unit_test() {
    let cases = [
        ("ApiCacheHitRatioLow", "0", AlertCase::Fires),
        ("ApiLowVolumeErrors", "500", AlertCase::Fires),
        ("ApiCardinalityHigh", "90000", AlertCase::Fires),
        ("ApiThreads", "5", AlertCase::Silent),
    ];
    let overrides = cases.map(|(name, threshold, _)| AlertOverride {
        name: name.to_owned(),
        threshold: Some(threshold.to_owned()),
        ..AlertOverride::default()
    });
    let settings = AlertSettings {
        overrides: overrides.to_vec(),
        ..settings()
    };
    let AlertTests { rules, files, .. } = alert_tests(&orders(), &settings).expect("settings that can be used");
    for (name, _, fails) in cases {
        let file = files
            .iter()
            .find(|file| file.alert == name)
            .expect("the alert is there");
        for test in &file.tests {
            let folder = format!("alert-tests-{}", test.case.as_str());
            let path = write_tests(&folder, &rules, file, &[test]);
            let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
            let output = Command::new(program)
                .args(["test", "rules"])
                .arg(path)
                .output()
                .expect("promtool runs");
            assert_eq!(
                output.status.success(),
                test.case != fails,
                "{name} {:?}: {output:?}",
                test.case
            );
        }
    }
}

/// The rules without all alerts but one, which take long to evaluate.
fn without_other_alerts(rules: &RuleSet, alert: &str) -> RuleSet {
    let mut rules = rules.clone();
    for group in &mut rules.groups {
        group.rules.retain(|rule| match rule {
            Rule::Alerting(rule) => rule.alert == alert,
            Rule::Recording(_) => true,
        });
    }
    rules.groups.retain(|group| !group.rules.is_empty());
    rules
}

fn alert_names(api: &ApiFacts<'_>) -> BTreeSet<String> {
    let AlertTests { files, .. } = alert_tests(api, &settings()).expect("settings that can be used");
    files.into_iter().map(|file| file.alert).collect()
}

/// Adds to a file of unit tests what the API exports over all routes beside each series of a route.
fn with_overall(file: &str) -> String {
    let spelling = orders().spelling.expect("a spelling");
    let mut changed = String::new();
    let mut lines = file.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        changed.extend([line, "\n"]);
        let series = line
            .trim()
            .strip_prefix("- series: '")
            .and_then(|rest| rest.strip_suffix('\''));
        let all = series.and_then(|series| overall_part(spelling, series, number));
        if let Some((all, (_, values))) = all.zip(lines.peek()) {
            let indent = line.len() - line.trim_start().len();
            changed = changed.trim_end_matches(&format!("{line}\n")).to_owned();
            changed.push_str(&format!("{:indent$}- series: '{all}'\n{values}\n{line}\n", ""));
        }
    }
    changed
}

/// Patterns of one to five pieces; the same in every run.
fn patterns() -> Vec<String> {
    const PIECES: &str = r#"a /b . * + ? {2} {2,} {2,30} {1001} {3,2} {,2} { } {id} {02} | ( ) (?: (?i) (?i: (?-s) (?x) (?u) (?!
        (?= (?<= (?P<n> (?<n> (?P=n) (?#c) [ ] [a-z] [^a] [z-a] []a] [[:alpha:]] [[:no:]] [a&&b] [a[b]] [\b]
        [\d-z] - ^ $ \d \b \z \Z \1 \07 \x41 \x{1F600} \x{110000} \u0041 \pL \p{Greek} \p{Xx} \_ \é \Qa*\E é"#;
    let pieces: Vec<_> = PIECES.split_whitespace().collect();
    let mut state: u64 = 7;
    let mut next = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % bound
    };
    let mut patterns: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
    for _ in 0..3_000 {
        let length = 1 + next(5);
        patterns.push(
            (0..length)
                .filter_map(|_| pieces.get(next(pieces.len())).copied())
                .collect(),
        );
    }
    patterns.sort();
    patterns.dedup();
    patterns
}

#[test]
fn a_pattern_is_accepted_exactly_if_promtool_accepts_it() {
    let patterns = patterns();
    let groups: Vec<_> = patterns
        .iter()
        .enumerate()
        .map(|(index, pattern)| {
            let expr = format!("up{{x=~{}}}", serde_json::to_string(pattern).expect("a text"));
            serde_json::json!({"name": format!("g{index}."), "rules": [{"record": "x", "expr": expr}]})
        })
        .collect();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("patterns.json");
    std::fs::write(&file, serde_json::json!({ "groups": groups }).to_string()).expect("the file can be written");
    let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
    let arguments = [
        "check".as_ref(),
        "rules".as_ref(),
        "--lint=none".as_ref(),
        file.as_os_str(),
    ];
    let output = Command::new(program).args(arguments).output().expect("promtool runs");
    let report = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    let mut differences = Vec::new();
    let mut refused = 0;
    for (index, pattern) in patterns.iter().enumerate() {
        let theirs = !report.contains(&format!("\"g{index}.\""));
        refused += usize::from(!theirs);
        if check_pattern(pattern).is_ok() != theirs {
            differences.push(format!("{pattern}: promtool {theirs}, {:?}", check_pattern(pattern)));
        }
    }
    let accepted = patterns.len() - refused;
    assert!(
        refused > 500 && accepted > 300,
        "{accepted} accepted, {refused} refused"
    );
    assert!(differences.is_empty(), "{}", listed(&differences));
}

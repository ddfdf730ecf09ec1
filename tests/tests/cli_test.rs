//! `monitored-api test` with the real promtool: the examples pass, a threshold with which an alert can never fire is found, and
//! what is written can be run by hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use integration_tests::{operator::Operator, workspace};
use serde_json::Value;
use testbed::Toolbox;

fn promtool() -> PathBuf {
    Toolbox::open().unwrap().bin("promtool").unwrap()
}

fn example(name: &str) -> PathBuf {
    workspace::root().unwrap().join("manifests/examples").join(name)
}

/// Runs `monitored-api test` on a file, with no promtool on PATH.
fn test(file: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(Operator::binary().unwrap());
    command.env_clear().env("PATH", "").arg("test").arg("-f").arg(file);
    command.args(arguments).output().unwrap()
}

fn rows(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Alert and case of the rows with this result.
fn with_result<'a>(rows: &'a [Value], result: &str) -> Vec<(&'a str, &'a str)> {
    let rows = rows.iter().filter(|row| row["result"] == result);
    rows.map(|row| (row["alert"].as_str().unwrap(), row["case"].as_str().unwrap()))
        .collect()
}

#[test]
fn the_alerts_of_the_examples_pass_and_each_is_tested_twice() {
    let promtool = promtool();
    for (name, fewest) in [("minimal.yaml", 8), ("orders.yaml", 30)] {
        let output = test(
            &example(name),
            &["-o", "json", "--promtool", promtool.to_str().unwrap()],
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let rows = rows(&output);
        let passed = with_result(&rows, "pass");
        assert_eq!(passed.len(), rows.len());
        let fires = passed.iter().filter(|(_, case)| *case == "fires").count();
        assert!(fires >= fewest && fires * 2 == rows.len(), "{name}: {passed:?}");
    }
}

#[test]
fn an_alert_whose_threshold_it_can_never_reach_is_found() {
    let promtool = promtool();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.yaml");
    let text = fs::read_to_string(example("minimal.yaml")).unwrap();
    // A scrape with so many samples fails.
    let overrides = "  alerts:\n    overrides: [{name: ApiCardinalityHigh, threshold: \"90000000\"}]\n";
    fs::write(&file, format!("{}\n{overrides}", text.trim_end())).unwrap();
    let arguments = ["--promtool", promtool.to_str().unwrap()];
    let output = test(&file, &[&arguments[..], &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(with_result(&rows(&output), "fail"), [("ApiCardinalityHigh", "fires")]);
    let table = test(&file, &arguments);
    let [printed, told] = [table.stdout, table.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(
        printed.contains("fail  default/minimal") && !printed.contains('\x1b'),
        "{printed}"
    );
    assert!(told.contains("ApiCardinalityHigh does not fire although"), "{told}");
}

#[test]
fn without_promtool_the_tests_are_only_written_and_can_be_run_by_hand() {
    let nothing = test(&example("minimal.yaml"), &[]);
    assert_eq!(nothing.status.code(), Some(2));
    let told = String::from_utf8(nothing.stderr).unwrap();
    assert!(told.contains("--promtool") && told.contains("-o DIR"), "{told}");
    let missing = test(&example("minimal.yaml"), &["--promtool", "/does/not/exist"]);
    assert_eq!(missing.status.code(), Some(2));

    let folder = tempfile::tempdir().unwrap();
    let written = test(&example("minimal.yaml"), &["-o", folder.path().to_str().unwrap()]);
    assert_eq!(
        (written.status.code(), written.stdout.len()),
        (Some(0), 0),
        "{written:?}"
    );
    let told = String::from_utf8(written.stderr).unwrap();
    assert!(told.contains("promtool test rules"), "{told}");
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = entries
        .filter(|path| path.to_string_lossy().ends_with(".test.yaml"))
        .collect();
    assert!(files.len() >= 8, "{files:?}");
    let by_hand = Command::new(promtool())
        .args(["test", "rules"])
        .args(&files)
        .output()
        .unwrap();
    assert!(by_hand.status.success(), "{by_hand:?}");
}

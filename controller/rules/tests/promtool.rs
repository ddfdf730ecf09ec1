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

use std::{env, ffi::OsStr, path::PathBuf, process::Command};

use common::in_repository;
use controller_rules::alerts::alerts;

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
    for case in ["native", "undetected"] {
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
    let files = alerts().map(|def| in_repository(&format!("controller/rules/tests/promtool/{}.yaml", def.name)));
    let arguments = ["test", "rules"].map(PathBuf::from).into_iter().chain(files);
    promtool(arguments.map(PathBuf::into_os_string));
}

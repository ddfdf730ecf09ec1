//! Runs Schemathesis against the reference API. It reads the OpenAPI document of the API and looks for answers that the
//! document does not describe, for data that is refused although the document allows it, for data that is accepted although
//! the document forbids it, and for server errors.
//!
//! The seed is fixed, so a run can be repeated. `SCHEMATHESIS_EXAMPLES` (default 3) is the number of random calls of each
//! operation, beside those that follow from its schema; another `SEED` draws other calls.

#![allow(clippy::print_stdout, reason = "schemathesis' own summary")]

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use integration_tests::{
    api::Process,
    postgres::{Durability, Postgres},
    python, workspace,
};
use serde_json::{Value, json};

/// A route that takes seconds by design; other tests cover its answers.
const SLOW: &str = "/api/slow";
/// The largest number that is computed here; it takes milliseconds.
const MAX_N: u32 = 20;

#[test]
fn no_answer_on_sqlite_contradicts_the_document() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("data.db");
    try_all(
        &format!("sqlite://{}", file.display()),
        "examples,coverage,fuzzing,stateful",
    )
}

#[test]
fn no_answer_on_postgresql_contradicts_the_document() -> Result<()> {
    let postgres = Postgres::start(Durability::None)?;
    // One store is enough: random calls find the same in both.
    try_all(&postgres.create_database("tried")?, "examples,coverage")
}

fn try_all(database: &str, phases: &str) -> Result<()> {
    let api = Process::start(database)?;
    api.wait_ready()?;
    let base = format!("http://{}", api.address);
    let directory = tempfile::tempdir()?;
    let document = directory.path().join("openapi.json");
    fs::write(&document, bounded(&base)?.to_string())?;

    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| "3".to_owned());
    let seed = std::env::var("SEED").unwrap_or_else(|_| "1".to_owned());
    let mut command = Command::new(python::interpreter()?);
    command
        .current_dir(directory.path())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(workspace::root()?.join("tests/python/schemathesis.toml"))
        .args([
            "run",
            "openapi.json",
            "--url",
            &base,
            "--no-color",
            "--continue-on-failure",
        ])
        .args(["--max-examples", &examples, "--seed", &seed, "--phases", phases]);
    let output = command.output().context("start schemathesis")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Also checks that it tried something: a run without a call must not pass.
    println!("{text}");
    ensure!(text.contains("Test cases:"), "schemathesis made no call");
    Ok(())
}

/// The document that the API serves, without the slow route, and with a limit for the route that computes.
fn bounded(base: &str) -> Result<Value> {
    let text = ureq::get(format!("{base}/openapi.json"))
        .call()?
        .body_mut()
        .read_to_string()?;
    let mut document: Value = serde_json::from_str(&text)?;
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let paths = paths.context("the document has no paths")?;
    paths
        .remove(SLOW)
        .context("the document lacks the slow route: adapt this test")?;
    let n = document
        .pointer_mut("/paths/~1compute~1{n}/get/parameters/0/schema/maximum")
        .context("the document lacks the route that computes: adapt this test")?;
    *n = json!(MAX_N);
    Ok(document)
}

//! The real promtool on the page of every dialect: `cargo test -p app --features promtool --test promtool`, with the path
//! of promtool in `PROMTOOL`.
#![cfg(feature = "promtool")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    collections::BTreeSet,
    env,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use axum::Router;
use common::{App, flags};
use metric_contract::DialectId;

/// The findings of promtool that stay, because these dialects copy the names of other systems, which dashboards use.
fn inherited(dialect: DialectId) -> &'static [&'static str] {
    match dialect.as_str() {
        "s0" => &[
            // S0 counts its threads in a gauge of that name.
            "app_threads_total non-counter metrics should not have \"_total\" suffix",
        ],
        "otel-http" => &[
            // The conventions' own names.
            "process_thread_count non-histogram and non-summary metrics should not have \"_count\" suffix",
            "process_unix_file_descriptor_count non-histogram and non-summary metrics should not have \"_count\" suffix",
        ],
        "micrometer" => &[
            // Micrometer's own names.
            "process_cpu_time_ns_total metric names should not contain abbreviated units",
            "system_cpu_count non-histogram and non-summary metrics should not have \"_count\" suffix",
        ],
        _ => &[],
    }
}

/// What promtool says of a page. Fails where promtool is missing: a test that did not run must never look like one that
/// passed.
fn findings(page: &str) -> BTreeSet<String> {
    let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
    let mut promtool = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .concat();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn amtool_takes_the_routes_and_receivers_as_a_configuration() {
    let app = App::in_memory().await;
    let alerting = app.get("/config/alerting?namespace=shop&job=orders").await.json();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    // JSON is YAML.
    file.write_all(alerting["alertmanager"].to_string().as_bytes()).unwrap();
    let promtool = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
    let amtool = Path::new(&promtool).with_file_name("amtool");
    let check = Command::new(&amtool).arg("check-config").arg(file.path()).output();
    let check = check.unwrap_or_else(|error| panic!("{}: {error}", amtool.display()));
    let text = [check.stdout, check.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(check.status.success(), "{text:?}");
}

#[tokio::test]
async fn promtool_finds_nothing_but_what_the_source_systems_have() {
    for id in DialectId::WRITTEN {
        let mut flags = flags("sqlite::memory:");
        flags.metrics_dialect = Some(id.as_str().to_owned());
        let app = App::with(flags, Router::new()).await;
        let mut collector = app::telemetry::system::Collector::new(app.state.metrics(), None).unwrap();
        collector.collect();
        app.get("/").await;
        app.get("/api/error").await;
        app.get("/nowhere").await;
        let found = findings(&app.get("/metrics").await.text);
        let wanted: BTreeSet<String> = inherited(*id).iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(found, wanted, "{id}");
    }
}

//! `monitored-api compose`: what it writes is accepted by the programs that read it, and an alert of it reaches those who are to be
//! told. Bad input is tried in `controller/tests/compose`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic, and a JSON value indexed by key gives null"
)]

mod accepted;
mod processes;

use std::{
    path::Path,
    process::{Command, Output},
};

use integration_tests::{free_ports, operator::Operator, workspace};

/// Runs `monitored-api compose -o FOLDER` with three free ports.
fn compose(folder: &Path, arguments: &[&str]) -> Output {
    let ports = free_ports::<3>().unwrap().map(|port| port.to_string());
    let ports = [
        ["--prometheus-port", &ports[0]],
        ["--alertmanager-port", &ports[1]],
        ["--grafana-port", &ports[2]],
    ];
    let mut command = Command::new(Operator::binary().unwrap());
    command
        .args(["compose", "-o"])
        .arg(folder)
        .args(ports.as_flattened())
        .args(arguments);
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The page of metrics of a service with Flask.
fn flask_page() -> String {
    let page = "tests/dialects/flask/pages/0.23.2/default.after.text";
    workspace::root().unwrap().join(page).to_str().unwrap().to_owned()
}

//! `monitored-api compose`: bad input gets a sentence, and nothing is half-written; what a person changed is never lost unasked.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod folder;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_monitored-api");

/// Runs `monitored-api compose -o FOLDER` with three free ports.
fn compose(folder: &Path, arguments: &[&str]) -> Output {
    let ports = free_ports::<3>().map(|port| port.to_string());
    let ports = [
        ["--prometheus-port", &ports[0]],
        ["--alertmanager-port", &ports[1]],
        ["--grafana-port", &ports[2]],
    ];
    compose_at(folder, &[ports.as_flattened(), arguments].concat())
}

/// Runs `monitored-api compose -o FOLDER`.
fn compose_at(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["compose", "-o"]).arg(folder).args(arguments);
    command.output().unwrap()
}

/// Ports of 127.0.0.1 that nobody listens on; all are different.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The page of metrics of a service with Flask.
fn flask_page() -> String {
    let page = "/../tests/dialects/flask/pages/0.23.2/default.after.text";
    format!("{}{page}", env!("CARGO_MANIFEST_DIR"))
}

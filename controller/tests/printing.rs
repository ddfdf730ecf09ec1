//! Every command that prints, where nobody reads and where the disk is full.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, PipeWriter, Read as _, Write as _, pipe},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::LazyLock,
    thread,
};

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/dialects/flask/pages/0.23.2/default.after.text"
);
const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples/orders.yaml");
/// In the place of the address of a server.
const SERVER: &str = "SERVER";
/// A folder that stays from one run to the next.
const STACK: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/printing.stack");
/// In the place of promtool: every unit test passes.
const PASSES: &str = "/bin/true";

const COMPOSE: &[&str] = &[
    "compose",
    "-o",
    STACK,
    "--target",
    "orders:80",
    "--dialect",
    "s0",
    "--prometheus-port",
    "29090",
    "--alertmanager-port",
    "29093",
    "--grafana-port",
    "23000",
];

const COMMANDS: &[&[&str]] = &[
    &["crd"],
    &["version"],
    &["completions", "bash"],
    &["man"],
    &["explain"],
    &["explain", "-o", "json"],
    &["explain", "ApiDown"],
    &["explain", "ApiDown", "-o", "yaml"],
    &["explain", "ApiDown", "-f", ORDERS, "--metrics", PAGE],
    &["render", "-f", ORDERS],
    &["render", "-f", ORDERS, "-o", "json"],
    &["render", "-f", ORDERS, "--metrics", PAGE],
    &["detect", PAGE],
    &["detect", PAGE, "-o", "json"],
    &["lint", "-f", ORDERS, "-o", "json"],
    &["lint", "-f", ORDERS, "--metrics", PAGE],
    COMPOSE,
    &["preview", "-f", ORDERS],
    &["diff", "-f", ORDERS],
    &["diff", "-f", ORDERS, "-o", "json"],
    &["load", "--url", SERVER, "--requests", "3"],
    &["load", "--url", SERVER, "--requests", "3", "-o", "json"],
    &["test", "-f", ORDERS, "--promtool", PASSES],
    &["test", "-f", ORDERS, "--promtool", PASSES, "-o", "yaml"],
];

/// The address of an API server that has no object and refuses every write.
static REFUSING: LazyLock<String> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A client that leaves ends its own connection alone.
            thread::spawn(move || refuse(&connection));
        }
    });
    server
});

/// The folder of `compose` is written once: the tests of this file run at the same time, and none must see half of it.
static STACK_WRITTEN: LazyLock<()> = LazyLock::new(|| {
    let written = Command::new(env!("CARGO_BIN_EXE_monitored-api"))
        .args(COMPOSE)
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
});

/// A kubeconfig that names it.
static KUBECONFIG: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("printing.kubeconfig");
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "refusing", "users": [{"name": "nobody", "user": {}}],
        "clusters": [{"name": "refusing", "cluster": {"server": *REFUSING}}],
        "contexts": [{"name": "refusing", "context": {"cluster": "refusing", "user": "nobody"}}],
    });
    fs::write(&path, config.to_string()).unwrap();
    path
});

fn refuse(mut connection: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (code, reason) = if line.starts_with("GET ") {
            (404, "NotFound")
        } else {
            (403, "Forbidden")
        };
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"Status","status":"Failure","message":"refused","reason":"{reason}","code":{code}}}"#
        );
        let bytes = body.len();
        write!(
            connection,
            "HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n{body}"
        )?;
    }
}

fn run(arguments: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> io::Result<Output> {
    LazyLock::force(&STACK_WRITTEN);
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    let arguments = arguments
        .iter()
        .map(|one| if *one == SERVER { REFUSING.as_str() } else { *one });
    command.args(arguments).env("KUBECONFIG", &*KUBECONFIG);
    command.stdout(stdout).stderr(stderr).output()
}

/// A pipe whose reader has left.
fn broken_pipe() -> io::Result<PipeWriter> {
    pipe().map(|(_, writer)| writer)
}

#[test]
fn every_command_prints_where_somebody_reads() {
    for command in COMMANDS {
        let ended = run(command, Stdio::piped(), Stdio::piped()).unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.stdout.is_empty(), "{command:?}: {told}");
    }
}

#[test]
fn every_command_of_the_command_line_is_in_the_table() {
    // These print nothing: one runs until it is stopped, one tells by its exit code.
    let silent = ["controller", "healthcheck"];
    let help = run(&["--help"], Stdio::piped(), Stdio::piped()).unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let names = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    let mut missing =
        names.filter(|name| !silent.contains(name) && !COMMANDS.iter().any(|command| command[0] == *name));
    assert_eq!(missing.next(), None, "{help}");
}

#[test]
fn a_command_whose_reader_has_left_ends_quietly() {
    for command in COMMANDS {
        let ended = run(command, broken_pipe().unwrap(), Stdio::piped()).unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{command:?}: {told}");
        assert!(
            !told.contains("panicked") && !told.contains("pipe"),
            "{command:?}: {told}"
        );
    }
}

#[test]
fn a_command_that_cannot_write_its_result_says_so_and_fails() {
    for command in COMMANDS {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = run(command, full, Stdio::piped()).unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{command:?}: {told}");
        assert!(
            told.contains("No space left on device") && !told.contains("panicked"),
            "{command:?}: {told}"
        );
    }
}

#[test]
fn sentences_for_people_that_nobody_reads_change_nothing() {
    for (command, code) in [
        (&["render", "-f", ORDERS][..], 0),
        (&["render", "-f", "/does/not/exist"], 2),
        (&["lint", "-f", "/does/not/exist"], 2),
        (&["explain", "nothing of that name"], 2),
    ] {
        let ended = run(command, Stdio::piped(), broken_pipe().unwrap()).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{command:?}");
    }
}

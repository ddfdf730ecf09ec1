//! Every command that prints, where nobody reads and where the disk is full.

use std::{
    fs::File,
    io::{self, PipeWriter, pipe},
    process::{Command, Output, Stdio},
};

const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples/orders.yaml");

const COMMANDS: &[&[&str]] = &[
    &["crd"],
    &["version"],
    &["explain"],
    &["explain", "-o", "json"],
    &["explain", "ApiDown"],
    &["explain", "ApiDown", "-o", "yaml"],
    &["render", "-f", ORDERS],
    &["render", "-f", ORDERS, "-o", "json"],
    &["lint", "-f", ORDERS, "-o", "json"],
];

fn run(arguments: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    command.args(arguments).stdout(stdout).stderr(stderr);
    command.output()
}

/// A pipe whose reader has left.
fn broken_pipe() -> io::Result<PipeWriter> {
    pipe().map(|(_, writer)| writer)
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

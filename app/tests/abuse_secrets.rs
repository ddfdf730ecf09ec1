//! Puts a canary into everything that may be secret for a client or an administrator, and expects it in no output.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use common::process::{Program, Reply, command};
use rustix::process::Signal;

const CANARY: &str = "c4n4ry";

fn post(body: &str, headers: &str) -> String {
    format!(
        "POST /api/v1/data?token={CANARY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// Requests that fail in every way there is, each with canaries.
fn requests() -> Vec<String> {
    let json = "Content-Type: application/json\r\n";
    let secret = format!(
        "Authorization: Bearer {CANARY}\r\nCookie: session={CANARY}\r\nX-Api-Key: {CANARY}\r\nUser-Agent: {CANARY}\r\n\
         Referer: http://x/?{CANARY}\r\ntraceparent: {CANARY}\r\nX-Request-Id: \"{CANARY}\"\r\n"
    );
    let with = |line: &str| format!("{line} HTTP/1.1\r\nHost: {CANARY}\r\nConnection: close\r\n{secret}\r\n");
    let huge = format!("{{\"name\":\"{CANARY}{}\"}}", "x".repeat(2_000_000));
    vec![
        with(&format!("GET /api/v1/data?q={CANARY}")),
        with(&format!("GET /api/v1/data?limit={CANARY}")),
        with(&format!("GET /api/v1/data?sort={CANARY}")),
        with(&format!("GET /api/v1/data?{CANARY}={CANARY}")),
        with(&format!("GET /api/error?password={CANARY}")),
        with(&format!("PATCH /api/v1/data?{CANARY}")),
        with(&format!("GET /nowhere?{CANARY}")),
        with(&format!("GET /metrics?{CANARY}")),
        with(&format!("GET /health/ready?{CANARY}")),
        post(CANARY, &format!("{json}{secret}")),
        post(&format!("{{\"name\": {CANARY}}}"), json),
        post(
            &format!("{{\"name\":\"{CANARY}\",\"category\":\"c\",\"value\":\"{CANARY}\"}}"),
            json,
        ),
        post(
            &format!("{{\"name\":\"a\",\"category\":\"c\",\"value\":1,\"{CANARY}\":1}}"),
            json,
        ),
        post(
            &format!("{{\"name\":\"{CANARY}\",\"category\":\"c\",\"value\":1}}"),
            json,
        ),
        post(CANARY, "Content-Type: text/plain\r\n"),
        post(&huge, json),
        post("", &format!("{json}Content-Length: {CANARY}\r\n")),
        format!("GET / {CANARY}\r\n\r\n"),
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nX-Big: {CANARY}{}\r\n\r\n",
            "x".repeat(20_000)
        ),
    ]
}

#[test]
fn no_log_line_metric_or_error_repeats_the_data_that_clients_send() {
    let program = Program::ready(&[("LOG_LEVEL", "trace")]);
    let sent = requests().len();
    for request in requests() {
        let Some(Reply { status, head, body }) = program.send(&request) else {
            continue;
        };
        let is_echo = status == 201 || (status == 200 && body.contains("\"items\""));
        assert!(
            is_echo || !format!("{head}{body}").contains(CANARY),
            "{request}\n{head}\n{body}"
        );
    }
    let page = program.get("/metrics").unwrap().body;
    program.wait_until("the log is complete", |program| {
        program.log().matches("\"message\":\"request\"").count() >= sent - 3
    });
    let log = program.log();
    assert!(!page.contains(CANARY), "{page}");
    assert!(!log.contains(CANARY), "{log}");
}

#[test]
fn a_store_that_cannot_be_reached_is_logged_without_its_password_and_does_not_outlast_a_stop() {
    let url = format!("postgres://user:{CANARY}@127.0.0.1:1/db");
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("LOG_LEVEL", "trace"),
        ("DRAIN_DELAY", "0s"),
    ];
    let mut program = Program::start(&settings);
    program.wait_until("it says so", |program| {
        program.log().contains("the store cannot be prepared yet")
    });
    let answer = program.get("/api/v1/data").unwrap();
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains(CANARY), "{}", answer.body);
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0));
    assert!(!program.log().contains(CANARY), "{}", program.log());
}

#[test]
fn settings_that_are_secret_come_out_in_no_error_or_help() {
    let urls = [
        format!("postgres://user:{CANARY}@[broken/db"),
        format!("mysql://user:{CANARY}@127.0.0.1/db"),
        format!("sqlite:///nowhere/{CANARY}/x.db?key={CANARY}"),
        CANARY.to_owned(),
    ];
    let secret = |output: std::process::Output| {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(CANARY), "{text}");
        output.status.code()
    };
    for url in &urls {
        for level in ["info", "trace"] {
            let settings = [
                ("DATABASE_URL", url.as_str()),
                ("LOG_LEVEL", level),
                ("DRAIN_DELAY", "0s"),
            ];
            let code = secret(command(&settings).output().unwrap());
            assert!(matches!(code, Some(1 | 2)), "{code:?}");
        }
        let help = command(&[("DATABASE_URL", url)]).arg("--help").output().unwrap();
        assert_eq!(secret(help), Some(0));
    }
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("bad.env", format!("{CANARY} {CANARY}\nDATABASE_URL='{CANARY}\n")),
        ("bad.yaml", format!("database_url: [{CANARY}\n")),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        let flag = if name == "bad.env" { "--env-file" } else { "--config" };
        let output = command(&[]).arg(flag).arg(&path).output().unwrap();
        assert_eq!(secret(output), Some(2), "{name}");
    }
}

//! The program as a process: settings, signals, misbehaving clients, and a death without warning.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    thread,
    time::Duration,
};

use common::process::{Program, Reply, command};
use rustix::process::Signal;

#[test]
fn on_sigterm_readiness_goes_first_requests_in_flight_finish_and_it_exits_0() {
    let mut program = Program::ready(&[("DRAIN_DELAY", "1s")]);
    let mut slow = program.connect();
    slow.write_all(b"GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut idle = program.connect();
    program.wait_until("the slow request is in flight", |program| {
        program
            .get("/metrics")
            .unwrap()
            .body
            .contains("http_requests_in_progress{method=\"GET\",route=\"/api/slow\"} 1")
    });
    program.signal(Signal::TERM);
    program.wait_until("not ready", |program| {
        program.get("/health/ready").is_none_or(|answer| answer.status == 503)
    });
    let still = program.get("/api/v1/data");
    assert!(
        still.is_some_and(|answer| answer.status == 200),
        "it serves on during the drain delay"
    );

    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    let answer = Reply::parse(&answer).unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0, "an idle connection is closed");
    assert_eq!(program.wait().code(), Some(0));
    assert!(program.get("/health").is_none());
}

#[test]
fn under_load_a_stop_fails_no_request_that_was_accepted_before_it_closed() {
    let mut program = Program::ready(&[("DRAIN_DELAY", "500ms")]);
    let address = program.address;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                let mut served = 0_u32;
                // Until the listener is gone: then connecting is refused, which a balancer retries elsewhere.
                while let Ok(mut stream) = std::net::TcpStream::connect(address) {
                    stream.set_read_timeout(Some(common::process::PATIENCE)).unwrap();
                    let request = b"GET /api/v1/data HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
                    let mut answer = String::new();
                    if stream.write_all(request).is_err()
                        || stream.read_to_string(&mut answer).is_err()
                        || answer.is_empty()
                    {
                        // The kernel had queued it when the listener closed.
                        break;
                    }
                    assert_eq!(Reply::parse(&answer).unwrap().status, 200);
                    served += 1;
                }
                served
            })
        })
        .collect();
    program.wait_until("load", |program| program.log().lines().count() > 50);
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0));
    for client in clients {
        assert!(client.join().unwrap() > 0);
    }
}

#[test]
fn requests_that_outlast_the_grace_are_cut_off() {
    let mut program = Program::ready(&[("DRAIN_DELAY", "0s"), ("SHUTDOWN_GRACE", "200ms")]);
    let mut slow = program.connect();
    slow.write_all(b"GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    program.wait_until("in flight", |program| {
        program
            .get("/metrics")
            .unwrap()
            .body
            .contains("http_requests_in_progress{method=\"GET\",route=\"/api/slow\"} 1")
    });
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0));
    program.wait_until("the log says so", |program| {
        program.log().contains("the grace period is over")
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut program = Program::ready(&[("DRAIN_DELAY", "1h")]);
    program.signal(Signal::TERM);
    program.wait_until("draining", |program| {
        program.get("/health/ready").is_some_and(|answer| answer.status == 503)
    });
    program.signal(Signal::INT);
    assert_eq!(program.wait().code(), Some(130));
}

#[test]
fn acknowledged_writes_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let url = common::url(&directory.path().join("data.db"));
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut program = Program::ready(&[("DATABASE_URL", &url)]);
        let killer_after = 40 + 30 * round;
        for n in 0.. {
            if n == killer_after {
                program.signal(Signal::KILL);
            }
            let body = format!(r#"{{"name":"{round}-{n}","category":"c","value":{n}}}"#);
            // Once killed, nothing answers.
            let Some(answer) = program.post("/api/v1/data", &body) else {
                break;
            };
            assert_eq!(answer.status, 201, "{}", answer.body);
            acknowledged.push(format!("{round}-{n}"));
        }
        program.wait();
    }
    assert!(acknowledged.len() >= 120);
    let program = Program::ready(&[("DATABASE_URL", &url)]);
    for name in &acknowledged {
        let found: serde_json::Value =
            serde_json::from_str(&program.get(&format!("/api/v1/data?q={name}&sort=-id")).unwrap().body).unwrap();
        let items = found["items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["name"] == **name), "{name} is lost");
    }
}

#[test]
fn a_client_that_sends_nothing_or_too_slowly_is_closed() {
    let short = [
        ("FIRST_BYTE_TIMEOUT", "300ms"),
        ("HEADER_TIMEOUT", "300ms"),
        ("IDLE_TIMEOUT", "300ms"),
    ];
    let program = Program::ready(&short);
    let mut silent = program.connect();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);

    let mut slow = program.connect();
    let dripping = (0..2_000).try_for_each(|_| {
        slow.write_all(b"G")?;
        thread::sleep(Duration::from_millis(10));
        Ok::<_, std::io::Error>(())
    });
    assert!(dripping.is_err(), "a head that drips is cut off");

    let mut kept = program.connect();
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut all = String::new();
    kept.read_to_string(&mut all).unwrap();
    assert_eq!(
        Reply::parse(&all).unwrap().status,
        200,
        "a connection that idles after its answer is closed"
    );
    assert_eq!(program.get("/health").unwrap().status, 200);
}

#[test]
fn a_handler_may_take_longer_than_the_idle_timeout() {
    let program = Program::ready(&[("IDLE_TIMEOUT", "200ms"), ("HEADER_TIMEOUT", "200ms")]);
    assert_eq!(program.get("/api/slow").unwrap().status, 200);
}

#[test]
fn connections_over_the_cap_are_answered_with_retry_after() {
    let program = Program::ready(&[("MAX_CONNECTIONS", "4")]);
    let held: Vec<_> = (0..4).map(|_| program.connect()).collect();
    program.wait_until("refused", |program| {
        let mut answer = String::new();
        let read = program.connect().read_to_string(&mut answer);
        read.is_ok()
            && Reply::parse(&answer).is_some_and(|reply| reply.status == 503 && reply.head.contains("retry-after: 1"))
    });
    drop(held);
    program.wait_until("served again", |program| {
        program.get("/health").is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn probes_are_answered_when_all_connections_are_taken() {
    let program = Program::ready(&[("MAX_CONNECTIONS", "4")]);
    let busy = || {
        let mut client = program.connect();
        // A body that does not arrive: its connection is busy for as long as a body may take.
        let head =
            "POST /products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
        client.write_all(head.as_bytes()).unwrap();
        client
    };
    let held: Vec<_> = (0..4).map(|_| busy()).collect();
    program.wait_until("all are taken", |program| {
        program.get("/products").is_some_and(|answer| answer.status == 503)
    });
    for path in ["/health/live", "/health/ready", "/health/startup"] {
        assert_eq!(program.get(path).map(|answer| answer.status), Some(200), "{path}");
    }
    drop(held);
}

#[test]
fn connections_that_do_nothing_make_room_when_all_are_taken() {
    // Far shorter than what a connection without a request has otherwise.
    let program = Program::ready(&[
        ("MAX_CONNECTIONS", "4"),
        ("IDLE_TIMEOUT", "10m"),
        ("FIRST_BYTE_TIMEOUT", "10m"),
    ]);
    let _held: Vec<_> = (0..4).map(|_| program.connect()).collect();
    program.wait_until("another client finds room", |program| {
        program.get("/products").is_some_and(|answer| answer.status == 200)
    });
}

/// Asks on a connection that stays open; the beginning of the answer.
fn ask(client: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

#[test]
fn when_all_connections_are_taken_a_client_takes_the_place_of_one_that_does_nothing() {
    let program = Program::ready(&[("MAX_CONNECTIONS", "4")]);
    let mut open: Vec<_> = (0..4).map(|_| program.connect()).collect();
    // The first four are silent, the others have been answered.
    for _ in 0..8 {
        // So that they have done nothing for long enough to be closed.
        thread::sleep(Duration::from_millis(200));
        let mut client = program.connect();
        assert_eq!(ask(&mut client, "/products"), "HTTP/1.1 200");
        open.push(client);
    }
}

#[test]
fn a_connection_whose_request_is_served_is_not_closed_for_another() {
    let program = Program::ready(&[("MAX_CONNECTIONS", "1")]);
    // The connection that asked whether it is ready has ended by then.
    thread::sleep(Duration::from_millis(300));
    let mut slow = program.connect();
    slow.write_all(b"GET /api/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(program.get("/products").map(|answer| answer.status), Some(503));
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let program = Program::ready(&[]);
    let filler = "x".repeat(20_000);
    let answer = program.send(&format!("GET / HTTP/1.1\r\nHost: x\r\nX-Filler: {filler}\r\n\r\n"));
    assert_eq!(answer.map(|answer| answer.status), Some(431));
}

#[test]
fn settings_that_cannot_be_used_are_all_named_and_it_exits_2() {
    let output = command(&[
        ("LISTEN", "x"),
        ("METRICS_DIALECT", "y"),
        ("DRAIN_DELAY", "z"),
        ("DATABASE_URL", "postgres://u:hush@h:x/d"),
    ])
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    for name in [
        "4 settings",
        "LISTEN",
        "METRICS_DIALECT",
        "DRAIN_DELAY",
        "DATABASE_URL",
        "is not a valid database URL: use postgres",
    ] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
    assert!(!text.contains("hush"), "{text}");
    let flag = command(&[]).arg("--no-such-flag").output().unwrap();
    assert_eq!(flag.status.code(), Some(2));
}

#[test]
fn a_flag_wins_over_the_environment() {
    let output = command(&[("DRAIN_DELAY", "1s")])
        .args(["--drain-delay", "never"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("DRAIN_DELAY: \"never\" is not a valid duration")
    );
}

#[test]
fn a_store_that_cannot_be_opened_ends_it_with_1_and_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let occupied = directory.path().join("file");
    std::fs::write(&occupied, "not a directory").unwrap();
    let url = common::url(&occupied.join("data.db"));
    let output = command(&[("DATABASE_URL", &url)]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("error: the store cannot be prepared"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn healthcheck_exits_0_for_a_ready_service_and_1_otherwise() {
    let program = Program::ready(&[]);
    let port = program.address.port().to_string();
    let check = |arguments: &[&str]| {
        let mut command = command(&[("LISTEN", ""), ("PORT", &port)]);
        command
            .arg("healthcheck")
            .args(arguments)
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(check(&[]), Some(0));
    assert_eq!(check(&[&format!("http://127.0.0.1:{port}/health")]), Some(0));
    assert_eq!(check(&[&format!("http://127.0.0.1:{port}/nowhere")]), Some(1));
    assert_eq!(check(&["https://127.0.0.1/"]), Some(1));
    assert_eq!(check(&["http://127.0.0.1:1/health"]), Some(1));
}

#[test]
fn the_access_log_has_a_line_for_a_request_and_no_secret_of_it() {
    let program = Program::ready(&[]);
    let request = "GET /api/v1/data?q=hush1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hush2\r\nCookie: s=hush3\r\n\
                   X-Request-Id: my-id\r\nConnection: close\r\n\r\n";
    assert_eq!(program.send(request).unwrap().status, 200);
    program.post("/api/v1/data", r#"{"name":"hush4","category":"c","value":1}"#);
    program.wait_until("two lines", |program| {
        program.log().matches("\"route\":\"/api/v1/data\"").count() == 2
    });
    let log = program.log();
    assert!(!log.contains("hush"), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["request_id"] == "my-id").unwrap();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/api/v1/data");
    assert_eq!(line["status"], 200);
    assert!(line["duration_ms"].is_number());
}

#[test]
fn after_a_restart_the_figure_of_active_users_begins_with_those_that_are_stored() {
    let directory = tempfile::tempdir().unwrap();
    let url = common::url(&directory.path().join("data.db"));
    let settings = [("DATABASE_URL", url.as_str())];
    let first = Program::ready(&settings);
    for _ in 0..3 {
        assert_eq!(first.post("/users/register", "").unwrap().status, 200);
    }
    drop(first);
    let second = Program::ready(&settings);
    let page = second.get("/metrics").unwrap().body;
    assert!(page.contains("\napp_active_users 3\n"), "{page}");
}

//! Addresses and protocols of the program: metrics apart, HTTP/2, a port that is taken.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener},
    time::Duration,
};

use common::{
    client::{BOTH, Client, Protocol},
    process::{PATIENCE, Program, command, get_from},
};
use rustix::process::Signal;

const APART: (&str, &str) = ("METRICS_LISTEN", "127.0.0.1:0");

#[test]
fn with_an_address_of_their_own_metrics_are_there_and_nowhere_else() {
    let program = Program::ready(&[APART]);
    let metrics = program.metrics_address();
    assert_eq!(program.get("/metrics").unwrap().status, 404);
    assert_eq!(program.get("/api/v1/data").unwrap().status, 200);
    let page = get_from(metrics, "/metrics").unwrap();
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains("http_requests_total{method=\"GET\",route=\"/api/v1/data\",status=\"200\"} 1")
    );
    assert_eq!(get_from(metrics, "/api/v1/data").unwrap().status, 404);
    let links = program.get("/").unwrap().body;
    assert!(links.contains("/health") && !links.contains("/metrics"), "{links}");
}

#[test]
fn connections_that_are_open_are_a_figure() {
    let program = Program::ready(&[]);
    let shows = |program: &Program, figure: &str| {
        let page = program.get("/metrics").map(|answer| answer.body).unwrap_or_default();
        page.lines().any(|line| line == figure)
    };
    let held = std::net::TcpStream::connect(program.address).unwrap();
    // The scrape's own connection is one of them.
    program.wait_until("two connections", |program| shows(program, "active_connections 2"));
    drop(held);
    program.wait_until("one connection", |program| shows(program, "active_connections 1"));
}

#[test]
fn both_addresses_serve_while_it_drains_and_then_close() {
    let mut program = Program::ready(&[APART, ("DRAIN_DELAY", "1s")]);
    let metrics = program.metrics_address();
    program.signal(Signal::TERM);
    program.wait_until("draining", |program| {
        program.get("/health/ready").is_some_and(|answer| answer.status == 503)
    });
    let answer = program.get("/api/v1/data").unwrap();
    assert!(
        answer.head.contains("connection: close"),
        "clients move elsewhere: {}",
        answer.head
    );
    assert_eq!(get_from(metrics, "/metrics").map(|answer| answer.status), Some(200));
    assert_eq!(program.wait().code(), Some(0));
    assert!(get_from(metrics, "/metrics").is_none());
}

#[test]
fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["LISTEN", "METRICS_LISTEN"] {
        let output = command(&[(setting, &address)]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        let wanted = format!("error: cannot listen on {address} ({setting}): another process listens there");
        assert!(text.starts_with(&wanted), "{text}");
    }
}

#[tokio::test]
async fn http2_is_served_on_the_same_port_and_many_requests_share_a_connection() {
    let program = Program::ready(&[]);
    let mut client = Client::connect(program.address, Protocol::Http2).await.unwrap();
    for _ in 0..200 {
        assert_eq!(client.get("/api/v1/data").await.unwrap().0, 200);
    }
    let (_, page) = client.get("/metrics").await.unwrap();
    assert!(page.contains("route=\"/api/v1/data\",status=\"200\"} 200"), "{page}");
}

#[tokio::test]
async fn in_both_protocols_a_connection_without_requests_is_closed_and_a_slow_handler_is_not() {
    let settings = [
        ("FIRST_BYTE_TIMEOUT", "300ms"),
        ("HEADER_TIMEOUT", "300ms"),
        ("IDLE_TIMEOUT", "300ms"),
    ];
    let program = Program::ready(&settings);
    for protocol in BOTH {
        let unused = Client::connect(program.address, protocol).await.unwrap();
        tokio::time::timeout(PATIENCE, unused.closed()).await.unwrap();
        let mut used = Client::connect(program.address, protocol).await.unwrap();
        assert_eq!(used.get("/api/slow").await.unwrap().0, 200);
        tokio::time::timeout(PATIENCE, used.closed()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_http2_request_in_flight_is_answered_after_sigterm() {
    let mut program = Program::ready(&[("DRAIN_DELAY", "0s")]);
    let mut client = Client::connect(program.address, Protocol::Http2).await.unwrap();
    assert_eq!(client.get("/health").await.unwrap().0, 200);
    let slow = tokio::spawn(async move {
        let answer = client.get("/api/slow").await;
        (answer, client)
    });
    let in_flight = "http_requests_in_progress{method=\"GET\",route=\"/api/slow\"} 1";
    program.wait_until("in flight", |program| {
        program.get("/metrics").unwrap().body.contains(in_flight)
    });
    program.signal(Signal::TERM);
    let (answer, client) = slow.await.unwrap();
    assert_eq!(answer.unwrap().0, 200);
    tokio::time::timeout(Duration::from_secs(20), client.closed())
        .await
        .unwrap();
    assert_eq!(program.wait().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_address_gets_no_more_connections_than_its_share_and_each_refused_one_gets_an_answer() {
    let program = Program::ready(&[("MAX_CONNECTIONS_PER_IP", "3")]);
    let mut held = Vec::new();
    while held.len() < 3 {
        let mut client = Client::connect(program.address, Protocol::Http1).await.unwrap();
        // The readiness check's own connection may still be counted.
        if client.get("/health").await.is_ok_and(|(status, _)| status == 200) {
            held.push(client);
        }
    }
    for _ in 0..100 {
        assert_eq!(program.get("/health").map(|answer| answer.status), Some(503));
    }
    drop(held);
    program.wait_until("served again", |program| {
        program.get("/health").is_some_and(|answer| answer.status == 200)
    });
}

#[cfg(not(feature = "otlp"))]
#[test]
fn an_endpoint_for_traces_that_this_build_cannot_use_is_logged_in_one_line() {
    let program = Program::ready(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]);
    assert_eq!(program.log().matches("built without the feature otlp").count(), 1);
}

#[test]
fn data_other_than_http_is_refused_at_once_and_a_head_in_pieces_is_served() {
    // Nothing here may wait for a timeout.
    let program = Program::ready(&[("FIRST_BYTE_TIMEOUT", "1h"), ("HEADER_TIMEOUT", "1h")]);
    let answer = |pieces: &[&[u8]], is_ended: bool| {
        let mut stream = program.connect();
        stream.set_nodelay(true).unwrap();
        for piece in pieces {
            stream.write_all(piece).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        if is_ended {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(answer(&[b"hello\r\n"], false).starts_with("HTTP/1.1 400 "));
    assert!(
        answer(&[b"\x16\x03\x01\x02\x00"], false).starts_with("HTTP/1.1 400 "),
        "TLS"
    );
    let pieces: [&[u8]; 4] = [
        b"GE",
        b"T /health HT",
        b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r",
        b"\n",
    ];
    assert!(answer(&pieces, false).starts_with("HTTP/1.1 200 "));
    assert_eq!(answer(&[b"GET / HT"], true), "", "a client that has left is let go");
    assert_eq!(answer(&[], true), "");
}

#[test]
fn a_first_request_whose_head_is_on_its_way_at_the_stop_is_answered() {
    let mut program = Program::ready(&[("DRAIN_DELAY", "0s")]);
    let mut clients: Vec<_> = (0..8).map(|_| program.connect()).collect();
    for client in &mut clients {
        client.write_all(b"GET /health HTTP/1.1\r\n").unwrap();
    }
    // Eight and the scrape's own.
    program.wait_until("accepted", |program| {
        let page = program.get("/metrics").map(|answer| answer.body);
        page.is_some_and(|page| page.contains("\nactive_connections 9\n"))
    });
    program.signal(Signal::TERM);
    program.wait_until("closed", |program| program.get("/health").is_none());
    for mut client in clients {
        client.write_all(b"Host: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    }
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_request_continues_the_callers_trace_in_the_log() {
    let program = Program::ready(&[]);
    let request = "GET /api/v1/data HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
    let answer = program.send(request).unwrap();
    assert!(!answer.head.contains("traceparent"), "{}", answer.head);
    program.wait_until("a line", |program| {
        program
            .log()
            .contains("\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\"")
    });
    assert!(!program.log().contains("b7ad6b7169203331"), "the span is our own");
}

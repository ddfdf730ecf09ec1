//! Traces as a collector gets them; and a collector that is gone, slow or broken does not affect the service.

#![cfg(feature = "otlp")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use app::{
    config::{Config, Sources, Surroundings},
    state::Phase,
    telemetry::Tracer,
};
use axum::{Router, routing::get};
use common::{
    App,
    collector::{Collector, text},
    flags,
    process::{PATIENCE, Program, Reply, command},
};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use rustix::process::Signal;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// So that tests do not wait five seconds for a batch.
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "50");
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
/// An export that hangs takes ten seconds; a stop must not wait for it.
const STOP: Duration = Duration::from_secs(8);

fn traced(collector: &Collector, more: &[(&str, &str)]) -> Program {
    let url = collector.url();
    let settings = [&[(ENDPOINT, url.as_str()), SOON, ("DRAIN_DELAY", "0s")], more].concat();
    Program::ready(&settings)
}

/// A request with a `traceparent` of these flags.
fn call(program: &Program, target: &str, flags: &str) -> Reply {
    let request = format!(
        "{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: hush\r\n\
         Traceparent: 00-{TRACE}-{CALLER}-{flags}\r\n\r\n"
    );
    program.send(&request).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    text(&span.attributes, key)
}

fn status(span: &Span) -> StatusCode {
    span.status.as_ref().map_or(StatusCode::Unset, |status| status.code())
}

/// The line of the access log for a path. It comes through a pipe, so maybe after the answer.
fn logged(program: &Program, path: &str) -> serde_json::Value {
    let find = |log: &str| {
        let mut lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.find(|line: &serde_json::Value| line["message"] == "request" && line["path"] == path)
    };
    program.wait_until(path, |program| find(&program.log()).is_some());
    find(&program.log()).unwrap()
}

fn warnings(program: &Program) -> usize {
    let log = program.log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &serde_json::Value| line["level"] == "WARN" || line["level"] == "ERROR")
        .count()
}

#[test]
fn a_span_continues_its_callers_trace_and_has_the_ids_of_the_log_line() {
    let collector = Collector::start();
    let program = traced(&collector, &[]);
    assert_eq!(call(&program, "GET /api/v1/data", "01").status, 200);
    let span = collector.span("GET /api/v1/data");
    assert_eq!(
        (hex(&span.trace_id), hex(&span.parent_span_id)),
        (TRACE.into(), CALLER.into())
    );
    let line = logged(&program, "/api/v1/data");
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], hex(&span.span_id));
}

#[test]
fn without_a_caller_a_span_starts_a_trace_that_an_exemplar_leads_to() {
    let collector = Collector::start();
    let program = traced(&collector, &[]);
    assert_eq!(program.get("/api/v1/data").unwrap().status, 200);
    let span = collector.span("GET /api/v1/data");
    let id = hex(&span.trace_id);
    assert!(span.parent_span_id.is_empty());
    assert_eq!(logged(&program, "/api/v1/data")["trace_id"], id);
    let scrape =
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: application/openmetrics-text\r\n\r\n";
    let page = program.send(scrape).unwrap().body;
    assert!(page.contains(&format!("# {{trace_id=\"{id}\"}}")), "{page}");
}

#[test]
fn a_span_is_named_and_described_by_the_conventions_and_has_no_secret() {
    let collector = Collector::start();
    let program = traced(&collector, &[]);
    let long = "x".repeat(5_000);
    for (target, status) in [
        ("GET /items/7?q=hush", 200),
        ("GET /api/error", 500),
        ("BREW /api/v1/data", 405),
        (&format!("POST /nowhere/{long}"), 404),
    ] {
        assert_eq!(call(&program, target, "01").status, status, "{target}");
    }
    let span = collector.span("GET /items/{item_id}");
    let wanted = [
        ("http.request.method", "GET"),
        ("http.route", "/items/{item_id}"),
        ("http.response.status_code", "200"),
        ("url.path", "/items/7"),
        ("url.scheme", "http"),
        ("network.protocol.version", "1.1"),
    ];
    for (key, value) in wanted {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(span.attributes.len(), wanted.len(), "{:?}", span.attributes);
    assert_eq!((span.kind(), status(&span)), (SpanKind::Server, StatusCode::Unset));
    assert!(span.end_time_unix_nano > span.start_time_unix_nano);

    let failed = collector.span("GET /api/error");
    assert_eq!(status(&failed), StatusCode::Error);
    assert_eq!(attribute(&failed, "error.type").as_deref(), Some("500"));
    let brewed = collector.span("HTTP /api/v1/data");
    assert_eq!(attribute(&brewed, "http.request.method").as_deref(), Some("_OTHER"));
    assert_eq!(
        (status(&brewed), attribute(&brewed, "error.type")),
        (StatusCode::Unset, None)
    );
    let unmatched = collector.span("POST");
    assert_eq!(attribute(&unmatched, "http.route"), None);
    assert_eq!(
        attribute(&unmatched, "http.response.status_code").as_deref(),
        Some("404")
    );
    assert_eq!(attribute(&unmatched, "url.path").unwrap().len(), 1_024);
    assert!(!format!("{:?}", collector.spans()).contains("hush"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_panics_makes_a_span_with_an_error() {
    let collector = Collector::start();
    let sources = Sources {
        flags: flags("sqlite::memory:"),
        environment: [(ENDPOINT.to_owned(), collector.url())].into(),
        ..Sources::default()
    };
    let surroundings = Surroundings {
        is_terminal: false,
        has_data_directory: false,
    };
    let config = Config::from_sources(sources, surroundings).unwrap();
    let panics = Router::new().route("/panic", get(async || -> () { panic!("on purpose") }));
    let app = App::traced(&config, Tracer::start(&config.traces).unwrap(), panics);
    app.state.store().migrate().await.unwrap();
    app.state.enter(Phase::Serving);
    assert_eq!(app.get("/panic").await.status, 500);
    app.state.tracer().stop().await;
    let span = collector.spans().pop().unwrap();
    assert_eq!((span.name.as_str(), status(&span)), ("GET /panic", StatusCode::Error));
}

#[test]
fn probes_scrapes_and_requests_that_their_caller_does_not_record_make_no_span() {
    let collector = Collector::start();
    let program = traced(&collector, &[]);
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(call(&program, &format!("GET {path}"), "01").status, 200);
    }
    call(&program, "GET /api/v1/data", "00");
    assert_eq!(logged(&program, "/api/v1/data")["trace_id"], TRACE, "the log knows it");
    call(&program, "GET /products", "01");
    collector.span("GET /products");
    assert_eq!(collector.spans().len(), 1, "spans arrive in order");
}

#[test]
fn the_variables_of_opentelemetry_hold() {
    let collector = Collector::start();
    let program = traced(
        &collector,
        &[
            ("OTEL_SERVICE_NAME", "orders"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=shop"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20hush"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.0"),
        ],
    );
    call(&program, "GET /products", "00");
    collector.span("GET /products");
    assert_eq!(collector.resource("service.name").as_deref(), Some("orders"));
    assert_eq!(collector.resource("team").as_deref(), Some("shop"));
    assert_eq!(collector.header("authorization").as_deref(), Some("Basic hush"));
    assert_eq!(
        collector.header("content-type").as_deref(),
        Some("application/x-protobuf")
    );
    assert!(!program.log().contains("hush"));

    let collector = Collector::start();
    let program = traced(&collector, &[("OTEL_TRACES_SAMPLER", "parentbased_always_off")]);
    program.get("/api/v1/data").unwrap();
    call(&program, "GET /products", "01");
    collector.span("GET /products");
    assert_eq!(collector.spans().len(), 1, "only what the caller records");
    assert_eq!(collector.resource("service.name").as_deref(), Some("monitored-app"));
}

/// With these variables: the number of spans of 200 requests whose caller sets the flag `sampled`.
fn recorded_for_callers(variables: &[(&str, &str)]) -> (usize, Program) {
    let collector = Collector::start();
    let mut program = traced(&collector, variables);
    let mut client = program.connect();
    let request = format!("GET /products HTTP/1.1\r\nHost: x\r\nTraceparent: 00-{TRACE}-{CALLER}-01\r\n\r\n");
    client.write_all(request.repeat(199).as_bytes()).unwrap();
    let last = request.replace("Host: x", "Host: x\r\nConnection: close");
    client.write_all(last.as_bytes()).unwrap();
    let mut answers = String::new();
    client.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 200);
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0));
    (collector.spans().len(), program)
}

#[test]
fn callers_can_have_only_so_many_requests_a_second_recorded() {
    const WARNING: &str = "callers ask for more traces than MAX_CALLER_TRACES";
    let off = ("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    let started = Instant::now();
    let (some, program) = recorded_for_callers(&[off]);
    let seconds = started.elapsed().as_secs() as usize + 1;
    assert!(
        (10..=10 * seconds).contains(&some) && some < 200,
        "{some} in {seconds} s"
    );
    program.wait_until("the warning", |program| program.log().contains(WARNING));

    let (none, program) = recorded_for_callers(&[off, ("MAX_CALLER_TRACES", "0")]);
    assert_eq!(none, 0);
    assert_eq!(program.log().matches(WARNING).count(), 1);

    // By the trace's id all of them would be recorded.
    let ratio = [
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.75"),
    ];
    let (share, _) = recorded_for_callers(&[&ratio[..], &[("MAX_CALLER_TRACES", "0")]].concat());
    assert!((100..190).contains(&share), "{share}: by chance");

    let (all, program) = recorded_for_callers(&[off, ("MAX_CALLER_TRACES", "1000")]);
    assert_eq!(all, 200);
    assert!(!program.log().contains(WARNING));
    let (all, _) = recorded_for_callers(&[("MAX_CALLER_TRACES", "0")]);
    assert_eq!(all, 200, "everything is recorded, whoever asks");
}

#[test]
fn a_span_has_the_state_of_its_trace_and_an_answer_has_not() {
    let collector = Collector::start();
    let program = traced(&collector, &[]);
    let long = format!("{}@{}=x", "t".repeat(5), "s".repeat(14));
    for (path, states, wanted) in [
        (
            "/products",
            &["congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7"][..],
            "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
        ),
        ("/api/v1/data/stats/summary", &["congo=1,Rojo=2"], ""),
        ("/api/v1/data", &["congo=1", &long], "congo=1"),
    ] {
        let headers: String = states.iter().map(|state| format!("Tracestate: {state}\r\n")).collect();
        let reply = program
            .send(&format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTraceparent: 00-{TRACE}-{CALLER}-01\r\n{headers}\r\n"
            ))
            .unwrap();
        assert_eq!(reply.status, 200);
        assert!(!reply.head.to_lowercase().contains("tracestate"), "{}", reply.head);
        let span = collector.span(&format!("GET {path}"));
        assert_eq!(
            (hex(&span.trace_id).as_str(), span.trace_state.as_str()),
            (TRACE, wanted),
            "{path}"
        );
    }
}

#[test]
fn without_an_endpoint_or_with_the_sdk_disabled_nothing_is_sent() {
    let collector = Collector::start();
    let url = collector.url();
    let disabled = [(ENDPOINT, url.as_str()), ("OTEL_SDK_DISABLED", "TRUE"), SOON];
    for settings in [&disabled[..], &[(ENDPOINT, " ")]] {
        let mut program = Program::ready(settings);
        call(&program, "GET /products", "01");
        assert_eq!(logged(&program, "/products")["trace_id"], TRACE);
        program.signal(Signal::TERM);
        assert_eq!(program.wait().code(), Some(0));
        assert!(!program.log().contains("traces are sent"));
    }
    assert_eq!(collector.spans(), []);
}

/// The exit code of a program that does not start, and what it says.
fn refused(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut child = command(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it runs with {settings:?}");
        }
        thread::sleep(Duration::from_millis(10));
    };
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), said)
}

#[test]
fn settings_that_would_lose_every_trace_end_the_program_at_its_start() {
    for (name, value) in [
        (ENDPOINT, "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://collector/hush"),
        (ENDPOINT, "http://me:hush@collector:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
    ] {
        let (code, said) = refused(&[(ENDPOINT, "http://127.0.0.1:1"), (name, value)]);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains(&format!("\n  {name}")) && !said.contains("hush"),
            "{said}"
        );
    }
}

#[test]
fn over_tls_the_collectors_certificate_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("ca.pem");
    let collector = Collector::with_tls(&certificate);
    let url = format!("https://localhost:{}", collector.address.port());
    let settings = [(ENDPOINT, url.as_str()), SOON, ("DRAIN_DELAY", "0s")];
    let program = Program::ready(&settings);
    program.get("/products").unwrap();
    program.wait_until("refused", |program| program.log().contains("traces could not be sent"));

    let trusted = ("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate.to_str().unwrap());
    let program = Program::ready(&[&settings[..], &[trusted]].concat());
    program.get("/users/1").unwrap();
    collector.span("GET /users/{id}");
    assert_eq!(collector.spans().len(), 1);

    std::fs::write(&certificate, "").unwrap();
    let (code, said) = refused(&[settings[0], trusted]);
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot read the certificates in"), "{said}");
}

#[test]
fn a_request_whose_client_leaves_ends_its_span() {
    let collector = Collector::start();
    let program = traced(&collector, &[]);
    let mut client = program.connect();
    client.write_all(b"GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let in_flight = "http_requests_in_progress{method=\"GET\",route=\"/api/slow\"} 1";
    program.wait_until("in flight", |program| {
        program.get("/metrics").unwrap().body.contains(in_flight)
    });
    drop(client);
    let span = collector.span("GET /api/slow");
    assert_eq!(attribute(&span, "http.response.status_code"), None);
    assert_eq!(logged(&program, "/api/slow")["status"], 499);
}

#[test]
fn spans_that_wait_arrive_before_the_program_ends() {
    let collector = Collector::start();
    let mut program = traced(&collector, &[("OTEL_BSP_SCHEDULE_DELAY", "3600000")]);
    for _ in 0..700 {
        assert_eq!(program.get("/products").unwrap().status, 200);
    }
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0));
    assert_eq!(collector.spans().len(), 700);
}

/// Asks for more than a queue of 64 holds, and stops; the service must not notice its collector.
fn serve_and_stop(url: &str) -> Program {
    let mut program = Program::ready(&[
        (ENDPOINT, url),
        SOON,
        ("DRAIN_DELAY", "0s"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hush"),
        ("LOG_LEVEL", "debug"),
    ]);
    for _ in 0..500 {
        assert_eq!(program.get("/products").unwrap().status, 200);
    }
    let start = Instant::now();
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code(), Some(0));
    assert!(start.elapsed() < STOP, "{:?}", start.elapsed());
    program.wait_until("its last line", |program| program.log().contains("\"stopped\""));
    assert!(!program.log().contains("hush"));
    assert!(warnings(&program) <= 5, "{}", program.log());
    program
}

#[test]
fn a_collector_that_is_gone_is_logged_once_and_delays_no_request() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = serve_and_stop(&format!("http://{gone}"));
    assert_eq!(program.log().matches("traces could not be sent").count(), 1);
}

#[test]
fn a_collector_that_never_answers_delays_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // The kernel accepts the connection, but no process reads from it.
    serve_and_stop(&url);
    drop(listener);
}

#[test]
fn a_collector_that_answers_500_or_garbage_delays_no_request() {
    for answer in ["HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nhush", "\u{7}hush\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 65_536]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let program = serve_and_stop(&url);
        assert_eq!(program.log().matches("traces could not be sent").count(), 1);
    }
}

//! The generator against real servers on this machine. Bounds are wide: the machine may be busy.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use bytes::Bytes;
use controller_load::plan::Trust;
use controller_load::status::StatusSet;
use controller_load::{Arrivals, ClosedLoop, Limits, LoadError, Mode, OpenLoop, Plan, Report, Step};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A server in a thread of its own, until the test ends.
fn serve(router: Router) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    told.recv().unwrap()
}

fn plan(urls: &[String], mode: Mode) -> Plan {
    Plan {
        targets: urls.iter().map(|url| url.parse().unwrap()).collect(),
        method: Method::GET,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        http2: false,
        connections: 300,
        timeout: Duration::from_secs(30),
        expected: StatusSet::below_500(),
        trust: Trust::PublicRoots,
        mode,
        limits: Limits::default(),
    }
}

fn open(rate: f64, millis: u64) -> Mode {
    Mode::Open(OpenLoop {
        steps: vec![Step {
            rate,
            duration: Duration::from_millis(millis),
        }],
        warm_up: Duration::ZERO,
        arrivals: Arrivals::Constant,
    })
}

const fn closed(requests: u64, concurrency: usize) -> Mode {
    Mode::Closed(ClosedLoop {
        requests,
        concurrency,
        at_most: Duration::from_secs(60),
    })
}

fn run(plan: Plan) -> Report {
    let (progress, _looks) = mpsc::channel();
    controller_load::run(plan, progress).unwrap()
}

fn p99(report: &Report) -> f64 {
    report.steps.first().unwrap().latency.as_ref().unwrap().p99_seconds
}

/// Answers at once, but for one second in which it answers nobody, from half a second after its first request on.
fn stopping() -> Router {
    let (gate, open) = watch::channel(true);
    let gate = Arc::new(gate);
    let begun = Arc::new(AtomicUsize::new(0));
    Router::new().fallback(any(move || {
        let (gate, begun, mut open) = (Arc::clone(&gate), Arc::clone(&begun), open.clone());
        async move {
            if begun.fetch_add(1, Ordering::Relaxed) == 0 {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    gate.send_replace(false);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    gate.send_replace(true);
                });
            }
            open.wait_for(|open| *open).await.unwrap();
            "ok"
        }
    }))
}

#[test]
fn a_server_that_stops_for_a_second_is_seen_by_an_open_loop_and_hardly_by_a_closed_one() {
    let address = serve(stopping());
    let open_loop = run(plan(&[format!("http://{address}/")], open(200.0, 3_000)));
    // A third of the time the server answers nobody, so that one request in a hundred waits for nearly a second.
    assert!(p99(&open_loop) > 0.9, "{}", p99(&open_loop));
    let step = &open_loop.steps[0];
    assert_eq!((step.scheduled, step.answered, step.errors), (600, 600, 0));

    let address = serve(stopping());
    // As many requests as take longer than the half second before the stop: a closed loop then sends two in that second.
    let closed_loop = run(plan(&[format!("http://{address}/")], closed(20_000, 2)));
    let slow = closed_loop.steps[0].latency.as_ref().unwrap();
    assert!(slow.max_seconds > 0.9 && slow.p99_seconds < 0.5, "{slow:?}");
}

#[test]
fn requests_beyond_the_connections_wait_and_their_waiting_counts() {
    let address = serve(Router::new().fallback(any(|| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        "ok"
    })));
    // Two connections answer forty requests a second at most, eighty are to start.
    let mut plan = plan(&[format!("http://{address}/")], open(80.0, 1_000));
    plan.connections = 2;
    let report = run(plan);
    let step = &report.steps[0];
    assert_eq!((step.scheduled, step.answered), (80, 80));
    assert!(step.waits.requests > 40 && p99(&report) > 0.8, "{step:?}");
    assert!(
        report
            .judgement
            .notes
            .iter()
            .any(|note| note.contains("waited for one of the 2 connections"))
    );
}

#[test]
fn a_request_without_an_answer_counts_with_the_time_that_it_waited_for_a_connection_and_for_the_answer() {
    let address = serve(Router::new().fallback(any(|| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        "ok"
    })));
    let mut plan = plan(&[format!("http://{address}/")], open(20.0, 500));
    (plan.connections, plan.timeout) = (1, Duration::from_millis(300));
    let report = run(plan);
    let step = &report.steps[0];
    let unanswered = step.failures.iter().map(|failure| failure.requests).sum::<u64>();
    assert_eq!(
        (step.scheduled, step.answered, unanswered, step.errors),
        (10, 0, 10, 10)
    );
    let latency = step.latency.as_ref().unwrap();
    // Each gives up 0.3 s after its intended start, whenever it got the one connection.
    assert!(latency.min_seconds > 0.299 && latency.max_seconds < 10.0, "{latency:?}");
    assert!(step.waits.requests >= 8, "{step:?}");
}

#[test]
fn statuses_are_counted_and_only_unexpected_ones_are_errors() {
    let turn = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback(any(|State(turn): State<Arc<AtomicUsize>>| async move {
        match turn.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => StatusCode::NOT_FOUND,
            1 => StatusCode::SERVICE_UNAVAILABLE,
            2 => StatusCode::FOUND,
            _ => StatusCode::OK,
        }
    }));
    let address = serve(router.with_state(turn));
    let report = run(plan(&[format!("http://{address}/")], closed(40, 1)));
    let step = &report.steps[0];
    assert_eq!(step.statuses, [(200, 10), (302, 10), (404, 10), (503, 10)].into());
    assert_eq!((step.errors, step.error_ratio), (10, 0.25));
}

#[test]
fn method_headers_body_and_host_arrive_with_both_versions_of_http() {
    let router = Router::new().fallback(any(
        |method: Method, headers: HeaderMap, uri: axum::http::Uri, body: String| async move {
            let named = |name| headers.get(name).is_some_and(|value| value == "yes");
            let has_host = headers.contains_key("host") || uri.authority().is_some();
            let right = method == Method::PUT
                && named("x-test")
                && body == "hello"
                && has_host
                && uri.path() == "/a"
                && uri.query() == Some("b=c");
            if right { StatusCode::OK } else { StatusCode::BAD_REQUEST }
        },
    ));
    let address = serve(router);
    for http2 in [false, true] {
        let mut plan = plan(&[format!("http://{address}/a?b=c")], open(200.0, 200));
        plan.method = Method::PUT;
        plan.body = Bytes::from_static(b"hello");
        plan.headers.insert("x-test", "yes".parse().unwrap());
        plan.http2 = http2;
        let report = run(plan);
        assert_eq!(report.steps[0].statuses, [(200, 40)].into(), "HTTP/2: {http2}");
    }
}

#[test]
fn several_addresses_get_requests_by_their_weights() {
    let counts = [0; 2].map(|_| Arc::new(AtomicUsize::new(0)));
    let addresses = counts.clone().map(|count| {
        let router = Router::new().fallback(any(|State(count): State<Arc<AtomicUsize>>| async move {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        serve(router.with_state(count))
    });
    let urls = [
        format!("3=http://{}/", addresses[0]),
        format!("http://{}/", addresses[1]),
    ];
    for mode in [open(200.0, 200), closed(40, 4)] {
        let report = run(plan(&urls, mode));
        assert_eq!(
            report.targets.iter().map(|target| target.scheduled).collect::<Vec<_>>(),
            [30, 10]
        );
    }
    assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [60, 20]);
}

#[test]
fn connections_that_a_server_closes_while_they_are_idle_are_made_again() {
    // A server that closes each connection after one answer, without saying so before.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                use std::io::{Read as _, Write as _};
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            });
        }
    });
    let report = run(plan(&[format!("http://{address}/")], open(20.0, 1_000)));
    assert_eq!(
        (report.steps[0].answered, report.steps[0].errors),
        (20, 0),
        "{:?}",
        report.steps
    );
}

#[test]
fn a_host_that_cannot_be_reached_is_told_before_the_test() {
    let closed_port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (progress, _looks) = mpsc::channel();
    let error = controller_load::run(plan(&[format!("http://{closed_port}/")], open(1.0, 100)), progress).unwrap_err();
    assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().ends_with("start the service, or correct the address"),
        "{error}"
    );
}

#[test]
fn progress_is_told_while_the_test_runs() {
    let address = serve(Router::new().fallback(any(|| async { "ok" })));
    let (progress, looks) = mpsc::channel();
    controller_load::run(plan(&[format!("http://{address}/")], open(50.0, 1_000)), progress).unwrap();
    let looks: Vec<_> = looks.iter().collect();
    assert!(looks.len() >= 2 && looks.last().unwrap().recent.ended > 0, "{looks:?}");
}

//! The accept loop beside a runtime whose only worker is busy, and beside clients that take nothing. In this process.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    convert::Infallible,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use app::{config::Limits, serve};
use axum::{Router, body::Body, http::StatusCode, routing::get};
use common::{App, flags, process::PATIENCE};
use futures::stream;
use tokio::sync::watch;

/// A piece of a response without an end, bytes.
const PIECE: usize = 8 * 1024;

struct Served {
    address: SocketAddr,
    /// Requests of `/busy` keep their worker until this can be locked.
    busy: Arc<Mutex<()>>,
    /// Workers that wait for it.
    waiting: Arc<AtomicUsize>,
    /// Bytes of `/endless` that connections have taken.
    taken: Arc<AtomicUsize>,
    /// Connections are closed when this is dropped.
    _close: watch::Sender<bool>,
}

impl Served {
    async fn start(change: impl FnOnce(&mut Limits)) -> Self {
        let (busy, waiting, taken) = (Arc::<Mutex<()>>::default(), Arc::default(), Arc::default());
        let hold = {
            let (busy, waiting): (Arc<Mutex<()>>, Arc<AtomicUsize>) = (Arc::clone(&busy), Arc::clone(&waiting));
            async move || {
                waiting.fetch_add(1, Ordering::Relaxed);
                drop(busy.lock().unwrap());
            }
        };
        let endless = {
            let taken: Arc<AtomicUsize> = Arc::clone(&taken);
            async move || {
                Body::from_stream(stream::repeat_with(move || {
                    taken.fetch_add(PIECE, Ordering::Relaxed);
                    Ok::<_, Infallible>(vec![b'x'; PIECE])
                }))
            }
        };
        let routes = Router::new()
            .route("/busy", get(hold))
            .route("/endless", get(endless))
            .route("/full", get(async || StatusCode::SERVICE_UNAVAILABLE));
        let app = App::with(flags("sqlite::memory:"), routes).await;
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (close, closing) = watch::channel(false);
        let mut limits = app.state.limits();
        change(&mut limits);
        let connections = app.state.metrics().connections().clone();
        let grace = Duration::from_secs(5);
        tokio::spawn(serve::serve(
            listener,
            app.router.clone(),
            limits,
            grace,
            connections,
            closing,
        ));
        Self {
            address,
            busy,
            waiting,
            taken,
            _close: close,
        }
    }

    /// A client that has asked for a path.
    fn ask(&self, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    /// Waits without the runtime, which may be busy.
    fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: not in time");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn status(mut client: TcpStream) -> String {
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer.get(9..12).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn probes_are_answered_while_the_runtime_is_busy_with_requests() {
    let served = Served::start(|_| {}).await;
    let held = served.busy.lock().unwrap();
    let busy = served.ask("/busy");
    served.wait_until("the only worker waits", |served| {
        served.waiting.load(Ordering::Relaxed) == 1
    });
    for path in ["/health/live", "/health/ready", "/health/startup"] {
        // On a machine that is busy itself, the store may take longer than the second that readiness gives it.
        served.wait_until(path, |served| status(served.ask(path)) == "200");
    }
    drop(held);
    assert_eq!(status(busy), "200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_many_requests_wait_for_the_runtime_no_connection_is_closed_for_a_new_one() {
    let served = Served::start(|limits| limits.connections = 100).await;
    let held = served.busy.lock().unwrap();
    let first = served.ask("/busy");
    served.wait_until("the only worker waits", |served| {
        served.waiting.load(Ordering::Relaxed) == 1
    });
    let mut waiting: Vec<_> = (0..90).map(|_| served.ask("/products")).collect();
    let mut idle: Vec<_> = (0..9).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    // So long that the idle ones may be closed.
    thread::sleep(Duration::from_millis(200));
    for _ in 0..3 {
        assert_eq!(status(served.ask("/products")), "503");
    }
    drop(held);
    assert_eq!(status(first), "200");
    for client in waiting.drain(..) {
        assert_eq!(status(client), "200");
    }
    for client in &mut idle {
        client
            .write_all(b"GET /products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
    }
    for client in idle {
        assert_eq!(status(client), "200", "it was not closed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn under_a_memory_limit_little_waits_in_the_kernel_for_a_client_that_does_not_read() {
    let served = Served::start(|limits| {
        limits.connections = 256;
        limits.memory_bytes = Some(64 << 20);
    })
    .await;
    // Once it serves, the buffers are bounded.
    assert_eq!(status(served.ask("/products")), "200");
    let client = served.ask("/endless");
    let taken = |served: &Served| served.taken.load(Ordering::Relaxed);
    served.wait_until("nothing more is taken", |served| {
        let before = taken(served);
        thread::sleep(Duration::from_millis(300));
        before > 0 && taken(served) == before
    });
    // The client's own buffer has most of it; without a bound it is ten times as much.
    assert!(taken(&served) < 512 * 1024, "{}", taken(&served));
    drop(client);
    let head = format!(
        "GET /products HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx: {}\r\n\r\n",
        "x".repeat(15_000)
    );
    let mut long = TcpStream::connect(served.address).unwrap();
    long.write_all(head.as_bytes()).unwrap();
    assert_eq!(status(long), "200", "a long head fits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_whose_requests_are_all_refused_is_closed_in_the_end() {
    let served = Served::start(|_| {}).await;
    let refused = |others: bool| {
        let mut client = TcpStream::connect(served.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut requests = String::new();
        for n in 1..=100 {
            let path = if others && n % 20 == 0 { "/products" } else { "/full" };
            // The last one ends the connection in any case.
            let end = if n == 100 { "Connection: close\r\n" } else { "" };
            requests.push_str(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{end}\r\n"));
        }
        client.write_all(requests.as_bytes()).unwrap();
        let mut answers = String::new();
        client.read_to_string(&mut answers).unwrap();
        answers.matches("HTTP/1.1 503 ").count()
    };
    assert_eq!(refused(false), 32);
    assert_eq!(refused(true), 95);
}

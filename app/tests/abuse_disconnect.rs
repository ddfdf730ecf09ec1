//! Requests that end in all wrong ways, over both protocols: every answer is counted, no request stays in flight.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use app::serve;
use axum::{Router, body::Body, routing::get};
use common::{
    App,
    client::{BOTH, Client, Protocol},
    eventually, flags,
};
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::Request;
use tokio::sync::watch;

/// How often each of them happens.
const TIMES: usize = 25;
const PIECE: usize = 32 * 1024;
/// Pieces of a response that ends.
const PIECES: usize = 16;
/// More than any client takes without being asked.
const LARGE: usize = 24 << 20;

struct Served {
    app: App,
    address: SocketAddr,
    close: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn panicking() -> &'static str {
    #[expect(clippy::panic, reason = "what is tested")]
    {
        panic!("on purpose")
    }
}

fn pieces(count: usize) -> Body {
    let piece = || Ok::<_, Infallible>(vec![b'x'; PIECE]);
    Body::from_stream(stream::iter((0..count).map(move |_| piece())))
}

impl Served {
    async fn start() -> Self {
        let routes = Router::new()
            .route("/panic", get(panicking))
            .route("/hold", get(std::future::pending::<()>))
            .route("/stream", get(async || pieces(PIECES)))
            .route("/endless", get(async || pieces(usize::MAX)))
            .route("/large", get(async || vec![b'x'; LARGE]));
        let mut flags = flags("sqlite::memory:");
        flags.idle_timeout = Some("2s".into());
        let app = App::with(flags, routes).await;
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (close, closing) = watch::channel(false);
        let grace = Duration::from_secs(5);
        let serving = tokio::spawn(serve::serve(
            listener,
            app.router.clone(),
            app.state.limits(),
            grace,
            app.state.metrics().connections().clone(),
            closing,
        ));
        Self {
            app,
            address,
            close,
            serving,
        }
    }

    async fn connect(&self, protocol: Protocol) -> Client {
        Client::connect(self.address, protocol).await.unwrap()
    }

    async fn in_flight(&self) -> f64 {
        let page = self.app.get("/metrics").await.text;
        let lines = page
            .lines()
            .filter(|line| line.starts_with("http_requests_in_progress{"));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }

    /// Requests of a route that were counted, with any status.
    async fn counted(&self, method: &str, route: &str) -> f64 {
        let page = self.app.get("/metrics").await.text;
        let wanted = format!("http_requests_total{{method=\"{method}\",route=\"{route}\",");
        let lines = page.lines().filter(|line| line.starts_with(&wanted));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }

    /// Everything ended: nothing in flight, every place free, all memory of bodies given back.
    async fn is_at_rest(&self) {
        let limits = self.app.state.limits();
        eventually("nothing is in flight", async || self.in_flight().await == 0.0).await;
        eventually("all places are free", async || {
            self.app.state.permits().available_permits() == limits.concurrent_requests
                && self.app.state.body_memory().available_permits() == limits.bodies_bytes()
        })
        .await;
        self.close.send(true).unwrap();
    }
}

#[tokio::test]
async fn panics_are_answered_and_the_connection_goes_on() {
    for protocol in BOTH {
        let served = Served::start().await;
        let mut client = served.connect(protocol).await;
        for _ in 0..TIMES {
            assert_eq!(client.get("/panic").await.unwrap().0, 500, "{protocol:?}");
        }
        assert_eq!(client.get("/api/v1/data").await.unwrap().0, 200, "{protocol:?}");
        served.is_at_rest().await;
        assert_eq!(served.counted("GET", "/panic").await, TIMES as f64, "{protocol:?}");
        assert_eq!(served.app.sample("http_panics_total").await, Some(TIMES as f64));
    }
}

#[tokio::test]
async fn clients_that_leave_before_the_answer_count_as_499_and_are_not_in_flight() {
    for protocol in BOTH {
        let served = Served::start().await;
        let mut waiting = Vec::new();
        for _ in 0..TIMES {
            let mut client = served.connect(protocol).await;
            waiting.push(tokio::spawn(async move { client.get("/hold").await.map(|_| ()) }));
        }
        eventually("all are in flight", async || served.in_flight().await == TIMES as f64).await;
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        served.is_at_rest().await;
        let abandoned = "http_requests_total{method=\"GET\",route=\"/hold\",status=\"499\"}";
        assert_eq!(served.app.sample(abandoned).await, Some(TIMES as f64), "{protocol:?}");
        assert_eq!(served.counted("GET", "/hold").await, TIMES as f64, "{protocol:?}");
    }
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_of_a_request_body_are_counted_and_leave_no_memory() {
    for protocol in BOTH {
        let served = Served::start().await;
        let mut waiting = Vec::new();
        for _ in 0..TIMES {
            let mut client = served.connect(protocol).await;
            let half = stream::iter([Ok::<_, Infallible>(vec![b' '; PIECE])]).chain(stream::pending());
            let request = Request::post("/api/v1/data")
                .header("content-type", "application/json")
                .body(Body::from_stream(half))
                .unwrap();
            waiting.push(tokio::spawn(async move { client.send(request).await.map(|_| ()) }));
        }
        let taken = served.app.state.limits().bodies_bytes() - TIMES * PIECE;
        eventually("all halves are here", async || {
            served.app.state.body_memory().available_permits() == taken
        })
        .await;
        let free = served.app.state.permits().available_permits();
        assert_eq!(
            free,
            served.app.state.limits().concurrent_requests,
            "who still sends takes no place"
        );
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        served.is_at_rest().await;
        assert_eq!(
            served.counted("POST", "/api/v1/data").await,
            TIMES as f64,
            "{protocol:?}"
        );
    }
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_of_a_response_are_counted_and_not_in_flight() {
    for protocol in BOTH {
        let served = Served::start().await;
        for _ in 0..TIMES {
            let mut client = served.connect(protocol).await;
            let request = Request::get("/endless").body(Body::empty()).unwrap();
            let mut body = client.send(request).await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
            assert_eq!(served.in_flight().await, 1.0, "it goes on while the body does");
            drop(body);
            client.abort();
            eventually("ended", async || served.in_flight().await == 0.0).await;
        }
        served.is_at_rest().await;
        assert_eq!(served.counted("GET", "/endless").await, TIMES as f64, "{protocol:?}");
    }
}

#[tokio::test]
async fn streamed_responses_arrive_whole() {
    for protocol in BOTH {
        let served = Served::start().await;
        let mut client = served.connect(protocol).await;
        for _ in 0..TIMES {
            let (status, text) = client.get("/stream").await.unwrap();
            assert_eq!((status.as_u16(), text.len()), (200, PIECE * PIECES), "{protocol:?}");
        }
        served.is_at_rest().await;
        assert_eq!(served.counted("GET", "/stream").await, TIMES as f64, "{protocol:?}");
        tokio::time::timeout(Duration::from_secs(10), served.serving)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_client_that_resets_its_streams_at_once_does_not_stop_the_others() {
    let served = Served::start().await;
    let mut others = served.connect(Protocol::Http2).await;
    for _ in 0..20 {
        let mut client = served.connect(Protocol::Http2).await;
        for _ in 0..200 {
            if !client.is_ready().await {
                break;
            }
            let request = Request::get("/hold").body(Body::empty()).unwrap();
            // Polled once, so that it is sent; then dropped, which resets the stream.
            let mut sending = Box::pin(client.send(request));
            let _ = futures::poll!(&mut sending);
            drop(sending);
        }
        assert_eq!(others.get("/api/v1/data").await.unwrap().0, 200);
    }
    served.is_at_rest().await;
}

#[tokio::test]
async fn a_stream_that_is_not_read_ends_on_a_busy_connection_and_gives_its_memory_back() {
    let served = Served::start().await;
    let mut client = served.connect(Protocol::Http2).await;
    let request = Request::get("/large").body(Body::empty()).unwrap();
    let stalled = client.send(request).await.unwrap();
    let memory = || served.app.state.response_memory().available_permits();
    let most = served.app.state.limits().responses_bytes();
    assert!(memory() < most, "it waits");
    let start = std::time::Instant::now();
    while client.get("/products").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "the connection is still there"
        );
    }
    drop(stalled);
    eventually("memory is given back", async || memory() == most).await;
    served.is_at_rest().await;
}

#[tokio::test]
async fn large_responses_arrive_whole() {
    for protocol in BOTH {
        let served = Served::start().await;
        let mut client = served.connect(protocol).await;
        for _ in 0..2 {
            let (status, text) = client.get("/large").await.unwrap();
            assert_eq!((status.as_u16(), text.len()), (200, LARGE), "{protocol:?}");
        }
        served.is_at_rest().await;
    }
}

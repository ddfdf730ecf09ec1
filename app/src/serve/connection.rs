//! One connection: HTTP/1.1 or HTTP/2 by hyper, a watchdog beside it, and an orderly end when the process stops.
//!
//! HTTP/2 without TLS: a client starts it with the preface (prior knowledge), as gRPC clients and proxies do.

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{Router, routing::future::RouteFuture};
use hyper::{Request, Response, Version, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{net::TcpStream, sync::watch};
use tower::Service as _;

use super::{activity::Activity, arrival, body::Noted, io::Watched};
use crate::config::Limits;

/// A request's head and hyper's read buffer, bytes. More is answered 431.
pub(super) const MAX_HEAD_BYTES: usize = 16 * 1024;
/// HTTP/2 header list, bytes; the same bound in HTTP/2's own count.
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// What a client may send on an HTTP/2 stream before the handler has read it, bytes. RFC 9113's initial value: memory of a
/// connection is at most this times its streams.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// The same for a whole HTTP/2 connection: one body of the usual limit.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// What a response may buffer on an HTTP/2 stream, bytes.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Streams that a client has reset before they were taken up; more ends the connection (rapid reset, CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that were reset by us for the client's faults; more ends the connection (CVE-2025-8671).
const MAX_FAULTY_STREAMS: usize = 100;
/// An HTTP/2 peer that is gone without a word is noticed by a ping that it does not answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What all connections share.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    limits: Limits,
    http: auto::Builder<TokioExecutor>,
    /// How often a watchdog looks.
    tick: Duration,
}

impl Settings {
    pub(super) fn new(limits: Limits) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        // hyper's own header timeout also ends idle connections; ours tells the two apart.
        http.http1().header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(MAX_HEADER_LIST_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_FAULTY_STREAMS)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        let shortest = limits.first_byte.min(limits.header).min(limits.idle);
        // A timeout is kept to within a quarter of the shortest; four ticks cost less than one request.
        let tick = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(5));
        Self { limits, http, tick }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(stream: TcpStream, router: Router, settings: Settings, mut closing: watch::Receiver<bool>) {
    // A response is written in one piece: waiting for more only delays it.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new(Instant::now()));
    let stopped_unused = async {
        let _ = closing.wait_for(|close| *close).await;
        if !activity.is_unused() {
            // A request that is on its way is still answered.
            std::future::pending::<()>().await;
        }
    };
    let arrived = tokio::select! {
        biased;
        arrived = arrival::first_head(&stream, &activity) => arrived.is_ok(),
        () = stopped_unused => false,
        () = overdue(&activity, &settings) => false,
    };
    if arrived {
        // Boxed, so that a connection that waits has no room for it.
        Box::pin(serve_http(stream, activity, router, settings, closing)).await;
    }
}

async fn serve_http(
    stream: TcpStream,
    activity: Arc<Activity>,
    router: Router,
    settings: Settings,
    mut closing: watch::Receiver<bool>,
) {
    let io = TokioIo::new(Watched {
        stream,
        activity: Arc::clone(&activity),
    });
    let service = Handled {
        router,
        activity: Arc::clone(&activity),
    };
    let mut connection = pin!(settings.http.serve_connection(io, service));
    let mut overdue = pin!(overdue(&activity, &settings));
    let mut is_closing = false;
    loop {
        tokio::select! {
            // In this order: what has come is read before hyper is told to stop, which forgets a connection that it has not
            // read from.
            biased;
            // An error here is the client's: it sent no HTTP, or left. What it was answered is logged already.
            _ = connection.as_mut() => return,
            _ = closing.wait_for(|close| *close), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = overdue.as_mut() => return,
        }
    }
}

/// Waits until a connection has done nothing for too long.
async fn overdue(activity: &Activity, settings: &Settings) {
    let mut ticks = tokio::time::interval(settings.tick);
    while !activity.is_overdue(&settings.limits, Instant::now()) {
        ticks.tick().await;
    }
}

/// The router, noting when a handler runs.
#[derive(Debug, Clone)]
struct Handled {
    router: Router,
    activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for Handled {
    type Response = Response<Noted>;
    type Error = Infallible;
    type Future = Handling;

    fn call(&self, request: Request<Incoming>) -> Handling {
        self.activity
            .begin(request.version() == Version::HTTP_2, Instant::now());
        let running = EndOnDrop(Arc::clone(&self.activity));
        // A router is always ready.
        Handling {
            inner: self.router.clone().call(request),
            running,
        }
    }
}

pin_project_lite::pin_project! {
    /// A request being handled.
    struct Handling {
        #[pin]
        inner: RouteFuture<Infallible>,
        running: EndOnDrop,
    }
}

impl Future for Handling {
    type Output = Result<Response<Noted>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.inner.poll(context));
        let activity = Arc::clone(&this.running.0);
        Poll::Ready(Ok(response.map(|body| Noted::new(body, activity))))
    }
}

/// Ends the handler's time, however it ends. hyper drops the future as soon as it has answered.
struct EndOnDrop(Arc<Activity>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end(Instant::now());
    }
}

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
use hyper::{
    Request, Response, StatusCode, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{net::TcpStream, runtime::Handle, sync::watch};
use tower::Service as _;

use super::{
    MAX_HEAD_BYTES,
    activity::Activity,
    arrival,
    body::TrackedBody,
    io::TrackedIo,
    pressure::Pressure,
    room::{ServedConnections, ServedGuard},
};
use crate::config::Limits;

/// Largest HTTP/2 header list, in bytes: the same limit as [`MAX_HEAD_BYTES`], but HTTP/2 counts 32 bytes more for each
/// header field.
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// Bytes that a client may send on an HTTP/2 stream before the handler has read them: the initial value of RFC 9113
/// (section 6.9.2). [`CONNECTION_WINDOW_BYTES`] limits all streams of a connection together.
const STREAM_WINDOW_BYTES: u32 = 65_535;
/// Bytes that a client may send on all streams of an HTTP/2 connection before handlers have read them: as much as one
/// body of the default limit.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Bytes of a response that may be buffered on an HTTP/2 stream.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Streams that a client reset before we accepted them; more of them end the connection (rapid reset, CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that we reset because the client broke the protocol; more of them end the connection (CVE-2025-8671).
const MAX_FAULTY_STREAMS: usize = 100;
/// How often an HTTP/2 client is pinged. One that vanished without closing does not answer, and its connection is closed
/// after [`PING_TIMEOUT`].
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings that all connections share.
#[derive(Debug, Clone)]
pub(super) struct ConnectionSettings {
    limits: Limits,
    http: auto::Builder<TokioExecutor>,
    /// How often a watchdog looks.
    tick: Duration,
    pressure: Pressure,
    served: ServedConnections,
}

impl ConnectionSettings {
    pub(super) fn new(limits: Limits, pressure: Pressure, served: ServedConnections) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        // hyper's own header timeout would also end idle connections; our watchdog has separate limits
        // for the first byte, the head and idling.
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
        // A quarter of the shortest limit, so that no timeout fires later than that. A tick is cheap next to a request.
        let tick = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
        Self {
            limits,
            http,
            tick,
            pressure,
            served,
        }
    }

    /// The same for connections that end with the answer to their first request.
    pub(super) fn for_one_request(&self) -> Self {
        let mut settings = self.clone();
        settings.http.http1().keep_alive(false);
        settings
    }
}

/// A connection whose first request has arrived, and is still in the kernel's buffer.
#[derive(Debug)]
pub(super) struct FirstRequest {
    stream: TcpStream,
    activity: Arc<Activity>,
    served: ServedGuard,
}

impl FirstRequest {
    /// Waits for the first request; `None` if the connection ends before that.
    pub(super) async fn wait(
        stream: TcpStream,
        settings: &ConnectionSettings,
        closing: &mut watch::Receiver<bool>,
    ) -> Option<Self> {
        // A response is written in one piece: waiting for more only delays it.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new(Instant::now()));
        let served = settings.served.enter(&activity);
        let closed_before_use = async {
            let _ = closing.wait_for(|close| *close).await;
            if !activity.is_unused() {
                // Bytes have arrived: let the request be read and answered instead of closing.
                std::future::pending::<()>().await;
            }
        };
        let arrived = tokio::select! {
            biased;
            arrived = arrival::first_head(&stream, &activity) => arrived.is_ok(),
            () = closed_before_use => false,
            () = overdue(&activity, settings) => false,
            () = activity.left() => false,
        };
        arrived.then_some(Self {
            stream,
            activity,
            served,
        })
    }

    /// Whether a probe asks.
    pub(super) fn is_probe(&self) -> bool {
        arrival::is_probe(&self.stream)
    }

    /// Moves the connection to another runtime, which serves it to its end; `held` is dropped then.
    pub(super) fn serve_on(
        self,
        runtime: &Handle,
        router: Router,
        settings: ConnectionSettings,
        closing: watch::Receiver<bool>,
        held: impl Send + 'static,
    ) {
        let Self {
            stream,
            activity,
            served,
        } = self;
        // An error means that the connection is broken.
        let Ok(stream) = stream.into_std() else { return };
        runtime.spawn(async move {
            if let Ok(stream) = TcpStream::from_std(stream) {
                // Else hyper, told to stop now, would close the connection before it knows that there are bytes to read.
                let _ = stream.readable().await;
                let first = Self {
                    stream,
                    activity,
                    served,
                };
                first.serve(router, settings, closing).await;
            }
            drop(held);
        });
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(self, router: Router, settings: ConnectionSettings, closing: watch::Receiver<bool>) {
        serve_http(self.stream, self.activity, router, settings, closing).await;
        drop(self.served);
    }
}

async fn serve_http(
    stream: TcpStream,
    activity: Arc<Activity>,
    router: Router,
    settings: ConnectionSettings,
    mut closing: watch::Receiver<bool>,
) {
    let io = TokioIo::new(TrackedIo {
        stream,
        activity: Arc::clone(&activity),
    });
    let service = TrackedService {
        router,
        activity: Arc::clone(&activity),
    };
    let mut connection = pin!(settings.http.serve_connection(io, service));
    let mut overdue = pin!(overdue(&activity, &settings));
    let mut left = pin!(activity.left());
    let mut is_closing = false;
    loop {
        tokio::select! {
            // In this order, so that received bytes are read before hyper is told to stop: hyper closes a connection that
            // it has not read from, and the request would be lost.
            biased;
            // An error here is the client's: it sent something other than HTTP, or disconnected. Its responses are already logged.
            _ = connection.as_mut() => return,
            _ = closing.wait_for(|close| *close), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = overdue.as_mut() => return,
            () = left.as_mut() => return,
        }
    }
}

/// Waits until a connection's time for its current phase is over.
async fn overdue(activity: &Activity, settings: &ConnectionSettings) {
    let mut ticks = tokio::time::interval(settings.tick);
    loop {
        let now = Instant::now();
        let limits = match settings.pressure.is_high(now) {
            true => settings.limits.under_pressure(),
            false => settings.limits,
        };
        if activity.is_overdue(&limits, now) {
            return;
        }
        ticks.tick().await;
    }
}

/// The router as a service that records in the connection's [`Activity`] when a handler begins and ends.
#[derive(Debug, Clone)]
struct TrackedService {
    router: Router,
    activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for TrackedService {
    type Response = Response<TrackedBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<Incoming>) -> ResponseFuture {
        self.activity
            .begin(request.version() == Version::HTTP_2, Instant::now());
        let running = HandlerGuard(Arc::clone(&self.activity));
        // A router is always ready.
        ResponseFuture {
            inner: self.router.clone().call(request),
            running,
        }
    }
}

pin_project_lite::pin_project! {
    /// The response to come.
    struct ResponseFuture {
        #[pin]
        inner: RouteFuture<Infallible>,
        running: HandlerGuard,
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<TrackedBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.inner.poll(context));
        let activity = Arc::clone(&this.running.0);
        if activity.answer(response.status() == StatusCode::SERVICE_UNAVAILABLE) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        Poll::Ready(Ok(response.map(|body| TrackedBody::new(body, activity))))
    }
}

/// Records the handler's end when it is dropped, which hyper does as soon as the future is ready.
struct HandlerGuard(Arc<Activity>);

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        self.0.end(Instant::now());
    }
}

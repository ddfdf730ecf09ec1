//! One connection: HTTP/1.1 by hyper, a watchdog beside it, and an orderly end when the process stops.
//!
//! HTTP/2 is left out on purpose: nothing here needs it, and each of its resets and floods would need a limit of its own.

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{Router, response::Response, routing::future::RouteFuture};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::watch};
use tower::Service as _;

use super::{activity::Activity, io::Watched};
use crate::config::Limits;

/// A request's head and hyper's read buffer, bytes. More is answered 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// What all connections share.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    limits: Limits,
    http: http1::Builder,
    /// How often a watchdog looks.
    tick: Duration,
}

impl Settings {
    pub(super) fn new(limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        // hyper's own header timeout also ends idle connections; ours tells the two apart.
        http.header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES);
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
    let io = TokioIo::new(Watched {
        stream,
        activity: Arc::clone(&activity),
    });
    let service = Handled {
        router,
        activity: Arc::clone(&activity),
    };
    let mut connection = pin!(settings.http.serve_connection(io, service));
    let mut ticks = tokio::time::interval(settings.tick);
    let mut is_closing = false;
    loop {
        tokio::select! {
            // An error here is the client's: it sent no HTTP, or left. What it was answered is logged already.
            _ = connection.as_mut() => return,
            _ = closing.wait_for(|close| *close), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = ticks.tick() => {
                if activity.is_overdue(&settings.limits, Instant::now()) {
                    return;
                }
            }
        }
    }
}

/// The router, noting when a handler runs.
#[derive(Debug, Clone)]
struct Handled {
    router: Router,
    activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for Handled {
    type Response = Response;
    type Error = Infallible;
    type Future = Handling;

    fn call(&self, request: Request<Incoming>) -> Handling {
        self.activity.begin(Instant::now());
        let guard = EndOnDrop(Arc::clone(&self.activity));
        // A router is always ready.
        Handling {
            inner: self.router.clone().call(request),
            _guard: guard,
        }
    }
}

pin_project_lite::pin_project! {
    /// A request being handled.
    struct Handling {
        #[pin]
        inner: RouteFuture<Infallible>,
        _guard: EndOnDrop,
    }
}

impl Future for Handling {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().inner.poll(context)))
    }
}

/// Ends the handler's time, however it ends. hyper drops the future as soon as it has answered.
struct EndOnDrop(Arc<Activity>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end(Instant::now());
    }
}

//! The admin server: `/healthz`, `/readyz`, `/metrics`, `/runbooks`. Read-only, no secrets, its own accept loop with limits, because
//! `axum::serve` waits for ever for a request's head.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use controller_core::facts::KindState;
use controller_core::watched::WatchedKind;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metric_contract::platform;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::admin::runbooks;
use crate::admin::telemetry::Page;
use crate::work::context::Context;

/// Connections at once: a Prometheus or two, the kubelet's probes, a person.
const CONNECTIONS: usize = 64;
/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1_024;
/// Longest wait for a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest life of one connection: so that one that is idle or very slow ends.
const CONNECTION_LIFE: Duration = Duration::from_secs(120);
/// The event loop ticks each second. If it has not ticked for this long, it hangs.
const HUNG_AFTER: Duration = Duration::from_secs(30);

/// The state of the process that the admin server reports.
#[derive(Debug)]
pub(crate) struct Admin {
    context: Arc<Context>,
    /// The initial lists have arrived, or the start no longer waits for the missing ones.
    settled: AtomicBool,
    ticked: std::sync::Mutex<Instant>,
}

impl Admin {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            settled: AtomicBool::new(false),
            ticked: std::sync::Mutex::new(Instant::now()),
        }
    }

    /// Marks the initial lists as complete: the operator is ready, as leader or standby.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Release);
    }

    /// Ticks until aborted.
    pub(crate) async fn tick(&self) {
        loop {
            *self.ticked.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn since_tick(&self) -> Duration {
        self.ticked
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .elapsed()
    }
}

/// Binds the listener. `[::]` takes IPv4 too; where the kernel has no IPv6, it is every IPv4 address.
pub(crate) fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    use anyhow::Context as _;
    bind_by(listen, bind_one).with_context(|| format!("can't listen on {listen}: choose another --metrics-listen"))
}

fn bind_by<T>(listen: SocketAddr, bind: impl Fn(SocketAddr) -> std::io::Result<T>) -> std::io::Result<T> {
    match bind(listen) {
        Err(error) if listen.is_ipv6() && listen.ip().is_unspecified() && lacks_ipv6(&error) => {
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.port())))
        }
        result => result,
    }
}

fn lacks_ipv6(error: &std::io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw_os_error),
        Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL)
    )
}

fn bind_one(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if listen.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        let socket = TcpSocket::new_v6()?;
        // Set, so that the host's default does not matter.
        rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
        socket
    };
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// Serves until aborted.
pub(crate) async fn serve(listener: TcpListener, admin: Arc<Admin>) {
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .merge(runbooks::routes())
        .with_state(admin);
    let mut open = VecDeque::with_capacity(CONNECTIONS);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Most likely the process is out of file descriptors: wait until some are closed.
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        make_room(&mut open);
        let service = TowerToHyperService::new(router.clone());
        let connection = tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            let connection = http.serve_connection(TokioIo::new(stream), service);
            // An error on a connection is its client's fault and not logged.
            let _ = tokio::time::timeout(CONNECTION_LIFE, connection).await;
        });
        open.push_back(connection.abort_handle());
    }
}

/// Ends the oldest connection where there are as many as may be: a new one may be the kubelet's probe, which must be
/// answered whatever others hold open.
fn make_room(open: &mut VecDeque<AbortHandle>) {
    open.retain(|connection| !connection.is_finished());
    if open.len() >= CONNECTIONS
        && let Some(oldest) = open.pop_front()
    {
        oldest.abort();
    }
}

/// Alive while the event loop runs. An unreachable API server is not a reason to restart: that would not help, and
/// the watches recover by themselves.
async fn healthz(State(admin): State<Arc<Admin>>) -> Response {
    if admin.since_tick() < HUNG_AFTER {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the event loop hangs\n").into_response()
    }
}

/// Ready once the initial lists have arrived. A standby is ready too, otherwise a Deployment of two replicas would never
/// become available.
async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    let crd_missing = admin
        .context
        .watches
        .all()
        .iter()
        .any(|watch| watch.kind() == WatchedKind::MonitoredApi && watch.state() == KindState::Missing);
    if crd_missing {
        let sentence = "the CRD monitoredapis.monitoredapi.io is not installed\n";
        return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
    }
    if admin.settled.load(Ordering::Acquire) {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the first lists are not in yet\n").into_response()
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let mut page = Page::default();
    write_process(&mut page);
    write_watches(&admin.context, &mut page);
    let (due, _) = admin.context.queue.depth();
    page.family(platform::QUEUE_DEPTH);
    page.count(platform::QUEUE_DEPTH, &[crate::admin::telemetry::CONTROLLER], due);
    page.family(platform::LEADER);
    page.sample::<&str>(platform::LEADER, "", &[], u8::from(admin.context.leadership.is_held()));
    page.family(platform::BUILD_INFO);
    page.sample(platform::BUILD_INFO, "", &[env!("CARGO_PKG_VERSION")], 1);
    admin.context.telemetry.write(&mut page);
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, page.into_text()).into_response()
}

fn write_watches(context: &Context, page: &mut Page) {
    let all = context.watches.all();
    let mut stalest = std::collections::BTreeMap::<&str, f64>::new();
    let mut failures = std::collections::BTreeMap::<(&str, &str), u64>::new();
    for watch in &all {
        let worst = stalest.entry(watch.label()).or_default();
        *worst = worst.max(watch.staleness().as_secs_f64());
        for (class, count) in watch.failures() {
            *failures.entry((watch.label(), class.as_str())).or_default() += count;
        }
    }
    page.family(platform::WATCH_STALENESS);
    for (kind, seconds) in stalest {
        page.sample(platform::WATCH_STALENESS, "", &[kind], seconds);
    }
    page.family(platform::WATCH_FAILURES);
    for ((kind, class), count) in failures {
        page.sample(platform::WATCH_FAILURES, "", &[kind, class], count as f64);
    }
}

/// Processor time and memory, from /proc. Left out where /proc does not exist.
fn write_process(page: &mut Page) {
    /// Clock ticks a second in /proc, on every Linux that Rust runs on (`USER_HZ`).
    const TICKS: f64 = 100.0;
    /// Size of a page on the platforms of our images.
    const PAGE_BYTES: u64 = 4096;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command, in parentheses, may contain spaces: count from behind it. utime and stime are fields 14 and 15.
    let after_command = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> = after_command
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    if let [user, system] = ticks.as_slice() {
        page.family(platform::PROCESS_CPU);
        page.sample::<&str>(platform::PROCESS_CPU, "", &[], (user + system) / TICKS);
    }
    let memory = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    if let Some(pages) = memory
        .split_whitespace()
        .nth(1)
        .and_then(|field| field.parse::<u64>().ok())
    {
        page.family(platform::PROCESS_MEMORY);
        page.sample::<&str>(platform::PROCESS_MEMORY, "", &[], (pages * PAGE_BYTES) as f64);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::cluster::Cluster;

    #[test]
    fn without_ipv6_every_ipv4_address_stands_for_every_address() {
        let bound = |listen: &str, errno: Errno| {
            bind_by(listen.parse().unwrap(), |address| match address {
                SocketAddr::V4(_) => Ok(address.to_string()),
                SocketAddr::V6(_) => Err(errno.into()),
            })
        };
        for missing in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
            assert_eq!(bound("[::]:8080", missing).unwrap(), "0.0.0.0:8080");
        }
        assert!(
            bound("[::1]:8080", Errno::AFNOSUPPORT).is_err(),
            "one address is not every address"
        );
        assert!(bound("[::]:8080", Errno::ADDRINUSE).is_err());
    }

    /// Sends a request for /healthz and returns the first line of the answer.
    async fn ask(stream: &mut TcpStream) -> std::io::Result<String> {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await?;
        let text = String::from_utf8_lossy(&answer[..length]);
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    #[tokio::test]
    async fn the_probe_of_the_kubelet_is_answered_however_many_connections_others_hold() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("no cluster"))
        });
        let cluster = Cluster::over(kube::Client::new(service, "default"));
        let admin = Arc::new(Admin::new(Arc::new(Context::for_tests(cluster))));
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, admin));
        let mut held = Vec::new();
        for number in 0..4 * CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // Every second one says nothing at all.
            if number % 2 == 0 {
                assert_eq!(ask(&mut stream).await.unwrap(), "HTTP/1.1 200 OK");
            }
            held.push(stream);
        }
        let mut probe = TcpStream::connect(address).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(1), ask(&mut probe)).await;
        assert_eq!(answer.expect("in time").unwrap(), "HTTP/1.1 200 OK");
        // The youngest of the others are still served.
        let last = held.len() - 2;
        assert_eq!(ask(&mut held[last]).await.unwrap(), "HTTP/1.1 200 OK");
    }

    #[tokio::test]
    async fn every_address_takes_ipv4_too() {
        let listener = bind("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    }
}

//! A reverse proxy in front of the API server that breaks on demand: it answers 500 for a kind, or an error once for a request, holds
//! requests, or stops at the n-th write, before the API server saw it or before the client saw the answer. The client keeps
//! its own identity.

mod seen;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header},
};
use futures::StreamExt;
pub use seen::Seen;
use seen::understand;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

/// Where a write is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the API server receives it.
    BeforeForwarding,
    /// After the API server has done it, before the client receives the answer.
    AfterAnswer,
}

struct Stop {
    /// Writes still to let through.
    skip: usize,
    moment: Moment,
    tell: Sender<Seen>,
}

/// The next request of this verb for this plural is answered with this code.
struct Failure {
    verb: &'static str,
    plural: String,
    code: StatusCode,
}

#[derive(Default)]
struct Faults {
    /// Plurals whose lists and watches are answered with 500.
    broken: BTreeSet<String>,
    failures: Vec<Failure>,
    /// Requests of this verb are not answered.
    held: Option<&'static str>,
    stop: Option<Stop>,
    log: Vec<Seen>,
}

struct Shared {
    upstream: kube::Client,
    faults: Mutex<Faults>,
    /// Changes whenever a kind is added, so that each open watch checks whether its kind is one of them.
    breaks: watch::Sender<u64>,
    /// Changes when what is stopped may go on.
    releases: watch::Sender<u64>,
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running proxy; it stops when this is dropped.
pub struct ApiProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for ApiProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiProxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl ApiProxy {
    /// Starts a proxy on 127.0.0.1 for the API server that `kubeconfig` names. The kubeconfig must name no user: each
    /// request goes on with the credentials it came with.
    ///
    /// # Errors
    /// When the kubeconfig can't be used or no port is free.
    pub fn start(kubeconfig: &Path) -> Result<Self> {
        let runtime = Runtime::new().context("start a runtime")?;
        let upstream = runtime.block_on(crate::kubernetes::client(kubeconfig))?;
        let shared = Arc::new(Shared {
            upstream,
            faults: Mutex::default(),
            breaks: watch::Sender::new(0),
            releases: watch::Sender::new(0),
        });
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .context("listen on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let app = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            shared,
            address,
            runtime: Some(runtime),
        })
    }

    /// Its address, as a kubeconfig's `server`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on answers lists and watches of a kind with 500, and cuts the watches that are open.
    pub fn break_kind(&self, plural: &str) {
        self.shared.faults().broken.insert(plural.to_owned());
        self.shared.breaks.send_modify(|times| *times += 1);
    }

    /// Answers the next request of this verb for this kind with 500.
    pub fn fail_once(&self, verb: &'static str, plural: &str) {
        self.answer_once(verb, plural, StatusCode::INTERNAL_SERVER_ERROR);
    }

    /// Answers the next request of this verb for this kind with this code.
    pub fn answer_once(&self, verb: &'static str, plural: &str, code: StatusCode) {
        let plural = plural.to_owned();
        self.shared.faults().failures.push(Failure { verb, plural, code });
    }

    /// From now on forwards no request of this verb and never answers it.
    pub fn hold(&self, verb: &'static str) {
        self.shared.faults().held = Some(verb);
    }

    /// Ends all faults. A request that is stopped or held stays so until its client goes away.
    pub fn heal(&self) {
        let mut faults = self.shared.faults();
        faults.broken.clear();
        faults.failures.clear();
        faults.held = None;
        faults.stop = None;
    }

    /// Lets the write go on that is stopped.
    pub fn release(&self) {
        self.shared.releases.send_modify(|times| *times += 1);
    }

    /// Stops the `nth` write from now on (the first is 1) and reports it when it arrives.
    #[must_use]
    pub fn stop_at(&self, nth: usize, moment: Moment) -> Receiver<Seen> {
        let (tell, told) = channel();
        self.shared.faults().stop = Some(Stop {
            skip: nth.saturating_sub(1),
            moment,
            tell,
        });
        told
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn log(&self) -> Vec<Seen> {
        self.shared.faults().log.clone()
    }
}

impl Drop for ApiProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let seen = understand(&parts.method, &parts.uri);
    let (index, stop, fault, held) = {
        let mut faults = shared.faults();
        let index = faults.log.len();
        faults.log.push(seen.clone());
        let stop = if seen.is_write() { due(&mut faults.stop) } else { None };
        let failure = faults
            .failures
            .iter()
            .position(|failure| failure.verb == seen.verb && failure.plural == seen.resource);
        let once = failure.map(|index| faults.failures.remove(index).code);
        let broken = matches!(seen.verb, "list" | "watch") && faults.broken.contains(&seen.resource);
        let fault = once.or_else(|| broken.then_some(StatusCode::INTERNAL_SERVER_ERROR));
        (index, stop, fault, faults.held == Some(seen.verb))
    };
    if held {
        return std::future::pending().await;
    }
    if let Some(code) = fault {
        note(&shared, index, code.as_u16());
        return failure(code, "the proxy fails");
    }
    if let Some((Moment::BeforeForwarding, tell)) = &stop {
        hang(&shared, tell, &seen).await;
    }
    let body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let answer = forward(&shared.upstream, parts.method, &parts.uri, parts.headers, body).await;
    match answer {
        Ok(answer) => {
            note(&shared, index, answer.status().as_u16());
            if let Some((Moment::AfterAnswer, tell)) = &stop {
                hang(&shared, tell, &seen).await;
            }
            if seen.verb == "watch" {
                until_broken(&shared, seen.resource, answer)
            } else {
                answer
            }
        }
        Err(error) => failure(StatusCode::BAD_GATEWAY, &error),
    }
}

/// Returns `None` to let the write through, or the stop that applies to it.
fn due(stop: &mut Option<Stop>) -> Option<(Moment, Sender<Seen>)> {
    match stop {
        Some(armed) if armed.skip > 0 => {
            armed.skip -= 1;
            None
        }
        _ => stop.take().map(|armed| (armed.moment, armed.tell)),
    }
}

/// Reports the write to the test and waits until it is released. The future is dropped when the client disconnects.
async fn hang(shared: &Shared, tell: &Sender<Seen>, seen: &Seen) {
    let mut releases = shared.releases.subscribe();
    // An error means that the test no longer waits for the report.
    let _ = tell.send(seen.clone());
    // An error means that the proxy ends.
    let _ = releases.changed().await;
}

/// The answer to a watch, cut when its kind breaks.
fn until_broken(shared: &Arc<Shared>, plural: String, answer: Response<Body>) -> Response<Body> {
    let mut changes = shared.breaks.subscribe();
    let shared = Arc::clone(shared);
    let cut = async move {
        while !shared.faults().broken.contains(&plural) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(cut))))
}

async fn forward(
    upstream: &kube::Client,
    method: Method,
    uri: &Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, String> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    for hop in [
        header::HOST,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
    ] {
        headers.remove(hop);
    }
    let mut request = Request::new(kube::client::Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().map_err(|error| format!("{target}: {error}"))?;
    *request.headers_mut() = headers;
    let (mut parts, body) = upstream
        .send(request)
        .await
        .map_err(|error| format!("{error:#}"))?
        .into_parts();
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts.headers.remove(header::CONNECTION);
    Ok(Response::from_parts(parts, Body::new(body)))
}

fn note(shared: &Shared, index: usize, code: u16) {
    if let Some(seen) = shared.faults().log.get_mut(index) {
        seen.code = Some(code);
    }
}

fn failure(code: StatusCode, message: &str) -> Response<Body> {
    let reason = match code {
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        _ => "InternalError",
    };
    let status = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
        "code": code.as_u16(), "message": message,
    });
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = code;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}

//! For tests: the real client against an API server that answers from a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller_api::MonitoredApiStatus;
use controller_core::owner::ApiRef;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::cache::namespaced_name::NamespacedName;
use crate::cluster::Cluster;
use crate::work::context::Context;
use crate::work::gather::Target;

/// How the API server answers one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16, &'static str),
    Object(Value),
    /// The object, which this request has made.
    Created(Value),
    /// The request was received, and the connection cut before the answer.
    Cut,
    /// No answer, ever.
    Silence,
    /// This answer, after a while.
    Slow(Duration, Box<Self>),
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) query: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// The requests that were received, in order.
pub(crate) type Log = Arc<Mutex<Vec<Received>>>;

async fn receive(request: Request<Body>, log: Log) {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let content_type = parts.headers.get(http::header::CONTENT_TYPE);
    log.lock().unwrap().push(Received {
        method: parts.method,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: content_type.map_or_else(String::new, |value| value.to_str().unwrap().to_owned()),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
}

async fn answer(reply: Reply) -> Result<Response<Body>, tower::BoxError> {
    match reply {
        Reply::Status(code, reason) => {
            let status = json!({"kind": "Status", "code": code, "reason": reason, "message": format!("said {reason}")});
            let answer = Response::builder().status(code).header("Retry-After", "120");
            Ok(answer.body(Body::from(status.to_string().into_bytes()))?)
        }
        Reply::Object(object) => Ok(Response::new(Body::from(object.to_string().into_bytes()))),
        Reply::Created(object) => {
            let answer = Response::builder().status(201);
            Ok(answer.body(Body::from(object.to_string().into_bytes()))?)
        }
        Reply::Cut => Err("connection closed before message completed".into()),
        Reply::Silence => std::future::pending().await,
        Reply::Slow(wait, reply) => {
            tokio::time::sleep(wait).await;
            Box::pin(answer(*reply)).await
        }
    }
}

/// A context whose API server gives these replies in order, and the requests that it received.
pub(crate) fn context(script: Vec<Reply>) -> (Arc<Context>, Log) {
    let script = Arc::new(Mutex::new(script.into_iter()));
    let log = Log::default();
    let received = Arc::clone(&log);
    let service = tower::service_fn(move |request: Request<Body>| {
        let reply = script.lock().unwrap().next().expect("a request beyond the script");
        let received = Arc::clone(&received);
        async move {
            receive(request, received).await;
            answer(reply).await
        }
    });
    let cluster = Cluster::over(kube::Client::new(service, "default"));
    (Arc::new(Context::for_tests(cluster)), log)
}

/// A MonitoredApi that is worked on.
pub(crate) fn target() -> Target {
    Target {
        key: NamespacedName::new("shop", "orders"),
        owner: ApiRef {
            namespace: "shop".to_owned(),
            name: "orders".to_owned(),
            uid: "u1".to_owned(),
        },
        generation: 1,
        spec: 0,
        resource_version: "1".to_owned(),
        api: Err(Vec::new()),
        status: MonitoredApiStatus::default(),
        reconcile_at: None,
        deleting: false,
    }
}

/// The methods of the requests, in order.
pub(crate) fn methods(received: &[Received]) -> Vec<&str> {
    received.iter().map(|request| request.method.as_str()).collect()
}

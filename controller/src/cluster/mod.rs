//! The API server: paths, deadlines, error classes. Every request of the operator is made here. None may hang, and none
//! is retried by the client library.

mod client;
mod error;
pub(crate) mod kinds;
mod name_table;
pub(crate) mod trial;
mod write;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use controller_core::foreign_text::cut;
use futures::Stream;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;
use kube::api::{GetParams, ListParams, WatchParams};
use kube::core::{Request, Status, WatchEvent};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use self::error::Call;
pub(crate) use self::error::{CallError, ErrorClass, classify, classify_status};
use self::name_table::NameTable;

/// Longest wait for the answer to a read, or to a write that nothing depends on.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// Longest wait for the answer to a write. The API server itself gives up after 34 s, and on an admission webhook that does
/// not answer after 30 s at most; if the webhook may be ignored, it writes then, unless we have hung up before.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(35);
/// Longest wait for one page of a list (500 objects with their managed fields) or for a watch to open.
const LIST_DEADLINE: Duration = Duration::from_secs(30);

/// Largest answer taken, in bytes. It is held twice while it is decoded, which must fit well into the chart's memory limit
/// (256 MiB). A page of usual objects is smaller, and so is the largest single object that etcd holds (1.5 MiB).
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Objects on a page of a list at most. Its caller asks for fewer where they are large.
pub(crate) const PAGE_OBJECTS: u32 = 500;
/// Most bytes that are read of an answer in plain text, such as a proxy's page for an error.
const MAX_PLAIN_ANSWER: usize = 512;
/// Lists at a time: at the start, the pages of a dozen kinds at once would be most of the memory ever used.
const LISTS: usize = 1;
/// A list that has waited this long for its turn goes on without: kinds that do not answer must not delay the others.
const LIST_TURN: Duration = Duration::from_secs(2);

/// A kind of object and where it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Resource {
    /// API group; empty for core.
    pub(crate) group: &'static str,
    /// API version.
    pub(crate) version: &'static str,
    /// Kind, as in a manifest.
    pub(crate) kind: &'static str,
    /// Resource, as in a path.
    pub(crate) plural: &'static str,
}

impl Resource {
    fn path(&self, namespace: Option<&str>) -> String {
        let Self {
            group, version, plural, ..
        } = self;
        let root = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{plural}"),
        }
    }

    fn request(&self, namespace: Option<&str>) -> Request {
        Request::new(self.path(namespace))
    }
}
/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Page<T> {
    pub(crate) metadata: PageMeta,
    /// The API server writes an empty list of metadata as null.
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) items: Vec<T>,
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Where a list stands.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageMeta {
    #[serde(default)]
    pub(crate) resource_version: String,
    #[serde(default, rename = "continue")]
    pub(crate) next: String,
}

/// The answer to a server-side apply.
#[derive(Debug)]
pub(crate) struct Written<T> {
    /// The apply made the object. If not, it existed.
    pub(crate) created: bool,
    /// The object after it.
    pub(crate) object: T,
}

/// What to list and watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) resource: Resource,
    /// `None`: all namespaces, or a cluster-scoped kind.
    pub(crate) namespace: Option<String>,
    pub(crate) label_selector: Option<&'static str>,
    /// Ask for metadata only.
    pub(crate) metadata_only: bool,
}

/// A connection to the API server.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: kube::Client,
    lists: Arc<Semaphore>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects as the environment says: kubeconfig, else the pod's service account. Returns also the namespace that it names.
    pub(crate) async fn connect() -> anyhow::Result<(Self, String)> {
        Self::connect_by(kube::Config::infer().await?)
    }

    /// Connects by a configuration. Returns also the namespace that it names.
    fn connect_by(mut config: kube::Config) -> anyhow::Result<(Self, String)> {
        // kube retries 429, 503 and 504 up to 15 times and sleeps for whatever `Retry-After` says, unbounded. The
        // queue backs off instead, per MonitoredApi and with a cap.
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        config.write_timeout = Some(REQUEST_DEADLINE);
        // So that an audit log tells our requests from those of others.
        let agent = http::HeaderValue::from_static(concat!("monitored-api/", env!("CARGO_PKG_VERSION")));
        config.headers.push((http::header::USER_AGENT, agent));
        let namespace = config.default_namespace.clone();
        let client = client::connect(config)?;
        let lists = Arc::new(Semaphore::new(LISTS));
        Ok((Self { client, lists }, namespace))
    }

    /// Over a client that a test made.
    #[cfg(test)]
    pub(crate) fn over(client: kube::Client) -> Self {
        let lists = Arc::new(Semaphore::new(LISTS));
        Self { client, lists }
    }

    /// Reads one object from the API server's store (never from its cache). `None` if it does not exist.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<T>, CallError> {
        let call = Call::new("get", resource.kind, namespace, name);
        let request = resource.request(namespace).get(name, &GetParams::default());
        match self.answer(&call, request).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One page of a consistent list (no resource version, so never an old view), with at most `limit` objects.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        scope: &Scope,
        next: &str,
        limit: u32,
    ) -> Result<Page<T>, CallError> {
        let call = Call::list(scope);
        let _turn = tokio::time::timeout(LIST_TURN, self.lists.acquire()).await;
        let params = ListParams {
            label_selector: scope.label_selector.map(str::to_owned),
            limit: Some(limit),
            continue_token: (!next.is_empty()).then(|| next.to_owned()),
            ..ListParams::default()
        };
        let request = scope.resource.request(scope.namespace.as_deref());
        let request = if scope.metadata_only {
            request.list_metadata(&params)
        } else {
            request.list(&params)
        };
        self.answer_within(LIST_DEADLINE, &call, request).await
    }

    /// The resourceVersion at which a list would be now. Without the label selector, which would have the API server look
    /// for an object that matches.
    pub(crate) async fn latest_version(&self, scope: &Scope) -> Result<String, CallError> {
        let call = Call::list(scope);
        let params = ListParams::default().limit(1);
        let request = scope
            .resource
            .request(scope.namespace.as_deref())
            .list_metadata(&params);
        let page: Page<serde::de::IgnoredAny> = self.answer(&call, request).await?;
        Ok(page.metadata.resource_version)
    }

    /// The names of all objects in a namespace, read from the API server's store. `None`: there are more than `limit`.
    pub(crate) async fn names(
        &self,
        resource: Resource,
        namespace: &str,
        limit: u32,
    ) -> Result<Option<HashSet<Box<str>>>, CallError> {
        let call = Call::new("list the names of", resource.kind, Some(namespace), "");
        let path = resource.path(Some(namespace));
        // As a table without the objects, a name is a tenth of what its metadata would be.
        let request = http::Request::get(format!("{path}?limit={limit}&includeObject=None"))
            .header(http::header::ACCEPT, "application/json;as=Table;v=v1;g=meta.k8s.io")
            .body(Vec::new())
            .map_err(kube::core::request::Error::BuildRequest);
        let table: NameTable = self.answer(&call, request).await?;
        if !table.metadata.next.is_empty() {
            return Ok(None);
        }
        let names = table.into_names();
        names
            .map(Some)
            .ok_or_else(|| call.failed(ErrorClass::Decode, "not a table with a column of names".to_owned()))
    }

    /// Objects by field selector, one page: for rare look-ups (a pod's events).
    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        fields: &str,
    ) -> Result<Page<T>, CallError> {
        let call = Call::new("find", resource.kind, Some(namespace), fields);
        let params = ListParams::default().fields(fields).limit(50);
        self.answer(&call, resource.request(Some(namespace)).list(&params))
            .await
    }

    /// One page of the objects with these labels, read from the API server's store: for rare look-ups (a workload's pods).
    pub(crate) async fn select<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        labels: &str,
        next: &str,
    ) -> Result<Page<T>, CallError> {
        let call = Call::new("select", resource.kind, Some(namespace), labels);
        let params = ListParams {
            continue_token: (!next.is_empty()).then(|| next.to_owned()),
            ..ListParams::default().labels(labels).limit(PAGE_OBJECTS)
        };
        self.answer(&call, resource.request(Some(namespace)).list(&params))
            .await
    }

    /// Opens a watch that the server ends after `seconds`.
    pub(crate) async fn watch<T: DeserializeOwned + Clone>(
        &self,
        scope: &Scope,
        resource_version: &str,
        seconds: u32,
    ) -> Result<impl Stream<Item = kube::Result<WatchEvent<T>>> + use<T>, CallError> {
        let call = Call::watch(scope);
        let params = WatchParams {
            label_selector: scope.label_selector.map(str::to_owned),
            timeout: Some(seconds),
            ..WatchParams::default()
        };
        let request = scope.resource.request(scope.namespace.as_deref());
        let request = if scope.metadata_only {
            request.watch_metadata(&params, resource_version)
        } else {
            request.watch(&params, resource_version)
        };
        let request = request.map_err(|error| call.failed(ErrorClass::Invalid, error.to_string()))?;
        match tokio::time::timeout(LIST_DEADLINE, self.client.request_events(request)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(call.classify(error)),
            Err(_) => Err(call.failed(ErrorClass::Timeout, "no answer in time".to_owned())),
        }
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<T, CallError> {
        self.answer_within(REQUEST_DEADLINE, call, request).await
    }

    async fn answer_within<T: DeserializeOwned>(
        &self,
        deadline: Duration,
        call: &Call<'_>,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<T, CallError> {
        self.coded_answer(deadline, call, request)
            .await
            .map(|(_, object)| object)
    }

    async fn coded_answer<T: DeserializeOwned>(
        &self,
        deadline: Duration,
        call: &Call<'_>,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<(StatusCode, T), CallError> {
        let request = request.map_err(|error| call.failed(ErrorClass::Invalid, error.to_string()))?;
        let (code, body) = match tokio::time::timeout(deadline, self.body(call, request)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(call.failed(ErrorClass::Timeout, format!("no answer within {deadline:?}"))),
        };
        let object =
            serde_json::from_slice(&body).map_err(|error| call.failed(ErrorClass::Decode, error.to_string()))?;
        Ok((code, object))
    }

    /// The code and body of a good answer. Not by kube's own helpers, which copy it twice and log what they can't decode.
    async fn body(&self, call: &Call<'_>, request: http::Request<Vec<u8>>) -> Result<(StatusCode, Bytes), CallError> {
        let answer = self
            .client
            .send(request.map(kube::client::Body::from))
            .await
            .map_err(|error| call.classify(error))?;
        let code = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| {
                let too_large = error.is::<LengthLimitError>();
                let class = if too_large {
                    ErrorClass::TooLarge
                } else {
                    ErrorClass::Unreachable
                };
                call.failed(class, error.to_string())
            })?
            .to_bytes();
        if code.is_success() {
            return Ok((code, body));
        }
        // A proxy, or the router for a kind that is not served, answers in plain text.
        let status = serde_json::from_slice::<Status>(&body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&body);
            Status::failure(cut(text.trim(), MAX_PLAIN_ANSWER), "Unreadable")
        });
        let class = classify_status(code.as_u16(), &status.reason, &status.message);
        Err(call.failed(class, status.message))
    }
}

/// The parts of an object that are decoded later, if at all.
pub(crate) type Raw = Box<RawValue>;

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYMENT: Resource = Resource {
        group: "apps",
        version: "v1",
        kind: "Deployment",
        plural: "deployments",
    };

    #[test]
    fn paths_of_core_and_grouped_kinds_differ() {
        assert_eq!(
            DEPLOYMENT.path(Some("shop")),
            "/apis/apps/v1/namespaces/shop/deployments"
        );
        let service = Resource {
            group: "",
            version: "v1",
            kind: "Service",
            plural: "services",
        };
        assert_eq!(service.path(None), "/api/v1/services");
    }

    #[test]
    fn an_empty_list_of_metadata_has_null_for_its_items() {
        let page: Page<u8> = serde_json::from_str(r#"{"metadata":{"resourceVersion":"7"},"items":null}"#).unwrap();
        assert!(page.items.is_empty());
    }
}

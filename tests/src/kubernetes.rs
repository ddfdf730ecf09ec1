//! The API server as tests ask it: JSON by path, blocking. A process per question (`kubectl`) would cost more than the
//! operator under test.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, stream};
use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::eventually;

/// Objects of one answer to a list: a thousand PrometheusRules have 45 MB.
const PAGE: usize = 200;

/// A kind of object as a path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// API group; empty for core.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Plural, lower case.
    pub plural: &'static str,
}

impl Resource {
    /// A kind by group (empty for core), version and plural.
    #[must_use]
    pub const fn new(group: &'static str, version: &'static str, plural: &'static str) -> Self {
        Self { group, version, plural }
    }

    fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    /// The path of all objects of the kind, in all namespaces.
    #[must_use]
    pub fn everywhere(&self) -> String {
        format!("{}/{}", self.root(), self.plural)
    }

    /// The path of the objects of a namespace.
    #[must_use]
    pub fn within(&self, namespace: &str) -> String {
        format!("{}/namespaces/{namespace}/{}", self.root(), self.plural)
    }

    /// The path of one object.
    #[must_use]
    pub fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.within(namespace))
    }
}

/// MonitoredApis.
pub const MONITORED_APIS: Resource = Resource::new("monitoredapi.io", "v1alpha1", "monitoredapis");
/// Deployments.
pub const DEPLOYMENTS: Resource = Resource::new("apps", "v1", "deployments");
/// Services.
pub const SERVICES: Resource = Resource::new("", "v1", "services");
/// Namespaces; cluster-scoped.
pub const NAMESPACES: Resource = Resource::new("", "v1", "namespaces");

/// Where the image of a Deployment's first container stands.
pub const IMAGE: &str = "/spec/template/spec/containers/0/image";

/// A connection as one user.
pub struct Kubernetes {
    runtime: Runtime,
    client: kube::Client,
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// Connects as the current user of a kubeconfig.
    ///
    /// # Errors
    /// When the file can't be read or names no usable cluster.
    pub fn connect(kubeconfig: &Path) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start a runtime")?;
        let client = runtime.block_on(client(kubeconfig))?;
        Ok(Self { runtime, client })
    }

    /// One object; `None` if it, or its kind, does not exist.
    ///
    /// # Errors
    /// When the API server says anything else than the object or 404.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        match self.ask(Method::GET, path, "", None)? {
            Ok(object) => Ok(Some(object)),
            Err(refusal) if refusal.code == 404 => Ok(None),
            Err(refusal) => bail!("get {path}: {}", refusal.message),
        }
    }

    /// The objects under a path; `query` as in `labelSelector=a%3Db`, or empty.
    ///
    /// # Errors
    /// When the API server does not answer with a list.
    pub fn list(&self, path: &str, query: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut from = String::new();
        loop {
            let target = format!("{path}?limit={PAGE}{from}&{query}");
            let mut page = self.done("list", &target, self.ask(Method::GET, &target, "", None)?)?;
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(more)) => items.extend(more),
                _ => bail!("list {target}: no items in the answer"),
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                None | Some("") => return Ok(items),
                Some(token) => from = format!("&continue={token}"),
            }
        }
    }

    /// Creates an object, or says why the API server refuses it.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn try_create(&self, collection: &str, object: &Value) -> Result<Result<Value, Refusal>> {
        self.ask(Method::POST, collection, "application/json", Some(object))
    }

    /// Creates an object.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn create(&self, collection: &str, object: &Value) -> Result<Value> {
        self.done("create in", collection, self.try_create(collection, object)?)
    }

    /// Changes an object by a JSON merge patch.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn merge(&self, path: &str, patch: &Value) -> Result<Value> {
        self.done(
            "patch",
            path,
            self.ask(Method::PATCH, path, "application/merge-patch+json", Some(patch))?,
        )
    }

    /// Deletes an object in the background; it is no error if there is none.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn delete(&self, path: &str) -> Result<()> {
        match self.ask(Method::DELETE, path, "", None)? {
            Err(refusal) if refusal.code != 404 => bail!("delete {path}: {}", refusal.message),
            _ => Ok(()),
        }
    }

    /// Creates a namespace.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn create_namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.create(&NAMESPACES.everywhere(), &namespace).map(drop)
    }

    /// Waits until an object is as `wanted` says; an `Err` of it tells what there is instead.
    ///
    /// # Errors
    /// When it is not so in time; with what was seen last.
    pub fn wait_for(
        &self,
        path: &str,
        timeout: Duration,
        mut wanted: impl FnMut(&Value) -> Result<(), String>,
    ) -> Result<Value> {
        eventually(path, timeout, || {
            let Some(object) = self.get(path)? else {
                return Ok(Err("no such object".to_owned()));
            };
            Ok(wanted(&object).map(|()| object))
        })
    }

    /// Waits until a field of an object, named by its JSON pointer, has a value.
    ///
    /// # Errors
    /// When it does not have it in time; with the value that was seen last.
    pub fn wait_field(&self, path: &str, pointer: &str, wanted: &Value, timeout: Duration) -> Result<Value> {
        self.wait_for(path, timeout, |object| match object.pointer(pointer) {
            Some(found) if found == wanted => Ok(()),
            found => Err(format!("{pointer} is {found:?}, wanted {wanted}")),
        })
    }

    /// Waits until an object is gone.
    ///
    /// # Errors
    /// When it is still there after `timeout`.
    pub fn wait_gone(&self, path: &str, timeout: Duration) -> Result<()> {
        eventually(&format!("{path} to be gone"), timeout, || {
            Ok(self.get(path)?.map_or(Ok(()), |object| Err(object.to_string())))
        })
    }

    /// Sends all of these, `in_flight` at a time, and returns how long that took. The answers are read and dropped.
    ///
    /// # Errors
    /// When the API server refuses one of them.
    pub fn send_all(&self, writes: &[Write], in_flight: usize) -> Result<Duration> {
        let send = |write: &Write| {
            let request = Request::builder().method(write.method.clone()).uri(&write.path);
            let request = request
                .header("Content-Type", write.content_type)
                .body(write.body.clone());
            let shown = format!("{} {}", write.method, write.path);
            let client = self.client.clone();
            async move {
                let request = request.with_context(|| shown.clone())?;
                client.request_text(request).await.with_context(|| shown)
            }
        };
        let started = Instant::now();
        self.runtime.block_on(async {
            let mut answers = stream::iter(writes.iter().map(send)).buffer_unordered(in_flight);
            while let Some(answer) = answers.next().await {
                answer?;
            }
            anyhow::Ok(())
        })?;
        Ok(started.elapsed())
    }

    fn done(&self, verb: &str, path: &str, answer: Result<Value, Refusal>) -> Result<Value> {
        answer.map_err(|refusal| anyhow::anyhow!("{verb} {path}: {}", refusal.message))
    }

    fn ask(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> Result<Result<Value, Refusal>> {
        let shown = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path);
        if !kind.is_empty() {
            request = request.header("Content-Type", kind);
        }
        let bytes = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = request.body(bytes).with_context(|| shown.clone())?;
        match self.runtime.block_on(self.client.request(request)) {
            Ok(object) => Ok(Ok(object)),
            Err(kube::Error::Api(status)) => Ok(Err(Refusal {
                code: status.code,
                message: status.message.clone(),
            })),
            Err(error) => Err(error).context(shown),
        }
    }
}

/// A request that changes an object, for [`Kubernetes::send_all`].
#[derive(Debug, Clone)]
pub struct Write {
    method: Method,
    path: String,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Write {
    fn new(method: Method, path: String, content_type: &'static str, body: &Value) -> Self {
        Self {
            method,
            path,
            content_type,
            body: body.to_string().into_bytes(),
        }
    }

    /// Creates an object in a collection.
    #[must_use]
    pub fn create(collection: String, object: &Value) -> Self {
        Self::new(Method::POST, collection, "application/json", object)
    }

    /// Changes an object by a JSON merge patch.
    #[must_use]
    pub fn merge(path: String, patch: &Value) -> Self {
        Self::new(Method::PATCH, path, "application/merge-patch+json", patch)
    }

    /// Server-side apply, without force.
    #[must_use]
    pub fn apply(path: &str, manager: &str, object: &Value) -> Self {
        let path = format!("{path}?fieldManager={manager}");
        Self::new(Method::PATCH, path, "application/apply-patch+yaml", object)
    }

    /// Deletes an object.
    #[must_use]
    pub fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path, "application/json", &json!({}))
    }

    /// Deletes the object that this write applies; `None` if it is no apply.
    #[must_use]
    pub fn undo(&self) -> Option<Self> {
        let (path, _) = self.path.split_once("?fieldManager=")?;
        Some(Self::delete(path.to_owned()))
    }
}

/// Why the API server refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// In its own words.
    pub message: String,
}

/// A client for the current user of a kubeconfig.
pub(crate) async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    let shown = kubeconfig.display();
    let file = Kubeconfig::read_from(kubeconfig).with_context(|| format!("read {shown}"))?;
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .with_context(|| format!("use {shown}"))?;
    // A refusal is an answer that tests want to see.
    config.default_retry = false;
    kube::Client::try_from(config).with_context(|| format!("connect by {shown}"))
}

/// A MonitoredApi, to be created in a namespace.
#[must_use]
pub fn monitored_api(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "metadata": {"name": name}, "spec": spec})
}

/// A condition of an object's status: `None`, or status, reason and message.
#[must_use]
pub fn condition<'a>(object: &'a Value, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions
        .iter()
        .find(|entry| entry.get("type").and_then(Value::as_str) == Some(name))?;
    let text = |field: &str| found.get(field).and_then(Value::as_str).unwrap_or_default();
    Some((text("status"), text("reason"), text("message")))
}

/// The operator has looked at the object as it is now and says `status` of the condition; else what it does say.
///
/// # Errors
/// What there is instead.
pub fn says(object: &Value, name: &str, status: &str) -> Result<(), String> {
    let generation = object.pointer("/metadata/generation");
    let seen = generation.is_some() && generation == object.pointer("/status/observedGeneration");
    if seen && condition(object, name).is_some_and(|(found, _, _)| found == status) {
        return Ok(());
    }
    Err(format!(
        "generation {generation:?}, status {}",
        object.get("status").unwrap_or(&Value::Null)
    ))
}

//! The memory that one more MonitoredApi takes for as long as it exists: the bytes that stay allocated, counted by the allocator.
//!
//! Not read from the process: that would count buffers, threads and pages of the program, which cost the same for any number.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use controller_core::facts::KindState;
use controller_core::prometheus::{Answer, Finding, RulesFinding, ScrapeFinding};
use controller_core::watched::{WatchedKind, watched_kinds};
use controller_core::{ChildKind, object_hash};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::cache::namespaced_name::NamespacedName;
use crate::cache::versioned_map::Source;
use crate::cache::watched::Watched;
use crate::cluster::{Cluster, kinds};
use crate::watch::observe::{ApiItem, ChildItem, NamespaceItem, PodItem, PrometheusItem, SliceItem};
use crate::work::context::Context;
use crate::work::reconcile::reconcile;

/// Bytes that a MonitoredApi with one ready pod may keep: a tenth more than it does.
const MOST: i64 = 2_900;
/// MonitoredApis in the first measurement; the second one has as many again. Hash tables have just doubled at this number,
/// so that their free places are counted too.
const APIS: usize = 60;
/// MonitoredApis in each namespace.
const IN_A_NAMESPACE: usize = 50;

fn key(index: usize) -> NamespacedName {
    NamespacedName::new(&format!("team-{}", index / IN_A_NAMESPACE), &format!("orders-{index}"))
}

/// A uid of the form that the API server gives.
fn uid(of: &str) -> String {
    let digits = object_hash::hash(&json!(of));
    format!("{}-0000-4000-8000-{}", &digits[..8], &digits[8..20])
}

fn api(index: usize) -> Value {
    let key = key(index);
    json!({
        "metadata": {"name": &*key.name, "namespace": &*key.namespace, "uid": uid(&key.to_string()),
            "resourceVersion": (index + 1_000).to_string(), "generation": 1},
        "spec": {"image": format!("registry.example.org/shop/orders-{index}:1.4.2"), "preset": "native", "replicas": 1},
    })
}

/// The object of a server-side apply as the API server returns it.
fn applied(path: &str, mut object: Value) -> Value {
    let fields = format!("f:{}", object["kind"].as_str().unwrap());
    let owner = json!({"uid": object["metadata"]["ownerReferences"][0]["uid"]});
    let owner = format!("k:{owner}");
    object["metadata"]["uid"] = uid(path).into();
    object["metadata"]["resourceVersion"] = "2000000".into();
    object["metadata"]["generation"] = 1.into();
    object["metadata"]["managedFields"] = json!([{"manager": "monitored-api", "operation": "Apply",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:ownerReferences": {owner: {}}}, "f:spec": {fields: {}}}}]);
    object
}

/// An API server that has each MonitoredApi, takes every write and remembers nothing.
fn answer(method: &Method, path: &str, query: &str, body: &[u8]) -> (StatusCode, Value) {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    let name = path.rsplit('/').next().unwrap_or_default();
    match *method {
        Method::PATCH => (StatusCode::CREATED, applied(path, body)),
        Method::PUT => {
            let mut api = body;
            api["metadata"]["generation"] = 1.into();
            let index = api["metadata"]["name"]
                .as_str()
                .unwrap()
                .rsplit('-')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            api["spec"] = self::api(index)["spec"].clone();
            let version: u64 = api["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
            api["metadata"]["resourceVersion"] = (version + 1_000_000).to_string().into();
            (StatusCode::OK, api)
        }
        Method::POST => (StatusCode::CREATED, body),
        _ if query.contains("includeObject=None") => {
            let columns = json!([{"name": "Name", "format": "name"}]);
            (
                StatusCode::OK,
                json!({"metadata": {}, "columnDefinitions": columns, "rows": []}),
            )
        }
        _ if path.contains("/monitoredapis/") => {
            let index = name.rsplit('-').next().unwrap().parse().unwrap();
            (StatusCode::OK, api(index))
        }
        _ => (
            StatusCode::NOT_FOUND,
            json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": "gone"}),
        ),
    }
}

async fn serve(request: Request<Body>) -> Result<Response<Body>, tower::BoxError> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let query = parts.uri.query().unwrap_or_default();
    let (code, object) = answer(&parts.method, parts.uri.path(), query, &body);
    Ok(Response::builder()
        .status(code)
        .body(Body::from(object.to_string().into_bytes()))?)
}

struct World {
    context: Arc<Context>,
}

impl World {
    fn new() -> Self {
        let cluster = Cluster::over(kube::Client::new(tower::service_fn(serve), "default"));
        let world = Self {
            context: Arc::new(Context::for_tests(cluster)),
        };
        for row in watched_kinds() {
            let status = world.context.watches.add(row.kind, kinds::watched(&row).kind, None);
            status.set(KindState::Synced);
        }
        let selectors = json!({"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}, "ruleSelector": {},
            "ruleNamespaceSelector": {}});
        let prometheus = json!({"metadata": {"name": "main", "namespace": "monitoring"}, "spec": selectors});
        world.event::<PrometheusItem>(WatchedKind::Prometheus, prometheus);
        world
    }

    /// Returns the key as the watch gives it to the queue.
    fn event<T: Watched>(&self, kind: WatchedKind, object: Value) -> NamespacedName {
        let item: T = serde_json::from_str(&object.to_string()).unwrap();
        self.context.store.upsert(kind, item, Source::Event(1)).0
    }

    async fn run(&self, key: &NamespacedName) {
        self.context.queue.add(key);
        let next = self.context.queue.next().await;
        let requeue = reconcile(&self.context, &next).await.unwrap();
        self.context.queue.done(&next, requeue);
    }

    /// A MonitoredApi from its creation until its pod is ready and Prometheus scrapes it.
    async fn add(&self, index: usize) {
        let key = key(index);
        if index.is_multiple_of(IN_A_NAMESPACE) {
            let labels = json!({"kubernetes.io/metadata.name": &*key.namespace});
            let namespace = json!({"metadata": {"name": &*key.namespace, "labels": labels}});
            self.event::<NamespaceItem>(WatchedKind::Namespace, namespace);
        }
        let key = self.event::<ApiItem>(WatchedKind::MonitoredApi, api(index));
        self.run(&key).await;
        self.become_ready(&key);
        self.run(&key).await;
        let finding = Finding {
            scrape: Answer::Known(ScrapeFinding::Up(Vec::new())),
            rules: Answer::Known(RulesFinding::Healthy),
            firing: Answer::Known(0),
            ..Finding::default()
        };
        self.context.board.take(&key, &finding, Duration::from_secs(1));
        self.run(&key).await;
        // Until its status may be written again.
        tokio::time::advance(Duration::from_secs(2)).await;
    }

    fn become_ready(&self, key: &NamespacedName) {
        let path = format!("/apis/apps/v1/namespaces/{}/deployments/{}", key.namespace, key.name);
        let owner = json!({"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "name": &*key.name,
            "uid": uid(&key.to_string()), "controller": true});
        let deployment = json!({"kind": "Deployment", "metadata": {"name": &*key.name, "namespace": &*key.namespace,
            "ownerReferences": [owner]}, "spec": {"replicas": 1}});
        let mut deployment = applied(&path, deployment);
        deployment["metadata"]["resourceVersion"] = "3000000".into();
        deployment["status"] = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1});
        let kind = WatchedKind::Child(ChildKind::DEPLOYMENT);
        self.event::<ChildItem>(kind, deployment);
        let labels = json!({"monitoredapi.io/name": &*key.name, "kubernetes.io/service-name": &*key.name,
            "pod-template-hash": "6d4b75cb6d"});
        let pod = format!("{}-6d4b75cb6d-x7k2p", key.name);
        let metadata = json!({"name": pod, "namespace": &*key.namespace, "uid": uid(&pod), "resourceVersion": "3000001",
            "creationTimestamp": "2026-11-29T10:00:00Z", "labels": labels});
        let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "api", "restartCount": 0,
                "state": {"running": {"startedAt": "2026-11-29T10:00:03Z"}}}]});
        self.event::<PodItem>(WatchedKind::Pod, json!({"metadata": metadata, "status": status}));
        let metadata = json!({"name": format!("{}-q8z4w", key.name), "namespace": &*key.namespace, "labels": labels,
            "resourceVersion": "3000002"});
        let slice = json!({"metadata": metadata, "endpoints": [{"conditions": {"ready": true}}],
            "ports": [{"name": "http"}]});
        self.event::<SliceItem>(WatchedKind::EndpointSlice, slice);
    }
}

#[test]
fn a_monitored_api_with_a_ready_pod_keeps_less_than_three_kibibytes() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let world = runtime.block_on(async { World::new() });
    let add = |indexes: Range<usize>| {
        runtime.block_on(async {
            for index in indexes {
                world.add(index).await;
            }
        });
    };
    add(0..APIS);
    let more = allocation_counter::measure(|| add(APIS..2 * APIS));
    let last = key(2 * APIS - 1);
    let status = world.context.store.api(&last).unwrap().status.unwrap();
    let conditions = status.unpack(&last).unwrap().conditions;
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready").unwrap();
    assert_eq!(ready.status, "True", "{conditions:?}");
    let each = more.bytes_current / i64::try_from(APIS).unwrap();
    assert!(each <= MOST, "{each} bytes");
}

//! What the watches have told: MonitoredApis as trimmed text, children as compact rows, the workloads' figures.
//!
//! Says of each change whether it can lead to a write to children, only to a new status, or to nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use controller_core::ChildKind;
use controller_core::facts::ObservedChild;
use controller_core::facts::{ClaimFacts, DeploymentFacts, LiveReplicas, PrometheusSelectors};

use crate::cache::api_key::ApiKey;
use crate::cache::compact::{Compact, Uid};
use crate::cache::packed::PackedStatus;
use crate::cache::table::{Epoch, Put, Source, Table};
use crate::watch::observe::{
    ApiItem, ChildItem, ClaimItem, DeploymentItem, NamespaceItem, PodItem, PrometheusItem, SliceItem,
};

/// What a change can lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// A new status.
    Status,
    /// A write to children.
    Work,
}

/// A MonitoredApi as cached.
#[derive(Debug, Clone)]
pub(crate) struct CachedApi {
    pub(crate) uid: Uid,
    pub(crate) resource_version: Box<str>,
    pub(crate) generation: i64,
    pub(crate) deleting: bool,
    reconcile_at: Option<Box<str>>,
    /// JSON of the spec: decoded when it is worked on.
    pub(crate) spec: Arc<str>,
    pub(crate) status: Option<Arc<PackedStatus>>,
}

/// An object's name, where it is not the MonitoredApi's.
type Name = Option<Box<str>>;

fn short(key: &ApiKey, name: &str) -> Name {
    (name != &*key.name).then(|| name.into())
}

/// A slice's Service and its ready endpoints.
type Slice = (Box<str>, usize);
/// Figures of a Deployment, and who owns its number of replicas.
type Workload = (DeploymentFacts, LiveReplicas);

#[derive(Debug, Default)]
struct Inner {
    /// Every key that a table has, once.
    keys: HashSet<ApiKey>,
    apis: Table<(), CachedApi>,
    children: Table<(ChildKind, Name), Compact>,
    claims: Table<Name, ClaimFacts>,
    deployments: Table<Name, Workload>,
    pods: Table<Box<str>, PodItem>,
    slices: Table<Box<str>, Slice>,
    prometheuses: Table<(), PrometheusSelectors>,
    namespaces: Table<(), BTreeMap<String, String>>,
}

/// The store.
#[derive(Debug, Default)]
pub(crate) struct Store {
    inner: Mutex<Inner>,
}

/// Numbers order versions of one object; anything else counts as oldest.
fn version(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

impl Store {
    /// The one key of these names.
    fn key(&self, namespace: &str, name: &str) -> ApiKey {
        let key = ApiKey::new(namespace, name);
        let mut inner = self.lock();
        if let Some(known) = inner.keys.get(&key) {
            return known.clone();
        }
        inner.keys.insert(key.clone());
        key
    }

    // --- MonitoredApis ---

    pub(crate) fn put_api(&self, item: ApiItem, source: Source) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.name);
        let at = version(&item.resource_version);
        let cached = CachedApi {
            uid: Uid::new(&item.uid),
            resource_version: item.resource_version.into(),
            generation: item.generation,
            deleting: item.deleting,
            reconcile_at: item.reconcile_at.map(Into::into),
            spec: item.spec.into(),
            status: item
                .status
                .map(|status| Arc::new(PackedStatus::pack(status, &item.name))),
        };
        let new = cached.clone();
        let put = self
            .lock()
            .apis
            .put(&key, (), cached, at, source, |a, b| a.uid == b.uid);
        let change = match put {
            Put::Stale => Change::None,
            Put::New => Change::Work,
            Put::Replaced(old) => {
                let same_work = old.uid == new.uid
                    && old.generation == new.generation
                    && old.deleting == new.deleting
                    && old.reconcile_at == new.reconcile_at;
                match (same_work, old.resource_version == new.resource_version) {
                    (false, _) => Change::Work,
                    (true, false) => Change::Status,
                    (true, true) => Change::None,
                }
            }
        };
        (key, change)
    }

    pub(crate) fn remove_api(&self, item: &ApiItem) -> ApiKey {
        let key = self.key(&item.namespace, &item.name);
        let mut inner = self.lock();
        let current = inner.apis.of(&key).next().map(|((), cached)| cached.clone());
        if let Some(cached) = current.filter(|cached| cached.uid == Uid::new(&item.uid)) {
            inner.apis.remove(&key, &(), &cached, |a, b| a.uid == b.uid);
        }
        key
    }

    /// Forgets a MonitoredApi that a live read did not find.
    pub(crate) fn forget_api(&self, key: &ApiKey, uid: &str) {
        let mut inner = self.lock();
        let current = inner.apis.of(key).next().map(|((), cached)| cached.clone());
        if let Some(cached) = current.filter(|cached| cached.uid == Uid::new(uid)) {
            inner.apis.remove(key, &(), &cached, |a, b| a.uid == b.uid);
        }
    }

    pub(crate) fn sweep_apis(&self, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        let mut inner = self.lock();
        let affected = inner.apis.sweep(epoch, |key, ()| within(key, namespace));
        inner.keys.retain(|key| !key.is_last());
        affected
    }

    pub(crate) fn api(&self, key: &ApiKey) -> Option<CachedApi> {
        self.lock().apis.of(key).next().map(|((), cached)| cached.clone())
    }

    pub(crate) fn api_keys(&self) -> Vec<ApiKey> {
        self.lock().apis.all().map(|(key, (), _)| key.clone()).collect()
    }

    // --- children ---

    pub(crate) fn put_child(&self, kind: ChildKind, item: &ChildItem, source: Source) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.owner);
        let new = Compact::new(&item.observed);
        let put = self.lock().children.put(
            &key,
            (kind, short(&key, &item.name)),
            new.clone(),
            version(&item.resource_version),
            source,
            Compact::same_uid,
        );
        let change = match put {
            Put::Stale => Change::None,
            Put::New => Change::Work,
            Put::Replaced(old) if old.same_for_apply(&new) => Change::None,
            Put::Replaced(_) => Change::Work,
        };
        (key, change)
    }

    pub(crate) fn remove_child(&self, kind: ChildKind, item: &ChildItem) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.owner);
        let id = (kind, short(&key, &item.name));
        let gone = Compact::new(&item.observed);
        let removed = self.lock().children.remove(&key, &id, &gone, Compact::same_uid);
        (key, if removed.is_some() { Change::Work } else { Change::None })
    }

    pub(crate) fn sweep_children(&self, kind: ChildKind, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        self.lock()
            .children
            .sweep(epoch, |key, (known, _)| *known == kind && within(key, namespace))
    }

    pub(crate) fn child(&self, key: &ApiKey, kind: ChildKind, name: &str) -> Option<ObservedChild> {
        let id = (kind, short(key, name));
        self.lock()
            .children
            .of(key)
            .find(|(known, _)| **known == id)
            .map(|(_, compact)| compact.observed())
    }

    /// Every child of a MonitoredApi that the watches have seen: kind and name.
    pub(crate) fn children(&self, key: &ApiKey) -> Vec<(ChildKind, String, ObservedChild)> {
        self.lock()
            .children
            .of(key)
            .map(|((kind, name), compact)| {
                let name = name.as_deref().unwrap_or(&key.name).to_owned();
                (*kind, name, compact.observed())
            })
            .collect()
    }

    // --- the workload ---

    pub(crate) fn put_deployment(&self, item: &DeploymentItem, source: Source) -> (ApiKey, Change) {
        let (key, change) = self.put_child(ChildKind::Deployment, &item.child, source);
        let new: Workload = (item.facts.clone(), item.replicas);
        let put = self.lock().deployments.put(
            &key,
            short(&key, &item.child.name),
            new.clone(),
            version(&item.child.resource_version),
            source,
            |a, b| a.0.uid == b.0.uid,
        );
        let figures = match put {
            Put::Stale => Change::None,
            Put::New => Change::Status,
            Put::Replaced(old) if old == new => Change::None,
            // Who owns the replicas decides on what we send.
            Put::Replaced(old) if old.1 != new.1 => Change::Work,
            Put::Replaced(_) => Change::Status,
        };
        (key, change.max(figures))
    }

    pub(crate) fn remove_deployment(&self, item: &DeploymentItem) -> (ApiKey, Change) {
        let (key, change) = self.remove_child(ChildKind::Deployment, &item.child);
        let id = short(&key, &item.child.name);
        let gone = (item.facts.clone(), item.replicas);
        self.lock()
            .deployments
            .remove(&key, &id, &gone, |a, b| a.0.uid == b.0.uid);
        (key, change)
    }

    pub(crate) fn sweep_deployments(&self, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        self.lock().deployments.sweep(epoch, |key, _| within(key, namespace));
        self.sweep_children(ChildKind::Deployment, epoch, namespace)
    }

    pub(crate) fn deployment(&self, key: &ApiKey) -> Option<Workload> {
        let own: Name = None;
        self.lock()
            .deployments
            .of(key)
            .find(|(name, _)| **name == own)
            .map(|(_, workload)| workload.clone())
    }

    /// Its number of replicas, and the version that the number is of.
    pub(crate) fn live_replicas(&self, key: &ApiKey) -> Option<(LiveReplicas, String)> {
        let inner = self.lock();
        let ((_, replicas), version) = inner.deployments.versioned(key, &None)?;
        Some((*replicas, version.to_string()))
    }

    pub(crate) fn put_claim(&self, item: &ClaimItem, source: Source) -> (ApiKey, Change) {
        let (key, change) = self.put_child(ChildKind::PersistentVolumeClaim, &item.child, source);
        let put = self.lock().claims.put(
            &key,
            short(&key, &item.child.name),
            item.facts.clone(),
            version(&item.child.resource_version),
            source,
            |a, b| a.uid == b.uid,
        );
        let phase = match put {
            Put::Stale => Change::None,
            Put::Replaced(old) if old == item.facts => Change::None,
            Put::Replaced(_) | Put::New => Change::Status,
        };
        (key, change.max(phase))
    }

    pub(crate) fn remove_claim(&self, item: &ClaimItem) -> (ApiKey, Change) {
        let (key, change) = self.remove_child(ChildKind::PersistentVolumeClaim, &item.child);
        let id = short(&key, &item.child.name);
        self.lock().claims.remove(&key, &id, &item.facts, |a, b| a.uid == b.uid);
        (key, change)
    }

    pub(crate) fn sweep_claims(&self, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        self.lock().claims.sweep(epoch, |key, _| within(key, namespace));
        self.sweep_children(ChildKind::PersistentVolumeClaim, epoch, namespace)
    }

    /// The claim that bears the MonitoredApi's name.
    pub(crate) fn claim(&self, key: &ApiKey) -> Option<ClaimFacts> {
        let own: Name = None;
        self.lock()
            .claims
            .of(key)
            .find(|(name, _)| **name == own)
            .map(|(_, claim)| claim.clone())
    }

    pub(crate) fn put_pod(&self, item: PodItem, source: Source) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.owner);
        let facts = item.facts.clone();
        let at = version(&item.resource_version);
        let id = item.facts.name.as_str().into();
        let put = self
            .lock()
            .pods
            .put(&key, id, item, at, source, |a, b| a.facts.uid == b.facts.uid);
        let change = match put {
            Put::Stale => Change::None,
            Put::Replaced(old) if old.facts == facts => Change::None,
            Put::Replaced(_) | Put::New => Change::Status,
        };
        (key, change)
    }

    pub(crate) fn remove_pod(&self, item: &PodItem) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.owner);
        let id = item.facts.name.as_str().into();
        self.lock()
            .pods
            .remove(&key, &id, item, |a, b| a.facts.uid == b.facts.uid);
        (key, Change::Status)
    }

    pub(crate) fn sweep_pods(&self, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        self.lock().pods.sweep(epoch, |key, _| within(key, namespace))
    }

    pub(crate) fn pods(&self, key: &ApiKey) -> Vec<PodItem> {
        self.lock().pods.of(key).map(|(_, pod)| pod.clone()).collect()
    }

    pub(crate) fn put_slice(&self, item: &SliceItem, source: Source) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.owner);
        let new: Slice = (item.service.as_str().into(), item.ready);
        let put = self.lock().slices.put(
            &key,
            item.name.as_str().into(),
            new.clone(),
            version(&item.resource_version),
            source,
            |_, _| true,
        );
        let change = match put {
            Put::Stale => Change::None,
            Put::Replaced(old) if old == new => Change::None,
            Put::Replaced(_) | Put::New => Change::Status,
        };
        (key, change)
    }

    pub(crate) fn remove_slice(&self, item: &SliceItem) -> (ApiKey, Change) {
        let key = self.key(&item.namespace, &item.owner);
        let gone: Slice = (item.service.as_str().into(), item.ready);
        self.lock()
            .slices
            .remove(&key, &item.name.as_str().into(), &gone, |_, _| true);
        (key, Change::Status)
    }

    pub(crate) fn sweep_slices(&self, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        self.lock().slices.sweep(epoch, |key, _| within(key, namespace))
    }

    /// Ready endpoints behind a Service's port `http`; `None` while it has no EndpointSlice.
    pub(crate) fn ready_endpoints(&self, key: &ApiKey, service: &str) -> Option<usize> {
        self.lock()
            .slices
            .of(key)
            .filter(|(_, (of, _))| **of == *service)
            .map(|(_, (_, ready))| *ready)
            .reduce(|sum, ready| sum + ready)
    }

    // --- the cluster ---

    /// Whether anything changed that a condition depends on.
    pub(crate) fn put_prometheus(&self, item: PrometheusItem, source: Source) -> bool {
        let key = self.key(&item.selectors.namespace, &item.selectors.name);
        let new = item.selectors.clone();
        let at = version(&item.resource_version);
        let put = self
            .lock()
            .prometheuses
            .put(&key, (), item.selectors, at, source, |_, _| true);
        match put {
            Put::Stale => false,
            Put::New => true,
            Put::Replaced(old) => old != new,
        }
    }

    pub(crate) fn remove_prometheus(&self, item: &PrometheusItem) {
        let key = self.key(&item.selectors.namespace, &item.selectors.name);
        self.lock().prometheuses.remove(&key, &(), &item.selectors, |_, _| true);
    }

    pub(crate) fn sweep_prometheuses(&self, epoch: Epoch, namespace: Option<&str>) -> Vec<ApiKey> {
        self.lock().prometheuses.sweep(epoch, |key, ()| within(key, namespace))
    }

    /// All Prometheus objects, sorted by namespace and name.
    pub(crate) fn prometheuses(&self) -> Vec<PrometheusSelectors> {
        let mut all: Vec<_> = self.lock().prometheuses.all().map(|(_, (), p)| p.clone()).collect();
        all.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        all
    }

    /// Whether the labels changed.
    pub(crate) fn put_namespace(&self, item: NamespaceItem, source: Source) -> bool {
        let key = ApiKey::new("", &item.name);
        let new = item.labels.clone();
        let at = version(&item.resource_version);
        let put = self
            .lock()
            .namespaces
            .put(&key, (), item.labels, at, source, |_, _| true);
        match put {
            Put::Stale => false,
            Put::New => true,
            Put::Replaced(old) => old != new,
        }
    }

    pub(crate) fn remove_namespace(&self, item: &NamespaceItem) {
        let key = ApiKey::new("", &item.name);
        self.lock().namespaces.remove(&key, &(), &item.labels, |_, _| true);
    }

    pub(crate) fn sweep_namespaces(&self, epoch: Epoch) {
        self.lock().namespaces.sweep(epoch, |_, ()| true);
    }

    pub(crate) fn namespace_labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        let key = ApiKey::new("", namespace);
        self.lock()
            .namespaces
            .of(&key)
            .next()
            .map(|((), labels)| labels.clone())
    }

    /// MonitoredApis in a namespace.
    pub(crate) fn api_keys_in(&self, namespace: &str) -> Vec<ApiKey> {
        self.lock()
            .apis
            .all()
            .filter(|(key, (), _)| &*key.namespace == namespace)
            .map(|(key, (), _)| key.clone())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn within(key: &ApiKey, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| &*key.namespace == namespace)
}

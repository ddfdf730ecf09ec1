//! What the cache keeps of each watched kind: one implementation of [`Watched`] each.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use controller_core::facts::{PrometheusKind, PrometheusSelectors};
use controller_core::kind::Watch;
use controller_core::watched::WatchedKind;
use serde::de::DeserializeOwned;

use crate::cache::child::{CachedChild, Uid};
use crate::cache::child_id::{ChildId, child_id};
use crate::cache::namespaced_name::NamespacedName;
use crate::cache::pod::CachedPod;
use crate::cache::status::CachedStatus;
use crate::cache::versioned_map::VersionedMap;
use crate::watch::observe::{ApiItem, ChildItem, NamespaceItem, PodItem, PrometheusItem, SliceItem, SpecText};
use crate::watch::watcher::Versioned;

/// The work that a change can require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// A new status.
    Status,
    /// A write to children.
    Work,
}

/// Which MonitoredApis a changed object affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affects {
    /// The MonitoredApi that the object belongs to, or is itself.
    Owner,
    /// All MonitoredApis in the Namespace that the object is.
    Namespace,
    /// All.
    All,
}

/// An object as a watch decodes it, and what the cache keeps of it.
pub(crate) trait Watched: DeserializeOwned + Versioned + Clone + Send + 'static {
    /// Tells the cached objects under one key apart.
    type Id: PartialEq + Clone;
    /// What is kept.
    type Cached: Clone;
    /// Which MonitoredApis a change affects.
    const AFFECTS: Affects = Affects::Owner;

    /// Namespace and name of the MonitoredApi that it belongs to; of the object itself if it belongs to none.
    fn key(&self) -> (&str, &str);
    /// Its own name, where its key is that of the MonitoredApi that it belongs to. An edit can change whom it belongs to.
    fn name_beside_key(&self) -> Option<&str> {
        None
    }
    /// Tells it apart from the other objects under a key.
    fn id(&self, kind: WatchedKind, key: &NamespacedName) -> Self::Id;
    /// Trims the object to what is kept of it.
    fn into_cached(self, kind: WatchedKind, key: &NamespacedName) -> Self::Cached;
    /// The map that objects of this type are kept in.
    fn map(maps: &mut Maps) -> &mut VersionedMap<Self::Id, Self::Cached>;
    /// Whether two values are versions of one object, and not of one that was deleted and its successor.
    fn same_object(a: &Self::Cached, b: &Self::Cached) -> bool;
    /// The work that is required when `old` becomes `new`. `None`: the object did not, or does not, exist.
    fn change(old: Option<&Self::Cached>, new: Option<&Self::Cached>) -> Change;
    /// Whether the object is of this kind, where a map holds several.
    fn is_of(_id: &Self::Id, _kind: WatchedKind) -> bool {
        true
    }
}

/// Everything that is kept.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    /// Every key of the maps, so that all share one allocation.
    pub(crate) keys: HashSet<NamespacedName>,
    /// Number of keys at which those that are not in use are thrown out.
    pub(crate) keys_checked_at: usize,
    pub(crate) apis: VersionedMap<(), CachedApi>,
    pub(crate) children: VersionedMap<ChildId, CachedChild>,
    pub(crate) pods: VersionedMap<Box<str>, CachedPod>,
    pub(crate) slices: VersionedMap<Box<str>, CachedSlice>,
    pub(crate) prometheuses: VersionedMap<PrometheusKind, PrometheusSelectors>,
    pub(crate) namespaces: VersionedMap<(), BTreeMap<String, String>>,
}

/// A MonitoredApi.
#[derive(Debug, Clone)]
pub(crate) struct CachedApi {
    pub(crate) uid: Uid,
    pub(crate) resource_version: Box<str>,
    pub(crate) generation: i64,
    pub(crate) deleting: bool,
    pub(crate) reconcile_at: Option<Box<str>>,
    /// Decoded when it is worked on.
    pub(crate) spec: SpecText,
    pub(crate) status: Option<Arc<CachedStatus>>,
}

impl CachedApi {
    fn needs_same_work(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.generation == other.generation
            // A restored etcd counts generations again from a lower number.
            && self.spec == other.spec
            && self.deleting == other.deleting
            && self.reconcile_at == other.reconcile_at
    }
}

impl Watched for ApiItem {
    type Id = ();
    type Cached = CachedApi;

    fn key(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    fn id(&self, _: WatchedKind, _: &NamespacedName) {}

    fn into_cached(self, _: WatchedKind, key: &NamespacedName) -> CachedApi {
        CachedApi {
            uid: Uid::new(&self.uid),
            resource_version: self.resource_version.into(),
            generation: self.generation,
            deleting: self.deleting,
            reconcile_at: self.reconcile_at.map(Into::into),
            spec: self.spec,
            status: self.status.map(|status| Arc::new(CachedStatus::pack(status, key))),
        }
    }

    fn map(maps: &mut Maps) -> &mut VersionedMap<(), CachedApi> {
        &mut maps.apis
    }

    fn same_object(a: &CachedApi, b: &CachedApi) -> bool {
        a.uid == b.uid
    }

    fn change(old: Option<&CachedApi>, new: Option<&CachedApi>) -> Change {
        match (old, new) {
            // Annotations, labels and who manages which field concern nobody here.
            (Some(old), Some(new)) if old.needs_same_work(new) && old.status == new.status => Change::None,
            (Some(old), Some(new)) if old.needs_same_work(new) => Change::Status,
            _ => Change::Work,
        }
    }
}

fn is_watched_whole(kind: WatchedKind) -> bool {
    matches!(kind, WatchedKind::Child(child) if child.watch == Watch::Whole)
}

impl Watched for ChildItem {
    type Id = ChildId;
    type Cached = CachedChild;

    fn key(&self) -> (&str, &str) {
        (&self.namespace, &self.owner)
    }

    fn name_beside_key(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn id(&self, kind: WatchedKind, key: &NamespacedName) -> ChildId {
        child_id(kind, key, &self.name)
    }

    fn into_cached(self, kind: WatchedKind, _: &NamespacedName) -> CachedChild {
        // The answer to a write is always the whole object, but a kind watched by metadata has no details in its events.
        let details = self.details.filter(|_| is_watched_whole(kind));
        CachedChild::new(&self.observed, details)
    }

    fn map(maps: &mut Maps) -> &mut VersionedMap<ChildId, CachedChild> {
        &mut maps.children
    }

    fn same_object(a: &CachedChild, b: &CachedChild) -> bool {
        a.same_uid(b)
    }

    fn change(old: Option<&CachedChild>, new: Option<&CachedChild>) -> Change {
        match (old, new) {
            (Some(old), Some(new)) if old.same_for_apply(new) => {
                if old.same_details(new) {
                    Change::None
                } else {
                    Change::Status
                }
            }
            _ => Change::Work,
        }
    }

    fn is_of(id: &ChildId, kind: WatchedKind) -> bool {
        id.kind() == kind
    }
}

/// The change of a kind whose objects only the status depends on.
fn status_if_changed<T: PartialEq>(old: Option<&T>, new: Option<&T>) -> Change {
    if old == new { Change::None } else { Change::Status }
}

impl Watched for PodItem {
    type Id = Box<str>;
    type Cached = CachedPod;

    fn key(&self) -> (&str, &str) {
        (&self.namespace, &self.owner)
    }

    fn name_beside_key(&self) -> Option<&str> {
        Some(&self.facts.name)
    }

    fn id(&self, _: WatchedKind, _: &NamespacedName) -> Box<str> {
        self.facts.name.as_str().into()
    }

    fn into_cached(self, _: WatchedKind, _: &NamespacedName) -> CachedPod {
        CachedPod::new(self.facts)
    }

    fn map(maps: &mut Maps) -> &mut VersionedMap<Box<str>, CachedPod> {
        &mut maps.pods
    }

    fn same_object(a: &CachedPod, b: &CachedPod) -> bool {
        a.same_uid(b)
    }

    fn change(old: Option<&CachedPod>, new: Option<&CachedPod>) -> Change {
        status_if_changed(old, new)
    }
}

/// An EndpointSlice: its Service, and how many endpoints are ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedSlice {
    pub(crate) service: Box<str>,
    pub(crate) ready: usize,
}

impl Watched for SliceItem {
    type Id = Box<str>;
    type Cached = CachedSlice;

    fn key(&self) -> (&str, &str) {
        (&self.namespace, &self.owner)
    }

    fn name_beside_key(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn id(&self, _: WatchedKind, _: &NamespacedName) -> Box<str> {
        self.name.as_str().into()
    }

    fn into_cached(self, _: WatchedKind, _: &NamespacedName) -> CachedSlice {
        CachedSlice {
            service: self.service.into(),
            ready: self.ready,
        }
    }

    fn map(maps: &mut Maps) -> &mut VersionedMap<Box<str>, CachedSlice> {
        &mut maps.slices
    }

    fn same_object(_: &CachedSlice, _: &CachedSlice) -> bool {
        true
    }

    fn change(old: Option<&CachedSlice>, new: Option<&CachedSlice>) -> Change {
        status_if_changed(old, new)
    }
}

impl Watched for PrometheusItem {
    type Id = PrometheusKind;
    type Cached = PrometheusSelectors;
    const AFFECTS: Affects = Affects::All;

    fn key(&self) -> (&str, &str) {
        (&self.selectors.namespace, &self.selectors.name)
    }

    fn id(&self, kind: WatchedKind, _: &NamespacedName) -> PrometheusKind {
        prometheus_kind(kind)
    }

    fn into_cached(self, kind: WatchedKind, _: &NamespacedName) -> PrometheusSelectors {
        PrometheusSelectors {
            kind: prometheus_kind(kind),
            ..self.selectors
        }
    }

    fn map(maps: &mut Maps) -> &mut VersionedMap<PrometheusKind, PrometheusSelectors> {
        &mut maps.prometheuses
    }

    fn same_object(_: &PrometheusSelectors, _: &PrometheusSelectors) -> bool {
        true
    }

    fn change(old: Option<&PrometheusSelectors>, new: Option<&PrometheusSelectors>) -> Change {
        status_if_changed(old, new)
    }

    fn is_of(id: &PrometheusKind, kind: WatchedKind) -> bool {
        *id == prometheus_kind(kind)
    }
}

fn prometheus_kind(kind: WatchedKind) -> PrometheusKind {
    if kind == WatchedKind::PrometheusAgent {
        PrometheusKind::Agent
    } else {
        PrometheusKind::Prometheus
    }
}

impl Watched for NamespaceItem {
    type Id = ();
    type Cached = BTreeMap<String, String>;
    const AFFECTS: Affects = Affects::Namespace;

    fn key(&self) -> (&str, &str) {
        ("", &self.name)
    }

    fn id(&self, _: WatchedKind, _: &NamespacedName) {}

    fn into_cached(self, _: WatchedKind, _: &NamespacedName) -> BTreeMap<String, String> {
        self.labels
    }

    fn map(maps: &mut Maps) -> &mut VersionedMap<(), BTreeMap<String, String>> {
        &mut maps.namespaces
    }

    fn same_object(_: &Self::Cached, _: &Self::Cached) -> bool {
        true
    }

    fn change(old: Option<&Self::Cached>, new: Option<&Self::Cached>) -> Change {
        // With a namespace, everything in it goes.
        new.map_or(Change::None, |new| status_if_changed(old, Some(new)))
    }
}

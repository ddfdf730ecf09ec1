//! What the watches have seen, trimmed to what a reconcile reads. [`Watched`] says what is kept of which kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use controller_core::ChildKind;
use controller_core::children::dashboard;
use controller_core::facts::{
    DeploymentFacts, GrafanaPlacement, LiveReplicas, ObservedChild, PodFacts, PrometheusSelectors, VolumeClaimFacts,
};
use controller_core::watched::WatchedKind;

use crate::cache::child::Uid;
use crate::cache::child_id::child_id;
use crate::cache::namespaced_name::NamespacedName;
use crate::cache::versioned_map::{Epoch, Source, Upsert};
use crate::cache::watched::{Affects, CachedApi, Change, Maps, Watched};

/// The cache itself. Every method locks it, and none holds the lock across an await.
#[derive(Debug, Default)]
pub(crate) struct Store {
    maps: Mutex<Maps>,
}

/// Keys that are kept without a look at which of them are in use.
const LEAST_KEYS: usize = 1024;

/// Parses a resourceVersion. Text that is not a number counts as older than every number.
fn version(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

impl Store {
    /// Inserts an object, unless a newer version of it is there. Returns its key, and what the change can lead to.
    pub(crate) fn upsert<T: Watched>(&self, kind: WatchedKind, item: T, source: Source) -> (NamespacedName, Change) {
        let version = version(item.resource_version());
        let key = self.key(item.key());
        let (id, new) = (item.id(kind, &key), item.into_cached(kind, &key));
        let mut maps = self.lock();
        let change = match T::map(&mut maps).upsert(&key, id, new, version, source, T::same_object) {
            Upsert::Stale => Change::None,
            Upsert::Inserted(new) => T::change(None, Some(new)),
            Upsert::Replaced(old, new) => T::change(Some(&old), Some(new)),
        };
        (key, change)
    }

    /// Removes an object, unless its name meanwhile belongs to another object (another uid). Returns what
    /// [`Self::upsert`] returns.
    pub(crate) fn remove<T: Watched>(&self, kind: WatchedKind, item: T) -> (NamespacedName, Change) {
        let version = version(item.resource_version());
        let key = self.key(item.key());
        let (id, gone) = (item.id(kind, &key), item.into_cached(kind, &key));
        let removed = T::map(&mut self.lock()).remove(&key, &id, version, |kept| T::same_object(kept, &gone));
        let change = removed.map_or(Change::None, |old| T::change(Some(&old), None));
        (key, change)
    }

    /// Removes what is kept of an object under the name of a MonitoredApi that it does not belong to any more. Such an object is
    /// found if its name begins with that of the MonitoredApi, as the names of everything that we or Kubernetes make do. Returns
    /// what [`Self::upsert`] returns, if there was something.
    pub(crate) fn remove_from_others<T: Watched>(
        &self,
        kind: WatchedKind,
        item: &T,
    ) -> Option<(NamespacedName, Change)> {
        let name = item.name_beside_key()?;
        let key = self.key(item.key());
        let mut maps = self.lock();
        let map = T::map(&mut maps);
        if map.get(&key, &item.id(kind, &key)).is_some() {
            return None;
        }
        let object = item.clone().into_cached(kind, &key);
        let ends = name.match_indices('-').map(|(end, _)| end).chain([name.len()]);
        ends.filter_map(|end| name.get(..end))
            .filter(|other| **other != *key.name)
            .find_map(|other| {
                let other = NamespacedName::new(&key.namespace, other);
                let (id, version) = (item.id(kind, &other), version(item.resource_version()));
                let old = map.remove(&other, &id, version, |kept| T::same_object(kept, &object))?;
                Some((other, T::change(Some(&old), None)))
            })
    }

    /// Removes the objects of this kind and namespace (`None`: all) that were last seen before the complete list `epoch`.
    /// Returns the changes.
    pub(crate) fn sweep<T: Watched>(
        &self,
        kind: WatchedKind,
        epoch: Epoch,
        namespace: Option<&str>,
    ) -> Vec<(NamespacedName, Change)> {
        let mut maps = self.lock();
        let covers = |key: &NamespacedName, id: &T::Id| {
            T::is_of(id, kind) && namespace.is_none_or(|namespace| &*key.namespace == namespace)
        };
        let swept = T::map(&mut maps).sweep(epoch, covers);
        swept
            .into_iter()
            .map(|(key, old)| (key, T::change(Some(&old), None)))
            .collect()
    }

    /// The version at which an object is known: an answer to a request that begins now is compared with it.
    pub(crate) fn version_of<T: Watched>(&self, key: &NamespacedName, id: &T::Id) -> Option<u64> {
        T::map(&mut self.lock()).get(key, id).map(|(_, version)| version)
    }

    /// The MonitoredApis that a change of the object of this key affects.
    pub(crate) fn affected_apis<T: Watched>(&self, key: &NamespacedName) -> Vec<NamespacedName> {
        match T::AFFECTS {
            Affects::Owner => vec![key.clone()],
            Affects::All => self.api_names(),
            Affects::Namespace => {
                let mut keys = self.api_names();
                keys.retain(|api| *api.namespace == *key.name);
                keys
            }
        }
    }

    /// Forgets a MonitoredApi that a GET to the API server did not find.
    pub(crate) fn forget_api(&self, key: &NamespacedName, uid: &str) {
        let uid = Uid::new(uid);
        self.lock().apis.remove(key, &(), 0, |kept| kept.uid == uid);
    }

    /// The MonitoredApi.
    pub(crate) fn api(&self, key: &NamespacedName) -> Option<CachedApi> {
        self.lock().apis.get(key, &()).map(|(api, _)| api.clone())
    }

    /// Every MonitoredApi.
    pub(crate) fn api_names(&self) -> Vec<NamespacedName> {
        self.lock().apis.all().map(|(key, _)| key.clone()).collect()
    }

    /// One child of a MonitoredApi.
    pub(crate) fn child(&self, key: &NamespacedName, kind: ChildKind, name: &str) -> Option<ObservedChild> {
        let id = child_id(WatchedKind::Child(kind), key, name);
        self.lock().children.get(key, &id).map(|(child, _)| child.observed())
    }

    /// Every child of a MonitoredApi: kind and name.
    pub(crate) fn children(&self, key: &NamespacedName) -> Vec<(ChildKind, String, ObservedChild)> {
        let maps = self.lock();
        let named = maps.children.of(key).filter_map(|(id, child)| {
            let WatchedKind::Child(kind) = id.kind() else {
                return None;
            };
            Some((kind, id.name(key), child.observed()))
        });
        named.collect()
    }

    /// The replica counts of the MonitoredApi's Deployment.
    pub(crate) fn deployment(&self, key: &NamespacedName) -> Option<DeploymentFacts> {
        let id = child_id(WatchedKind::Child(ChildKind::DEPLOYMENT), key, &key.name);
        let maps = self.lock();
        let (child, _) = maps.children.get(key, &id)?;
        child.details().map(|details| details.deployment)
    }

    /// `spec.replicas` of the MonitoredApi's Deployment, and the resourceVersion at which the watch saw it.
    pub(crate) fn live_replicas(&self, key: &NamespacedName) -> Option<(LiveReplicas, String)> {
        let id = child_id(WatchedKind::Child(ChildKind::DEPLOYMENT), key, &key.name);
        let maps = self.lock();
        let (child, version) = maps.children.get(key, &id)?;
        child.replicas().map(|replicas| (replicas, version.to_string()))
    }

    /// The MonitoredApi's PersistentVolumeClaim, without its events.
    pub(crate) fn volume_claim(&self, key: &NamespacedName) -> Option<VolumeClaimFacts> {
        let id = child_id(WatchedKind::Child(ChildKind::PERSISTENT_VOLUME_CLAIM), key, &key.name);
        let maps = self.lock();
        let (child, _) = maps.children.get(key, &id)?;
        child.details().map(|details| VolumeClaimFacts {
            uid: details.deployment.uid,
            phase: details.phase,
            size: details.size,
            resized: details.resized,
            latest_event: None,
        })
    }

    /// What the Grafana Operator says of the MonitoredApi's GrafanaDashboard.
    pub(crate) fn grafana_placement(&self, key: &NamespacedName) -> GrafanaPlacement {
        let kind = WatchedKind::Child(ChildKind::GRAFANA_DASHBOARD);
        let id = child_id(kind, key, &dashboard::name(&key.name));
        let maps = self.lock();
        let details = maps.children.get(key, &id).and_then(|(child, _)| child.details());
        details.map(|details| details.grafana).unwrap_or_default()
    }

    /// The pods of a MonitoredApi.
    pub(crate) fn pods(&self, key: &NamespacedName) -> Vec<PodFacts> {
        self.lock().pods.of(key).map(|(name, pod)| pod.facts(name)).collect()
    }

    /// Ready endpoints behind a Service's port `http`; `None` while it has no EndpointSlice.
    pub(crate) fn ready_endpoints(&self, key: &NamespacedName, service: &str) -> Option<usize> {
        let maps = self.lock();
        let slices = maps.slices.of(key).filter(|(_, slice)| *slice.service == *service);
        slices.map(|(_, slice)| slice.ready).reduce(|sum, ready| sum + ready)
    }

    /// All Prometheus and PrometheusAgent objects, sorted by namespace and name.
    pub(crate) fn prometheuses(&self) -> Vec<PrometheusSelectors> {
        let mut all: Vec<_> = self.lock().prometheuses.all().map(|(_, p)| p.clone()).collect();
        all.sort_by(|a, b| (&a.namespace, &a.name, a.kind).cmp(&(&b.namespace, &b.name, b.kind)));
        all
    }

    /// The labels of a namespace.
    pub(crate) fn namespace_labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        let key = NamespacedName::new("", namespace);
        self.lock().namespaces.get(&key, &()).map(|(labels, _)| labels.clone())
    }

    /// Interns a key, so that equal keys share one allocation.
    fn key(&self, (namespace, name): (&str, &str)) -> NamespacedName {
        let key = NamespacedName::new(namespace, name);
        let mut maps = self.lock();
        if let Some(known) = maps.keys.get(&key) {
            return known.clone();
        }
        // Each time that they have doubled, so that names that come and go do not pile up, and inserting stays cheap.
        if maps.keys.len() >= maps.keys_checked_at.max(LEAST_KEYS) {
            maps.keys.retain(|key| !key.is_unused());
            maps.keys.shrink_to(LEAST_KEYS);
            maps.keys_checked_at = maps.keys.len() * 2;
        }
        maps.keys.insert(key.clone());
        key
    }

    fn lock(&self) -> MutexGuard<'_, Maps> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

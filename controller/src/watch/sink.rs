//! From a watch into the store, and from what changed into the queue.

use std::sync::Arc;

use controller_core::ChildKind;

use crate::cache::api_key::ApiKey;
use crate::cache::store::{Change, Store};
use crate::cache::table::{Epoch, Source};
use crate::watch::board::Subject;
use crate::watch::observe::{
    ApiItem, ChildItem, ClaimItem, DeploymentItem, NamespaceItem, PodItem, PrometheusItem, SliceItem,
};
use crate::watch::watcher::Sink;
use crate::work::queue::Queue;

/// Whom a change concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wake {
    /// One MonitoredApi.
    One(ApiKey, Change),
    /// The status of all in one namespace.
    Namespace(String),
    /// The status of all.
    All,
    /// Nobody.
    Nobody,
}

/// An object that the store keeps.
pub(crate) trait Kept: Sized {
    fn put(self, store: &Store, subject: Subject, source: Source) -> Wake;
    fn remove(self, store: &Store, subject: Subject) -> Wake;
    /// After a complete list: drops what it did not name.
    fn sweep(store: &Store, subject: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake>;
}

/// The sink of one watch.
pub(crate) struct StoreSink {
    store: Arc<Store>,
    queue: Arc<Queue>,
    subject: Subject,
    namespace: Option<String>,
    epoch: Epoch,
}

impl StoreSink {
    pub(crate) const fn new(store: Arc<Store>, queue: Arc<Queue>, subject: Subject, namespace: Option<String>) -> Self {
        Self {
            store,
            queue,
            subject,
            namespace,
            epoch: 0,
        }
    }

    fn wake(&self, wake: Wake) {
        match wake {
            Wake::Nobody | Wake::One(_, Change::None) => {}
            Wake::One(key, Change::Status) => self.queue.add_status(&key),
            Wake::One(key, Change::Work) => self.queue.add(&key),
            Wake::Namespace(namespace) => {
                for key in self.store.api_keys_in(&namespace) {
                    self.queue.add_status(&key);
                }
            }
            Wake::All => {
                for key in self.store.api_keys() {
                    self.queue.add_status(&key);
                }
            }
        }
    }
}

impl<T: Kept> Sink<T> for StoreSink {
    fn begin(&mut self) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
    }

    fn listed(&mut self, item: T) {
        let wake = item.put(&self.store, self.subject, Source::List(self.epoch));
        self.wake(wake);
    }

    fn end(&mut self) {
        for wake in T::sweep(&self.store, self.subject, self.epoch, self.namespace.as_deref()) {
            self.wake(wake);
        }
    }

    fn changed(&mut self, item: T) {
        let wake = item.put(&self.store, self.subject, Source::Event(self.epoch));
        self.wake(wake);
    }

    fn recovered(&mut self) {
        if self.subject == Subject::Api {
            self.queue.hurry();
        }
    }

    fn removed(&mut self, item: T) {
        let wake = item.remove(&self.store, self.subject);
        self.wake(wake);
    }
}

fn one((key, change): (ApiKey, Change)) -> Wake {
    Wake::One(key, change)
}

fn each(keys: Vec<ApiKey>, change: Change) -> Vec<Wake> {
    keys.into_iter().map(|key| Wake::One(key, change)).collect()
}

impl Kept for ApiItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        one(store.put_api(self, source))
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        Wake::One(store.remove_api(&self), Change::Work)
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        each(store.sweep_apis(epoch, namespace), Change::Work)
    }
}

/// The kind of child that a watch of metadata is for. Deployments and claims have watches of their own.
const fn child_kind(subject: Subject) -> Option<ChildKind> {
    match subject {
        Subject::Child(kind) => Some(kind),
        Subject::Api | Subject::Pod | Subject::EndpointSlice | Subject::Prometheus | Subject::Namespace => None,
    }
}

impl Kept for ChildItem {
    fn put(self, store: &Store, subject: Subject, source: Source) -> Wake {
        child_kind(subject).map_or(Wake::Nobody, |kind| one(store.put_child(kind, &self, source)))
    }

    fn remove(self, store: &Store, subject: Subject) -> Wake {
        child_kind(subject).map_or(Wake::Nobody, |kind| one(store.remove_child(kind, &self)))
    }

    fn sweep(store: &Store, subject: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        child_kind(subject).map_or_else(Vec::new, |kind| {
            each(store.sweep_children(kind, epoch, namespace), Change::Work)
        })
    }
}

impl Kept for DeploymentItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        one(store.put_deployment(&self, source))
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        one(store.remove_deployment(&self))
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        each(store.sweep_deployments(epoch, namespace), Change::Work)
    }
}

impl Kept for ClaimItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        one(store.put_claim(&self, source))
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        one(store.remove_claim(&self))
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        each(store.sweep_claims(epoch, namespace), Change::Work)
    }
}

impl Kept for PodItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        one(store.put_pod(self, source))
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        one(store.remove_pod(&self))
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        each(store.sweep_pods(epoch, namespace), Change::Status)
    }
}

impl Kept for SliceItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        one(store.put_slice(&self, source))
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        one(store.remove_slice(&self))
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        each(store.sweep_slices(epoch, namespace), Change::Status)
    }
}

impl Kept for PrometheusItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        if store.put_prometheus(self, source) {
            Wake::All
        } else {
            Wake::Nobody
        }
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        store.remove_prometheus(&self);
        Wake::All
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, namespace: Option<&str>) -> Vec<Wake> {
        if store.sweep_prometheuses(epoch, namespace).is_empty() {
            Vec::new()
        } else {
            vec![Wake::All]
        }
    }
}

impl Kept for NamespaceItem {
    fn put(self, store: &Store, _: Subject, source: Source) -> Wake {
        let name = self.name.clone();
        if store.put_namespace(self, source) {
            Wake::Namespace(name)
        } else {
            Wake::Nobody
        }
    }

    fn remove(self, store: &Store, _: Subject) -> Wake {
        store.remove_namespace(&self);
        Wake::Nobody
    }

    fn sweep(store: &Store, _: Subject, epoch: Epoch, _: Option<&str>) -> Vec<Wake> {
        store.sweep_namespaces(epoch);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setup(subject: Subject) -> (Arc<Store>, Arc<Queue>, StoreSink) {
        let (store, queue) = (Arc::new(Store::default()), Arc::new(Queue::default()));
        let sink = StoreSink::new(Arc::clone(&store), Arc::clone(&queue), subject, None);
        (store, queue, sink)
    }

    fn api(version: &str, generation: i64, status: &str) -> ApiItem {
        serde_json::from_value(json!({
            "metadata": {"name": "orders", "namespace": "shop", "uid": "u1", "resourceVersion": version,
                "generation": generation},
            "spec": {}, "status": {"note": status},
        }))
        .unwrap()
    }

    fn child(version: &str, fields: &str, generation: i64) -> ChildItem {
        serde_json::from_value(json!({"metadata": {
            "name": "orders", "namespace": "shop", "uid": "c1", "resourceVersion": version, "generation": generation,
            "ownerReferences": [{"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "name": "orders",
                "uid": "u1", "controller": true}],
            "managedFields": [{"manager": "monitored-api", "operation": "Apply", "fieldsV1": {fields: {}}}],
        }}))
        .unwrap()
    }

    fn due(queue: &Queue) -> usize {
        queue.depth().0
    }

    #[tokio::test]
    async fn the_event_of_our_own_write_wakes_nobody() {
        let (store, queue, mut sink) = setup(Subject::Child(ChildKind::Service));
        store.put_child(ChildKind::Service, &child("5", "f:spec", 1), Source::Answer);
        Sink::<ChildItem>::begin(&mut sink);
        sink.changed(child("5", "f:spec", 1));
        assert_eq!(due(&queue), 0);
    }

    #[tokio::test]
    async fn a_change_to_our_fields_wakes_work() {
        let (_, queue, mut sink) = setup(Subject::Child(ChildKind::Service));
        sink.changed(child("5", "f:spec", 1));
        queue.next().await;
        queue.done(
            &ApiKey::new("shop", "orders"),
            controller_core::requeue::Requeue::OnEvent,
        );
        sink.changed(child("6", "f:data", 1));
        assert_eq!(due(&queue), 1);
    }

    #[tokio::test]
    async fn a_change_to_fields_of_others_wakes_nobody() {
        let (_, queue, mut sink) = setup(Subject::Child(ChildKind::Service));
        sink.changed(child("5", "f:spec", 1));
        queue.next().await;
        queue.done(
            &ApiKey::new("shop", "orders"),
            controller_core::requeue::Requeue::OnEvent,
        );
        sink.changed(child("6", "f:spec", 2));
        assert_eq!(due(&queue), 0);
    }

    #[tokio::test]
    async fn our_own_status_write_wakes_nobody_and_a_foreign_one_does() {
        let (store, queue, mut sink) = setup(Subject::Api);
        store.put_api(api("7", 1, "ours"), Source::Answer);
        sink.changed(api("7", 1, "ours"));
        assert_eq!(due(&queue), 0);
        sink.changed(api("8", 1, "dropped by a restore"));
        assert_eq!(due(&queue), 1);
    }

    #[tokio::test]
    async fn the_removal_of_a_kind_wakes_the_owners_of_its_objects() {
        let (store, queue, mut sink) = setup(Subject::Child(ChildKind::ServiceMonitor));
        sink.begin_list();
        sink.listed(child("5", "f:spec", 1));
        queue.next().await;
        queue.done(
            &ApiKey::new("shop", "orders"),
            controller_core::requeue::Requeue::OnEvent,
        );
        Sink::<ChildItem>::kind_gone(&mut sink);
        assert_eq!(due(&queue), 1);
        let key = ApiKey::new("shop", "orders");
        assert_eq!(store.child(&key, ChildKind::ServiceMonitor, "orders"), None);
    }

    impl StoreSink {
        fn begin_list(&mut self) {
            Sink::<ChildItem>::begin(self);
        }
    }
}

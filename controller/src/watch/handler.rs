//! Puts the objects of a watch into the cache, and enqueues the MonitoredApis that a change affects.

use std::sync::Arc;

use controller_core::watched::WatchedKind;

use crate::cache::namespaced_name::NamespacedName;
use crate::cache::store::Store;
use crate::cache::versioned_map::{Epoch, Source};
use crate::cache::watched::{Change, Watched};
use crate::watch::watcher::WatchHandler;
use crate::work::queue::Queue;

/// The handler of one watch.
pub(crate) struct CacheHandler {
    store: Arc<Store>,
    queue: Arc<Queue>,
    kind: WatchedKind,
    /// `None`: all namespaces.
    namespace: Option<String>,
    epoch: Epoch,
}

impl CacheHandler {
    pub(crate) const fn new(
        store: Arc<Store>,
        queue: Arc<Queue>,
        kind: WatchedKind,
        namespace: Option<String>,
    ) -> Self {
        Self {
            store,
            queue,
            kind,
            namespace,
            epoch: 0,
        }
    }

    /// An object that belongs to another MonitoredApi than before is gone for that one.
    fn leave_others<T: Watched>(&self, item: &T) {
        if let Some(change) = self.store.remove_from_others(self.kind, item) {
            self.enqueue::<T>(&change);
        }
    }

    fn enqueue<T: Watched>(&self, (key, change): &(NamespacedName, Change)) {
        let add = match change {
            Change::None => return,
            Change::Status => Queue::add_status,
            Change::Work => Queue::add,
        };
        for key in self.store.affected_apis::<T>(key) {
            add(&self.queue, &key);
        }
    }
}

impl<T: Watched> WatchHandler<T> for CacheHandler {
    fn init(&mut self) {
        self.epoch = self.epoch.wrapping_add(1).max(1);
    }

    fn init_apply(&mut self, item: T) {
        let change = self.store.upsert(self.kind, item, Source::List(self.epoch));
        self.enqueue::<T>(&change);
    }

    fn init_done(&mut self) {
        for change in self.store.sweep::<T>(self.kind, self.epoch, self.namespace.as_deref()) {
            self.enqueue::<T>(&change);
        }
    }

    fn apply(&mut self, item: T) {
        self.leave_others(&item);
        let change = self.store.upsert(self.kind, item, Source::Event(self.epoch));
        self.enqueue::<T>(&change);
    }

    fn delete(&mut self, item: T) {
        self.leave_others(&item);
        let change = self.store.remove(self.kind, item);
        self.enqueue::<T>(&change);
    }

    fn recovered(&mut self) {
        if self.kind == WatchedKind::MonitoredApi {
            self.queue.hurry();
        }
    }
}

#[cfg(test)]
mod tests {
    use controller_core::ChildKind;
    use serde_json::json;

    use super::*;
    use crate::watch::observe::{ApiItem, ChildItem};

    fn setup(kind: WatchedKind) -> (Arc<Store>, Arc<Queue>, CacheHandler) {
        let (store, queue) = (Arc::new(Store::default()), Arc::new(Queue::default()));
        let handler = CacheHandler::new(Arc::clone(&store), Arc::clone(&queue), kind, None);
        (store, queue, handler)
    }

    fn api(version: &str, generation: i64, status: &str) -> ApiItem {
        serde_json::from_value(json!({
            "metadata": {"name": "orders", "namespace": "shop", "uid": "u1", "resourceVersion": version,
                "generation": generation},
            "spec": {}, "status": {"firstFailing": status},
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
    async fn the_event_of_our_own_write_enqueues_nothing() {
        let (store, queue, mut handler) = setup(WatchedKind::Child(ChildKind::SERVICE));
        store.upsert(
            WatchedKind::Child(ChildKind::SERVICE),
            child("5", "f:spec", 1),
            Source::Answer(None),
        );
        WatchHandler::<ChildItem>::init(&mut handler);
        handler.apply(child("5", "f:spec", 1));
        assert_eq!(due(&queue), 0);
    }

    #[tokio::test]
    async fn a_change_to_our_fields_enqueues_work() {
        let (_, queue, mut handler) = setup(WatchedKind::Child(ChildKind::SERVICE));
        handler.apply(child("5", "f:spec", 1));
        queue.next().await;
        queue.done(
            &NamespacedName::new("shop", "orders"),
            controller_core::requeue::Requeue::OnEvent,
        );
        handler.apply(child("6", "f:data", 1));
        assert_eq!(due(&queue), 1);
    }

    #[tokio::test]
    async fn a_child_that_an_edit_gives_to_another_one_is_gone_for_the_first() {
        let (store, queue, mut handler) = setup(WatchedKind::Child(ChildKind::SERVICE));
        let of = |version: &str, name: &str, owner: &str| -> ChildItem {
            serde_json::from_value(json!({"metadata": {
                "name": name, "namespace": "shop", "uid": name, "resourceVersion": version,
                "labels": {"monitoredapi.io/name": owner},
            }}))
            .unwrap()
        };
        for name in ["orders", "orders-metrics"] {
            for (version, owner) in [("5", "orders"), ("6", "users")] {
                handler.apply(of(version, name, owner));
                while due(&queue) > 0 {
                    let key = queue.next().await;
                    queue.done(&key, controller_core::requeue::Requeue::OnEvent);
                }
            }
            let of_orders = NamespacedName::new("shop", "orders");
            assert_eq!(store.child(&of_orders, ChildKind::SERVICE, name), None);
            let of_users = NamespacedName::new("shop", "users");
            assert!(store.child(&of_users, ChildKind::SERVICE, name).is_some());
        }
    }

    #[tokio::test]
    async fn a_change_to_fields_of_others_enqueues_nothing() {
        let (_, queue, mut handler) = setup(WatchedKind::Child(ChildKind::SERVICE));
        handler.apply(child("5", "f:spec", 1));
        queue.next().await;
        queue.done(
            &NamespacedName::new("shop", "orders"),
            controller_core::requeue::Requeue::OnEvent,
        );
        handler.apply(child("6", "f:spec", 2));
        assert_eq!(due(&queue), 0);
    }

    #[tokio::test]
    async fn our_own_status_write_enqueues_nothing_and_a_foreign_one_does() {
        let (store, queue, mut handler) = setup(WatchedKind::MonitoredApi);
        store.upsert(WatchedKind::MonitoredApi, api("7", 1, "ours"), Source::Answer(None));
        handler.apply(api("7", 1, "ours"));
        assert_eq!(due(&queue), 0);
        handler.apply(api("8", 1, "dropped by a restore"));
        assert_eq!(due(&queue), 1);
    }

    #[tokio::test]
    async fn a_change_of_annotations_enqueues_nothing() {
        let (store, queue, mut handler) = setup(WatchedKind::MonitoredApi);
        store.upsert(WatchedKind::MonitoredApi, api("7", 1, "ours"), Source::Answer(None));
        handler.apply(api("8", 1, "ours"));
        assert_eq!(due(&queue), 0);
    }

    #[tokio::test]
    async fn the_removal_of_a_kind_enqueues_the_owners_of_its_objects() {
        let (store, queue, mut handler) = setup(WatchedKind::Child(ChildKind::SERVICE_MONITOR));
        handler.init_list();
        handler.init_apply(child("5", "f:spec", 1));
        queue.next().await;
        queue.done(
            &NamespacedName::new("shop", "orders"),
            controller_core::requeue::Requeue::OnEvent,
        );
        WatchHandler::<ChildItem>::kind_gone(&mut handler);
        assert_eq!(due(&queue), 1);
        let key = NamespacedName::new("shop", "orders");
        assert_eq!(store.child(&key, ChildKind::SERVICE_MONITOR, "orders"), None);
    }

    impl CacheHandler {
        fn init_list(&mut self) {
            WatchHandler::<ChildItem>::init(self);
        }
    }
}

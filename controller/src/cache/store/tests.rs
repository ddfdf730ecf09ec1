//! One table over all watched kinds: what each event leaves in the cache, and what it can lead to.

use controller_core::kind::Watch;
use controller_core::watched::watched_kinds;
use serde_json::{Value, json};

use super::*;
use crate::watch::observe::{ApiItem, ChildItem, NamespaceItem, PodItem, PrometheusItem, SliceItem};

/// How an object differs from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// Not at all.
    Same,
    /// In what only a status depends on.
    Status,
    /// In what a write to children depends on.
    Work,
}

/// What is expected of a kind.
struct Expected {
    inserted: Change,
    status: Change,
    work: Change,
    removed: Change,
    /// MonitoredApis that a change in the namespace `shop` concerns.
    affected: &'static [&'static str],
}

const NONE: Change = Change::None;
const STATUS: Change = Change::Status;
const WORK: Change = Change::Work;
const OWNER: &[&str] = &["shop/orders"];

fn metadata(kind: WatchedKind, namespace: &str, version: u64, variant: Variant) -> Value {
    let (status, work) = (variant == Variant::Status, variant == Variant::Work);
    let fields = if work { "f:data" } else { "f:spec" };
    let owner = json!({"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "name": "orders", "uid": "u1",
        "controller": true});
    match kind {
        WatchedKind::Namespace => {
            let labels = if status { json!({"team": "b"}) } else { json!({}) };
            json!({"name": namespace, "resourceVersion": version.to_string(), "labels": labels})
        }
        WatchedKind::MonitoredApi
        | WatchedKind::Child(_)
        | WatchedKind::Pod
        | WatchedKind::EndpointSlice
        | WatchedKind::Prometheus
        | WatchedKind::PrometheusAgent => json!({
            "name": "orders", "namespace": namespace, "uid": "c1", "resourceVersion": version.to_string(),
            "generation": if work { 2 } else { 1 },
            "labels": {"monitoredapi.io/name": "orders", "kubernetes.io/service-name": "orders"},
            "ownerReferences": [owner],
            "managedFields": [{"manager": "monitored-api", "operation": "Apply", "fieldsV1": {fields: {}}}],
        }),
    }
}

/// An object of the kind, as its watch gets it.
fn object<T: Watched>(kind: WatchedKind, namespace: &str, version: u64, variant: Variant) -> T {
    let changed = variant == Variant::Status;
    let mut object = json!({"metadata": metadata(kind, namespace, version, variant)});
    let whole = match kind {
        WatchedKind::Namespace => json!({}),
        WatchedKind::Child(child) if child.watch == Watch::Metadata => json!({}),
        WatchedKind::MonitoredApi => json!({"spec": {}, "status": {"replicas": u8::from(changed)}}),
        WatchedKind::Child(_) | WatchedKind::Pod => {
            json!({"spec": {}, "status": {"phase": if changed { "Running" } else { "Pending" }}})
        }
        WatchedKind::EndpointSlice => json!({"endpoints": [{"conditions": {"ready": changed}}],
            "ports": [{"name": "http"}]}),
        WatchedKind::Prometheus | WatchedKind::PrometheusAgent => {
            json!({"spec": {"serviceMonitorSelector": if changed { json!({}) } else { json!(null) }}})
        }
    };
    for (key, value) in whole.as_object().unwrap() {
        object[key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

fn store() -> Store {
    let store = Store::default();
    for (namespace, name) in [("bank", "orders"), ("shop", "orders"), ("shop", "users")] {
        let api = json!({"metadata": {"name": name, "namespace": namespace, "uid": "u", "resourceVersion": "1"}});
        let api: ApiItem = serde_json::from_value(api).unwrap();
        store.upsert(WatchedKind::MonitoredApi, api, Source::Answer(None));
    }
    store
}

fn cached<T: Watched>(store: &Store) -> usize {
    T::map(&mut store.lock()).all().count()
}

fn check<T: Watched>(kind: WatchedKind, expected: &Expected) {
    let item = |version, variant| object::<T>(kind, "shop", version, variant);
    let store = Store::default();
    let event = |version, variant| store.upsert(kind, item(version, variant), Source::Event(1)).1;
    assert_eq!(event(5, Variant::Same), expected.inserted, "{kind:?} inserted");
    assert_eq!(
        event(6, Variant::Status),
        expected.status,
        "{kind:?} changed in its status"
    );
    assert_eq!(event(5, Variant::Same), NONE, "{kind:?} older");
    assert_eq!(event(6, Variant::Status), NONE, "{kind:?} still the newer one");

    store.upsert(kind, item(8, Variant::Work), Source::Answer(None));
    assert_eq!(event(8, Variant::Work), NONE, "{kind:?} our own write");
    assert_eq!(event(7, Variant::Status), NONE, "{kind:?} older than our own write");
    event(9, Variant::Same);
    assert_eq!(
        event(10, Variant::Work),
        expected.work,
        "{kind:?} changed in what we write"
    );

    let (key, removed) = store.remove(kind, item(11, Variant::Work));
    assert_eq!(removed, expected.removed, "{kind:?} removed");
    assert_eq!(cached::<T>(&store), 0, "{kind:?} removed");
    assert_eq!(
        store.remove(kind, item(11, Variant::Work)).1,
        NONE,
        "{kind:?} removed twice"
    );

    let affected = self::store().affected_apis::<T>(&key);
    let mut affected: Vec<_> = affected.iter().map(ToString::to_string).collect();
    affected.sort_unstable();
    assert_eq!(affected, expected.affected, "{kind:?}");
}

fn check_relist<T: Watched>(kind: WatchedKind, namespaced: bool, expected: &Expected) {
    let store = Store::default();
    for namespace in ["bank", "shop"] {
        store.upsert(kind, object::<T>(kind, namespace, 5, Variant::Same), Source::List(1));
    }
    if namespaced {
        let swept = store.sweep::<T>(kind, 2, Some("bank"));
        assert_eq!(
            swept.len(),
            1,
            "{kind:?}: a list of one namespace says nothing of another"
        );
        assert_eq!(swept[0].1, expected.removed, "{kind:?}");
        store.upsert(kind, object::<T>(kind, "bank", 5, Variant::Same), Source::List(2));
    }
    store.upsert(kind, object::<T>(kind, "bank", 5, Variant::Same), Source::List(3));
    let swept = store.sweep::<T>(kind, 3, None);
    assert_eq!(swept.len(), 1, "{kind:?}: the list did not name the one in shop");
    assert_eq!(cached::<T>(&store), 1, "{kind:?}");
}

fn check_both<T: Watched>(kind: WatchedKind, namespaced: bool, expected: &Expected) {
    check::<T>(kind, expected);
    check_relist::<T>(kind, namespaced, expected);
}

#[test]
fn every_watched_kind_is_cached_and_leads_to_the_work_that_its_change_needs() {
    let only_status = Expected {
        inserted: STATUS,
        status: STATUS,
        work: STATUS,
        removed: STATUS,
        affected: OWNER,
    };
    for row in watched_kinds() {
        let (kind, namespaced) = (row.kind, row.kind != WatchedKind::Namespace);
        match kind {
            WatchedKind::MonitoredApi => {
                let expected = Expected {
                    inserted: WORK,
                    work: WORK,
                    removed: WORK,
                    ..only_status
                };
                check_both::<ApiItem>(kind, namespaced, &expected);
            }
            WatchedKind::Child(_) => {
                let expected = Expected {
                    inserted: WORK,
                    status: if row.watch == Watch::Whole { STATUS } else { NONE },
                    work: WORK,
                    removed: WORK,
                    ..only_status
                };
                check_both::<ChildItem>(kind, namespaced, &expected);
            }
            // These have nothing that a write to children depends on.
            WatchedKind::Pod => check_both::<PodItem>(
                kind,
                namespaced,
                &Expected {
                    work: NONE,
                    ..only_status
                },
            ),
            WatchedKind::EndpointSlice => check_both::<SliceItem>(
                kind,
                namespaced,
                &Expected {
                    work: NONE,
                    ..only_status
                },
            ),
            WatchedKind::Prometheus | WatchedKind::PrometheusAgent => {
                let expected = Expected {
                    work: NONE,
                    affected: &["bank/orders", "shop/orders", "shop/users"],
                    ..only_status
                };
                check_both::<PrometheusItem>(kind, namespaced, &expected);
            }
            WatchedKind::Namespace => {
                let expected = Expected {
                    work: NONE,
                    removed: NONE,
                    affected: &["shop/orders", "shop/users"],
                    ..only_status
                };
                check_both::<NamespaceItem>(kind, namespaced, &expected);
            }
        }
    }
}

#[test]
fn the_whole_answer_to_a_write_equals_the_event_of_a_kind_that_is_watched_by_metadata() {
    let kind = WatchedKind::Child(ChildKind::SERVICE);
    let store = Store::default();
    let mut answer = json!({"metadata": metadata(kind, "shop", 5, Variant::Same)});
    answer["status"] = json!({"loadBalancer": {}});
    let answer: ChildItem = serde_json::from_value(answer).unwrap();
    store.upsert(kind, answer, Source::Answer(None));
    let event: ChildItem = object(kind, "shop", 5, Variant::Same);
    assert_eq!(store.upsert(kind, event, Source::Event(1)).1, NONE);
}

#[test]
fn a_change_of_who_owns_the_replicas_leads_to_work() {
    let kind = WatchedKind::Child(ChildKind::DEPLOYMENT);
    let store = Store::default();
    let event = |version: u64, replicas: i32| {
        let mut item = json!({"metadata": metadata(kind, "shop", version, Variant::Same)});
        item["spec"] = json!({"replicas": replicas});
        let item: ChildItem = serde_json::from_value(item).unwrap();
        store.upsert(kind, item, Source::Event(1)).1
    };
    event(1, 2);
    assert_eq!(event(2, 3), WORK);
    let key = NamespacedName::new("shop", "orders");
    let (live, version) = store.live_replicas(&key).unwrap();
    assert_eq!((live.replicas, version.as_str()), (3, "2"));
}

#[tokio::test(start_paused = true)]
async fn names_that_come_and_go_leave_nothing_behind_and_those_in_use_stay_one_allocation() {
    let store = store();
    let named = |name: &str| -> ApiItem {
        let api = json!({"metadata": {"name": name, "namespace": "shop", "uid": "u", "resourceVersion": "1"}});
        serde_json::from_value(api).unwrap()
    };
    let of = |name: &str| store.key(("shop", name));
    let used = of("orders");
    for number in 0..4 * LEAST_KEYS {
        let name = format!("passing-{number}");
        store.upsert(WatchedKind::MonitoredApi, named(&name), Source::Event(1));
        store.remove(WatchedKind::MonitoredApi, named(&name));
        of(&format!("asked-for-{number}"));
        // What was removed is remembered for a while.
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    let kept = store.lock().keys.len();
    assert!(kept <= LEAST_KEYS, "{kept} names are kept");
    assert!(std::ptr::eq(&*used.name, &*of("orders").name), "another allocation");
    assert_eq!(cached::<ApiItem>(&store), 3);
}

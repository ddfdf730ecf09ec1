//! The operator and its children on a real API server: it creates, changes, repairs and deletes them, and leaves foreign
//! objects alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod autoscaling;
mod lint;
mod many;
mod outside;
mod storage;
mod webhooks;

use std::{sync::LazyLock, time::Duration};

use integration_tests::{
    eventually,
    install::{Installed, prometheus_operator_crds},
    kubernetes::{DEPLOYMENTS, Kubernetes, MONITORED_APIS, Resource, SERVICES, condition, monitored_api, says},
    operator::Operator,
};
use serde_json::{Value, json};
use testbed::Testbed;

const SERVICE_ACCOUNTS: Resource = Resource::new("", "v1", "serviceaccounts");
const CONFIG_MAPS: Resource = Resource::new("", "v1", "configmaps");
const SERVICE_MONITORS: Resource = Resource::new("monitoring.coreos.com", "v1", "servicemonitors");
const RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");

/// Kinds and names of the children of a MonitoredApi `orders` with default monitoring.
const CHILDREN: [(Resource, &str); 6] = [
    (SERVICE_ACCOUNTS, "orders"),
    (SERVICES, "orders"),
    (SERVICE_MONITORS, "orders"),
    (RULES, "orders"),
    (CONFIG_MAPS, "orders-dashboard"),
    (DEPLOYMENTS, "orders"),
];

/// Longest wait. Deletions wait for the garbage collector, which learns of new kinds, such as our CRD, every thirty seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// One control plane and one operator for all tests of this file; each has a namespace of its own.
struct Bed {
    bed: Testbed,
    _operator: Operator,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let bed = Testbed::builder("operator-children").start().expect("start a test bed");
    prometheus_operator_crds(&bed).expect("install Prometheus Operator's CRDs");
    let installed = Installed::into(&bed).expect("install the operator's user");
    let operator = installed.start_operator().expect("start the operator");
    Bed {
        bed,
        _operator: operator,
    }
});

/// A namespace with the MonitoredApi `orders`, whose children are applied.
struct Shop {
    api: Kubernetes,
    namespace: &'static str,
}

impl Shop {
    fn empty(namespace: &'static str) -> Self {
        let api = Kubernetes::connect(&BED.bed.kubeconfig()).unwrap();
        api.create_namespace(namespace).unwrap();
        Self { api, namespace }
    }

    fn with(namespace: &'static str, spec: &Value) -> Self {
        let shop = Self::empty(namespace);
        shop.create(spec);
        shop.wait_says("ChildrenApplied", "True");
        shop
    }

    fn create(&self, spec: &Value) {
        let orders = monitored_api("orders", spec);
        self.api
            .create(&MONITORED_APIS.within(self.namespace), &orders)
            .unwrap();
    }

    fn path(&self, kind: Resource, name: &str) -> String {
        kind.object(self.namespace, name)
    }

    fn get(&self, kind: Resource, name: &str) -> Value {
        self.api
            .get(&self.path(kind, name))
            .unwrap()
            .unwrap_or_else(|| panic!("no {}/{name}", kind.plural))
    }

    fn orders(&self) -> String {
        self.path(MONITORED_APIS, "orders")
    }

    fn edit(&self, spec: &Value) {
        self.api.merge(&self.orders(), &json!({"spec": spec})).unwrap();
    }

    fn wait_says(&self, name: &str, status: &str) -> Value {
        self.api
            .wait_for(&self.orders(), PATIENCE, |found| says(found, name, status))
            .unwrap()
    }

    fn wait(&self, kind: Resource, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = self.api.wait_for(&self.path(kind, name), PATIENCE, |found| {
            if wanted(found) { Ok(()) } else { Err(found.to_string()) }
        });
        found.unwrap()
    }

    /// The children that exist.
    fn existing(&self) -> Vec<String> {
        let there = |(kind, name): &(Resource, &str)| self.api.get(&self.path(*kind, name)).unwrap().is_some();
        let names = CHILDREN.iter().filter(|child| there(child));
        names.map(|(kind, name)| format!("{}/{name}", kind.plural)).collect()
    }

    fn wait_nothing_left(&self) {
        eventually("all objects to be gone", PATIENCE, || {
            let existing = self.existing();
            Ok(if existing.is_empty() {
                Ok(())
            } else {
                Err(existing.join(" "))
            })
        })
        .unwrap();
    }
}

fn image(deployment: &Value) -> &str {
    deployment
        .pointer("/spec/template/spec/containers/0/image")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn uid(object: &Value) -> &str {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap()
}

fn version(object: &Value) -> &str {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .unwrap()
}

/// The managers of an object's fields, without those of its status.
fn managers(object: &Value) -> Vec<String> {
    let entries = object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .unwrap();
    let text = |entry: &Value, field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    entries
        .iter()
        .filter(|entry| text(entry, "subresource").is_empty())
        .map(|entry| format!("{} {}", text(entry, "manager"), text(entry, "operation")))
        .collect()
}

#[test]
fn a_new_api_gets_every_child_owned_labelled_and_recorded() {
    let shop = Shop::with(
        "create",
        &json!({"image": "example.org/orders:1", "replicas": 2, "port": 9000}),
    );
    let orders = shop.get(MONITORED_APIS, "orders");
    for (kind, name) in CHILDREN {
        let child = shop.get(kind, name);
        let owner = &child["metadata"]["ownerReferences"][0];
        assert_eq!(owner["uid"].as_str().unwrap(), uid(&orders), "{}", kind.plural);
        assert_eq!(owner["controller"], json!(true));
        assert_eq!(owner["blockOwnerDeletion"], json!(true));
        let labels = &child["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], json!("monitored-api"));
        assert_eq!(labels["monitoredapi.io/name"], json!("orders"));
        // The Deployment controller owns the revision annotation.
        let ours: Vec<_> = managers(&child);
        assert!(ours.contains(&"monitored-api Apply".to_owned()), "{ours:?}");
        let record = orders["status"]["children"].as_array().unwrap().iter();
        let record = record.filter(|record| record["uid"] == child["metadata"]["uid"]);
        assert_eq!(record.count(), 1, "{} must be recorded once", kind.plural);
    }
    assert_eq!(orders["status"]["children"].as_array().unwrap().len(), CHILDREN.len());
    let deployment = shop.get(DEPLOYMENTS, "orders");
    assert_eq!(image(&deployment), "example.org/orders:1");
    assert_eq!(deployment["spec"]["replicas"], json!(2));
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], json!(9000));
    assert_eq!(
        shop.get(SERVICES, "orders")["spec"]["ports"][0]["targetPort"],
        json!("http")
    );
}

#[test]
fn an_edit_reaches_the_child_and_no_other_child_is_written() {
    let shop = Shop::with("edit", &json!({"image": "example.org/orders:1"}));
    let service = shop.get(SERVICES, "orders");
    shop.edit(&json!({"image": "example.org/orders:2"}));
    shop.wait(DEPLOYMENTS, "orders", |found| image(found) == "example.org/orders:2");
    shop.wait_says("ChildrenApplied", "True");
    assert_eq!(version(&shop.get(SERVICES, "orders")), version(&service));
}

#[test]
fn a_field_removed_from_the_api_is_removed_from_the_child() {
    let shop = Shop::with(
        "removal",
        &json!({"image": "a", "podAnnotations": {"one": "1", "two": "2"}}),
    );
    let annotations = |found: &Value| found.pointer("/spec/template/metadata/annotations").cloned();
    assert_eq!(
        annotations(&shop.get(DEPLOYMENTS, "orders")),
        Some(json!({"one": "1", "two": "2"}))
    );
    shop.edit(&json!({"podAnnotations": {"two": null}}));
    shop.wait(DEPLOYMENTS, "orders", |found| {
        annotations(found) == Some(json!({"one": "1"}))
    });
    shop.edit(&json!({"podAnnotations": null}));
    shop.wait(DEPLOYMENTS, "orders", |found| annotations(found).is_none());
}

#[test]
fn a_users_change_of_our_field_is_reverted_and_of_another_kept() {
    let shop = Shop::with("drift", &json!({"image": "example.org/orders:1"}));
    let service = shop.path(SERVICES, "orders");
    let theirs = json!({"metadata": {"labels": {"team": "shop"}}, "spec": {"selector": {"extra": "x"}}});
    shop.api.merge(&service, &theirs).unwrap();
    let ours = json!({"spec": {"ports": [{"name": "http", "port": 81}]}});
    shop.api.merge(&service, &ours).unwrap();
    let wanted = |found: &Value| found["spec"]["ports"][0]["port"] == 80;
    let repaired = shop.wait(SERVICES, "orders", wanted);
    assert_eq!(repaired["metadata"]["labels"]["team"], json!("shop"));
    let deployment = shop.path(DEPLOYMENTS, "orders");
    let container = json!([{"name": "api", "image": "example.org/evil:1"}]);
    let evil = json!({"spec": {"template": {"spec": {"containers": container}}}});
    shop.api.merge(&deployment, &evil).unwrap();
    shop.wait(DEPLOYMENTS, "orders", |found| image(found) == "example.org/orders:1");
    // A label that a user adds is not ours. The next reconcile, which an edit causes, does not write the Service.
    shop.api
        .merge(&service, &json!({"metadata": {"labels": {"team": "other"}}}))
        .unwrap();
    let after = shop.get(SERVICES, "orders");
    shop.edit(&json!({"image": "example.org/orders:2"}));
    shop.wait(DEPLOYMENTS, "orders", |found| image(found) == "example.org/orders:2");
    shop.wait_says("ChildrenApplied", "True");
    assert_eq!(version(&shop.get(SERVICES, "orders")), version(&after));
}

#[test]
fn every_deleted_child_comes_back() {
    let shop = Shop::with("deleted", &json!({"image": "a"}));
    for (kind, name) in CHILDREN {
        let before = shop.get(kind, name);
        shop.api.delete(&shop.path(kind, name)).unwrap();
        shop.wait(kind, name, |found| uid(found) != uid(&before));
    }
    shop.wait_says("ChildrenApplied", "True");
}

#[test]
fn a_foreign_object_is_left_alone_and_reported_and_replaced_after_its_deletion() {
    let shop = Shop::empty("foreign");
    let foreign = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "orders"},
        "spec": {"selector": {"app": "legacy"}, "ports": [{"port": 8080}]},
    });
    let foreign = shop.api.create(&SERVICES.within("foreign"), &foreign).unwrap();
    shop.create(&json!({"image": "a"}));
    let orders = shop.wait_says("ChildrenApplied", "False");
    let (_, reason, message) = condition(&orders, "ChildrenApplied").unwrap();
    assert_eq!(reason, "Conflict", "{message}");
    assert!(message.contains("Service orders"), "{message}");
    // The other children are applied, and the foreign object is unchanged.
    shop.wait(DEPLOYMENTS, "orders", |_| true);
    assert_eq!(shop.existing().len(), CHILDREN.len());
    assert_eq!(version(&shop.get(SERVICES, "orders")), version(&foreign));
    shop.api.delete(&shop.path(SERVICES, "orders")).unwrap();
    shop.wait(SERVICES, "orders", |found| uid(found) != uid(&foreign));
    shop.wait_says("ChildrenApplied", "True");
}

#[test]
fn an_object_that_a_person_hands_over_is_adopted_in_place() {
    let shop = Shop::empty("adopt");
    let legacy = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "orders", "annotations": {"monitoredapi.io/adopt": "true"}},
        "spec": {"ports": [{"name": "http", "port": 80}]},
    });
    let legacy = shop.api.create(&SERVICES.within("adopt"), &legacy).unwrap();
    shop.create(&json!({"image": "a"}));
    let orders = shop.wait_says("ChildrenApplied", "True");
    let adopted = shop.get(SERVICES, "orders");
    assert_eq!(uid(&adopted), uid(&legacy));
    assert_eq!(
        adopted["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap(),
        uid(&orders)
    );
}

#[test]
fn children_of_a_feature_are_deleted_when_it_is_turned_off_and_come_back_when_it_is_turned_on() {
    let shop = Shop::with("prune", &json!({"image": "a"}));
    shop.edit(&json!({"monitoring": {"enabled": false}}));
    for (kind, name) in [
        (SERVICE_MONITORS, "orders"),
        (RULES, "orders"),
        (CONFIG_MAPS, "orders-dashboard"),
    ] {
        shop.api.wait_gone(&shop.path(kind, name), PATIENCE).unwrap();
    }
    assert_eq!(
        shop.existing(),
        ["serviceaccounts/orders", "services/orders", "deployments/orders"]
    );
    let orders = shop.wait_says("ChildrenApplied", "True");
    assert_eq!(orders["status"]["children"].as_array().unwrap().len(), 3);
    shop.edit(&json!({"monitoring": null}));
    for (kind, name) in CHILDREN {
        shop.wait(kind, name, |_| true);
    }
}

#[test]
fn metrics_on_a_port_of_their_own_get_and_lose_a_service_of_their_own() {
    let shop = Shop::with("metrics-port", &json!({"image": "a", "metrics": {"port": 9100}}));
    let service = shop.get(SERVICES, "orders-metrics");
    assert_eq!(service["spec"]["clusterIP"], json!("None"));
    shop.edit(&json!({"metrics": null}));
    let path = shop.path(SERVICES, "orders-metrics");
    shop.api.wait_gone(&path, PATIENCE).unwrap();
    assert!(shop.api.get(&shop.path(SERVICES, "orders")).unwrap().is_some());
}

#[test]
fn a_suspended_api_is_not_written_and_goes_on_afterwards() {
    let shop = Shop::with("suspended", &json!({"image": "example.org/orders:1"}));
    shop.edit(&json!({"suspend": true, "image": "example.org/orders:2"}));
    shop.api
        .wait_for(&shop.orders(), PATIENCE, |found| {
            let seen = found["status"]["observedGeneration"] == found["metadata"]["generation"];
            if seen { Ok(()) } else { Err(found["status"].to_string()) }
        })
        .unwrap();
    assert_eq!(image(&shop.get(DEPLOYMENTS, "orders")), "example.org/orders:1");
    shop.edit(&json!({"suspend": null}));
    shop.wait(DEPLOYMENTS, "orders", |found| image(found) == "example.org/orders:2");
}

#[test]
fn an_invalid_edit_leaves_the_children_and_a_corrected_one_goes_through() {
    let shop = Shop::with("invalid", &json!({"image": "example.org/orders:1"}));
    shop.edit(&json!({"preset": "no-such-preset", "image": "example.org/orders:2"}));
    let orders = shop.wait_says("Accepted", "False");
    assert!(condition(&orders, "Accepted").unwrap().2.contains("spec.preset"));
    assert_eq!(image(&shop.get(DEPLOYMENTS, "orders")), "example.org/orders:1");
    assert_eq!(orders["status"]["children"].as_array().unwrap().len(), CHILDREN.len());
    shop.edit(&json!({"preset": "auto"}));
    shop.wait(DEPLOYMENTS, "orders", |found| image(found) == "example.org/orders:2");
}

#[test]
fn a_number_of_pods_that_is_set_and_unset_stays_what_it_is() {
    let shop = Shop::with("replicas", &json!({"image": "a", "replicas": 3}));
    shop.edit(&json!({"replicas": null}));
    shop.wait_says("ChildrenApplied", "True");
    assert_eq!(shop.get(DEPLOYMENTS, "orders")["spec"]["replicas"], json!(3));
    // From here on the field belongs to whoever sets it.
    let scale = json!({"spec": {"replicas": 5}});
    shop.api
        .merge(&format!("{}/scale", shop.path(DEPLOYMENTS, "orders")), &scale)
        .unwrap();
    shop.edit(&json!({"image": "b"}));
    let scaled = shop.wait(DEPLOYMENTS, "orders", |found| image(found) == "b");
    assert_eq!(scaled["spec"]["replicas"], json!(5));
}

#[test]
fn a_number_of_pods_outlives_the_loss_of_the_label_that_the_watch_selects_by() {
    let shop = Shop::with("relabelled", &json!({"image": "a", "replicas": 5}));
    shop.edit(&json!({"replicas": null}));
    shop.wait_says("ChildrenApplied", "True");
    let before = shop.get(DEPLOYMENTS, "orders");
    assert_eq!(before["spec"]["replicas"], json!(5));
    for label in [json!(null), json!("me")] {
        let stripped = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": label}}});
        shop.api.merge(&shop.path(DEPLOYMENTS, "orders"), &stripped).unwrap();
        let labelled = |found: &Value| found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "monitored-api";
        let repaired = shop.wait(DEPLOYMENTS, "orders", labelled);
        assert_eq!(repaired["spec"]["replicas"], json!(5));
        assert_eq!(uid(&repaired), uid(&before));
    }
}

#[test]
fn deleting_the_api_in_the_background_leaves_nothing() {
    let shop = Shop::with("background", &json!({"image": "a"}));
    shop.api.delete(&shop.orders()).unwrap();
    shop.api.wait_gone(&shop.orders(), PATIENCE).unwrap();
    shop.wait_nothing_left();
}

#[test]
fn deleting_the_api_in_the_foreground_leaves_nothing_and_recreates_nothing() {
    let shop = Shop::with("foreground", &json!({"image": "a"}));
    BED.bed
        .kubectl(&[
            "-n",
            "foreground",
            "delete",
            "monitoredapi",
            "orders",
            "--cascade=foreground",
            "--timeout=90s",
        ])
        .unwrap();
    assert!(shop.api.get(&shop.orders()).unwrap().is_none());
    assert_eq!(shop.existing(), Vec::<String>::new());
}

#[test]
fn a_namesake_made_right_after_a_deletion_gets_children_of_its_own() {
    let shop = Shop::with("namesake", &json!({"image": "example.org/orders:1"}));
    let first = shop.get(MONITORED_APIS, "orders");
    shop.api.delete(&shop.orders()).unwrap();
    shop.api.wait_gone(&shop.orders(), PATIENCE).unwrap();
    shop.create(&json!({"image": "example.org/orders:2"}));
    let second = shop.wait_says("ChildrenApplied", "True");
    assert_ne!(uid(&first), uid(&second));
    for (kind, name) in CHILDREN {
        let owned = |found: &Value| found["metadata"]["ownerReferences"][0]["uid"].as_str() == Some(uid(&second));
        shop.wait(kind, name, owned);
    }
    assert_eq!(image(&shop.get(DEPLOYMENTS, "orders")), "example.org/orders:2");
}

#[test]
fn a_removed_owner_reference_is_reported_and_nothing_is_duplicated() {
    let shop = Shop::with("stripped", &json!({"image": "a"}));
    let before = shop.get(SERVICES, "orders");
    shop.api
        .merge(
            &shop.path(SERVICES, "orders"),
            &json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}}),
        )
        .unwrap();
    // A label of ours is restored on the same object.
    let label = |found: &Value| found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "monitored-api";
    let repaired = shop.wait(SERVICES, "orders", label);
    assert_eq!(uid(&repaired), uid(&before));
    shop.wait_says("ChildrenApplied", "True");
}

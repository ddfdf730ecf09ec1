//! The claim for data: it is created and bound, kept when the spec no longer wants it, never shrunk, and never one that
//! belongs to another owner.

use integration_tests::{
    install::OPERATOR_USER,
    kubernetes::{DEPLOYMENTS, MONITORED_APIS, Resource, condition},
};
use serde_json::{Value, json};

use super::{PATIENCE, Shop, uid};

const CLAIMS: Resource = Resource::new("", "v1", "persistentvolumeclaims");
const APPLIED: (&str, &str) = ("True", "Applied");
const KEPT: (&str, &str) = ("True", "DataKept");
const VOLUMES: &str = "/api/v1/persistentvolumes";

/// Creates a PersistentVolume of the class `manual`, as an administrator does.
fn volume(shop: &Shop, name: &str) {
    volume_of_class(shop, name, "manual");
}

fn volume_of_class(shop: &Shop, name: &str, class: &str) {
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": format!("/tmp/{name}")},
            "claimRef": {"namespace": shop.namespace, "name": "orders"},
        },
    });
    shop.api.create(VOLUMES, &volume).unwrap();
}

/// Waits until a condition has this status and reason, and `part` in its message; returns the message.
fn wait_says(shop: &Shop, name: &str, (status, reason): (&str, &str), part: &str) -> String {
    let found = shop.wait(MONITORED_APIS, "orders", |found| {
        let current = found["status"]["observedGeneration"] == found["metadata"]["generation"];
        let says = |(truth, why, said): (&str, &str, &str)| (truth, why) == (status, reason) && said.contains(part);
        current && condition(found, name).is_some_and(says)
    });
    condition(&found, name).unwrap().2.to_owned()
}

fn mounted_claim(deployment: &Value) -> Option<&str> {
    deployment
        .pointer("/spec/template/spec/volumes/1/persistentVolumeClaim/claimName")
        .and_then(Value::as_str)
}

fn state(shop: &Shop) -> Option<String> {
    let orders = shop.get(MONITORED_APIS, "orders");
    let mut records = orders["status"]["children"].as_array().unwrap().iter();
    let record = records.find(|record| record["kind"] == "PersistentVolumeClaim")?;
    record["state"].as_str().map(str::to_owned)
}

#[test]
fn a_claim_waits_for_a_volume_and_says_so_is_kept_when_it_is_not_wanted_and_found_again() {
    let storage = json!({"size": "1Gi", "storageClassName": "manual"});
    let shop = Shop::with("storage", &json!({"image": "a", "storage": storage}));
    let claim = shop.get(CLAIMS, "orders");
    let orders = shop.get(MONITORED_APIS, "orders");
    assert_eq!(
        claim["metadata"]["ownerReferences"][0]["uid"].as_str(),
        Some(uid(&orders))
    );
    let deployment = shop.get(DEPLOYMENTS, "orders");
    assert_eq!(mounted_claim(&deployment), Some("orders"));
    assert_eq!(deployment["spec"]["strategy"], json!({"type": "Recreate"}));
    let pending = ("False", "ClaimPending");
    wait_says(
        &shop,
        "WorkloadReady",
        pending,
        "the StorageClass manual does not exist",
    );

    volume(&shop, "storage-orders");
    shop.wait(CLAIMS, "orders", |found| found["status"]["phase"] == "Bound");
    shop.wait(MONITORED_APIS, "orders", |_| state(&shop).as_deref() == Some("Ready"));

    shop.edit(&json!({"storage": null}));
    wait_says(&shop, "ChildrenApplied", KEPT, "PersistentVolumeClaim orders");
    assert_eq!(mounted_claim(&shop.get(DEPLOYMENTS, "orders")), None);
    assert_eq!(state(&shop).as_deref(), Some("Kept"));
    assert_eq!(uid(&shop.get(CLAIMS, "orders")), uid(&claim));

    shop.edit(&json!({"storage": storage}));
    wait_says(&shop, "ChildrenApplied", APPLIED, "");
    assert_eq!(uid(&shop.get(CLAIMS, "orders")), uid(&claim));
    assert_eq!(mounted_claim(&shop.get(DEPLOYMENTS, "orders")), Some("orders"));

    // The status names the kept claim until the claim is deleted.
    shop.edit(&json!({"storage": null}));
    wait_says(&shop, "ChildrenApplied", KEPT, "");
    shop.api.delete(&shop.path(CLAIMS, "orders")).unwrap();
    wait_says(&shop, "ChildrenApplied", APPLIED, "");
    assert_eq!(state(&shop), None);
}

#[test]
fn a_change_that_a_volume_cannot_follow_is_reported_with_the_fix_and_can_be_reverted() {
    let storage = |size: &str, class: &str| json!({"storage": {"size": size, "storageClassName": class}});
    let mut spec = storage("1Gi", "manual");
    spec["image"] = json!("a");
    let shop = Shop::empty("resize");
    volume(&shop, "resize-orders");
    shop.create(&spec);
    shop.wait(CLAIMS, "orders", |found| found["status"]["phase"] == "Bound");
    for (size, class, part) in [
        ("1Mi", "manual", "cannot shrink"),
        ("2Gi", "manual", "allowVolumeExpansion"),
        ("1Gi", "other", "StorageClass of a claim is fixed"),
    ] {
        shop.edit(&storage(size, class));
        let said = wait_says(&shop, "ChildrenApplied", ("False", "Invalid"), part);
        assert!(said.contains("set spec.storage"), "{said}");
        shop.edit(&storage("1Gi", "manual"));
        wait_says(&shop, "ChildrenApplied", APPLIED, "");
    }
    // Even if a user scales the Deployment, a volume never gets a second pod.
    let scale = format!("{}/scale", shop.path(DEPLOYMENTS, "orders"));
    shop.api.merge(&scale, &json!({"spec": {"replicas": 3}})).unwrap();
    shop.wait(DEPLOYMENTS, "orders", |found| found["spec"]["replicas"] == 1);
}

#[test]
fn a_claim_that_a_person_made_larger_keeps_its_size_and_the_status_says_what_to_write() {
    let shop = Shop::empty("grown");
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "growing"},
        "provisioner": "kubernetes.io/no-provisioner", "allowVolumeExpansion": true,
    });
    shop.api
        .create("/apis/storage.k8s.io/v1/storageclasses", &class)
        .unwrap();
    volume_of_class(&shop, "grown-orders", "growing");
    shop.create(&json!({"image": "a", "storage": {"size": "1Gi", "storageClassName": "growing"}}));
    shop.wait(CLAIMS, "orders", |found| found["status"]["phase"] == "Bound");
    wait_says(&shop, "ChildrenApplied", APPLIED, "");
    let larger = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
    shop.api.merge(&shop.path(CLAIMS, "orders"), &larger).unwrap();
    wait_says(&shop, "ChildrenApplied", APPLIED, "set spec.storage.size: 2Gi");
    // Written again, for another reason: the size stays.
    shop.edit(&json!({"objectLabels": {"team": "shop"}}));
    let labelled = |found: &Value| found["metadata"]["labels"]["team"] == "shop";
    let claim = shop.wait(CLAIMS, "orders", labelled);
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "2Gi");
    shop.edit(&json!({"storage": {"size": "2Gi"}}));
    shop.wait(MONITORED_APIS, "orders", |found| {
        condition(found, "ChildrenApplied") == Some(("True", "Applied", "every object is as the spec wants it"))
    });
}

#[test]
fn no_pod_mounts_a_foreign_claim_and_the_own_one_goes_with_its_api() {
    let shop = Shop::empty("foreign-claim");
    let foreign = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "orders"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
    });
    let foreign = shop.api.create(&CLAIMS.within("foreign-claim"), &foreign).unwrap();
    shop.create(&json!({"image": "a", "storage": {"size": "1Gi"}}));
    let foreign_claim = "PersistentVolumeClaim orders exists and does not belong to this MonitoredApi";
    wait_says(&shop, "ChildrenApplied", ("False", "Conflict"), foreign_claim);
    assert!(
        shop.api.get(&shop.path(DEPLOYMENTS, "orders")).unwrap().is_none(),
        "no pod may mount a foreign volume"
    );
    shop.api.delete(&shop.path(CLAIMS, "orders")).unwrap();
    shop.wait(CLAIMS, "orders", |found| uid(found) != uid(&foreign));
    wait_says(&shop, "ChildrenApplied", APPLIED, "");
    shop.wait(DEPLOYMENTS, "orders", |found| mounted_claim(found) == Some("orders"));

    shop.api.delete(&shop.orders()).unwrap();
    shop.api.wait_gone(&shop.path(CLAIMS, "orders"), PATIENCE).unwrap();
}

#[test]
fn a_claim_is_taken_over_where_the_operator_may_delete_it_and_otherwise_it_is_told_what_is_missing() {
    let shop = Shop::empty("claim-adopt");
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "orders", "annotations": {"monitoredapi.io/adopt": "true"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let claim = shop.api.create(&CLAIMS.within("claim-adopt"), &claim).unwrap();
    shop.create(&json!({"image": "a", "storage": {"size": "1Gi"}}));
    // The API server of the test bed runs OwnerReferencesPermissionEnforcement.
    let forbidden = ("False", "Forbidden");
    wait_says(
        &shop,
        "ChildrenApplied",
        forbidden,
        "grant the operator delete on this object until it has taken it over",
    );
    assert!(shop.api.get(&shop.path(DEPLOYMENTS, "orders")).unwrap().is_none());
    let rbac = |plural| Resource::new("rbac.authorization.k8s.io", "v1", plural).within("claim-adopt");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "adopt-orders"},
        "rules": [{"apiGroups": [""], "resources": ["persistentvolumeclaims"], "resourceNames": ["orders"], "verbs": ["delete"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "adopt-orders"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "adopt-orders"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR_USER}],
    });
    shop.api.create(&rbac("roles"), &role).unwrap();
    shop.api.create(&rbac("rolebindings"), &binding).unwrap();
    let now = json!({"metadata": {"annotations": {"monitoredapi.io/reconcile-at": "now"}}});
    shop.api.merge(&shop.orders(), &now).unwrap();
    let taken = shop.wait(CLAIMS, "orders", |found| {
        found["metadata"]["ownerReferences"][0]["kind"] == "MonitoredApi"
    });
    assert_eq!(uid(&taken), uid(&claim));
    shop.api
        .delete(&format!("{}/adopt-orders", rbac("rolebindings")))
        .unwrap();
    wait_says(&shop, "ChildrenApplied", APPLIED, "");
    assert_eq!(mounted_claim(&shop.get(DEPLOYMENTS, "orders")), Some("orders"));
}

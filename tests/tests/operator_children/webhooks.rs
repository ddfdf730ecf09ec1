//! Admission webhooks and policies of other products, and another writer: what the operator says of them on a real API server.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use integration_tests::kubernetes::{DEPLOYMENTS, MONITORED_APIS, Resource, SERVICES, condition};
use serde_json::{Value, json};

use super::{BED, PATIENCE, Shop};

const WEBHOOKS: Resource = Resource::new("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");
/// Seconds after which the API server gives a webhook up.
const GIVEN_UP_AFTER: u64 = 10;

/// The bridge of the test bed, and an address on it that nobody has.
const BRIDGE: &str = "testbed0";
const DROPPED: &str = "10.89.0.99";

/// A webhook of another product for these resources of the shop's namespace. It is called `pods.acme.io` for pods.
fn webhook(shop: &Shop, resource: &str, address: &str, policy: &str) {
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": format!("{}-{resource}", shop.namespace)},
        "webhooks": [{
            "name": format!("{resource}.acme.io"), "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("https://{address}/review")},
            "failurePolicy": policy, "timeoutSeconds": GIVEN_UP_AFTER,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}],
        }],
    });
    shop.api.create(&WEBHOOKS.everywhere(), &configuration).unwrap();
}

fn remove_webhook(shop: &Shop, resource: &str) {
    let name = format!("{}/{}-{resource}", WEBHOOKS.everywhere(), shop.namespace);
    shop.api.delete(&name).unwrap();
}

/// Waits until a condition is False with this reason; returns its message.
fn wait_reason(shop: &Shop, name: &str, reason: &str) -> String {
    let found = shop.wait(MONITORED_APIS, "orders", |found| {
        condition(found, name).is_some_and(|(truth, why, _)| (truth, why) == ("False", reason))
    });
    condition(&found, name).unwrap().2.to_owned()
}

#[test]
fn a_webhook_that_never_answers_and_may_be_ignored_delays_a_write_and_fails_none() {
    let shop = Shop::empty("webhook-silent");
    // Nobody has this hardware address, so what is sent to the address is lost, as behind a firewall.
    let lost = [
        "neigh",
        "replace",
        DROPPED,
        "lladdr",
        "02:00:00:00:00:63",
        "dev",
        BRIDGE,
        "nud",
        "permanent",
    ];
    BED.bed.run_inside(Path::new("ip"), &lost).unwrap();
    webhook(&shop, "services", &format!("{DROPPED}:443"), "Ignore");
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    shop.create(&json!({"image": "a"}));
    shop.wait_says("ChildrenApplied", "True");
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(GIVEN_UP_AFTER),
        "the webhook was not asked: {took:?}"
    );
    assert!(shop.api.get(&shop.path(SERVICES, "orders")).unwrap().is_some());
    remove_webhook(&shop, "services");
}

#[test]
fn a_webhook_that_is_down_is_named_whether_it_is_asked_about_a_child_or_about_pods() {
    let shop = Shop::empty("webhook-down");
    // Nothing listens on port 1.
    webhook(&shop, "pods", "127.0.0.1:1", "Fail");
    webhook(&shop, "services", "127.0.0.1:1", "Fail");
    std::thread::sleep(Duration::from_secs(2));
    shop.create(&json!({"image": "a"}));
    let said = wait_reason(&shop, "ChildrenApplied", "Failed");
    assert!(said.contains("the admission webhook services.acme.io"), "{said}");
    assert!(!said.contains("127.0.0.1"), "{said}");
    remove_webhook(&shop, "services");
    shop.wait_says("ChildrenApplied", "True");
    let said = wait_reason(&shop, "WorkloadReady", "ReplicaFailure");
    assert!(
        said.contains("pods cannot be created: the admission webhook pods.acme.io"),
        "{said}"
    );
    assert!(!said.contains("127.0.0.1"), "{said}");
    remove_webhook(&shop, "pods");
}

#[test]
fn an_autoscaler_beside_a_number_of_replicas_is_named_with_the_way_out() {
    let shop = Shop::with("autoscaled", &json!({"image": "a", "replicas": 2}));
    let scale = format!(
        "{}/scale?fieldManager=kube-controller-manager",
        shop.path(DEPLOYMENTS, "orders")
    );
    let contested =
        |found: &Value| condition(found, "ChildrenApplied").is_some_and(|(_, reason, _)| reason == "Contested");
    let begun = Instant::now();
    while !contested(&shop.get(MONITORED_APIS, "orders")) {
        assert!(begun.elapsed() < PATIENCE, "it is never told");
        // As a HorizontalPodAutoscaler does.
        shop.api.merge(&scale, &json!({"spec": {"replicas": 5}})).unwrap();
        std::thread::sleep(Duration::from_secs(1));
    }
    let said = wait_reason(&shop, "ChildrenApplied", "Contested");
    assert!(
        said.contains("kube-controller-manager sets its number of replicas too"),
        "{said}"
    );
    assert!(said.contains("remove spec.replicas"), "{said}");
    shop.edit(&json!({"replicas": null}));
    shop.api.merge(&scale, &json!({"spec": {"replicas": 4}})).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(shop.get(DEPLOYMENTS, "orders")["spec"]["replicas"], json!(4));
}

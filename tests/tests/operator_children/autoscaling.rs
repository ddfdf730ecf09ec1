//! The autoscaler: it is made, repaired and deleted, and the number of pods that it sets is never put back.

use integration_tests::kubernetes::{DEPLOYMENTS, MONITORED_APIS, Resource, condition};
use serde_json::{Value, json};

use super::{PATIENCE, Shop, image};

const AUTOSCALERS: Resource = Resource::new("autoscaling", "v2", "horizontalpodautoscalers");

fn replicas(deployment: &Value) -> &Value {
    &deployment["spec"]["replicas"]
}

/// Sets the number of pods as the controller of HorizontalPodAutoscalers does.
fn scale(shop: &Shop, number: u32) {
    let deployment = shop.path(DEPLOYMENTS, "orders");
    let scale = format!("{deployment}/scale?fieldManager=kube-controller-manager");
    shop.api.merge(&scale, &json!({"spec": {"replicas": number}})).unwrap();
}

/// Changes the image, so that the operator writes the Deployment, and returns the Deployment then.
fn roll(shop: &Shop, to: &str) -> Value {
    shop.edit(&json!({"image": to}));
    shop.wait(DEPLOYMENTS, "orders", |found| image(found) == to);
    // What else the operator would write, it has written when the status is of this edit.
    shop.wait(MONITORED_APIS, "orders", |found| {
        let current = found["status"]["observedGeneration"] == found["metadata"]["generation"];
        current && condition(found, "ChildrenApplied").is_some_and(|(status, _, _)| status == "True")
    });
    shop.get(DEPLOYMENTS, "orders")
}

/// Whether the operator is among the owners of the number of pods.
fn is_owned_by_the_operator(deployment: &Value) -> bool {
    let entries = deployment["metadata"]["managedFields"].as_array().unwrap();
    entries
        .iter()
        .any(|entry| entry["manager"] == "monitored-api" && entry.pointer("/fieldsV1/f:spec/f:replicas").is_some())
}

#[test]
fn an_autoscaler_takes_the_number_of_pods_over_and_it_stays_when_the_autoscaler_goes() {
    let autoscaling = json!({"minReplicas": 2, "maxReplicas": 6});
    let shop = Shop::with("autoscaling", &json!({"image": "a", "autoscaling": autoscaling}));
    let made = shop.get(AUTOSCALERS, "orders");
    assert_eq!(made["spec"]["scaleTargetRef"]["name"], "orders");
    assert_eq!(made["spec"]["maxReplicas"], 6);
    assert_eq!(made["metadata"]["ownerReferences"][0]["kind"], "MonitoredApi");
    let deployment = shop.get(DEPLOYMENTS, "orders");
    assert_eq!(replicas(&deployment), 2, "a new Deployment begins with the fewest");
    assert!(is_owned_by_the_operator(&deployment));

    scale(&shop, 5);
    let rolled = roll(&shop, "b");
    assert_eq!(replicas(&rolled), 5);
    assert!(!is_owned_by_the_operator(&rolled));
    scale(&shop, 3);
    assert_eq!(replicas(&roll(&shop, "c")), 3);

    // It has no generation: a change is seen by its managed fields.
    let path = shop.path(AUTOSCALERS, "orders");
    shop.api.merge(&path, &json!({"spec": {"maxReplicas": 60}})).unwrap();
    shop.wait(AUTOSCALERS, "orders", |found| found["spec"]["maxReplicas"] == 6);
    shop.edit(&json!({"autoscaling": {"maxReplicas": 8}}));
    shop.wait(AUTOSCALERS, "orders", |found| found["spec"]["maxReplicas"] == 8);

    shop.edit(&json!({"autoscaling": null}));
    shop.api.wait_gone(&path, PATIENCE).unwrap();
    assert_eq!(replicas(&shop.get(DEPLOYMENTS, "orders")), 3);
    assert_eq!(replicas(&roll(&shop, "d")), 3);
    shop.edit(&json!({"replicas": 1}));
    shop.wait(DEPLOYMENTS, "orders", |found| replicas(found) == 1);
}

#[test]
fn a_number_of_the_author_is_handed_over_as_it_is_and_told_as_ignored() {
    let shop = Shop::with("handover", &json!({"image": "a", "replicas": 4}));
    shop.edit(&json!({"autoscaling": {"minReplicas": 2, "maxReplicas": 6}}));
    shop.wait(AUTOSCALERS, "orders", |_| true);
    shop.wait(MONITORED_APIS, "orders", |found| {
        condition(found, "Accepted")
            .is_some_and(|(status, _, said)| status == "True" && said.contains("spec.replicas is ignored"))
    });
    assert_eq!(replicas(&roll(&shop, "b")), 4);
    // An edit of the ignored number changes nothing.
    shop.edit(&json!({"replicas": 1}));
    assert_eq!(replicas(&roll(&shop, "c")), 4);
    scale(&shop, 6);
    assert_eq!(replicas(&roll(&shop, "d")), 6);
}

#[test]
fn an_autoscaler_begins_with_its_fewest_pods_where_there_were_none() {
    let shop = Shop::with("from-zero", &json!({"image": "a", "replicas": 0}));
    assert_eq!(replicas(&shop.get(DEPLOYMENTS, "orders")), 0);
    shop.edit(&json!({"autoscaling": {"minReplicas": 2, "maxReplicas": 6}}));
    shop.wait(DEPLOYMENTS, "orders", |found| replicas(found) == 2);
    // Zero of somebody else is a pause.
    scale(&shop, 0);
    assert_eq!(replicas(&roll(&shop, "b")), 0);
}

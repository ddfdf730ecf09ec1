//! What others decide: a person who asks for a comparison, pods that still run, a policy of the platform.

use std::fs;

use integration_tests::{
    eventually,
    kubernetes::{DEPLOYMENTS, MONITORED_APIS, Resource, SERVICES, condition, monitored_api},
};
use serde_json::{Value, json};

use super::{BED, PATIENCE, SERVICE_ACCOUNTS, Shop};

const POLICIES: Resource = Resource::new("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies");
const BINDINGS: Resource = Resource::new(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
);
const PODS: Resource = Resource::new("", "v1", "pods");
const PART_OF: &str = "/metadata/labels/app.kubernetes.io~1part-of";

/// The part of a Service of ours that the operator applies.
fn intent(service: &Value) -> Value {
    let metadata = &service["metadata"];
    let port = &service["spec"]["ports"][0];
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "labels": metadata["labels"],
            "ownerReferences": metadata["ownerReferences"],
        },
        "spec": {
            "type": service["spec"]["type"], "selector": service["spec"]["selector"],
            "ports": [{"name": port["name"], "port": port["port"], "targetPort": port["targetPort"], "protocol": "TCP"}],
        },
    })
}

#[test]
fn a_requested_reconcile_restores_a_value_that_was_changed_under_our_own_name() {
    let shop = Shop::with("requested", &json!({"image": "a"}));
    let mut service = intent(&shop.get(SERVICES, "orders"));
    let applied = service.pointer(PART_OF).unwrap().clone();
    *service.pointer_mut(PART_OF).unwrap() = json!("changed");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), service.to_string()).unwrap();
    let file = file.path().to_string_lossy();
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=monitored-api",
        "-f",
        &file,
    ];
    BED.bed.kubectl(&apply).unwrap();
    assert_eq!(shop.get(SERVICES, "orders").pointer(PART_OF), Some(&json!("changed")));
    let request = json!({"metadata": {"annotations": {"monitoredapi.io/reconcile-at": "now"}}});
    shop.api.merge(&shop.orders(), &request).unwrap();
    let handled = |found: &Value| found["status"]["lastHandledReconcileAt"] == "now";
    shop.wait(MONITORED_APIS, "orders", handled);
    assert_eq!(shop.get(SERVICES, "orders").pointer(PART_OF), Some(&applied));
}

#[test]
fn the_service_account_of_old_pods_stays_until_the_rollout_is_complete() {
    // Without nodes a rollout is never complete, unless no pod is wanted.
    let shop = Shop::with("old-pods", &json!({"image": "a"}));
    shop.edit(&json!({"serviceAccountName": "default"}));
    let template = "/spec/template/spec/serviceAccountName";
    shop.wait(DEPLOYMENTS, "orders", |found| {
        found.pointer(template) == Some(&json!("default"))
    });
    shop.wait(MONITORED_APIS, "orders", |found| {
        let said = condition(found, "ChildrenApplied").map(|(_, _, message)| message);
        said.is_some_and(|said| said.contains("is deleted when the rollout is complete"))
    });
    shop.get(SERVICE_ACCOUNTS, "orders");
    shop.edit(&json!({"replicas": 0}));
    shop.api
        .wait_gone(&shop.path(SERVICE_ACCOUNTS, "orders"), PATIENCE)
        .unwrap();
    shop.wait(MONITORED_APIS, "orders", |found| {
        condition(found, "ChildrenApplied") == Some(("True", "Applied", "every object is as the spec wants it"))
    });
}

/// A policy of the platform: in namespaces of this name, every object of ours needs the label `cost-center`.
fn demand_a_label(shop: &Shop) {
    let namespace = shop.namespace;
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": namespace},
        "spec": {
            "matchConstraints": {
                "resourceRules": [{
                    "apiGroups": ["", "apps", "monitoring.coreos.com"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments", "services", "serviceaccounts", "configmaps", "servicemonitors", "prometheusrules",
                        "persistentvolumeclaims"],
                }],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            },
            "validations": [{
                "expression": "has(object.metadata.labels) && 'cost-center' in object.metadata.labels",
                "message": "every object needs the label cost-center",
            }],
        },
    });
    put_in_force(shop, &policy);
    let probe = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"generateName": "probe-"}});
    wait_refused(shop, SERVICE_ACCOUNTS, &probe);
}

fn put_in_force(shop: &Shop, policy: &Value) {
    let namespace = shop.namespace;
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": namespace}, "spec": {"policyName": namespace, "validationActions": ["Deny"]},
    });
    shop.api.create(&POLICIES.everywhere(), policy).unwrap();
    shop.api.create(&BINDINGS.everywhere(), &binding).unwrap();
}

/// Waits until the policy refuses such an object.
fn wait_refused(shop: &Shop, kind: Resource, probe: &Value) {
    eventually("the policy to be in force", PATIENCE, || {
        let answer = shop.api.try_create(&kind.within(shop.namespace), probe)?;
        Ok(answer.err().map(|_| ()).ok_or_else(|| "accepted".to_owned()))
    })
    .unwrap();
}

#[test]
fn labels_that_a_policy_demands_are_named_and_come_from_one_field() {
    let shop = Shop::empty("labels");
    demand_a_label(&shop);
    let storage = json!({"size": "1Gi"});
    shop.create(&json!({"image": "a", "storage": storage, "podLabels": {"cost-center": "1"}}));
    let orders = shop.wait_says("ChildrenApplied", "False");
    let (_, _, said) = condition(&orders, "ChildrenApplied").unwrap();
    assert!(said.contains("every object needs the label cost-center"), "{said}");
    assert!(said.contains("spec.objectLabels"), "{said}");
    shop.edit(&json!({"objectLabels": {"cost-center": "4711"}}));
    shop.wait_says("ChildrenApplied", "True");
    assert_eq!(shop.existing().len(), super::CHILDREN.len());
    let deployment = shop.get(DEPLOYMENTS, "orders");
    assert_eq!(deployment["metadata"]["labels"]["cost-center"], "4711");
    assert_eq!(deployment["spec"]["template"]["metadata"]["labels"]["cost-center"], "1");
}

/// What the security context constraint restricted-v2 of OpenShift checks of ids, for a namespace with this range.
fn allow_ids_of_a_range_only(shop: &Shop) {
    let in_range = |field: &str| {
        format!(
            "!has(object.spec.securityContext) || !has(object.spec.securityContext.{field}) || \
             (object.spec.securityContext.{field} >= 1000680000 && object.spec.securityContext.{field} <= 1000689999)"
        )
    };
    let validation =
        |field: &str| json!({"expression": in_range(field), "message": format!("{field}: must be in the ranges")});
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": shop.namespace},
        "spec": {
            "matchConstraints": {
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}},
            },
            "validations": [validation("runAsUser"), validation("runAsGroup"), validation("fsGroup")],
        },
    });
    put_in_force(shop, &policy);
    let probe = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "probe-"},
        "spec": {"securityContext": {"runAsUser": 1}, "containers": [{"name": "a", "image": "a"}]},
    });
    wait_refused(shop, PODS, &probe);
}

#[test]
fn pods_that_leave_their_ids_to_the_namespace_are_made_where_it_chooses_them() {
    let shop = Shop::empty("id-range");
    allow_ids_of_a_range_only(&shop);
    shop.create(&json!({"image": "a", "storage": {"size": "1Gi"}}));
    let refused = shop.wait(MONITORED_APIS, "orders", |found| {
        condition(found, "WorkloadReady").is_some_and(|(_, reason, _)| reason == "ReplicaFailure")
    });
    let (_, _, said) = condition(&refused, "WorkloadReady").unwrap();
    assert!(said.contains("fsGroup: must be in the ranges"), "{said}");
    assert!(!said.contains("orders-"), "the name of a pod: {said}");
    // Without a volume there is no id that would have to go.
    let template = json!({"spec": {"securityContext": {"fsGroup": null}}});
    let apis = [
        (
            "volume",
            json!({"image": "a", "storage": {"size": "1Gi"}, "podTemplate": template}),
        ),
        ("plain", json!({"image": "a"})),
    ];
    for (name, spec) in apis {
        let api = monitored_api(name, &spec);
        shop.api.create(&MONITORED_APIS.within(shop.namespace), &api).unwrap();
        let selector = format!("labelSelector=monitoredapi.io/name={name}");
        eventually("a pod", PATIENCE, || {
            let pods = shop.api.list(&PODS.within(shop.namespace), &selector)?;
            Ok(if pods.is_empty() {
                Err(format!("none of {name}"))
            } else {
                Ok(())
            })
        })
        .unwrap();
    }
}

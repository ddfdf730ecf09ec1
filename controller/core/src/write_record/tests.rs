use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{kind::ChildKind, metadata::fields_hash};

const OWNER: &str = "owner-uid";

fn owner() -> ApiRef {
    ApiRef {
        namespace: "shop".to_owned(),
        name: "orders".to_owned(),
        uid: OWNER.to_owned(),
    }
}

fn planned(object: Value) -> PlannedChild {
    PlannedChild::new(ChildKind::SERVICE, "orders".to_owned(), object)
}

fn intent() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "orders", "namespace": "shop", "labels": {"a": "b"},
            "ownerReferences": [{"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "name": "orders",
                "uid": OWNER, "controller": true, "blockOwnerDeletion": true}],
        },
        "spec": {"type": "ClusterIP", "selector": {"x": "y"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]},
    })
}

fn fields() -> Value {
    json!({
        "f:metadata": {
            "f:labels": {"f:a": {}},
            "f:ownerReferences": {r#"k:{"uid":"owner-uid"}"#: {}},
        },
        "f:spec": {
            "f:type": {}, "f:selector": {},
            "f:ports": {r#"k:{"port":80,"protocol":"TCP"}"#: {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}}},
        },
    })
}

/// The object as the API server keeps it: defaults, uid, managed fields.
fn live() -> Value {
    let mut live = intent();
    live["metadata"]["uid"] = json!("service-uid");
    live["metadata"]["managedFields"] = json!([
        {"manager": "monitored-api", "operation": "Apply", "apiVersion": "v1", "time": "2026-11-21T08:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields()},
    ]);
    live["spec"]["clusterIP"] = json!("10.0.0.1");
    live["spec"]["ports"][0]["nodePort"] = json!(30_000);
    live
}

fn live_object(live: &Value) -> LiveObject {
    LiveObject::from_json(&live.to_string(), fields_hash).unwrap()
}

fn observed(live: &Value) -> ObservedChild {
    live_object(live).observed
}

#[test]
fn children_of_two_apis_with_the_same_fields_have_the_same_hash_of_them() {
    let hash = |live: &Value| observed(live).applied_fields_hash.unwrap();
    let of_another = live().to_string().replace(OWNER, "uid-of-another-owner");
    let of_another: Value = serde_json::from_str(&of_another).unwrap();
    assert_eq!(hash(&of_another), hash(&live()));
    let mut with_other_fields = of_another;
    with_other_fields["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:type"] = Value::Null;
    assert_ne!(hash(&with_other_fields), hash(&live()));
    // The reference to the owner is still one of the fields, and so is one to another owner than the controller.
    for owner in [None, Some(r#"k:{"uid":"not-the-controller"}"#)] {
        let mut changed = live();
        let fields = &mut changed["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"];
        fields["f:ownerReferences"] = owner.map_or_else(|| json!({}), |owner| json!({owner: {}}));
        assert_ne!(hash(&changed), hash(&live()), "{owner:?}");
    }
}

#[test]
fn a_converged_child_needs_no_request() {
    let planned = planned(intent());
    let record = record_of(&planned, &observed(&live())).unwrap();
    assert_eq!(
        decide(&planned, Some(&record), Some(&observed(&live())), &owner()),
        Decision::Skip
    );
}

#[test]
fn a_child_that_does_not_exist_is_created_after_a_live_read() {
    let planned = planned(intent());
    assert_eq!(decide(&planned, None, None, &owner()), Decision::Create);
    assert_eq!(confirm(&planned, None, None, &owner()), Confirmation::Create);
}

#[test]
fn a_changed_intent_is_an_update_with_the_known_uid() {
    let before = record_of(&planned(intent()), &observed(&live())).unwrap();
    let mut changed = intent();
    changed["spec"]["type"] = json!("LoadBalancer");
    let decision = decide(&planned(changed), Some(&before), Some(&observed(&live())), &owner());
    assert_eq!(
        decision,
        Decision::Update {
            uid: "service-uid".to_owned()
        }
    );
}

#[test]
fn a_field_of_ours_that_another_manager_took_is_confirmed_and_then_taken_back() {
    let planned = planned(intent());
    let record = record_of(&planned, &observed(&live())).unwrap();
    let mut drifted = live();
    drifted["spec"]["type"] = json!("NodePort");
    drifted["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
        .as_object_mut()
        .unwrap()
        .remove("f:type");
    assert_eq!(
        decide(&planned, Some(&record), Some(&observed(&drifted)), &owner()),
        Decision::Confirm
    );
    let confirmed = confirm(&planned, Some(&record), Some(&live_object(&drifted)), &owner());
    assert_eq!(
        confirmed,
        Confirmation::Update {
            uid: "service-uid".to_owned()
        }
    );
}

#[test]
fn a_stale_watch_is_not_taken_for_drift() {
    let planned = planned(intent());
    let record = record_of(&planned, &observed(&live())).unwrap();
    assert_eq!(
        confirm(&planned, Some(&record), Some(&live_object(&live())), &owner()),
        Confirmation::Keep(record)
    );
}

#[test]
fn an_object_of_another_uid_under_our_name_is_confirmed() {
    let planned = planned(intent());
    let record = record_of(&planned, &observed(&live())).unwrap();
    let mut again = live();
    again["metadata"]["uid"] = json!("another-uid");
    assert_eq!(
        decide(&planned, Some(&record), Some(&observed(&again)), &owner()),
        Decision::Confirm
    );
}

#[test]
fn a_lost_record_is_rebuilt_without_a_write_when_the_object_is_as_wanted() {
    let planned = planned(intent());
    assert_eq!(
        decide(&planned, None, Some(&observed(&live())), &owner()),
        Decision::Confirm
    );
    let Confirmation::Keep(record) = confirm(&planned, None, Some(&live_object(&live())), &owner()) else {
        panic!()
    };
    assert_eq!(
        decide(&planned, Some(&record), Some(&observed(&live())), &owner()),
        Decision::Skip
    );
}

#[test]
fn a_lost_record_of_an_object_that_differs_costs_one_write() {
    let mut changed = intent();
    changed["spec"]["ports"][0]["port"] = json!(81);
    let confirmed = confirm(&planned(changed), None, Some(&live_object(&live())), &owner());
    assert_eq!(
        confirmed,
        Confirmation::Update {
            uid: "service-uid".to_owned()
        }
    );
}

#[test]
fn a_foreign_object_is_left_alone_whatever_is_recorded() {
    let planned = planned(intent());
    let record = record_of(&planned, &observed(&live())).unwrap();
    for controller in [
        json!([]),
        json!([{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "other", "controller": true}]),
    ] {
        let mut foreign = live();
        foreign["metadata"]["ownerReferences"] = controller;
        assert!(matches!(
            decide(&planned, Some(&record), Some(&observed(&foreign)), &owner()),
            Decision::Conflict(_)
        ));
        assert!(matches!(
            confirm(&planned, Some(&record), Some(&live_object(&foreign)), &owner()),
            Confirmation::Conflict(_)
        ));
    }
}

#[test]
fn a_person_can_hand_over_an_object_without_a_controller() {
    let planned = planned(intent());
    let mut handed_over = live();
    handed_over["metadata"]["ownerReferences"] = json!([]);
    handed_over["metadata"]["annotations"] = json!({"monitoredapi.io/adopt": "true"});
    let update = Decision::Update {
        uid: "service-uid".to_owned(),
    };
    assert_eq!(decide(&planned, None, Some(&observed(&handed_over)), &owner()), update);
}

#[test]
fn an_object_that_another_one_controls_cannot_be_handed_over() {
    let planned = planned(intent());
    let mut controlled = live();
    controlled["metadata"]["ownerReferences"][0]["uid"] = json!("other");
    controlled["metadata"]["ownerReferences"][0]["name"] = json!("another");
    controlled["metadata"]["annotations"] = json!({"monitoredapi.io/adopt": "true"});
    assert!(matches!(
        decide(&planned, None, Some(&observed(&controlled)), &owner()),
        Decision::Conflict(_)
    ));
}

#[test]
fn an_object_that_a_deleted_namesake_left_is_waited_for_and_not_taken_over() {
    let planned = planned(intent());
    let mut left = live();
    left["metadata"]["ownerReferences"][0]["uid"] = json!("of the deleted one");
    assert_eq!(
        decide(&planned, None, Some(&observed(&left)), &owner()),
        Decision::WaitForDeletion
    );
    assert_eq!(
        confirm(&planned, None, Some(&live_object(&left)), &owner()),
        Confirmation::WaitForDeletion
    );
}

#[test]
fn an_object_of_ours_that_is_being_deleted_is_waited_for() {
    let planned = planned(intent());
    let mut leaving = live();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-11-21T08:00:00Z");
    assert_eq!(
        decide(&planned, None, Some(&observed(&leaving)), &owner()),
        Decision::WaitForDeletion
    );
    assert_eq!(
        confirm(&planned, None, Some(&live_object(&leaving)), &owner()),
        Confirmation::WaitForDeletion
    );
}

#[test]
fn an_answer_with_another_manager_was_not_created_by_us() {
    assert!(created_by_us(&live_object(&live()).metadata, OWNER));
    assert!(!created_by_us(&live_object(&live()).metadata, "other"));
    let mut shared = live();
    let other = json!({"manager": "kubectl", "operation": "Update", "fieldsV1": {}});
    shared["metadata"]["managedFields"].as_array_mut().unwrap().push(other);
    assert!(!created_by_us(&live_object(&shared).metadata, OWNER));
}

/// Every path to a leaf of our managed fields.
fn leaves(fields: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    for (key, inner) in fields.as_object().unwrap().iter().filter(|(key, _)| *key != ".") {
        path.push(key.clone());
        if inner.as_object().unwrap().is_empty() {
            out.push(path.clone());
        } else {
            leaves(inner, path, out);
        }
        path.pop();
    }
}

fn without(mut fields: Value, path: &[String]) -> Value {
    let (last, parents) = path.split_last().unwrap();
    let mut place = &mut fields;
    for key in parents {
        place = place.get_mut(key).unwrap();
    }
    place.as_object_mut().unwrap().remove(last);
    fields
}

#[test]
fn losing_any_single_field_is_seen() {
    let planned = planned(intent());
    let record = record_of(&planned, &observed(&live())).unwrap();
    let mut paths = Vec::new();
    leaves(&fields(), &mut Vec::new(), &mut paths);
    assert!(paths.len() >= 8);
    for path in paths {
        let mut drifted = live();
        drifted["metadata"]["managedFields"][0]["fieldsV1"] = without(fields(), &path);
        assert_eq!(
            decide(&planned, Some(&record), Some(&observed(&drifted)), &owner()),
            Decision::Confirm,
            "{path:?}"
        );
    }
}

prop_compose! {
    fn any_observed()(
        uid in "[ab]",
        controller in proptest::option::of("owner-uid|other"),
        api in proptest::option::of("orders|another"),
        applied in proptest::option::of("[ab]"),
        adopt in any::<bool>(),
        deleting in any::<bool>(),
    ) -> ObservedChild {
        let api = api.filter(|_| controller.is_some());
        ObservedChild { uid, controller_uid: controller, controller_api: api, applied_fields_hash: applied, adopt, deleting, generation: None }
    }
}

prop_compose! {
    fn any_record()(uid in "[ab]", desired in "[ab]", applied in "[ab]") -> ChildRecord {
        ChildRecord {
            kind: "Service".to_owned(), name: "orders".to_owned(), uid, desired_hash: desired,
            applied_fields_hash: applied, version: None, state: "Ready".to_owned(),
        }
    }
}

proptest! {
    #[test]
    fn a_foreign_object_is_never_written(
        observed in any_observed(), record in proptest::option::of(any_record()), desired in "[ab]",
    ) {
        let planned = planned(intent()).with_desired_hash(desired);
        let foreign = observed.controller_uid.as_deref() != Some(OWNER)
            && !(observed.adopt && observed.controller_uid.is_none());
        let decision = decide(&planned, record.as_ref(), Some(&observed), &owner());
        let hands_off = matches!(decision, Decision::Conflict(_) | Decision::WaitForDeletion);
        prop_assert!(hands_off || !foreign);
        prop_assert_eq!(matches!(decision, Decision::Conflict(_)), foreign && observed.controller_api.as_deref() != Some("orders"));
        prop_assert!(!matches!(decision, Decision::Create));
    }

    #[test]
    fn nothing_is_skipped_that_differs_from_its_record(
        observed in any_observed(), record in proptest::option::of(any_record()), desired in "[ab]",
    ) {
        let planned = planned(intent()).with_desired_hash(desired);
        let decision = decide(&planned, record.as_ref(), Some(&observed), &owner());
        if decision == Decision::Skip {
            let record = record.unwrap();
            prop_assert_eq!(&record.uid, &observed.uid);
            prop_assert_eq!(&record.desired_hash, planned.desired_hash());
            prop_assert_eq!(Some(&record.applied_fields_hash), observed.applied_fields_hash.as_ref());
            prop_assert!(!observed.deleting);
        }
    }

    #[test]
    fn an_update_carries_the_uid_that_was_seen(
        observed in any_observed(), record in proptest::option::of(any_record()), desired in "[ab]",
    ) {
        let planned = planned(intent()).with_desired_hash(desired);
        if let Decision::Update { uid } = decide(&planned, record.as_ref(), Some(&observed), &owner()) {
            prop_assert_eq!(uid, observed.uid);
        }
    }
}

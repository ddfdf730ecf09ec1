//! How many pods a Deployment is told to have.

use super::*;

fn replicas(spec: &Value, live: Option<LiveReplicas>) -> Value {
    let plan = plan(
        spec,
        &Facts {
            live_replicas: live,
            ..Facts::default()
        },
    );
    let deployment = plan
        .children
        .into_iter()
        .find(|child| child.kind == ChildKind::DEPLOYMENT)
        .unwrap();
    deployment
        .object()
        .pointer("/spec/replicas")
        .cloned()
        .unwrap_or_default()
}

#[test]
fn the_authors_number_of_pods_is_sent_whoever_owns_it() {
    let spec = json!({"image": "i", "replicas": 0});
    assert_eq!(replicas(&spec, None), 0);
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                owned_by_us: false,
                owned_by_another: true
            })
        ),
        0
    );
}

#[test]
fn a_number_that_was_never_set_is_not_sent() {
    let spec = json!({"image": "i"});
    assert_eq!(replicas(&spec, None), Value::Null);
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                owned_by_us: false,
                owned_by_another: true
            })
        ),
        Value::Null
    );
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 1,
                owned_by_us: false,
                owned_by_another: false
            })
        ),
        Value::Null
    );
}

#[test]
fn a_number_that_was_removed_is_kept_until_another_manager_owns_it() {
    let spec = json!({"image": "i"});
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                owned_by_us: true,
                owned_by_another: false
            })
        ),
        5
    );
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                owned_by_us: true,
                owned_by_another: true
            })
        ),
        Value::Null
    );
}

#[test]
fn a_number_that_is_preconditioned_on_the_live_object_is_bound_to_its_version() {
    let live = |replicas, owned_by_another| LiveReplicas {
        replicas,
        owned_by_us: true,
        owned_by_another,
    };
    let deployment = |spec: Value, owned_by_another| {
        let facts = Facts {
            live_replicas: Some(live(5, owned_by_another)),
            deployment_version: Some("71".to_owned()),
            ..Facts::default()
        };
        plan(&spec, &facts).children.pop().unwrap()
    };
    let copied = deployment(json!({"image": "i"}), false);
    assert_eq!(copied.preconditioned_on.as_deref(), Some("71"));
    // Neither in the intent nor in its hash: every event of the Deployment has a new one.
    assert_eq!(copied.object()["metadata"]["resourceVersion"], Value::Null);
    assert!(deployment::replicas_unchanged(copied.object(), live(5, false)));
    assert!(!deployment::replicas_unchanged(copied.object(), live(7, false)));
    assert!(!deployment::replicas_unchanged(copied.object(), live(5, true)));
    assert_eq!(deployment(json!({"image": "i"}), true).preconditioned_on, None);
    assert_eq!(
        deployment(json!({"image": "i", "replicas": 5}), false).preconditioned_on,
        None
    );
    let stored = json!({"image": "i", "storage": {"size": "1Gi"}});
    assert_eq!(
        deployment(stored, false).preconditioned_on,
        None,
        "the one pod is prescribed"
    );
}

#[test]
fn two_pods_never_share_a_volume_whoever_scales() {
    let live = |replicas, owned_by_us: bool| {
        Some(LiveReplicas {
            replicas,
            owned_by_us,
            owned_by_another: !owned_by_us,
        })
    };
    let spec = json!({"image": "i", "storage": {"size": "1Gi"}});
    assert_eq!(replicas(&spec, live(3, false)), 1);
    assert_eq!(replicas(&spec, live(3, true)), 1);
    assert_eq!(replicas(&spec, live(0, false)), Value::Null);
    assert_eq!(replicas(&spec, None), Value::Null);
}

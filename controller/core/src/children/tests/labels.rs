//! Labels and owners of the objects.

use super::*;

fn with_labels(spec: &Value, settings: &Settings) -> Plan {
    plan_with(spec, settings, &Facts::default())
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> std::collections::BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[test]
fn every_kind_carries_the_labels_of_the_author_and_of_the_installation() {
    let settings = Settings {
        object_labels: map([("cost-center", "1"), ("env", "prod")]),
        monitoring_object_labels: map([("env", "monitoring")]),
        ..Settings::default()
    };
    let plans = of_every_kind().map(|mut spec| {
        spec["objectLabels"] = json!({"cost-center": "4711"});
        spec["dashboard"]["objectLabels"] = json!({"env": "dashboards"});
        with_labels(&spec, &settings)
    });
    let special = [
        (ChildKind::SERVICE_MONITOR, "monitoring"),
        (ChildKind::PROMETHEUS_RULE, "monitoring"),
        (ChildKind::CONFIG_MAP, "dashboards"),
        (ChildKind::GRAFANA_DASHBOARD, "dashboards"),
    ];
    for kind in child_kinds() {
        let children = plans.iter().flat_map(|plan| &plan.children);
        let children: Vec<_> = children.filter(|child| child.kind == kind).collect();
        assert!(!children.is_empty(), "{kind}: turn it on in of_every_kind()");
        let env = special
            .iter()
            .find(|(of, _)| *of == kind)
            .map_or("prod", |(_, env)| env);
        for child in children {
            let labels = &child.object()["metadata"]["labels"];
            assert_eq!(labels["cost-center"], "4711", "{child}");
            assert_eq!(labels["env"], env, "{child}");
            assert_eq!(labels["app.kubernetes.io/managed-by"], "monitored-api", "{child}");
        }
    }
    let plan = &plans[0];
    let labels = service_monitor::monitoring_labels(&plan.api);
    let monitor = plan
        .children
        .iter()
        .find(|child| child.kind == ChildKind::SERVICE_MONITOR)
        .unwrap();
    assert_eq!(json!(labels), monitor.object()["metadata"]["labels"]);
}

#[test]
fn pods_carry_the_authors_labels_and_not_those_of_the_installation() {
    let template = |spec: &Value, settings: &Settings| {
        let deployment = with_labels(spec, settings).children.pop().unwrap();
        deployment.object()["spec"]["template"].clone()
    };
    let none = Settings::default();
    let some = Settings {
        object_labels: map([("cost-center", "1")]),
        ..Settings::default()
    };
    let plain = json!({"image": "i"});
    assert_eq!(template(&plain, &none), template(&plain, &some));
    let labelled = json!({"image": "i", "objectLabels": {"cost-center": "2", "env": "a"}, "podLabels": {"env": "b"}});
    let labels = &template(&labelled, &some)["metadata"]["labels"];
    assert_eq!(labels["cost-center"], "2");
    assert_eq!(labels["env"], "b");
    let deployment = with_labels(&labelled, &some).children.pop().unwrap();
    let selector = &deployment.object()["spec"]["selector"];
    assert_eq!(selector["matchLabels"].as_object().unwrap().len(), 2);
}

#[test]
fn every_child_is_owned_and_labelled() {
    for child in plan(&json!({"image": "i"}), &Facts::default()).children {
        let metadata = &child.object()["metadata"];
        assert_eq!(metadata["ownerReferences"][0]["uid"], "owner-uid");
        assert_eq!(metadata["ownerReferences"][0]["controller"], true);
        assert_eq!(metadata["ownerReferences"][0]["blockOwnerDeletion"], true);
        assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "monitored-api");
        assert_eq!(metadata["labels"]["monitoredapi.io/name"], "orders");
        assert_eq!(metadata["uid"], Value::Null);
        assert_eq!(child.desired_hash(), object_hash::hash(child.object()));
    }
}

//! The autoscaler, and how many pods its Deployment is told to have.

use super::*;
use crate::violation::Violation;

fn autoscaler(spec: &Value) -> Option<Value> {
    let plan = plan(spec, &Facts::default());
    let of_kind = |child: &&PlannedChild| child.kind == ChildKind::HORIZONTAL_POD_AUTOSCALER;
    let mut found = plan.children.iter().filter(of_kind);
    let one = found.next().map(|child| child.object().clone());
    assert!(found.next().is_none());
    one
}

fn metrics(autoscaling: &Value) -> Value {
    let spec = json!({"image": "i", "preset": "native", "autoscaling": autoscaling});
    autoscaler(&spec).unwrap()["spec"]["metrics"].clone()
}

fn cpu(percent: i32) -> Value {
    json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}}})
}

fn requests(rate: &str) -> Value {
    json!({"type": "Pods", "pods": {
        "metric": {"name": "http_requests"}, "target": {"type": "AverageValue", "averageValue": rate},
    }})
}

#[test]
fn an_autoscaler_scales_the_deployment_after_which_it_comes() {
    let spec = json!({"image": "i", "preset": "native", "autoscaling": {"minReplicas": 2, "maxReplicas": 10}});
    let object = autoscaler(&spec).unwrap();
    assert_eq!(object["apiVersion"], "autoscaling/v2");
    assert_eq!(object["metadata"]["name"], "orders");
    let expected = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders"},
        "minReplicas": 2, "maxReplicas": 10, "metrics": [cpu(80)],
    });
    assert_eq!(object["spec"], expected);
    assert_eq!(kinds(&spec).last().unwrap(), "HorizontalPodAutoscaler orders");
    assert_eq!(autoscaler(&json!({"image": "i", "preset": "native"})), None);
}

#[test]
fn it_scales_by_the_targets_that_are_given_and_by_cpu_without_any() {
    assert_eq!(metrics(&json!({"maxReplicas": 4})), json!([cpu(80)]));
    let by_cpu = json!({"maxReplicas": 4, "targetCPUUtilizationPercentage": 60});
    assert_eq!(metrics(&by_cpu), json!([cpu(60)]));
    let by_requests = json!({"maxReplicas": 4, "targetRequestsPerSecond": "0.5"});
    assert_eq!(metrics(&by_requests), json!([requests("500m")]));
    let by_both = json!({"maxReplicas": 4, "targetCPUUtilizationPercentage": 70, "targetRequestsPerSecond": "50"});
    assert_eq!(metrics(&by_both), json!([cpu(70), requests("50")]));
}

#[test]
fn the_rest_of_the_objects_is_as_without_an_autoscaler() {
    let without = plan(&json!({"image": "i", "preset": "native"}), &Facts::default());
    let with = json!({"image": "i", "preset": "native", "autoscaling": {"maxReplicas": 1}});
    let with = plan(&with, &Facts::default());
    for planned in &without.children {
        let same = with.children.iter().find(|child| child.kind == planned.kind).unwrap();
        let mut object = same.object().clone();
        if planned.kind == ChildKind::DEPLOYMENT {
            let replicas = object["spec"].as_object_mut().unwrap().remove("replicas");
            assert_eq!(replicas, Some(json!(1)));
        }
        assert_eq!(&object, planned.object(), "{planned}");
    }
}

const fn live(replicas: i32, owned_by_us: bool, owned_by_another: bool) -> Option<LiveReplicas> {
    Some(LiveReplicas {
        replicas,
        owned_by_us,
        owned_by_another,
    })
}

/// The number that the Deployment is sent with, and the version that it is bound to.
fn sent(spec: &Value, live_replicas: Option<LiveReplicas>) -> (Value, Option<String>) {
    let facts = Facts {
        live_replicas,
        deployment_version: live_replicas.map(|_| "71".to_owned()),
        ..Facts::default()
    };
    let plan = plan(spec, &facts);
    let deployment = plan.children.iter().find(|child| child.kind == ChildKind::DEPLOYMENT);
    let deployment = deployment.unwrap();
    let replicas = deployment.object().pointer("/spec/replicas").cloned();
    (replicas.unwrap_or_default(), deployment.preconditioned_on.clone())
}

#[test]
fn the_number_is_handed_over_without_dropping_below_the_present_one() {
    let bound = Some("71".to_owned());
    for replicas in [Value::Null, json!(0), json!(7)] {
        let spec = json!({"image": "i", "replicas": replicas, "autoscaling": {"minReplicas": 2, "maxReplicas": 10}});
        // A new Deployment begins with the fewest.
        assert_eq!(sent(&spec, None), (json!(2), None));
        // What we set is sent until the autoscaler has set another.
        assert_eq!(sent(&spec, live(5, true, false)), (json!(5), bound.clone()));
        assert_eq!(sent(&spec, live(1, true, false)), (json!(1), bound.clone()));
        assert_eq!(sent(&spec, live(5, true, true)), (Value::Null, None));
        assert_eq!(sent(&spec, live(5, false, true)), (Value::Null, None));
        assert_eq!(sent(&spec, live(1, false, false)), (Value::Null, None));
        // Nothing is scaled up from a zero of ours; one of somebody else is a pause.
        assert_eq!(sent(&spec, live(0, true, false)), (json!(2), bound.clone()));
        assert_eq!(sent(&spec, live(0, false, true)), (Value::Null, None));
    }
}

#[test]
fn without_the_autoscaler_the_number_stays_unless_the_author_sets_it() {
    let left = live(6, false, true);
    assert_eq!(sent(&json!({"image": "i"}), left), (Value::Null, None));
    assert_eq!(sent(&json!({"image": "i", "replicas": 3}), left), (json!(3), None));
}

fn violations(spec: &Value) -> Vec<Violation> {
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
    }))
    .unwrap();
    let plan = compile(&api, &Settings::default(), &Facts::default(), &ApiRef::of(&api));
    plan.err().unwrap_or_default()
}

#[test]
fn percents_of_cpu_need_a_request_of_every_container() {
    let spec = |resources: Value, sidecar: Value| {
        json!({
            "image": "i", "preset": "native", "resources": resources, "autoscaling": {"maxReplicas": 4},
            "podTemplate": {"spec": sidecar},
        })
    };
    let paths = |spec: &Value| -> Vec<String> { violations(spec).into_iter().map(|found| found.path).collect() };
    let proxy = |resources: Value| json!({"containers": [{"name": "proxy", "image": "p", "resources": resources}]});
    let (none, cpu) = (json!({}), json!({"requests": {"cpu": "10m"}}));
    let memory = json!({"requests": {"memory": "64Mi"}});
    assert_eq!(paths(&spec(none.clone(), none.clone())), [] as [&str; 0]);
    assert_eq!(paths(&spec(none.clone(), proxy(cpu.clone()))), [] as [&str; 0]);
    assert_eq!(
        paths(&spec(none.clone(), proxy(json!({"limits": {"cpu": "1"}})))),
        [] as [&str; 0]
    );
    assert_eq!(
        paths(&spec(memory.clone(), none.clone())),
        ["spec.resources.requests.cpu"]
    );
    assert_eq!(
        paths(&spec(json!({"requests": {"cpu": "0"}}), none.clone())),
        ["spec.resources.requests.cpu"]
    );
    assert_eq!(
        paths(&spec(none.clone(), proxy(none.clone()))),
        ["spec.podTemplate.spec"]
    );
    let restarted = json!({"initContainers": [{"name": "proxy", "image": "p", "restartPolicy": "Always"}]});
    assert_eq!(paths(&spec(none.clone(), restarted)), ["spec.podTemplate.spec"]);
    let once = json!({"initContainers": [{"name": "prepare", "image": "p"}]});
    assert_eq!(paths(&spec(none.clone(), once)), [] as [&str; 0]);
    let mut by_requests = spec(memory, none);
    by_requests["autoscaling"]["targetRequestsPerSecond"] = json!("50");
    assert_eq!(paths(&by_requests), [] as [&str; 0]);
    by_requests["autoscaling"]["targetCPUUtilizationPercentage"] = json!(70);
    assert_eq!(paths(&by_requests), ["spec.resources.requests.cpu"]);
}

#[test]
fn a_wrong_autoscaler_is_refused_with_the_fix() {
    let cases = [
        (
            json!({"maxReplicas": 0}),
            "spec.autoscaling.maxReplicas",
            "use 1 to 10000",
        ),
        (
            json!({"minReplicas": 0, "maxReplicas": 2}),
            "spec.autoscaling.minReplicas",
            "spec.replicas: 0",
        ),
        (
            json!({"minReplicas": 3, "maxReplicas": 2}),
            "spec.autoscaling.minReplicas",
            "raise spec.autoscaling.maxReplicas",
        ),
        (
            json!({"maxReplicas": 2, "targetCPUUtilizationPercentage": 0}),
            "spec.autoscaling.targetCPUUtilizationPercentage",
            "use 1 to 100000",
        ),
        (
            json!({"maxReplicas": 2, "targetRequestsPerSecond": "0"}),
            "spec.autoscaling.targetRequestsPerSecond",
            "for example \"50\"",
        ),
    ];
    for (autoscaling, path, fix) in cases {
        let spec = json!({"image": "i", "preset": "native", "autoscaling": autoscaling});
        let [violation] = &violations(&spec)[..] else {
            panic!("{autoscaling}: {:?}", violations(&spec));
        };
        assert_eq!(violation.path, path);
        assert!(violation.message.contains(fix), "{violation}");
    }
    let by_requests = json!({"maxReplicas": 2, "targetRequestsPerSecond": "50"});
    let unknown = violations(&json!({"image": "i", "autoscaling": by_requests}));
    assert!(unknown[0].message.contains("set spec.metrics.dialect"), "{unknown:?}");
    let no_counter = json!({"image": "i", "metrics": {"dialect": "micrometer"}, "autoscaling": by_requests});
    let no_counter = violations(&no_counter);
    assert!(
        no_counter[0].message.contains("use targetCPUUtilizationPercentage"),
        "{no_counter:?}"
    );
    let unmonitored = |enabled: bool| {
        let monitoring = json!({"enabled": enabled});
        violations(&json!({"image": "i", "preset": "native", "monitoring": monitoring, "autoscaling": by_requests}))
    };
    assert_eq!(unmonitored(true), []);
    let unmonitored = unmonitored(false);
    assert_eq!(unmonitored[0].path, "spec.autoscaling.targetRequestsPerSecond");
    assert!(
        unmonitored.len() == 1 && unmonitored[0].message.contains("remove spec.monitoring.enabled: false"),
        "{unmonitored:?}"
    );
    let stored = json!({"image": "i", "storage": {"size": "1Gi"}, "autoscaling": {"maxReplicas": 2}});
    let stored = violations(&stored);
    assert_eq!(stored[0].path, "spec.autoscaling");
    assert!(stored[0].message.contains("remove spec.autoscaling"), "{stored:?}");
}

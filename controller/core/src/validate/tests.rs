use controller_api::spec::{SecurityProfile, ServiceType};
use controller_rules::Compat;
use k8s_openapi::{api::core::v1::PodTemplateSpec, apimachinery::pkg::util::intstr::IntOrString};
use serde_json::{Value, json};

use super::*;
use crate::{compile, facts::Facts, kind::ChildKind, plan::Plan, violation::Violation};

fn plan(spec: &Value, settings: &Settings) -> Result<Plan, Vec<Violation>> {
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
    }))
    .unwrap();
    compile(&api, settings, &Facts::default(), &ApiRef::of(&api))
}

pub(super) fn check(spec: &Value) -> Result<ValidApi, Vec<Violation>> {
    plan(spec, &Settings::default()).map(|plan| plan.api)
}

/// The pod template of the Deployment.
pub(super) fn template(spec: &Value) -> PodTemplateSpec {
    let plan = plan(spec, &Settings::default()).unwrap();
    let deployment = plan
        .children
        .iter()
        .find(|child| child.kind == ChildKind::DEPLOYMENT)
        .unwrap();
    serde_json::from_value(deployment.object()["spec"]["template"].clone()).unwrap()
}

pub(super) fn valid(spec: &Value) -> ValidApi {
    check(spec).unwrap_or_else(|violations| panic!("{violations:#?}"))
}

pub(super) fn paths(spec: &Value) -> Vec<String> {
    check(spec)
        .unwrap_err()
        .into_iter()
        .map(|violation| violation.path)
        .collect()
}

#[test]
fn an_image_alone_gets_defaults_that_are_safe_for_any_image() {
    let api = valid(&json!({"image": "i"}));
    let Workload {
        port,
        replicas,
        read_only_root_filesystem,
        security_profile,
        data_dir,
        probes,
        ..
    } = api.workload;
    assert_eq!(
        (port, replicas, read_only_root_filesystem, data_dir),
        (8000, None, false, None)
    );
    assert_eq!(security_profile, SecurityProfile::Restricted);
    assert!(probes.readiness.unwrap().tcp_socket.is_some());
    assert_eq!((probes.liveness, probes.startup), (None, None));
    assert_eq!((api.service.type_, api.service.port), (ServiceType::ClusterIp, 80));
    assert_eq!((api.metrics.path.as_str(), api.metrics.dialect), ("/metrics", None));
    assert!(api.monitoring.unwrap().dashboard.is_some());
}

#[test]
fn the_preset_native_knows_the_reference_api() {
    let api = valid(&json!({"image": "i", "preset": "native"}));
    assert_eq!(api.workload.termination_grace_period_seconds, 35);
    assert_eq!(api.workload.data_dir, Some("/data"));
    assert!(api.workload.read_only_root_filesystem);
    let paths = [
        api.workload.probes.readiness,
        api.workload.probes.liveness,
        api.workload.probes.startup,
    ]
    .map(|probe| probe.unwrap().http_get.unwrap().path.unwrap());
    assert_eq!(paths, ["/health/ready", "/health/live", "/health/startup"]);
    let table = api.metrics.dialect.and_then(|choice| choice.table());
    assert_eq!(table, Some(metric_contract::DialectId::Native));
}

#[test]
fn the_dialect_auto_overrules_the_presets() {
    let api = valid(&json!({"image": "i", "preset": "native", "metrics": {"dialect": "auto"}}));
    assert_eq!(api.metrics.dialect, None);
}

#[test]
fn a_probe_keeps_of_the_preset_what_it_does_not_say() {
    let api = valid(&json!({"image": "i", "preset": "native", "probes": {"liveness": {"periodSeconds": 30}}}));
    let liveness = api.workload.probes.liveness.unwrap();
    assert_eq!((liveness.period_seconds, liveness.timeout_seconds), (Some(30), Some(2)));
    assert_eq!(liveness.http_get.unwrap().path.as_deref(), Some("/health/live"));
}

#[test]
fn a_probe_of_the_preset_can_be_turned_off() {
    let api = valid(&json!({"image": "i", "preset": "native", "probes": {"liveness": {"enabled": false}}}));
    assert_eq!(api.workload.probes.liveness, None);
}

#[test]
fn a_probe_can_be_turned_from_http_to_tcp() {
    let api = valid(&json!({"image": "i", "preset": "native", "probes": {"readiness": {"tcp": {}}}}));
    let readiness = api.workload.probes.readiness.unwrap();
    assert!(readiness.tcp_socket.is_some() && readiness.http_get.is_none());
}

#[test]
fn every_violation_is_reported_at_once_sorted_by_field() {
    let found = paths(&json!({
        "preset": "fortran", "port": 0, "metrics": {"interval": "1d", "dialect": "cobol"},
        "tolerations": [{"operater": "Exists"}],
    }));
    let expected = [
        "spec.image",
        "spec.metrics.dialect",
        "spec.metrics.interval",
        "spec.port",
        "spec.preset",
        "spec.tolerations[0].operater",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_dialect_or_preset_names_the_known_ones() {
    let violations = check(&json!({"image": "i", "preset": "fortran", "metrics": {"dialect": "cobol"}})).unwrap_err();
    let messages: Vec<_> = violations.iter().map(|violation| violation.message.as_str()).collect();
    assert!(
        messages[0].contains("native") && messages[0].contains("auto"),
        "{messages:?}"
    );
    assert!(
        messages[1].contains("native") && messages[1].contains("auto"),
        "{messages:?}"
    );
}

#[test]
fn probe_and_metrics_paths_count_for_no_alert() {
    let api = valid(&json!({"image": "i", "preset": "native", "metrics": {"excludedRoutes": ["/internal/.*"]}}));
    let expected = [
        "/health/live",
        "/health/ready",
        "/health/startup",
        "/internal/.*",
        "/metrics",
    ];
    assert_eq!(api.metrics.excluded_routes, expected);
}

#[test]
fn a_path_is_excluded_as_it_is_and_not_as_a_pattern() {
    let api = valid(&json!({"image": "i", "metrics": {"path": "/a.b"}}));
    assert_eq!(api.metrics.excluded_routes, ["/a\\.b"]);
}

#[test]
fn a_short_interval_shortens_the_default_timeout() {
    assert_eq!(
        valid(&json!({"image": "i", "metrics": {"interval": "5s"}}))
            .metrics
            .timeout,
        "5s"
    );
    assert_eq!(
        valid(&json!({"image": "i", "metrics": {"interval": "1m"}}))
            .metrics
            .timeout,
        "10s"
    );
}

#[test]
fn digits_alone_are_an_amount_and_not_a_percentage() {
    let api = valid(&json!({"image": "i", "strategy": {"maxSurge": "2", "maxUnavailable": "25%"}}));
    let rolling = api.workload.strategy.rolling_update.unwrap();
    assert_eq!(rolling.max_surge, Some(IntOrString::Int(2)));
    assert_eq!(rolling.max_unavailable, Some(IntOrString::String("25%".to_owned())));
}

#[test]
fn a_low_limit_lowers_the_default_request() {
    let api = valid(&json!({"image": "i", "resources": {"limits": {"memory": "32Mi", "cpu": 1}}}));
    let requests = api.workload.resources.requests.unwrap();
    assert_eq!(requests["memory"].0, "32Mi");
    assert_eq!(requests["cpu"].0, "50m");
}

#[test]
fn the_authors_labels_win_over_the_installations() {
    let settings = Settings {
        monitoring_object_labels: [("release", "a"), ("team", "x")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        ..Settings::default()
    };
    let spec = json!({"image": "i", "monitoring": {"objectLabels": {"release": "b"}}});
    let labels = plan(&spec, &settings).unwrap().api.monitoring.unwrap().object_labels;
    assert_eq!(
        labels.into_iter().collect::<Vec<_>>(),
        [("release", "b"), ("team", "x")].map(|(k, v)| (k.to_owned(), v.to_owned()))
    );
}

#[test]
fn the_installations_names_of_figures_reach_the_rules_and_change_what_is_written() {
    let spec = json!({"image": "i", "objectives": [{"name": "availability", "type": "Availability", "target": "99.9"}],
        "metrics": {"dialect": "native"}});
    let rules = |compat| {
        let settings = Settings {
            compat,
            ..Settings::default()
        };
        let plan = plan(&spec, &settings).unwrap();
        let rule = plan
            .children
            .iter()
            .find(|child| child.kind == ChildKind::PROMETHEUS_RULE);
        rule.unwrap().object().to_string()
    };
    // In both orders, so that no remembered template of the other is taken.
    let (sloth, plain) = (rules(Some(Compat::Sloth)), rules(None));
    assert!(
        sloth.contains("slo:sli_error:ratio_rate5m") && !plain.contains("slo:"),
        "{plain}"
    );
    assert_eq!((rules(Some(Compat::Sloth)), rules(None)), (sloth, plain));
}

#[test]
fn a_container_port_of_the_template_with_another_protocol_does_not_conflict() {
    valid(&json!({"image": "i", "podTemplate": {"spec": {"containers": [
        {"name": "api", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
    ]}}}));
}

#[test]
fn a_pod_template_takes_numbers_for_quantities_as_kubernetes_does() {
    let template = template(&json!({"image": "i", "podTemplate": {"spec": {"containers": [
        {"name": "proxy", "image": "p", "resources": {"limits": {"cpu": 1}}},
    ]}}}));
    let proxy = template
        .spec
        .unwrap()
        .containers
        .into_iter()
        .find(|container| container.name == "proxy")
        .unwrap();
    assert_eq!(proxy.resources.unwrap().limits.unwrap()["cpu"].0, "1");
}

#[test]
fn baseline_runs_the_images_own_user() {
    let pod = template(&json!({"image": "i", "securityProfile": "Baseline", "runAsUser": 0}))
        .spec
        .unwrap();
    let context = pod.security_context.unwrap();
    assert_eq!(
        (context.run_as_non_root, context.run_as_user, context.fs_group),
        (None, Some(0), None)
    );
    assert_eq!(pod.containers[0].security_context.as_ref().unwrap().capabilities, None);
}

/// OpenShift refuses an id outside the namespace's range, and fills one in where there is none.
#[test]
fn a_null_in_the_template_takes_an_id_away() {
    let ids = |spec: serde_json::Value| {
        let pod = template(&spec).spec.unwrap();
        let context = pod.security_context.unwrap();
        assert_eq!(context.run_as_non_root, Some(true));
        (context.run_as_user, context.run_as_group, context.fs_group)
    };
    let none = json!({"spec": {"securityContext": {"runAsUser": null, "runAsGroup": null, "fsGroup": null}}});
    let group = json!({"spec": {"securityContext": {"fsGroup": null}}});
    let volume = json!({"size": "1Gi"});
    assert_eq!(ids(json!({"image": "i"})), (None, None, None));
    assert_eq!(ids(json!({"image": "i", "storage": volume})), (None, None, Some(65532)));
    assert_eq!(
        ids(json!({"image": "i", "storage": volume, "podTemplate": group})),
        (None, None, None)
    );
    assert_eq!(
        ids(json!({"image": "i", "runAsUser": 7, "podTemplate": group})),
        (Some(7), None, None)
    );
    assert_eq!(
        ids(json!({"image": "i", "runAsUser": 7, "storage": volume, "podTemplate": none})),
        (None, None, None)
    );
}

#[test]
fn a_short_grace_period_leaves_the_application_its_half() {
    for (grace, sleep) in [(30, Some(5)), (6, Some(3)), (1, None)] {
        let pod = template(&json!({"image": "i", "terminationGracePeriodSeconds": grace}))
            .spec
            .unwrap();
        let lifecycle = pod.containers.into_iter().next().unwrap().lifecycle;
        let found = lifecycle
            .and_then(|lifecycle| lifecycle.pre_stop?.sleep)
            .map(|sleep| sleep.seconds);
        assert_eq!(found, sleep, "{grace}");
    }
}

#[test]
fn turning_monitoring_off_does_not_change_the_pods() {
    let on = json!({"image": "i", "metrics": {"port": 9090}});
    let off = json!({"image": "i", "metrics": {"port": 9090}, "monitoring": {"enabled": false}});
    assert_eq!(template(&on), template(&off));
}

#[test]
fn a_probes_query_is_sent_but_its_route_is_what_never_counts() {
    let spec = json!({"image": "i", "probes": {
        "readiness": {"http": {"path": "/actuator/health?group=ready"}},
        "liveness": {"http": {"path": "/ping#x"}},
    }});
    let api = valid(&spec);
    assert_eq!(api.metrics.excluded_routes, ["/actuator/health", "/metrics", "/ping"]);
    let readiness = api.workload.probes.readiness.unwrap().http_get.unwrap();
    assert_eq!(readiness.path.unwrap(), "/actuator/health?group=ready");
}

#[test]
fn a_hook_in_the_pod_template_takes_the_place_of_the_generated_one() {
    let hook = |handler: Value| {
        json!({"image": "i", "podTemplate": {"spec": {"containers": [
            {"name": "api", "lifecycle": {"preStop": handler}},
        ]}}})
    };
    for handler in [
        json!({"exec": {"command": ["/drain"]}}),
        json!({"httpGet": {"path": "/drain", "port": "http"}}),
        json!({"sleep": {"seconds": 20}}),
    ] {
        let stop = template(&hook(handler.clone())).spec.unwrap().containers[0]
            .lifecycle
            .clone()
            .and_then(|lifecycle| lifecycle.pre_stop);
        assert_eq!(serde_json::to_value(stop).unwrap(), handler);
    }
    let post_start = json!({"image": "i", "podTemplate": {"spec": {"containers": [
        {"name": "api", "lifecycle": {"postStart": {"exec": {"command": ["/warm"]}}}},
    ]}}});
    let lifecycle = template(&post_start).spec.unwrap().containers[0]
        .lifecycle
        .clone()
        .unwrap();
    assert!(lifecycle.pre_stop.unwrap().sleep.is_some(), "the other hook stays");
}

#[test]
fn a_variable_in_the_pod_template_has_the_source_that_the_template_gives() {
    let secret = json!({"secretKeyRef": {"name": "db", "key": "url"}});
    let field = json!({"fieldRef": {"fieldPath": "metadata.name"}});
    for (ours, theirs) in [
        (
            json!({"name": "A", "valueFrom": secret}),
            json!({"name": "A", "value": "x"}),
        ),
        (
            json!({"name": "A", "value": "x"}),
            json!({"name": "A", "valueFrom": secret}),
        ),
        (
            json!({"name": "A", "valueFrom": secret}),
            json!({"name": "A", "valueFrom": field}),
        ),
    ] {
        let spec = json!({"image": "i", "env": [ours], "podTemplate": {"spec": {"containers": [
            {"name": "api", "env": [theirs]},
        ]}}});
        let env = template(&spec).spec.unwrap().containers[0].env.clone();
        assert_eq!(serde_json::to_value(env).unwrap(), json!([theirs]));
    }
}

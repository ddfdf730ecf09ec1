//! Which series of a proxy are a workload's, and what is said where that cannot be known.

use controller_api::MonitoredApi;
use metric_contract::LabelCondition;
use serde_json::{Value, json};

use crate::{facts::Settings, render::render, valid::ValidApi, violation::Violation};

fn check(spec: &Value) -> Result<ValidApi, Vec<Violation>> {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
    }))
    .unwrap();
    render(&api, &Settings::default()).map(|rendered| rendered.api)
}

fn of_image(metrics: &Value) -> Value {
    json!({"image": "i", "metrics": metrics})
}

/// The first set of conditions, each as `label=value|value` or `label!=value`.
fn selection(spec: &Value) -> Vec<String> {
    let api = check(spec).unwrap_or_else(|violations| panic!("{violations:?}"));
    let sets = api.proxy.unwrap();
    let written = |LabelCondition { label, is, values }: &LabelCondition| {
        format!("{label}{}{}", if *is { "=" } else { "!=" }, values.join("|"))
    };
    sets.first().unwrap().iter().map(written).collect()
}

fn violations(spec: &Value) -> Vec<String> {
    let violations = check(spec).map(|_| ()).unwrap_err();
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn a_workload_of_the_operator_is_known_by_its_own_names_and_those_of_its_service() {
    for (dialect, expected) in [
        (
            "istio",
            vec![
                "reporter=destination|waypoint",
                "destination_workload=orders",
                "destination_workload_namespace=shop",
            ],
        ),
        (
            "linkerd",
            vec![
                "direction=inbound",
                "namespace=shop",
                "deployment=orders",
                "target_port!=4191",
            ],
        ),
        (
            "envoy",
            vec!["envoy_cluster_name=shop_orders_8080|shop_orders_http|shop/orders"],
        ),
        (
            "ingress-nginx",
            vec!["exported_namespace=shop", "exported_service=orders"],
        ),
        (
            "traefik",
            vec![
                "exported_service=shop-orders-8080@kubernetes|shop-orders-http@kubernetes|shop-orders-8080@kubernetescrd|\
                 shop-orders-http@kubernetescrd",
            ],
        ),
        ("beyla", vec!["k8s_namespace_name=shop", "k8s_deployment_name=orders"]),
        ("obi", vec!["k8s_namespace_name=shop", "k8s_deployment_name=orders"]),
    ] {
        let spec = json!({"image": "i", "service": {"port": 8080}, "metrics": {"dialect": dialect}});
        assert_eq!(selection(&spec), expected, "{dialect}");
    }
}

#[test]
fn a_workload_that_exists_already_is_known_by_its_kind_and_name() {
    let reference = json!({"kind": "StatefulSet", "name": "legacy"});
    let spec = |dialect: &str| json!({"workloadRef": reference, "metrics": {"dialect": dialect}});
    let known = |dialect: &str| {
        let api: MonitoredApi = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec(dialect),
        }))
        .unwrap();
        let mut out = crate::violation::Violations::default();
        let owner = crate::owner::ApiRef::of(&api);
        let valid = crate::validate::validate(&api, &Settings::default(), &owner, &mut out);
        let conditions = valid.proxy.unwrap().into_iter().flatten();
        conditions
            .map(|of| format!("{}={}", of.label, of.values.join("|")))
            .collect::<Vec<_>>()
    };
    assert!(known("istio").contains(&"destination_workload=legacy".to_owned()));
    assert!(known("linkerd").contains(&"statefulset=legacy".to_owned()));
    assert!(known("beyla").contains(&"k8s_statefulset_name=legacy".to_owned()));
}

#[test]
fn where_the_service_is_not_known_it_has_to_be_said() {
    let reference = json!({"kind": "Deployment", "name": "legacy"});
    let spec = |metrics: Value| json!({"workloadRef": reference, "metrics": metrics});
    let missing = violations(&spec(json!({"dialect": "ingress-nginx"})));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(
        missing[0].starts_with(
            "spec.metrics.proxy.service: is missing: dialect ingress-nginx tells workloads apart by the Service"
        ),
        "{missing:?}"
    );
    let missing = violations(&spec(json!({"dialect": "traefik", "proxy": {"service": "web"}})));
    assert!(
        missing[0].starts_with("spec.metrics.proxy.port: is missing"),
        "{missing:?}"
    );
    let missing = violations(&of_image(&json!({"dialect": "envoy", "proxy": {"service": "web"}})));
    assert!(
        missing[0].starts_with("spec.metrics.proxy.port: is missing"),
        "{missing:?}"
    );
}

#[test]
fn a_service_or_names_of_the_proxy_in_the_spec_count() {
    let metrics = json!({"dialect": "traefik", "proxy": {"service": "web", "portName": "main"}});
    assert_eq!(
        selection(&of_image(&metrics)),
        ["exported_service=shop-web-main@kubernetes|shop-web-main@kubernetescrd"]
    );
    let metrics = json!({"dialect": "envoy", "proxy": {"names": ["httproute/shop/orders/rule/0", "httproute/shop/orders/rule/1"]}});
    assert_eq!(
        selection(&of_image(&metrics)),
        ["envoy_cluster_name=httproute/shop/orders/rule/0|httproute/shop/orders/rule/1"]
    );
}

#[test]
fn a_port_that_the_own_service_does_not_have_is_refused() {
    let behind_traefik = |proxy: &Value| json!({"image": "i", "service": {"port": 8000}, "metrics": {"dialect": "traefik", "proxy": proxy}});
    for (proxy, told) in [
        (
            json!({"port": 80}),
            "spec.metrics.proxy.port: 80 is no port of the MonitoredApi's own Service, which has 8000 with the name http",
        ),
        (
            json!({"service": "orders", "portName": "web"}),
            "spec.metrics.proxy.portName: web is no port of the MonitoredApi's own Service",
        ),
    ] {
        let violations = violations(&behind_traefik(&proxy));
        assert!(
            matches!(violations.as_slice(), [only] if only.starts_with(told)),
            "{proxy}: {violations:?}"
        );
    }
    for proxy in [
        json!({"port": 8000}),
        json!({"portName": "http"}),
        json!({"service": "web", "port": 80}),
    ] {
        selection(&behind_traefik(&proxy));
    }
    // Its ports are known without being named.
    assert_eq!(
        selection(&behind_traefik(&json!({"service": "orders"}))),
        selection(&behind_traefik(&json!({})))
    );
}

/// The expressions of the rules that read the proxy's own series.
fn read_expressions(spec: &Value, metric: &str) -> Vec<String> {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
    }))
    .unwrap();
    let rendered = render(&api, &Settings::default()).unwrap();
    let mut found = Vec::new();
    for intent in &rendered.objects {
        let groups = intent.object()["spec"]["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let expressions = rules.filter_map(|rule| rule["expr"].as_str());
        found.extend(expressions.filter(|expr| expr.contains(metric)).map(str::to_owned));
    }
    assert!(!found.is_empty(), "no rule reads {metric}");
    found
}

#[test]
fn the_path_of_a_probe_is_left_out_only_where_probes_pass_the_proxy() {
    let spec = |dialect: &str| {
        json!({
            "image": "i", "probes": {"readiness": {"http": {"path": "/"}}},
            "metrics": {"dialect": dialect, "excludedRoutes": ["/internal/.*"]},
        })
    };
    // The path of an Ingress's rule is `/` most often: without those series, none of the API's would be left.
    for expr in read_expressions(&spec("ingress-nginx"), "nginx_ingress_controller_requests") {
        assert!(expr.contains(r#"path!~"/internal/.*""#), "{expr}");
    }
    for expr in read_expressions(&spec("beyla"), "http_server_request_duration_seconds_count") {
        assert!(expr.contains(r#"http_route!~"/|/internal/.*|/metrics""#), "{expr}");
    }
}

#[test]
fn a_name_that_is_the_proxys_own_service_selects_no_series_of_others() {
    let spec = of_image(&json!({"dialect": "traefik", "proxy": {"names": ["ingress"]}}));
    let api = check(&spec).unwrap();
    // A series of another workload, scraped of a target with `service: ingress` that leaves honorLabels off.
    let others = |label: &str| match label {
        "exported_service" => "shop-carts-http@kubernetes",
        "service" => "ingress",
        _ => "",
    };
    for set in api.proxy.unwrap() {
        assert!(!set.iter().all(|of| of.holds(others(&of.label))), "{set:?}");
    }
}

#[test]
fn a_field_that_would_be_ignored_is_refused() {
    for (metrics, told) in [
        (
            json!({"dialect": "istio", "path": "/metrics"}),
            "spec.metrics.path: is about the pods' own page of metrics, which nobody reads with dialect istio: remove it",
        ),
        (
            json!({"dialect": "istio", "port": 9000}),
            "spec.metrics.port: is about the pods' own page",
        ),
        (
            json!({"dialect": "istio", "timeout": "5s"}),
            "spec.metrics.timeout: is about the pods' own page",
        ),
        (
            json!({"dialect": "istio", "limits": {"samples": 5}}),
            "spec.metrics.limits: is about the pods' own page",
        ),
        (
            json!({"dialect": "linkerd", "excludedRoutes": ["/healthz"]}),
            "spec.metrics.excludedRoutes: is about routes, which the series of dialect linkerd do not tell apart: remove it",
        ),
        (
            json!({"dialect": "istio", "proxy": {"service": "web"}}),
            "spec.metrics.proxy.service: is not read with dialect istio",
        ),
        (
            json!({"dialect": "ingress-nginx", "proxy": {"names": ["a"]}}),
            "spec.metrics.proxy.names: is not read with dialect ingress-nginx",
        ),
        (
            json!({"dialect": "traefik", "proxy": {"service": "web", "names": ["a@file"]}}),
            "spec.metrics.proxy.service: is not read beside names",
        ),
        (
            json!({"dialect": "envoy", "proxy": {"port": 80, "names": ["a"]}}),
            "spec.metrics.proxy.port: is not read beside names",
        ),
        (
            json!({"dialect": "native", "proxy": {"service": "web"}}),
            "spec.metrics.proxy: is read with the dialect of a proxy only",
        ),
        (
            json!({"proxy": {}}),
            "spec.metrics.proxy: is read with the dialect of a proxy only",
        ),
    ] {
        let violations = violations(&of_image(&metrics));
        assert!(
            matches!(violations.as_slice(), [only] if only.starts_with(told)),
            "{metrics}: {violations:?}"
        );
    }
}

#[test]
fn counters_of_the_api_itself_and_a_target_of_requests_need_the_pods_own_page() {
    let objective =
        json!({"name": "payments", "type": "Custom", "target": "99", "errors": "failed_total", "total": "all_total"});
    let refused = violations(&json!({"image": "i", "metrics": {"dialect": "istio"}, "objectives": [objective]}));
    assert!(
        refused[0].starts_with("spec.objectives: payments counts metrics of the pods' own page"),
        "{refused:?}"
    );
    let autoscaling = json!({"maxReplicas": 3, "targetRequestsPerSecond": "10"});
    let refused = violations(&json!({"image": "i", "metrics": {"dialect": "istio"}, "autoscaling": autoscaling}));
    assert!(
        refused
            .iter()
            .any(|told| told.contains("dialect istio is that of a proxy")),
        "{refused:?}"
    );
}

#[test]
fn nobody_is_to_scrape_the_pods_and_their_template_stays_the_same() {
    let with = check(&of_image(&json!({"dialect": "istio"}))).unwrap();
    let without = check(&of_image(&json!({"dialect": "native"}))).unwrap();
    assert!(!with.is_scraped() && without.is_scraped());
    assert_eq!((with.workload, with.service), (without.workload, without.service));
}

#[test]
fn left_out_is_only_that_which_a_proxy_cannot_see_and_no_scrape() {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": of_image(&json!({"dialect": "istio"})),
    }))
    .unwrap();
    let rendered = render(&api, &Settings::default()).unwrap();
    let told = |name: &str| rendered.omissions.iter().find(|omission| omission.name == name);
    for seen in ["ApiThreads", "ApiExceptions", "ApiTooManyInFlight"] {
        let reason = &told(seen).unwrap_or_else(|| panic!("{seen}")).reason;
        assert!(reason.starts_with("the dialect istio has no metric for"), "{reason}");
    }
    for scrape in [
        "ApiScrapeFailing",
        "ApiTargetsMissing",
        "ApiScrapeSlow",
        "Targets up",
        "Scrape duration",
    ] {
        assert_eq!(told(scrape).map(|omission| &omission.reason), None, "{scrape}");
    }
    let kinds: Vec<_> = rendered
        .objects
        .iter()
        .map(|intent| intent.object()["kind"].clone())
        .collect();
    assert!(
        !kinds.contains(&json!("ServiceMonitor")) && kinds.contains(&json!("PrometheusRule")),
        "{kinds:?}"
    );
    let services = rendered
        .objects
        .iter()
        .filter(|intent| intent.object()["kind"] == "Service");
    for service in services {
        let labels = &service.object()["metadata"]["labels"];
        assert_eq!(labels.get(controller_api::names::LABEL_SCRAPED), None, "{labels}");
    }
}

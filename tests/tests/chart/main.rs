//! The chart without a cluster: what helm renders from it, and how it answers wrong values.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod dashboards;

use std::path::Path;
use std::process::Command;

use integration_tests::{chart, generated, workspace};
use serde_json::{Value, json};
use testbed::Toolbox;

fn helm(args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(Toolbox::open().unwrap().bin("helm").unwrap());
    workspace::read(command.args(args).current_dir(workspace::root().unwrap())).map_err(|error| format!("{error:#}"))
}

fn template(settings: &[&str]) -> Result<String, String> {
    let mut args = vec![
        "template",
        "monitored-api",
        "charts/monitored-api",
        "--namespace",
        "ops",
    ];
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    helm(&args)
}

/// The objects that a chart renders with these values. `apis`: the API versions that the cluster is said to serve.
fn objects(release: &str, chart: &Path, values: &Value, apis: &[&str]) -> Result<Vec<Value>, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), values.to_string()).unwrap();
    let (chart, file) = (chart.to_string_lossy(), file.path().to_string_lossy());
    let mut args = vec!["template", release, &chart, "--namespace", "ops", "--values", &file];
    args.extend(["--kube-version", "1.36.0"]);
    args.extend(apis.iter().flat_map(|api| ["--api-versions", *api]));
    chart::objects(&helm(&args)?).map_err(|error| error.to_string())
}

const MONITORING: &str = "monitoring.coreos.com/v1";

/// The objects that our chart renders with these values.
fn ours(values: &Value) -> Result<Vec<Value>, String> {
    objects("op", Path::new("charts/monitored-api"), values, &[MONITORING])
}

fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found: Vec<_> = objects.iter().filter(|object| object["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

fn kinds(manifests: &str) -> Vec<&str> {
    manifests
        .lines()
        .filter_map(|line| line.strip_prefix("kind: "))
        .collect()
}

#[test]
fn helm_finds_nothing_to_say_against_the_chart() {
    helm(&["lint", "--strict", "charts/monitored-api"]).unwrap();
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders() {
    for (path, wanted) in generated::manifests(&Toolbox::open().unwrap().bin("helm").unwrap()).unwrap() {
        let found = std::fs::read_to_string(workspace::root().unwrap().join(path)).unwrap_or_default();
        assert!(
            found == wanted,
            "{path} is stale: run `cargo xtask gen` and commit what it writes"
        );
    }
}

#[test]
fn a_value_that_the_chart_does_not_know_is_refused_by_name() {
    for (wrong, named) in [
        ("replicaCount=2", "replicaCount"),
        ("image.regsitry=x", "regsitry"),
        ("serviceMonitor.interval=fast", "interval"),
    ] {
        let error = template(&[wrong]).unwrap_err();
        assert!(error.contains(named), "{wrong}: {error}");
    }
}

#[test]
fn two_replicas_without_a_lease_are_refused() {
    let error = template(&["replicas=2", "leaderElection.enabled=false"]).unwrap_err();
    assert!(error.contains("leaderElection.enabled"), "{error}");
}

#[test]
fn the_operators_own_servicemonitor_appears_only_where_the_api_exists() {
    assert!(!kinds(&template(&[]).unwrap()).contains(&"ServiceMonitor"));
    let with = helm(&[
        "template",
        "m",
        "charts/monitored-api",
        "--api-versions",
        "monitoring.coreos.com/v1",
    ])
    .unwrap();
    assert!(kinds(&with).contains(&"ServiceMonitor"));
    assert!(with.contains("honorLabels: true"));
}

#[test]
fn namespaced_mode_holds_roles_only() {
    let manifests = template(&["watchNamespaces={shop,pay}"]).unwrap();
    let kinds = kinds(&manifests);
    for cluster_wide in ["Cluster", "ValidatingAdmissionPolicy", "CustomResourceDefinition"] {
        assert!(!kinds.iter().any(|kind| kind.starts_with(cluster_wide)), "{kinds:?}");
    }
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "Role").count(),
        3,
        "there must be one Role for each namespace and one for the Lease: {kinds:?}"
    );
    assert!(manifests.contains("--watch-namespaces=shop,pay"));
}

#[test]
fn the_operators_permissions_hold_no_wildcard_and_no_secret() {
    let manifests = template(&[]).unwrap();
    for forbidden in [
        "\"*\"",
        "- '*'",
        "secrets",
        "escalate",
        "impersonate",
        "pods/exec",
        "pods/proxy",
    ] {
        let roles: Vec<_> = manifests
            .split("---")
            .filter(|part| part.contains("kind: ClusterRole\n") || part.contains("kind: Role\n"))
            .collect();
        assert!(!roles.is_empty());
        assert!(roles.iter().all(|role| !role.contains(forbidden)), "{forbidden}");
    }
}

#[test]
fn namespaced_mode_can_hold_what_is_cluster_wide_where_it_is_asked_for() {
    let objects = ours(&json!({
        "watchNamespaces": ["shop"],
        "crds": {"enabled": true}, "admissionPolicy": {"enabled": true}, "rbac": {"aggregateToDefaultRoles": true},
    }))
    .unwrap();
    one(&objects, "CustomResourceDefinition");
    one(&objects, "ValidatingAdmissionPolicyBinding");
    let roles: Vec<_> = objects
        .iter()
        .filter(|object| object["kind"] == "ClusterRole")
        .collect();
    assert_eq!(roles.len(), 2, "the roles must be edit and view: {roles:?}");
}

/// Flux appends `+<revision>` to the chart's version; build servers append `+<number>` to the version of the application.
#[test]
fn a_version_with_build_metadata_gives_labels_and_a_tag_that_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("0.1.0+{}", "9414ed9678d1".repeat(8));
    for (version, application) in [
        ("0.1.0+9414ed9678d1", "0.1.0"),
        ("0.1.0-rc.1+9414ed9678d1", "0.1.0+build.7"),
        (long.as_str(), long.as_str()),
    ] {
        let out = folder.path().to_string_lossy();
        let packed = helm(&[
            "package",
            "charts/monitored-api",
            "--version",
            version,
            "--app-version",
            application,
            "-d",
            &out,
        ])
        .unwrap();
        let path = packed.trim().rsplit(": ").next().unwrap();
        let objects = objects("op", Path::new(path), &json!({}), &[MONITORING]).unwrap();
        assert_eq!(chart::faults(&objects), Vec::<String>::new(), "{version} {application}");
        let container = &one(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
        let tag = container["image"].as_str().unwrap().rsplit(':').next().unwrap();
        assert_eq!(tag, application.replace('+', "_"));
    }
}

#[test]
fn a_new_version_of_the_chart_alone_does_not_restart_the_operator() {
    let objects = ours(&json!({})).unwrap();
    let deployment = one(&objects, "Deployment");
    assert!(deployment["metadata"]["labels"]["helm.sh/chart"].is_string());
    assert!(!deployment["spec"]["template"].to_string().contains("helm.sh/chart"));
}

#[test]
fn names_are_valid_whatever_the_release_is_called() {
    let chart = Path::new("charts/monitored-api");
    for release in [
        "op",
        "a.b",
        "7th",
        "monitored-api.x",
        &"x".repeat(53),
        &format!("9{}", "x".repeat(52)),
    ] {
        let objects = objects(release, chart, &json!({}), &[MONITORING]).unwrap();
        assert_eq!(chart::faults(&objects), Vec::<String>::new(), "{release}");
    }
    let name = |release| one(&objects(release, chart, &json!({}), &[]).unwrap(), "Service")["metadata"]["name"].clone();
    assert_eq!(name("op"), "op-monitored-api");
    assert_eq!(name("a.b"), "a-b-monitored-api");
    assert_eq!(name("7th"), "monitored-api-7th");
}

/// Writes an umbrella chart that has ours as a dependency, under another name (`alias`) if one is given.
fn umbrella(folder: &Path, alias: Option<&str>) {
    let root = workspace::root().unwrap();
    let name = alias.unwrap_or("monitored-api");
    let mut dependency = json!({
        "name": "monitored-api", "version": "0.1.0", "repository": format!("file://{}", root.join("charts/monitored-api").display()),
        "condition": format!("{name}.enabled"), "tags": ["operators"],
    });
    if let Some(alias) = alias {
        dependency["alias"] = json!(alias);
    }
    let chart = json!({"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [dependency]});
    std::fs::create_dir_all(folder.join("templates")).unwrap();
    std::fs::write(folder.join("Chart.yaml"), chart.to_string()).unwrap();
    std::fs::write(
        folder.join("templates/c.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: platform}\n",
    )
    .unwrap();
    helm(&["dependency", "build", &folder.to_string_lossy()]).unwrap();
}

#[test]
fn as_a_dependency_it_is_switched_by_its_condition() {
    for alias in [None, Some("watcher")] {
        let folder = tempfile::tempdir().unwrap();
        umbrella(folder.path(), alias);
        let name = alias.unwrap_or("monitored-api");
        let render = |own: Value, more: Value| {
            let mut values = json!({"global": {"imageRegistry": "registry.example.org", "imagePullSecrets": ["x"]}});
            values[name] = own;
            for (key, value) in more.as_object().unwrap() {
                values[key] = value.clone();
            }
            objects("platform", folder.path(), &values, &[MONITORING])
        };
        let count = |objects: &[Value], kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
        let on = render(json!({"enabled": true, "commonLabels": {"a": "b"}}), json!({})).unwrap();
        assert_eq!(chart::faults(&on), Vec::<String>::new());
        assert_eq!(count(&on, "Deployment"), 1);
        assert!(
            !json!(on).to_string().contains("registry.example.org"),
            "global belongs to the umbrella chart"
        );
        let off = render(json!({"enabled": false}), json!({})).unwrap();
        assert_eq!((count(&off, "Deployment"), count(&off, "ConfigMap")), (0, 1));
        let tagged_off = render(json!({}), json!({"tags": {"operators": false}})).unwrap();
        assert_eq!(count(&tagged_off, "Deployment"), 0);
        let nulls = json!({"enabled": true, "podSecurityContext": {"runAsUser": null, "runAsGroup": null}});
        let nulls = render(nulls, json!({})).unwrap();
        assert_eq!(
            one(&nulls, "Deployment")["spec"]["template"]["spec"]["securityContext"],
            json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
        );
        let error = render(json!({"enabled": true, "relpicas": 2}), json!({})).unwrap_err();
        assert!(error.contains("relpicas"), "{error}");
    }
}

#[test]
fn ids_go_away_where_the_namespace_chooses_them() {
    let pod = |values: Value, apis: &[&str]| {
        let objects = objects("op", Path::new("charts/monitored-api"), &values, apis).unwrap();
        one(&objects, "Deployment")["spec"]["template"]["spec"].clone()
    };
    let strict = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    let mut fixed = strict.clone();
    fixed["runAsUser"] = json!(65532);
    fixed["runAsGroup"] = json!(65532);
    let nulls = json!({"podSecurityContext": {"runAsUser": null, "runAsGroup": null}});
    assert_eq!(pod(json!({}), &[])["securityContext"], fixed);
    assert_eq!(pod(nulls, &[])["securityContext"], strict);
    assert_eq!(pod(json!({}), &["security.openshift.io/v1"])["securityContext"], strict);
    let own = json!({"podSecurityContext": {"runAsUser": 1000680001}});
    assert_eq!(
        pod(own, &["security.openshift.io/v1"])["securityContext"]["runAsUser"],
        1000680001
    );
    assert_eq!(
        pod(json!({"securityContext": {"readOnlyRootFilesystem": false}}), &[])["containers"][0]["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": false, "capabilities": {"drop": ["ALL"]}})
    );
}

#[test]
fn a_label_of_the_users_takes_the_place_of_the_charts() {
    let objects = ours(&json!({
        "commonLabels": {"app.kubernetes.io/part-of": "everything", "team": "common", "empty": ""},
        "podLabels": {"app.kubernetes.io/component": "platform", "team": "pods"},
        "defaults": {"monitoringObjectLabels": {"app.kubernetes.io/instance": "monitoring", "release": "kps"}},
        "serviceMonitor": {"labels": {"app.kubernetes.io/part-of": "kube-prometheus", "release": "own"}},
    }))
    .unwrap();
    assert_eq!(chart::faults(&objects), Vec::<String>::new());
    let monitor = one(&objects, "ServiceMonitor");
    let labels = &monitor["metadata"]["labels"];
    assert_eq!(labels["app.kubernetes.io/instance"], "monitoring");
    assert_eq!(labels["app.kubernetes.io/part-of"], "kube-prometheus");
    assert_eq!(labels["release"], "own");
    assert_eq!(
        monitor["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"],
        "op"
    );
    let pod = &one(&objects, "Deployment")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(pod["app.kubernetes.io/component"], "platform");
    assert_eq!(pod["app.kubernetes.io/part-of"], "everything");
    assert_eq!(pod["team"], "pods");
    for object in &objects {
        assert_eq!(object["metadata"]["labels"]["team"], "common", "{}", object["kind"]);
        assert_eq!(object["metadata"]["labels"]["empty"], "", "{}", object["kind"]);
    }
}

#[test]
fn a_variable_of_the_users_takes_the_place_of_the_charts() {
    let env = json!([{"name": "RUST_LOG", "value": "trace"}, {"name": "A", "value": "b"}]);
    let objects = ours(&json!({"extraEnv": env})).unwrap();
    assert_eq!(
        one(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"],
        env
    );
}

#[test]
fn the_servicemonitor_needs_its_own_kind_not_just_the_group() {
    let chart = Path::new("charts/monitored-api");
    let has = |apis: &[&str]| {
        let objects = objects("op", chart, &json!({}), apis).unwrap();
        objects.iter().any(|object| object["kind"] == "ServiceMonitor")
    };
    assert!(has(&[MONITORING]));
    assert!(has(&[MONITORING, "monitoring.coreos.com/v1/ServiceMonitor"]));
    assert!(!has(&[MONITORING, "monitoring.coreos.com/v1/PrometheusRule"]));
}

#[test]
fn the_rules_about_the_operator_name_this_installation_and_its_runbooks() {
    let values = json!({
        "fullnameOverride": "watcher", "namespaceOverride": "ops",
        "defaults": {"monitoringObjectLabels": {"release": "kps"}},
        "prometheusRule": {"labels": {"role": "alerts"}},
    });
    let objects = ours(&values).unwrap();
    let rule = one(&objects, "PrometheusRule");
    assert_eq!(rule["metadata"]["namespace"], "ops");
    assert_eq!(rule["metadata"]["labels"]["release"], "kps");
    assert_eq!(rule["metadata"]["labels"]["role"], "alerts");
    let text = rule.to_string();
    assert!(text.contains(r#"up{namespace=\"ops\", job=\"watcher\"}"#), "{text}");
    assert!(!text.contains("OPERATOR_"), "{text}");
    let rules = rule["spec"]["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), controller_rules::operator::ALERTS.len());
    for rule in rules {
        let annotations = &rule["annotations"];
        let reach = "kubectl --namespace ops port-forward deployment/watcher 8080:metrics, then http://localhost:8080/runbooks/";
        let description = annotations["description"].as_str().unwrap();
        assert!(
            description.ends_with(&format!("{reach}{}", rule["alert"].as_str().unwrap())),
            "{description}"
        );
        assert_eq!(annotations["runbook_url"], Value::Null);
    }

    let linked = ours(&json!({"defaults": {"runbookBaseUrl": "https://example.org/runbooks/"}})).unwrap();
    let first = &one(&linked, "PrometheusRule")["spec"]["groups"][0]["rules"][0];
    let url = format!("https://example.org/runbooks/{}.md", first["alert"].as_str().unwrap());
    assert_eq!(first["annotations"]["runbook_url"], url);
    assert!(
        !first["annotations"]["description"]
            .as_str()
            .unwrap()
            .contains("Runbook")
    );
}

#[test]
fn the_rules_about_the_operator_can_be_turned_off_and_need_their_kind() {
    let has = |values: Value, apis: &[&str]| {
        let objects = objects("op", Path::new("charts/monitored-api"), &values, apis).unwrap();
        objects.iter().any(|object| object["kind"] == "PrometheusRule")
    };
    assert!(has(json!({}), &[MONITORING]));
    assert!(has(json!({"prometheusRule": null}), &[MONITORING]));
    assert!(!has(json!({"prometheusRule": {"enabled": false}}), &[MONITORING]));
    assert!(!has(json!({"serviceMonitor": {"enabled": false}}), &[MONITORING]));
    assert!(!has(json!({}), &[]));
}

/// Two renderings are equal: they hold no random value, no time, and no map in random order.
#[test]
fn the_same_values_give_the_same_text() {
    let settings = ["commonLabels.b=1x", "commonLabels.a=2x", "podLabels.z=x"];
    assert_eq!(template(&settings), template(&settings));
}

#[test]
fn a_wrong_value_is_refused_with_its_name() {
    let long = "x".repeat(64);
    for (values, named) in [
        (json!({"fullnameOverride": "Bad_Name"}), "fullnameOverride"),
        (json!({"fullnameOverride": long}), "fullnameOverride"),
        (json!({"nameOverride": "9a"}), "nameOverride"),
        (json!({"namespaceOverride": "a.b"}), "namespaceOverride"),
        (json!({"podLabels": {"app.kubernetes.io/instance": "x"}}), "podLabels: "),
        (
            json!({"commonLabels": {"app.kubernetes.io/name": "x"}}),
            "commonLabels: ",
        ),
        (json!({"commonLabels": {"a": "b c"}}), "commonLabels"),
        (json!({"podLabels": {"a": long}}), "podLabels"),
        (json!({"podLabels": {"a b": "c"}}), "podLabels"),
        (json!({"nodeSelector": {"a": 7}}), "nodeSelector"),
        (json!({"serviceMonitor": {"labels": {"a": "b/c"}}}), "labels"),
        (json!({"image": {"tag": 1.1}}), "tag"),
        (json!({"image": {"tag": "1+2"}}), "tag"),
        (json!({"image": {"repository": "registry/controller:1"}}), "repository"),
        (json!({"image": {"digest": "sha256:1"}}), "digest"),
        (json!({"image": null}), "image"),
        (json!({"imagePullSecrets": ["registry"]}), "imagePullSecrets"),
        (
            json!({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}),
            "imagePullSecrets",
        ),
        (json!({"watchNamespaces": ["a", "a"]}), "watchNamespaces"),
        (json!({"watchNamespaces": "a"}), "watchNamespaces"),
        (json!({"crds": {"enabled": "yes"}}), "crds"),
        (json!({"defaults": {"runbookBaseUrl": "http://wiki"}}), "runbookBaseUrl"),
        (
            json!({"defaults": {"runbookBaseUrl": "https://wiki/a b"}}),
            "runbookBaseUrl",
        ),
        (json!({"defaults": {"compat": "pyrra"}}), "compat"),
        (json!({"extraArgs": ["--compat=sloth"]}), "use defaults.compat"),
        (json!({"prometheusUrl": "prometheus:9090"}), "prometheusUrl"),
        (
            json!({"prometheusUrl": "http://user:secret@prometheus"}),
            "prometheusUrl",
        ),
        (json!({"extraArgs": ["--prometheus-url=http://p"]}), "use prometheusUrl"),
        (json!({"extraArgs": ["--detection=false"]}), "use detection.enabled"),
        (json!({"detection": {"enabled": "no"}}), "enabled"),
        (json!({"serviceMonitor": {"interval": "1m1h"}}), "interval"),
        (json!({"serviceMonitor": {"interval": ""}}), "interval"),
        (json!({"metricsListen": ":8080"}), "metricsListen"),
        (json!({"metricsListen": "[::]:65536"}), "metricsListen"),
        (json!({"logLevel": "verbose"}), "logLevel"),
        (json!({"resources": {"limits": {"memory": "256 MB"}}}), "memory"),
        (json!({"extraArgs": ["--metrics-listen=[::]:9"]}), "use metricsListen"),
        (json!({"extraArgs": ["--watch-namespaces", "a"]}), "use watchNamespaces"),
        (
            json!({"extraEnv": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
            "extraEnv[1]",
        ),
        (json!({"extraEnv": [{"name": "A", "value": 1}]}), "extraEnv"),
        (
            json!({"topologySpreadConstraints": [
                {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1},
                {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 2},
            ]}),
            "topologySpreadConstraints[1]",
        ),
        (json!({"serviceAccount": {"create": false}}), "serviceAccount.name"),
        (
            json!({"replicas": 2, "leaderElection": {"enabled": false}}),
            "leaderElection.enabled",
        ),
        (json!({"networkPolicy": {"metricsFrom": [{"pods": {}}]}}), "pods"),
    ] {
        let error = ours(&values).map(drop).unwrap_err();
        assert!(error.contains(named), "{values}: {error}");
    }
}

//! The files of a stack on one machine. What the rules engine makes is golden in its own crate: here it is compared with what the same
//! MonitoredApi gets in a cluster.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads its cases; the crate itself does neither"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use controller_api::MonitoredApi;
use controller_core::{
    facts::Settings,
    omission::OmissionKind,
    render::render_with,
    stack::{
        ApiService, ImageSource, Layout, Ports, Secret, Stack, StackApi,
        alertmanager::{Email, Notifications},
        files, prometheus,
    },
    validate::custom_spelling,
};
use controller_rules::promql::PromDuration;
use metric_contract::{DialectId, Spelling, TargetKind};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn api(name: &str, spec: &Value) -> MonitoredApi {
    serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec,
    }))
    .unwrap()
}

fn stack_api(name: &str, spec: &Value, targets: &[&str]) -> StackApi {
    let targets = targets.iter().map(ToString::to_string).collect();
    StackApi::new(&api(name, spec), &Settings::default(), None, targets).unwrap()
}

const PORTS: Ports = Ports {
    prometheus: 9090,
    alertmanager: 9093,
    grafana: 3000,
};

/// One API on the machine of which nothing is known, and nobody is told.
fn smallest() -> Stack {
    Stack {
        apis: vec![stack_api(
            "orders",
            &json!({"image": "i"}),
            &["host.docker.internal:8000"],
        )],
        evaluation_interval: PromDuration::from_seconds(15),
        retention: PromDuration::parse("15d").unwrap(),
        notifications: Notifications::default(),
        grafana_anonymous: false,
        ports: PORTS,
        api_service: None,
        reaches_host: true,
    }
}

/// Everything that there is to set: the reference API, which is run too, and another one of two processes.
fn everything() -> Stack {
    let native = json!({
        "image": "i", "preset": "native", "metrics": {"interval": "5s"},
        "objectives": [{"name": "available", "type": "Availability", "target": "99.9"}],
    });
    let flask = json!({"image": "i", "metrics": {"dialect": "flask", "path": "/m", "limits": {"samples": 1000}}});
    Stack {
        apis: vec![
            stack_api("orders", &native, &["orders:8031"]),
            stack_api("carts", &flask, &["carts-1.example.org:80", "carts-2.example.org:80"]),
        ],
        evaluation_interval: PromDuration::from_seconds(5),
        retention: PromDuration::parse("31d").unwrap(),
        notifications: Notifications {
            email: Some(Email {
                to: vec!["ops@example.org".to_owned(), "yes@example.org".to_owned()],
                smarthost: "mail.example.org:587".to_owned(),
                from: "alerts@example.org".to_owned(),
                user: Some("alerts".to_owned()),
                require_tls: true,
            }),
            webhook: true,
        },
        grafana_anonymous: true,
        ports: Ports {
            prometheus: 19090,
            alertmanager: 19093,
            grafana: 13000,
        },
        api_service: Some(ApiService {
            name: "orders".to_owned(),
            image: ImageSource::Built("/src/$app".to_owned()),
            port: 8031,
            is_native: true,
        }),
        reaches_host: false,
    }
}

/// Compares with the file of this name, or writes it where BLESS is set.
fn golden(case: &str, path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/stack")
        .join(case)
        .join(path);
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let accepted = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, accepted, "{case}/{path}: `cargo xtask bless` accepts it");
}

#[test]
fn the_files_are_as_accepted() {
    for (case, stack) in [("smallest", smallest()), ("everything", everything())] {
        let files = files(&stack).unwrap();
        let generated = |path: &str| path.starts_with("prometheus/rules/") || path.starts_with("grafana/dashboards/");
        for file in files.iter().filter(|file| !generated(&file.path)) {
            golden(case, &file.path, &file.text);
        }
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        golden(case, "files.txt", &(paths.join("\n") + "\n"));
    }
}

#[test]
fn the_same_stack_gives_the_same_bytes() {
    assert_eq!(files(&everything()).unwrap(), files(&everything()).unwrap());
}

#[test]
fn each_secret_is_a_file_that_only_its_reader_gets() {
    let stack = everything();
    let compose = files(&stack)
        .unwrap()
        .into_iter()
        .find(|file| file.path == "compose.yaml")
        .unwrap();
    let compose: Value = serde_yaml::from_str(&compose.text).unwrap();
    let of_service = |service: &str| compose["services"][service]["secrets"].clone();
    assert_eq!(of_service("grafana"), json!(["grafana_admin_password"]));
    assert_eq!(of_service("alertmanager"), json!(["smtp_password", "webhook_url"]));
    assert_eq!(
        (of_service("prometheus"), of_service("orders")),
        (Value::Null, Value::Null)
    );
    assert_eq!(
        stack.secrets(),
        [Secret::GrafanaAdminPassword, Secret::SmtpPassword, Secret::WebhookUrl]
    );
}

#[test]
fn programs_that_are_started_otherwise_get_a_layout_of_their_own() {
    let layout = Layout {
        rules: "/tmp/x/rules/*.yaml".to_owned(),
        prometheus: "127.0.0.1:1".to_owned(),
        alertmanager: "127.0.0.1:2".to_owned(),
        secrets: "/tmp/x/secrets".to_owned(),
    };
    let stack = everything();
    let config = serde_json::to_value(prometheus::config(&stack.apis, &layout, stack.evaluation_interval)).unwrap();
    assert_eq!(config["rule_files"], json!(["/tmp/x/rules/*.yaml"]));
    let alertmanagers = &config["alerting"]["alertmanagers"];
    assert_eq!(
        alertmanagers,
        &json!([{"static_configs": [{"targets": ["127.0.0.1:2"]}]}])
    );
}

/// Rules by what tells them apart: name, and labels.
fn rules(file: &Value) -> BTreeMap<(String, String), Value> {
    let groups = file["groups"].as_array().into_iter().flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    rules
        .map(|rule| {
            let name = rule.get("alert").or_else(|| rule.get("record")).unwrap();
            (
                (name.as_str().unwrap().to_owned(), rule["labels"].to_string()),
                rule.clone(),
            )
        })
        .collect()
}

/// As a ServiceMonitor's target stores the labels that its own hide.
fn as_in_a_cluster(expr: &str) -> String {
    let renamed = TargetKind::ServiceMonitor.reserved().iter();
    renamed
        .filter(|label| !TargetKind::Static.reserved().contains(label))
        .fold(expr.to_owned(), |expr, label| {
            expr.replace(&format!("exported_{label}"), label)
        })
}

/// The alerts that need what only an operator knows.
const OF_THE_OPERATOR: [&str; 6] = [
    "ApiAutoscalerAtMax",
    "ApiReplicasMismatch",
    "ApiPodNotReady",
    "ApiRestartLoop",
    "ApiOomKilled",
    "ApiScrapeFailing",
];

/// The same MonitoredApi in a cluster and on one machine: the same expressions and settings, save those that need the operator.
fn compare(api: &MonitoredApi, page: Option<&Arc<Spelling>>) -> usize {
    let settings = Settings::default();
    let rendered = render_with(api, &settings, page, None).unwrap();
    let objects = rendered.objects.iter().map(controller_core::intent::Intent::object);
    let in_cluster = objects
        .filter(|object| object["kind"] == "PrometheusRule")
        .map(|object| rules(&object["spec"]))
        .next()
        .unwrap_or_default();
    let on_machine = StackApi::new(api, &settings, page, vec!["orders:80".to_owned()]).unwrap();
    let one_machine = on_machine.rules().map(rules).unwrap_or_default();
    for (name, rule) in &one_machine {
        let other = in_cluster
            .get(name)
            .unwrap_or_else(|| panic!("{name:?} is not in the cluster"));
        assert_eq!(
            rule["expr"].as_str().unwrap(),
            as_in_a_cluster(other["expr"].as_str().unwrap()),
            "{name:?}"
        );
        for field in ["for", "keep_firing_for", "labels"] {
            assert_eq!(rule[field], other[field], "{name:?}");
        }
    }
    let left_out: BTreeSet<_> = on_machine
        .omissions()
        .iter()
        .filter(|one| one.kind == OmissionKind::Alert && one.reason.contains("only an operator reports"))
        .map(|one| one.name.clone())
        .collect();
    let missing: BTreeSet<_> = in_cluster
        .keys()
        .filter(|name| !one_machine.contains_key(*name))
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(left_out, missing);
    assert!(
        missing.iter().all(|name| OF_THE_OPERATOR.contains(&name.as_str())),
        "{missing:?}"
    );
    one_machine.len()
}

#[test]
fn one_machine_has_the_rules_of_the_cluster_save_those_that_need_the_operator() {
    let mut compared = 0;
    for entry in fs::read_dir(root().join("tests/cases/good")).unwrap() {
        let path = entry.unwrap().path();
        let read = controller_core::manifest::read(&fs::read_to_string(&path).unwrap());
        for manifest in read.unwrap() {
            let api: MonitoredApi = serde_json::from_value(manifest.value).unwrap();
            let is_monitored = api.spec.monitoring.as_ref().and_then(|monitoring| monitoring.enabled) != Some(false);
            if is_monitored && api.spec.workload_ref.is_none() {
                compared += compare(&api, None);
            }
        }
    }
    for dialect in DialectId::ALL {
        let spelling = Arc::new(dialect.spelling().clone());
        compared += compare(&api("orders", &json!({"image": "i"})), Some(&spelling));
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn names_by_hand_lead_to_the_same_rules_too() {
    let spec = json!({"image": "i", "metrics": {"dialect": "custom", "custom": {
        "requests": {"name": "r", "labels": {"status": "code", "route": "endpoint"}}, "duration": {"name": "t"},
    }}});
    let api = api("orders", &spec);
    assert!(custom_spelling(&api.spec).is_some());
    assert!(compare(&api, None) > 5);
}

#[test]
fn data_is_kept_as_long_as_rules_look_back() {
    let needed = |spec: Value| {
        stack_api("orders", &spec, &["orders:80"])
            .needed_retention()
            .to_string()
    };
    assert_eq!(needed(json!({"image": "i"})), "1d");
    assert_eq!(needed(json!({"image": "i", "preset": "native"})), "8d");
    let objective = json!([{"name": "available", "type": "Availability", "target": "99", "window": "90d"}]);
    assert_eq!(
        needed(json!({"image": "i", "preset": "native", "objectives": objective})),
        "90d"
    );
}

#[test]
fn a_spec_with_mistakes_and_one_without_monitoring_are_refused() {
    let violations = |spec: Value| {
        let refused = StackApi::new(&api("orders", &spec), &Settings::default(), None, Vec::new());
        refused.unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let overrides = json!([{"name": "ApiDwon"}, {"name": "ApiHighErrorRatio", "threshold": "x"}]);
    let told = violations(json!({"image": "i", "preset": "native", "alerts": {"overrides": overrides}}));
    assert!(told.len() == 2 && told[0].contains("ApiDown"), "{told:?}");
    let told = violations(json!({"image": "i", "monitoring": {"enabled": false}}));
    assert!(told[0].starts_with("spec.monitoring.enabled: is false"), "{told:?}");
}

#[test]
fn dashboards_of_one_machine_are_loaded_again_more_often_and_show_no_pods() {
    let stack = everything();
    let dashboard: Value = serde_json::from_str(stack.apis[0].dashboard().unwrap()).unwrap();
    assert_eq!(dashboard["refresh"], "5s");
    let panels = dashboard["panels"].as_array().unwrap();
    let titles: Vec<_> = panels.iter().filter_map(|panel| panel["title"].as_str()).collect();
    assert!(titles.contains(&"Request rate"), "{titles:?}");
    assert!(
        !titles
            .iter()
            .any(|title| title.contains("Restarts") || title.contains("Replicas")),
        "{titles:?}"
    );
}

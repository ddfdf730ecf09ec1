//! Golden cases: `cases/<case>/in.yaml` → `cases/<case>/out/*.yaml`, accepted by `cargo xtask bless` (BLESS=1).
//!
//! What the rules engine makes is golden in its own crate; here stand only its names.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads its cases; the crate itself does neither"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use controller_api::MonitoredApi;
use controller_core::{
    Rendered,
    facts::{ReferencedWorkload, Settings},
    object_hash, referenced,
    render::render_with,
    yaml,
};
use serde_json::{Value, json};

/// SHA-256 of the canonical JSON of the pod template. **Changing one rolls every pod of every user**: never without a
/// line in the changelog that says so.
const POD_TEMPLATES: [(&str, &str); 6] = [
    (
        "minimal",
        "3120a73fac25eeb33a7a65d649d6c05579f7634490350f4e720eaaa67b04d2a1",
    ),
    (
        "native",
        "41a7933b74c5f85faeed3ce5d7eb252b69f00834ee076e6376a639fe4fe29db6",
    ),
    (
        "metrics-port",
        "3583bf1d8528d2e267dd442482ca92699ee6dec5606476eee2798d934eaa1a8a",
    ),
    (
        "everything",
        "11dffdc6f7dffa05e8b4c894d4d5641caf9ddd22ec8c5bc12f19a1d82aa69deb",
    ),
    (
        "autoscaling",
        "41a7933b74c5f85faeed3ce5d7eb252b69f00834ee076e6376a639fe4fe29db6",
    ),
    (
        "storage",
        "43ff6d5bc0f02a7e38e6a994258f33836044116511252f70c524dcd65da2e7ad",
    ),
];

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn read(case: &str) -> MonitoredApi {
    let text = fs::read_to_string(cases().join(case).join("in.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// The object with the rules engine's work cut down to names.
fn trimmed(mut object: Value) -> Value {
    if let Some(groups) = object.pointer_mut("/spec/groups").and_then(Value::as_array_mut) {
        for group in groups {
            let names: Vec<Value> = group["rules"]
                .as_array()
                .unwrap()
                .iter()
                .map(|rule| rule.get("alert").or_else(|| rule.get("record")).unwrap().clone())
                .collect();
            *group = json!({"name": group["name"], "rules": names});
        }
    }
    if object["kind"] == "ConfigMap" {
        for (_, text) in object["data"].as_object_mut().unwrap() {
            let dashboard: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            *text = json!(format!("<dashboard {}>", dashboard["uid"].as_str().unwrap()));
        }
    }
    object
}

/// The names of the cases, sorted.
fn all_cases() -> Vec<String> {
    let entries = fs::read_dir(cases()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn written(object: &Value) -> String {
    let mut text = String::new();
    yaml::write_object(object, &mut text).unwrap();
    text
}

/// The workload that the spec refers to: `workload.yaml`, where the case has one.
fn workload(case: &str) -> Option<ReferencedWorkload> {
    let text = fs::read_to_string(cases().join(case).join("workload.yaml")).ok()?;
    referenced::of_manifest(&serde_yaml::from_str(&text).unwrap())
}

fn rendered(case: &str, api: &MonitoredApi) -> Rendered {
    render_with(api, &Settings::default(), None, workload(case).as_ref())
        .unwrap_or_else(|violations| panic!("{case}: {violations:#?}"))
}

/// The objects of a case.
fn objects(case: &str) -> Vec<Value> {
    let rendered = rendered(case, &read(case));
    rendered.objects.iter().map(|intent| intent.object().clone()).collect()
}

/// File name and content of each object.
fn output(case: &str) -> BTreeMap<String, String> {
    objects(case)
        .into_iter()
        .map(|object| {
            let kind = object["kind"].as_str().unwrap().to_lowercase();
            let name = object["metadata"]["name"].as_str().unwrap();
            (format!("{kind}-{name}.yaml"), written(&trimmed(object)))
        })
        .collect()
}

fn golden(case: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(cases().join(case).join("out")).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

fn bless(case: &str, output: &BTreeMap<String, String>) {
    let dir = cases().join(case).join("out");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    for (file, text) in output {
        fs::write(dir.join(file), text).unwrap();
    }
}

#[test]
fn every_case_gives_its_golden_objects() {
    for case in all_cases() {
        let output = output(&case);
        if env::var_os("BLESS").is_some() {
            bless(&case, &output);
        }
        let golden = golden(&case);
        assert_eq!(
            output.keys().collect::<Vec<_>>(),
            golden.keys().collect::<Vec<_>>(),
            "{case}"
        );
        for (file, text) in &output {
            assert_eq!(
                text, &golden[file],
                "{case}/{file}: look at it, then accept it with `cargo xtask bless`"
            );
        }
    }
}

#[test]
fn the_pod_template_of_an_unchanged_spec_never_changes() {
    for (case, pinned) in POD_TEMPLATES {
        let objects = objects(case);
        let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
        assert_eq!(
            object_hash::hash(&deployment["spec"]["template"]),
            pinned,
            "{case}: this would roll every pod of every user"
        );
    }
}

#[test]
fn no_object_holds_an_empty_list_or_a_null() {
    // An empty list is a write at every server-side apply (kubernetes#131175). An empty map says something: emptyDir.
    fn check(value: &Value, path: &str) {
        match value {
            Value::Null => panic!("{path} is null"),
            Value::Array(items) => {
                assert!(!items.is_empty(), "{path} is empty");
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| check(item, &format!("{path}[{index}]")));
            }
            Value::Object(object) => {
                let may_be_empty = path.ends_with("emptyDir");
                assert!(may_be_empty || !object.is_empty(), "{path} is empty");
                object
                    .iter()
                    .for_each(|(key, value)| check(value, &format!("{path}.{key}")));
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for case in all_cases() {
        for object in objects(&case) {
            check(&object, &case);
        }
    }
}

#[test]
fn exactly_one_service_is_scraped_and_none_of_an_api_behind_a_proxy() {
    for case in all_cases() {
        let objects = objects(&case);
        let monitor = objects.iter().find(|object| object["kind"] == "ServiceMonitor");
        let is_proxied = rendered(&case, &read(&case)).api.proxy.is_some();
        assert_eq!(monitor.is_none(), is_proxied, "{case}");
        let Some(monitor) = monitor else { continue };
        let wanted = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
        let port = &monitor["spec"]["endpoints"][0]["port"];
        let selected: Vec<_> = objects
            .iter()
            .filter(|object| object["kind"] == "Service")
            .filter(|service| {
                wanted
                    .iter()
                    .all(|(key, value)| service["metadata"]["labels"].get(key) == Some(value))
            })
            .collect();
        assert_eq!(selected.len(), 1, "{case}");
        assert_eq!(&selected[0]["spec"]["ports"][0]["name"], port, "{case}");
    }
}

#[test]
fn the_same_input_gives_the_same_objects() {
    for case in all_cases() {
        assert_eq!(output(&case), output(&case));
    }
}

#[test]
fn a_file_of_an_api_with_any_name_holds_the_object_that_is_sent() {
    // Some are words or numbers to readers of YAML, and the second of each pair is written from what the first left behind.
    let names = [
        ("shop", "orders"),
        ("on", "orders"),
        ("shop", "y"),
        ("1e3", "null"),
        ("a", "n"),
        ("123", "off"),
        ("a-very-long-namespace-that-is-cut-in-the-uid", "orders"),
        ("qnamespaceq", "qnameq"),
    ];
    for case in all_cases() {
        for (namespace, name) in names {
            let mut api = read(&case);
            api.metadata.namespace = Some(namespace.to_owned());
            api.metadata.name = Some(name.to_owned());
            for intent in rendered(&case, &api).objects {
                let mut text = String::new();
                intent.write_yaml(&mut text).unwrap();
                assert_eq!(text, written(intent.object()), "{case} {namespace}/{name}");
            }
        }
    }
}

#[test]
fn every_field_of_the_spec_stands_in_a_golden_case() {
    let crd = serde_json::to_value(controller_api::crd()).unwrap();
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    let given: Vec<Value> = all_cases()
        .iter()
        .map(|case| serde_json::to_value(read(case).spec).unwrap())
        .collect();
    for field in crd.pointer(spec).unwrap().as_object().unwrap().keys() {
        assert!(
            given.iter().any(|spec| spec.get(field).is_some()),
            "spec.{field}: write it into controller/core/tests/cases/everything/in.yaml"
        );
    }
}

//! Tests the chart with many values: a seeded generator of values, and rules that every rendering must follow.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value by key gives null, never a panic"
)]

use anyhow::{Context, Result};
use fastrand::Rng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Namespaces that the generated values name; they must exist where the API server is asked.
pub const NAMESPACES: [&str; 6] = ["ops", "shop", "pay", "123", "true", "elsewhere"];

/// One installation: `helm install RELEASE --namespace NAMESPACE --values VALUES`.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The release's name.
    pub release: &'static str,
    /// The release's namespace.
    pub namespace: &'static str,
    /// The values, all of them valid.
    pub values: Value,
}

const RELEASES: [&str; 6] = [
    "op",
    "monitored-api",
    "platform.monitored-api",
    "7th-platform",
    "a-name-that-is-as-long-as-helm-permits-which-is-53-ch",
    "x.y.z",
];

/// Path of a value of the chart and its possible values, as JSON.
const CHOICES: &[(&str, &[&str])] = &[
    (
        "global",
        &[r#"{"imageRegistry": "registry.example.org", "storageClass": "fast"}"#],
    ),
    ("enabled", &["true"]),
    ("image.tag", &[r#""1.2.3""#, r#""v1_build.7""#]),
    ("image.repository", &[r#""registry.example.org:5000/team/controller""#]),
    (
        "image.digest",
        &[r#""sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef""#],
    ),
    ("image.pullPolicy", &[r#""Always""#, r#""Never""#, "null"]),
    (
        "imagePullSecrets",
        &[r#"[{"name": "registry"}, {"name": "mirror.example"}]"#],
    ),
    ("nameOverride", &[r#""watcher""#]),
    (
        "fullnameOverride",
        &[
            r#""watcher""#,
            r#""null""#,
            r#""on""#,
            r#""a-name-of-sixty-three-characters-which-is-all-that-labels-permi""#,
        ],
    ),
    ("namespaceOverride", &[r#""elsewhere""#]),
    (
        "commonLabels",
        &[
            r#"{"team": "platform", "app.kubernetes.io/part-of": "everything"}"#,
            r#"{"cost-center": "", "app.kubernetes.io/version": "7", "helm.sh/chart": "ours"}"#,
        ],
    ),
    (
        "commonAnnotations",
        &[r#"{"example.org/owner": "a: team # with signs", "b": "x"}"#],
    ),
    ("replicas", &["0", "2", "3"]),
    ("podDisruptionBudget.enabled", &["true"]),
    ("watchNamespaces", &[r#"["shop"]"#, r#"["shop", "pay", "ops", "123"]"#]),
    ("crds.enabled", &["true", "false", r#""auto""#]),
    ("crds.keep", &["false"]),
    ("admissionPolicy.enabled", &["true", "false"]),
    ("rbac.create", &["false"]),
    ("rbac.aggregateToDefaultRoles", &["true", "false"]),
    ("serviceAccount.name", &[r#""own.account""#, r#""123""#, r#""1e3""#]),
    (
        "serviceAccount.annotations",
        &[r#"{"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x", "b": ""}"#],
    ),
    (
        "defaults.objectLabels",
        &[r#"{"cost-center": "4711", "example.org/owner": "", "yes": "no"}"#],
    ),
    (
        "defaults.monitoringObjectLabels",
        &[
            r#"{"release": "kps"}"#,
            r#"{"app.kubernetes.io/instance": "monitoring"}"#,
        ],
    ),
    (
        "defaults.dashboardObjectLabels",
        &[
            r#"{"team": "a", "grafana_dashboard": "yes"}"#,
            r#"{"grafana_dashboard": null}"#,
        ],
    ),
    ("defaults.grafanaInstanceLabels", &[r#"{"dashboards": "grafana"}"#]),
    ("defaults.runbookBaseUrl", &[r#""https://wiki.example.org/r?x=1#a""#]),
    ("defaults.compat", &[r#""sloth""#]),
    ("serviceMonitor.enabled", &["false"]),
    ("serviceMonitor.interval", &[r#""1m30s""#]),
    (
        "serviceMonitor.labels",
        &[r#"{"release": "other", "app.kubernetes.io/part-of": "kube-prometheus"}"#],
    ),
    ("prometheusRule.enabled", &["false"]),
    ("prometheusRule.labels", &[r#"{"release": "other"}"#]),
    ("dashboards.enabled", &["false"]),
    ("dashboards.labels", &[r#"{"team": "b", "grafana_dashboard": "yes"}"#]),
    ("metricsListen", &[r#""0.0.0.0:9090""#, r#""[::]:65535""#]),
    ("networkPolicy.enabled", &["true"]),
    (
        "networkPolicy.metricsFrom",
        &[r#"[{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]"#],
    ),
    ("logLevel", &[r#""debug""#, r#""info,kube_client=debug""#]),
    (
        "podAnnotations",
        &[r#"{"b": "pods", "cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}"#],
    ),
    (
        "podLabels",
        &[r#"{"app.kubernetes.io/component": "platform", "team": "pods", "yes": "no"}"#],
    ),
    (
        "podSecurityContext",
        &[
            r#"{"runAsUser": null, "runAsGroup": null}"#,
            r#"{"runAsUser": 1000680000, "fsGroup": 1000680000}"#,
        ],
    ),
    (
        "securityContext",
        &[r#"{"readOnlyRootFilesystem": false}"#, r#"{"capabilities": null}"#],
    ),
    (
        "resources",
        &[
            r#"{"limits": {"memory": null, "cpu": "1"}}"#,
            r#"{"requests": {"cpu": "50m", "memory": "64Mi"}}"#,
        ],
    ),
    ("nodeSelector", &[r#"{"kubernetes.io/arch": "arm64", "zone": "7"}"#]),
    (
        "tolerations",
        &[r#"[{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]"#],
    ),
    (
        "affinity",
        &[
            r#"{"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm":
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}}]}}"#,
        ],
    ),
    (
        "topologySpreadConstraints",
        &[
            r#"[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]"#,
        ],
    ),
    ("priorityClassName", &[r#""system-cluster-critical""#]),
    (
        "extraEnv",
        &[
            r#"[{"name": "RUST_LOG", "value": "trace"}, {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]"#,
            r#"[{"name": "NODE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}]"#,
        ],
    ),
];

/// One chance in so many that a value is not the default.
const RARITY: usize = 4;

/// `count` installations; the same for the same seed. The first has the chart's defaults.
///
/// # Errors
/// A row of the table is not JSON.
pub fn samples(seed: u64, count: usize) -> Result<Vec<Sample>> {
    let mut random = Rng::with_seed(seed);
    (0..count)
        .map(|index| {
            let mut values = Map::new();
            for (path, choices) in CHOICES {
                if index > 0 && random.usize(..RARITY) == 0 {
                    let text = random.choice(*choices).context("a row without choices")?;
                    let value = serde_json::from_str(text).with_context(|| format!("{path}: {text}"))?;
                    set(&mut values, path, value);
                }
            }
            Ok(Sample {
                release: random.choice(RELEASES).context("no releases")?,
                namespace: random.choice(["ops", "shop", "123", "true"]).context("no namespaces")?,
                values: Value::Object(values),
            })
        })
        .collect()
}

/// Sets the value at a path such as `image.tag`; what is missing on the way is made.
pub(crate) fn set(values: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        Some((parent, rest)) => {
            let entry = values.entry(parent).or_insert_with(|| json!({}));
            if let Value::Object(map) = entry {
                set(map, rest, value);
            }
        }
        None => {
            values.insert(path.to_owned(), value);
        }
    }
}

/// The objects of a rendering, read as kustomize and Flux do.
///
/// # Errors
/// A key stands twice in one map, or the text is not YAML.
pub fn objects(manifests: &str) -> Result<Vec<Value>> {
    serde_yaml::Deserializer::from_str(manifests)
        .map(|document| {
            let yaml = serde_yaml::Value::deserialize(document)?;
            Ok(serde_json::to_value(yaml)?)
        })
        .filter(|object| !matches!(object, Ok(Value::Null)))
        .collect()
}

/// Returns messages about mistakes that objects must not have with any values.
#[must_use]
pub fn faults(objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let id = format!("{} {name} in {}", object["kind"], object["metadata"]["namespace"]);
        if object["kind"] == "CustomResourceDefinition" {
            labels(&object["metadata"], &id, &mut faults);
        } else {
            labels(object, &id, &mut faults);
            if name.len() > 63 + "-leader".len() {
                faults.push(format!("{id}: a name of {} characters", name.len()));
            }
        }
        if object["kind"] == "Service" && !is_service_name(name) {
            faults.push(format!("{id}: not a name of a Service"));
        }
        if !names.insert(id.clone()) {
            faults.push(format!("{id}: stands here twice"));
        }
    }
    let deployment = |object: &&Value| object["kind"] == "Deployment";
    for pod in objects
        .iter()
        .filter(deployment)
        .map(|object| &object["spec"]["template"])
    {
        selected(objects, pod, &mut faults);
        faults.extend(identifiers(pod));
    }
    faults
}

/// A selector of pods that does not match the pod.
fn selected(objects: &[Value], pod: &Value, faults: &mut Vec<String>) {
    for object in objects {
        let selector = match object["kind"].as_str() {
            Some("Service") => &object["spec"]["selector"],
            Some("Deployment" | "PodDisruptionBudget") => &object["spec"]["selector"]["matchLabels"],
            Some("NetworkPolicy") => &object["spec"]["podSelector"]["matchLabels"],
            Some(_) | None => continue,
        };
        let selector = selector.as_object();
        let matches = selector.is_some_and(|labels| {
            !labels.is_empty()
                && labels
                    .iter()
                    .all(|(key, value)| pod["metadata"]["labels"].get(key) == Some(value))
        });
        if !matches {
            faults.push(format!("{} selects other pods: {selector:?}", object["kind"]));
        }
    }
}

/// List items that have the same key for the API server, and so are duplicates.
fn identifiers(pod: &Value) -> Vec<String> {
    let container = &pod["spec"]["containers"][0];
    let lists = [
        (&container["env"], "name"),
        (&container["ports"], "name"),
        (&pod["spec"]["imagePullSecrets"], "name"),
    ];
    let flags = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        items
            .filter_map(|item| Some(item.split_once('=')?.0.to_owned()))
            .collect()
    };
    let repeatable = |flag: &String| flag.ends_with("object-labels");
    let mut all: Vec<Vec<String>> = lists
        .into_iter()
        .map(|(list, key)| {
            list.as_array()
                .into_iter()
                .flatten()
                .map(|item| item[key].to_string())
                .collect()
        })
        .collect();
    all.push(
        flags(&container["args"])
            .into_iter()
            .filter(|flag| !repeatable(flag))
            .collect(),
    );
    let mut faults = Vec::new();
    for mut list in all {
        let count = list.len();
        list.sort();
        list.dedup();
        if list.len() != count {
            faults.push(format!("an item stands twice among {list:?}"));
        }
    }
    faults
}

fn labels(node: &Value, path: &str, faults: &mut Vec<String>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                let here = format!("{path}.{key}");
                let is_labels = ["labels", "matchLabels"].contains(&key.as_str());
                for (label, value) in value.as_object().filter(|_| is_labels).into_iter().flatten() {
                    if !value.as_str().is_some_and(is_label_value) {
                        faults.push(format!("{here}: {label} is {value}"));
                    }
                }
                if key == "image" && value.as_str().is_none_or(|image| image.contains('+')) {
                    faults.push(format!("{here}: {value} can't be pulled"));
                }
                labels(value, &here, faults);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| labels(item, path, faults)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_label_value(value: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    value.len() <= 63 && value.chars().all(inner) && ends(value.chars().next()) && ends(value.chars().next_back())
}

fn is_service_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 63
        && name.chars().all(inner)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
}

/// Differences between an object as sent and as the API server stores it, which Argo CD and Flux would report as drift.
/// Fields that the API server adds do not count, except in lists that are compared as a whole.
#[must_use]
pub fn drift(sent: &Value, answered: &Value) -> Vec<String> {
    // Their lists have keys, or the comparers know the kind's defaults.
    let keyed = ["Deployment", "Service", "CustomResourceDefinition"];
    let whole = !sent["kind"].as_str().is_some_and(|kind| keyed.contains(&kind));
    let mut found = Vec::new();
    differences(sent, answered, whole, false, &sent["kind"].to_string(), &mut found);
    found
}

fn differences(sent: &Value, answered: &Value, whole: bool, in_list: bool, path: &str, found: &mut Vec<String>) {
    match (sent, answered) {
        (Value::Object(sent), Value::Object(answered)) => {
            for (key, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
                match answered.get(key) {
                    Some(other) => differences(value, other, whole, in_list, &format!("{path}.{key}"), found),
                    // An empty map or list is the same as none.
                    None if value.as_object().is_some_and(Map::is_empty) => {}
                    None => found.push(format!("{path}.{key} is gone")),
                }
            }
            if whole && in_list {
                let added = answered.keys().filter(|key| !sent.contains_key(*key));
                found.extend(added.map(|key| format!("{path}.{key} was filled in")));
            }
        }
        (Value::Array(sent), Value::Array(answered)) if sent.len() == answered.len() => {
            for (index, (one, other)) in sent.iter().zip(answered).enumerate() {
                differences(one, other, whole, true, &format!("{path}[{index}]"), found);
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push(format!("{path}: {one} became {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values_and_the_first_are_the_defaults() {
        let values = |seed| -> Vec<_> { samples(seed, 20).unwrap().into_iter().map(|s| s.values).collect() };
        assert_eq!(values(1), values(1));
        assert_ne!(values(1), values(2));
        assert_eq!(values(1)[0], json!({}));
    }

    #[test]
    fn every_row_is_tried_among_two_hundred() {
        let all = samples(0, 200).unwrap();
        for (path, _) in CHOICES {
            let pointer = format!("/{}", path.replace('.', "/"));
            assert!(
                all.iter().any(|sample| sample.values.pointer(&pointer).is_some()),
                "{path}"
            );
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        assert!(objects("a: 1\n---\nb: {c: 1, c: 2}\n").is_err());
    }

    #[test]
    fn faults_are_found() {
        let objects = [
            json!({"kind": "Service", "metadata": {"name": "7.x", "labels": {"v": "1+2"}}, "spec": {"selector": {"a": "c"}}}),
            json!({"kind": "Deployment", "metadata": {"name": "x"}, "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
                    {"image": "a:1+2", "env": [{"name": "A"}, {"name": "A"}], "args": ["--a=1", "--a=2"]},
                ]}},
            }}),
        ];
        assert_eq!(faults(&objects).len(), 6, "{:#?}", faults(&objects));
    }

    #[test]
    fn drift_is_what_changed_and_what_was_filled_in_where_lists_are_compared_whole() {
        let sent = json!({"kind": "Role", "rules": [{"a": 1}], "b": 2, "gone": 1, "same": {}});
        let answered = json!({"kind": "Role", "rules": [{"a": 1, "scope": "*"}], "b": "2", "status": {}});
        let mut found = drift(&sent, &answered);
        found.sort();
        let wanted = [
            r#""Role".b: 2 became "2""#,
            r#""Role".gone is gone"#,
            r#""Role".rules[0].scope was filled in"#,
        ];
        assert_eq!(found, wanted);
    }
}

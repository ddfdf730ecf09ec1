//! Generates MonitoredApis as YAML for the differential test: some valid, most with one or two mistakes.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON object by key inserts or gives null, never a panic"
)]

use std::fmt::Write as _;

use anyhow::{Context, Result};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::chart::set;

/// A field and its possible values, as JSON; all of them are valid in any combination.
const VALID: &[(&str, &[&str])] = &[
    (
        "preset",
        &[r#""native""#, r#""auto""#, "null", r#""spring-boot""#, r#""aspnet""#],
    ),
    ("imagePullPolicy", &[r#""Always""#]),
    (
        "imagePullSecrets",
        &[r#"[{"name": "registry"}, {"name": "mirror.example"}]"#],
    ),
    ("command", &[r#"["/app"]"#]),
    ("args", &[r#"["--flag", "yes"]"#]),
    ("port", &["9000", "65535"]),
    (
        "env",
        &[
            r#"[{"name": "A", "value": "1"}, {"name": "on", "value": "off"}]"#,
            r#"[{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "EMPTY", "value": ""}]"#,
            r#"[{"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": 1}}}]"#,
            r#"[{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "orders", "key": "url"}}}]"#,
        ],
    ),
    (
        "envFrom",
        &[r#"[{"prefix": "X_", "configMapRef": {"name": "orders"}}]"#],
    ),
    (
        "resources",
        &[
            r#"{"requests": {"cpu": "0.5", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}"#,
            r#"{"limits": {"cpu": 2, "memory": "128M", "ephemeral-storage": "1e9"}}"#,
        ],
    ),
    ("securityProfile", &[r#""Baseline""#, r#""Restricted""#]),
    ("runAsUser", &["1000"]),
    ("readOnlyRootFilesystem", &["true", "false"]),
    ("terminationGracePeriodSeconds", &["10", "3600"]),
    ("serviceAccountName", &[r#""orders.account""#]),
    ("objectLabels", &[r#"{"cost-center": "4711", "example.org/owner": ""}"#]),
    ("podLabels", &[r#"{"team": "shop", "example.org/x": "y"}"#]),
    ("podAnnotations", &[r#"{"example.org/note": "a: b # c", "yes": "no"}"#]),
    ("nodeSelector", &[r#"{"kubernetes.io/arch": "arm64", "zone": "7"}"#]),
    (
        "tolerations",
        &[r#"[{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]"#],
    ),
    (
        "affinity",
        &[
            r#"{"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference":
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}]}}"#,
        ],
    ),
    (
        "topologySpreadConstraints",
        &[r#"[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]"#],
    ),
    (
        "probes.readiness",
        &[
            r#"{"http": {"path": "/ready?full=1"}, "periodSeconds": 5}"#,
            r#"{"tcp": {}}"#,
        ],
    ),
    (
        "probes.liveness",
        &[r#"{"http": {"path": "/live"}, "timeoutSeconds": 2, "failureThreshold": 3}"#],
    ),
    (
        "service",
        &[r#"{"type": "NodePort", "port": 8080, "annotations": {"a": "b"}}"#],
    ),
    ("monitoring.objectLabels", &[r#"{"release": "kps"}"#]),
    ("metrics.path", &[r#""/actuator/prometheus""#]),
    ("metrics.port", &["9100"]),
    ("metrics.interval", &[r#""1m30s""#, r#""20s""#]),
    ("metrics.timeout", &[r#""10s""#, r#""500ms""#]),
    ("metrics.dialect", &[r#""native""#, r#""auto""#]),
    ("metrics.excludedRoutes", &[r#"["/internal/.*", "/a|b"]"#]),
    (
        "metrics.limits",
        &[r#"{"samples": 5000, "bodySize": "10MiB", "labels": 64}"#],
    ),
    ("alerts.labels", &[r#"{"team": "shop"}"#]),
    ("alerts.runbookBaseUrl", &[r#""https://example.org/runbooks""#]),
    (
        "alerts.overrides",
        &[
            r#"[{"name": "ApiHighErrorRatio", "threshold": "0.02", "for": "2m", "severity": "info"}, {"name": "ApiDown",
            "enabled": false}]"#,
        ],
    ),
    (
        "dashboard",
        &[
            r#"{"form": "ConfigMap", "folder": "APIs", "objectLabels": {"grafana_dashboard": "1"}}"#,
            r#"{"form": "GrafanaDashboard", "folder": "APIs"}"#,
        ],
    ),
    (
        "podTemplate",
        &[
            r#"{"metadata": {"annotations": {"a": "b"}}, "spec": {"containers": [{"name": "sidecar", "image": "x:1",
                "env": [{"name": "A", "value": "1"}], "ports": [{"name": "admin", "containerPort": 9901}]}]}}"#,
            r#"{"spec": {"volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}], "containers": [{"name": "api",
                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                "lifecycle": {"preStop": {"sleep": {"seconds": 3}}}}]}}"#,
            r#"{"spec": {"priorityClassName": "high", "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
                "initContainers": [{"name": "migrate", "image": "x:1", "command": ["migrate"],
                "resources": {"limits": {"cpu": 1}}}]}}"#,
        ],
    ),
];

/// Texts that some field does not take, or takes as something else.
const TEXTS: &[&str] = &[
    "",
    " ",
    "Über",
    "a b",
    "-x",
    "x/",
    "1",
    "0",
    "0.5",
    "10m",
    "1e3",
    "-1",
    "100Mb",
    "1d",
    "yes",
    "null",
    "~",
    "a\nb",
    "a..b",
    "UPPER",
    "*",
    "[a",
    "(?=a)",
    "/x",
    "x=y",
    "0x10",
    "1_000",
    "1Gi",
    "99999999999999999999",
    "https://x y",
    "{a}",
];
/// Numbers at and beyond the bounds of some field.
const NUMBERS: &[&str] = &[
    "-1",
    "0",
    "1",
    "65536",
    "2147483647",
    "2147483648",
    "1e3",
    "0.5",
    "9223372036854775808",
];
/// Names of keys that no field has, or that need care.
const KEYS: &[&str] = &[
    "extra",
    "Image",
    "a b",
    "kubernetes.io/x",
    "",
    "monitoredapi.io/name",
    "x/y/z",
];
/// Names of objects; only the first is right.
const NAMES: &[&str] = &["orders-2", "Orders", "1orders", "or.ders", "orders-", "or_ders", ""];
/// Metadata; the first is right.
const METADATA: &[(&str, &str)] = &[
    ("labels", r#"{"team": "shop"}"#),
    ("labels", r#"{"team": true}"#),
    ("labels", r#"{"team": "a b"}"#),
    ("labels", r#"{"a b": "c"}"#),
    ("annotations", r#"{"a b": "c"}"#),
    ("annotations", r#"{"x": 3}"#),
    ("labels", r#"["team"]"#),
    ("labls", r#"{"team": "shop"}"#),
];
/// Fields whose values are wrong for a reason that no other mutation finds: rules over several fields.
const RULES: &[(&str, &str)] = &[
    ("storage", r#"{"size": "1Gi"}"#),
    ("storage", r#"{"size": "0"}"#),
    ("storage", r#"{"size": "1Gi", "mountPath": "/tmp"}"#),
    ("replicas", "2"),
    ("strategy", r#"{"type": "Recreate"}"#),
    ("strategy", r#"{"type": "Recreate", "maxSurge": 1}"#),
    ("strategy", r#"{"maxSurge": 0, "maxUnavailable": "0%"}"#),
    ("strategy", r#"{"maxSurge": "25%", "maxUnavailable": 1}"#),
    ("runAsUser", "0"),
    ("metrics.timeout", r#""2m""#),
    ("metrics.interval", r#""5s""#),
    ("probes.readiness", r#"{"http": {"path": "/a"}, "tcp": {}}"#),
    ("probes.startup", r#"{"periodSeconds": 1}"#),
    (
        "env",
        r#"[{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]"#,
    ),
    (
        "envFrom",
        r#"[{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]"#,
    ),
    ("envFrom", r#"[{"prefix": "A"}]"#),
    ("resources", r#"{"requests": {"cpu": 2}, "limits": {"cpu": 1}}"#),
    ("podLabels", r#"{"app.kubernetes.io/name": "x"}"#),
    ("objectLabels", r#"{"app.kubernetes.io/managed-by": "x"}"#),
    (
        "podTemplate",
        r#"{"spec": {"containers": [{"name": "api", "image": "other:1"}]}}"#,
    ),
    ("podTemplate", r#"{"spec": {"restartPolicy": "Never"}}"#),
    ("podTemplate", r#"{"spec": {"containers": [{"name": "side"}]}}"#),
    (
        "podTemplate",
        r#"{"spec": {"containers": [{"name": "api", "volumeMounts": [{"name": "none", "mountPath": "/x"}]}]}}"#,
    ),
    (
        "podTemplate",
        r#"{"spec": {"volumes": [{"name": "a", "emptyDir": {}, "configMap": {"name": "b"}}]}}"#,
    ),
    (
        "podTemplate",
        r#"{"spec": {"volumes": [{"name": "a"}, {"name": "a"}]}}"#,
    ),
    ("podTemplate", r#"{"metadata": {"labels": {"a b": "c"}}}"#),
    ("podTemplate", r#"{"spec": {"dnsPolicy": "Nowhere"}}"#),
    ("podTemplate", r#"{"spec": {"hostNetwork": true}}"#),
    (
        "podTemplate",
        r#"{"spec": {"initContainers": [{"name": "api", "image": "x:1"}]}}"#,
    ),
    (
        "affinity",
        r#"{"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}"#,
    ),
    ("tolerations", r#"[{"operator": "Equal", "effect": "Never"}]"#),
    ("alerts.overrides", r#"[{"name": "ApiDown"}, {"name": "ApiDown"}]"#),
    (
        "alerts.overrides",
        r#"[{"name": "ApiHighLatencyP95", "threshold": "1h"}]"#,
    ),
];

/// One chance in so many that a valid field is given.
const RARITY: usize = 6;

/// A MonitoredApi.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The YAML.
    pub text: String,
    /// What was changed in a valid one.
    pub changes: Vec<String>,
}

/// `count` MonitoredApis; the same for the same seed.
///
/// # Errors
/// A row of a table is not JSON.
pub fn samples(seed: u64, count: usize) -> Result<Vec<Sample>> {
    let mut random = Rng::with_seed(seed);
    (0..count).map(|index| sample(&mut random, index)).collect()
}

fn sample(random: &mut Rng, index: usize) -> Result<Sample> {
    let mut spec = Map::new();
    set(&mut spec, "image", json!("example.org/orders:1"));
    for (path, values) in VALID {
        if random.usize(..RARITY) == 0 {
            set(&mut spec, path, pick(random, values)?);
        }
    }
    let mut object = json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": format!("s{index}")}, "spec": spec,
    });
    // A quarter stays valid.
    let number = [0, 1, 1, 2].get(index % 4).copied().unwrap_or_default();
    let mut changes = Vec::new();
    for _ in 0..number {
        changes.push(change(random, &mut object, index)?);
    }
    let mut text = String::new();
    write(random, &object, &mut text)?;
    text.push('\n');
    Ok(Sample { text, changes })
}

/// One of some values, which are JSON.
pub(crate) fn pick(random: &mut Rng, values: &[&str]) -> Result<Value> {
    let text = random.choice(values).context("a row without values")?;
    serde_json::from_str(text).with_context(|| (*text).to_owned())
}

/// Makes one change, and says which.
fn change(random: &mut Rng, object: &mut Value, index: usize) -> Result<String> {
    match random.u8(..12) {
        0 => {
            let name = random.choice(NAMES).context("no names")?;
            // Names differ, so that all samples fit in one namespace.
            let name = name.replacen("or", &format!("or{index}"), 1);
            object["metadata"]["name"] = json!(name);
            Ok(format!("metadata.name = {name:?}"))
        }
        1 => {
            let (path, text) = random.choice(METADATA).context("no metadata")?;
            object["metadata"][*path] = serde_json::from_str(text)?;
            Ok(format!("metadata.{path} = {text}"))
        }
        2..=5 => {
            let (path, text) = random.choice(RULES).context("no rules")?;
            if let Some(Value::Object(spec)) = object.get_mut("spec") {
                set(spec, path, serde_json::from_str(text)?);
            }
            Ok(format!("spec.{path} = {text}"))
        }
        _ => change_anywhere(random, &mut object["spec"]),
    }
}

/// Changes a value that is drawn from all in `spec`.
pub(crate) fn change_anywhere(random: &mut Rng, spec: &mut Value) -> Result<String> {
    let mut paths = Vec::new();
    collect(spec, String::new(), &mut paths);
    let path = random.choice(&paths).context("a spec without fields")?.clone();
    let value = spec.pointer_mut(&path).context("a path that was just found")?;
    match (random.u8(..4), &mut *value) {
        (0, Value::Object(map)) => {
            let key = random.choice(KEYS).context("no keys")?;
            map.insert((*key).to_owned(), json!("x"));
        }
        (0, Value::Array(items)) => {
            if let Some(item) = random.choice(&*items).cloned() {
                items.push(item);
            }
        }
        (0 | 1, Value::String(text)) => {
            *text = (*random.choice(TEXTS).context("no texts")?).to_owned();
        }
        (0 | 1, Value::Number(_)) => *value = pick(random, NUMBERS)?,
        (2, _) => {
            let (parent, key) = path.rsplit_once('/').context("a path without a parent")?;
            match spec.pointer_mut(parent) {
                Some(Value::Object(map)) => drop(map.remove(key)),
                Some(Value::Array(items)) => drop(items.pop()),
                _ => {}
            }
            return Ok(format!("spec{path} removed"));
        }
        _ => {
            *value = pick(
                random,
                &[
                    "true",
                    "7",
                    "0.5",
                    r#""text""#,
                    "[]",
                    "{}",
                    r#"["a"]"#,
                    r#"{"a": 1}"#,
                    "null",
                ],
            )?
        }
    }
    let value = spec.pointer(&path).cloned().unwrap_or_default();
    Ok(format!("spec{path} = {value}"))
}

/// Collects the JSON pointers of everything below a value.
fn collect(value: &Value, path: String, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                collect(value, path.clone(), into);
                into.push(path);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, format!("{path}/{index}"), into);
                into.push(format!("{path}/{index}"));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Writes flow style. One text in eight stands without quotes where YAML permits it, so that it may be read as something
/// else.
fn write(random: &mut Rng, value: &Value, to: &mut String) -> Result<()> {
    match value {
        Value::Object(map) => {
            to.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                write!(to, "{}{}: ", if index > 0 { ", " } else { "" }, json!(key))?;
                write(random, value, to)?;
            }
            to.push('}');
        }
        Value::Array(items) => {
            to.push('[');
            for (index, value) in items.iter().enumerate() {
                to.push_str(if index > 0 { ", " } else { "" });
                write(random, value, to)?;
            }
            to.push(']');
        }
        Value::String(text) if is_plain(text) && random.u8(..8) == 0 => to.push_str(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write!(to, "{value}")?,
    }
    Ok(())
}

/// Whether YAML takes the text without quotes, whatever it then means.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/~".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_resources_and_a_quarter_of_them_is_left_valid() {
        let first = samples(7, 400).unwrap();
        let texts = |samples: &[Sample]| samples.iter().map(|sample| sample.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&first), texts(&samples(7, 400).unwrap()));
        assert_ne!(texts(&first), texts(&samples(8, 400).unwrap()));
        assert_eq!(first.iter().filter(|sample| sample.changes.is_empty()).count(), 100);
    }
}

//! The CustomResourceDefinition: the derived schema in the form that the API server takes, with the rules that need CEL.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::MonitoredApi;

/// A rule that the API server checks on every write.
struct Rule {
    /// Keys from the root schema down to the schema that has the rule.
    at: &'static [&'static str],
    /// CEL over `self`, the value there.
    rule: &'static str,
    /// What is wrong, and the fix.
    message: &'static str,
    /// The field that the error names, relative to that schema.
    field: Option<&'static str>,
}

const SPEC: &[&str] = &["properties", "spec"];
const ENV: &[&str] = &["properties", "spec", "properties", "env", "items"];
const ENV_SOURCE: &[&str] = &[
    "properties",
    "spec",
    "properties",
    "env",
    "items",
    "properties",
    "valueFrom",
];
const ENV_FROM: &[&str] = &["properties", "spec", "properties", "envFrom", "items"];
const STRATEGY: &[&str] = &["properties", "spec", "properties", "strategy"];
const METRICS: &[&str] = &["properties", "spec", "properties", "metrics"];
const CUSTOM: &[&str] = &["properties", "spec", "properties", "metrics", "properties", "custom"];
const OBJECTIVE: &[&str] = &["properties", "spec", "properties", "objectives", "items"];
const READINESS: &[&str] = &["properties", "spec", "properties", "probes", "properties", "readiness"];
const LIVENESS: &[&str] = &["properties", "spec", "properties", "probes", "properties", "liveness"];
const AUTOSCALING: &[&str] = &["properties", "spec", "properties", "autoscaling"];
const STARTUP: &[&str] = &["properties", "spec", "properties", "probes", "properties", "startup"];

const ONE_HANDLER: &str = "!(has(self.http) && has(self.tcp))";
const ONE_HANDLER_MESSAGE: &str = "http and tcp are both given: use one of them";

const RULES: &[Rule] = &[
    Rule {
        at: &[],
        rule: "size(self.metadata.name) <= 52",
        message: "metadata.name is too long: use at most 52 characters",
        field: None,
    },
    Rule {
        at: &[],
        rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message: "metadata.name is not a valid name: use lower case letters, digits and hyphens, beginning with a letter and ending \
                  with a letter or digit, for example orders",
        field: None,
    },
    Rule {
        at: SPEC,
        rule: "has(self.image) || has(self.workloadRef)",
        message: "image is missing: use its name, for example ghcr.io/acme/orders:1.4.2, or workloadRef for a workload that exists \
                  already",
        field: Some(".image"),
    },
    Rule {
        at: SPEC,
        rule: "!has(self.image) || !has(self.workloadRef)",
        message: "image and workloadRef are both given: use image for a workload that the operator writes, or workloadRef for one \
                  that exists already",
        field: Some(".image"),
    },
    Rule {
        at: SPEC,
        rule: "!has(self.runAsUser) || self.runAsUser != 0 || (has(self.securityProfile) && self.securityProfile == \
               'Baseline')",
        message: "runAsUser 0 is root, which securityProfile Restricted forbids: use another id, for example 65532, or \
                  set securityProfile: Baseline",
        field: Some(".runAsUser"),
    },
    Rule {
        at: SPEC,
        rule: "!has(self.storage) || !has(self.replicas) || self.replicas <= 1",
        message: "storage is one volume for one pod: use replicas: 1, or keep the data in a database and remove storage",
        field: Some(".replicas"),
    },
    Rule {
        at: SPEC,
        rule: "!has(self.storage) || !has(self.strategy) || ((!has(self.strategy.type) || self.strategy.type == \
               'Recreate') && !has(self.strategy.maxUnavailable) && !has(self.strategy.maxSurge))",
        message: "with storage the old pod must go before a new one starts: remove strategy, or use type: Recreate",
        field: Some(".strategy"),
    },
    Rule {
        at: SPEC,
        rule: "!has(self.storage) || !has(self.autoscaling)",
        message: "storage is one volume for one pod, so that an autoscaler has nothing to add: remove autoscaling, or keep the data \
                  in a database and remove storage",
        field: Some(".autoscaling"),
    },
    Rule {
        at: SPEC,
        rule: "!has(self.autoscaling) || !has(self.autoscaling.targetRequestsPerSecond) || !has(self.monitoring) || \
               !has(self.monitoring.enabled) || self.monitoring.enabled",
        message: "targetRequestsPerSecond needs the rules of the monitoring, which is off: use targetCPUUtilizationPercentage, or remove \
                  monitoring.enabled: false",
        field: Some(".autoscaling.targetRequestsPerSecond"),
    },
    Rule {
        at: AUTOSCALING,
        rule: "!has(self.minReplicas) || self.minReplicas >= 1",
        message: "minReplicas 0 needs an alpha feature of Kubernetes: use at least 1, or remove autoscaling and set replicas: 0",
        field: Some(".minReplicas"),
    },
    Rule {
        at: AUTOSCALING,
        rule: "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
        message: "minReplicas is above maxReplicas: lower it, or raise maxReplicas",
        field: Some(".minReplicas"),
    },
    Rule {
        at: AUTOSCALING,
        rule: "!has(self.targetRequestsPerSecond) || double(self.targetRequestsPerSecond) > 0.0",
        message: "0 is not a valid number of requests per second: use a number above 0, for example \"50\"",
        field: Some(".targetRequestsPerSecond"),
    },
    Rule {
        at: ENV,
        rule: "has(self.value) != has(self.valueFrom)",
        message: "exactly one of value and valueFrom is needed: use one of them, for example value: \"\" for an empty variable",
        field: None,
    },
    Rule {
        at: ENV_SOURCE,
        rule: "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.fieldRef), \
               has(self.resourceFieldRef)].exists_one(given, given)",
        message: "exactly one source is needed: use secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef",
        field: None,
    },
    Rule {
        at: ENV_FROM,
        rule: "has(self.configMapRef) != has(self.secretRef)",
        message: "exactly one source is needed: use configMapRef or secretRef",
        field: None,
    },
    Rule {
        at: STRATEGY,
        rule: "!(has(self.type) && self.type == 'Recreate' && (has(self.maxUnavailable) || has(self.maxSurge)))",
        message: "maxUnavailable and maxSurge need the type RollingUpdate: remove them, or use that type",
        field: None,
    },
    Rule {
        at: METRICS,
        rule: "!has(self.interval) || duration(self.interval) >= duration('1s')",
        message: "interval must be at least 1s",
        field: Some(".interval"),
    },
    Rule {
        at: METRICS,
        rule: "!has(self.timeout) || duration(self.timeout) > duration('0s')",
        message: "timeout must be more than 0s",
        field: Some(".timeout"),
    },
    Rule {
        at: METRICS,
        rule: "!has(self.timeout) || duration(self.timeout) <= duration(has(self.interval) ? self.interval : '15s')",
        message: "timeout must be at most interval (default 15s): lower timeout or raise interval",
        field: Some(".timeout"),
    },
    Rule {
        at: METRICS,
        rule: "has(self.custom) || !has(self.dialect) || self.dialect != 'custom'",
        message: "custom is missing: dialect custom needs the names of the metrics, for example custom: {requests: {name: \
                  my_requests_total, labels: {status: code}}}",
        field: Some(".custom"),
    },
    Rule {
        at: METRICS,
        rule: "!has(self.custom) || (has(self.dialect) && self.dialect == 'custom')",
        message: "custom is read with dialect custom only: set dialect: custom, or remove it",
        field: Some(".custom"),
    },
    Rule {
        at: CUSTOM,
        rule: "has(self.requests) || has(self.duration)",
        message: "requests and duration are both missing: use at least one of them, for example requests: {name: my_requests_total}",
        field: None,
    },
    Rule {
        at: OBJECTIVE,
        rule: "double(self.target) > 0.0",
        message: "0 is not a valid percentage: use a number above 0 and below 100, for example \"99.9\"",
        field: Some(".target"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "has(self.threshold) || self.type != 'Latency'",
        message: "threshold is missing: use the time within which requests must be answered, for example 300ms",
        field: Some(".threshold"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "!has(self.threshold) || self.type == 'Latency'",
        message: "threshold is for objectives of the type Latency: remove it, or use type: Latency",
        field: Some(".threshold"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "!has(self.threshold) || duration(self.threshold) > duration('0s')",
        message: "threshold must be more than 0s",
        field: Some(".threshold"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "has(self.errors) || self.type != 'Custom'",
        message: "errors is missing: use the counter of the events that fail, for example payments_total{result=\"declined\"}",
        field: Some(".errors"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "has(self.total) || self.type != 'Custom'",
        message: "total is missing: use the counter of all events, for example payments_total",
        field: Some(".total"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "!has(self.errors) || self.type == 'Custom'",
        message: "errors is for objectives of the type Custom: remove it, or use type: Custom",
        field: Some(".errors"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "!has(self.total) || self.type == 'Custom'",
        message: "total is for objectives of the type Custom: remove it, or use type: Custom",
        field: Some(".total"),
    },
    Rule {
        at: OBJECTIVE,
        rule: "!has(self.selector) || self.type != 'Custom'",
        message: "selector is not for objectives of the type Custom: write matchers into errors and total",
        field: Some(".selector"),
    },
    Rule {
        at: READINESS,
        rule: ONE_HANDLER,
        message: ONE_HANDLER_MESSAGE,
        field: None,
    },
    Rule {
        at: LIVENESS,
        rule: ONE_HANDLER,
        message: ONE_HANDLER_MESSAGE,
        field: None,
    },
    Rule {
        at: STARTUP,
        rule: ONE_HANDLER,
        message: ONE_HANDLER_MESSAGE,
        field: None,
    },
];

/// The CustomResourceDefinition of MonitoredApi, as it is installed.
///
/// # Panics
///
/// Never in a release: the derived schema is a constant, and tests build it.
#[must_use]
pub fn crd() -> CustomResourceDefinition {
    let mut crd = MonitoredApi::crd();
    for version in &mut crd.spec.versions {
        let Some(validation) = version.schema.as_mut() else {
            continue;
        };
        let Some(schema) = validation.open_api_v3_schema.as_mut() else {
            continue;
        };
        let mut value = to_value(schema);
        simplify(&mut value);
        for rule in RULES {
            attach(&mut value, rule);
        }
        status_default(&mut value);
        *schema = from_value(value);
    }
    crd
}

#[expect(clippy::expect_used, reason = "a schema is plain data, and tests build this one")]
fn to_value<T: serde::Serialize>(schema: &T) -> Value {
    serde_json::to_value(schema).expect("a schema serializes")
}

#[expect(clippy::expect_used, reason = "the schema is a constant, and tests build it")]
fn from_value<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a schema that was changed in known places decodes")
}

/// Makes descriptions one line, and drops what the API server does not need: `nullable` (it then drops an explicit null itself, as for built-in kinds),
/// defaults of absence, formats that it does not know, bounds that the Rust types imply and ours narrow.
fn simplify(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("nullable") == Some(&Value::Bool(true)) {
                object.remove("nullable");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                // A documentation comment is wrapped where the source is; `kubectl explain` wraps by itself.
                *text = text.replace('\n', " ");
            }
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            if is_schema_of_integer(object) {
                object.entry("format").and_modify(|format| {
                    if format != "int32" && format != "int64" {
                        *format = json!("int64");
                    }
                });
            }
            object.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_schema_of_integer(object: &Map<String, Value>) -> bool {
    object.get("type") == Some(&json!("integer"))
}

fn attach(schema: &mut Value, rule: &Rule) {
    let mut place = schema;
    for key in rule.at {
        let Some(next) = place.get_mut(*key) else {
            debug_assert!(false, "no schema at {:?}", rule.at);
            return;
        };
        place = next;
    }
    let Some(object) = place.as_object_mut() else { return };
    let mut entry = json!({"rule": rule.rule, "message": rule.message});
    if let (Some(field), Some(entry)) = (rule.field, entry.as_object_mut()) {
        entry.insert("fieldPath".to_owned(), json!(field));
    }
    let rules = object.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Some(rules) = rules.as_array_mut() {
        rules.push(entry);
    }
}

/// kstatus takes an object without a status for up to date. With this default it does not, until the operator has seen the
/// object.
fn status_default(schema: &mut Value) {
    if let Some(status) = schema.pointer_mut("/properties/status").and_then(Value::as_object_mut) {
        status.insert("default".to_owned(), json!({"observedGeneration": -1}));
    }
}

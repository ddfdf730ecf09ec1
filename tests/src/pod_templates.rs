//! Generates what a MonitoredApi may say of its pods in fields without a schema, for the differential test: some of it valid,
//! most with one or two mistakes.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON object by key inserts or gives null, never a panic"
)]

use anyhow::Result;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::{
    chart::set,
    monitored_apis::{change_anywhere, pick},
};

/// A field of a pod and its possible values, all of them valid in any combination. `side` is a container of the author's.
const VALID: &[(&str, &[&str])] = &[
    (
        "side.ports",
        &[
            r#"[{"name": "admin", "containerPort": 9901, "hostPort": 9901, "protocol": "TCP"}, {"containerPort": 9902}]"#,
        ],
    ),
    (
        "side.env",
        &[
            r#"[{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}]"#,
            r#"[{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['team']"}}}, {"name": "LIMIT",
                "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}}]"#,
        ],
    ),
    (
        "side.envFrom",
        &[r#"[{"prefix": "X_", "configMapRef": {"name": "orders"}}, {"secretRef": {"name": "db", "optional": true}}]"#],
    ),
    (
        "side.volumeMounts",
        &[
            r#"[{"name": "files", "mountPath": "/files", "subPath": "a/b", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp"}]"#,
        ],
    ),
    (
        "side.resources",
        &[
            r#"{"requests": {"cpu": "50m", "memory": "64Mi", "example.com/gpu": 1}, "limits": {"memory": "1Gi", "example.com/gpu": 1}}"#,
        ],
    ),
    (
        "side.livenessProbe",
        &[r#"{"httpGet": {"path": "/live", "port": 9901, "scheme": "HTTP",
        "httpHeaders": [{"name": "X-A", "value": "b"}]}, "periodSeconds": 5, "successThreshold": 1}"#],
    ),
    (
        "side.readinessProbe",
        &[
            r#"{"exec": {"command": ["true"]}, "initialDelaySeconds": 0}"#,
            r#"{"grpc": {"port": 9902}}"#,
        ],
    ),
    (
        "side.lifecycle",
        &[r#"{"preStop": {"sleep": {"seconds": 3}}, "postStart": {"exec": {"command": ["a"]}}}"#],
    ),
    (
        "side.securityContext",
        &[
            r#"{"runAsUser": 1000, "allowPrivilegeEscalation": false, "seccompProfile": {"type": "Localhost", "localhostProfile": "a/b"}}"#,
        ],
    ),
    ("side.imagePullPolicy", &[r#""Always""#]),
    ("side.terminationMessagePolicy", &[r#""File""#]),
    (
        "side.resizePolicy",
        &[r#"[{"resourceName": "cpu", "restartPolicy": "NotRequired"}]"#],
    ),
    (
        "initContainers",
        &[
            r#"[{"name": "migrate", "image": "x:1", "command": ["migrate"]}]"#,
            r#"[{"name": "proxy", "image": "x:1", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 9000}}}]"#,
        ],
    ),
    (
        "affinity",
        &[
            r#"{"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference":
                {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}],
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions":
                [{"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["arm64"]}], "matchFields":
                [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]}}}"#,
            r#"{"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm":
                {"topologyKey": "kubernetes.io/hostname", "namespaces": ["shop"], "matchLabelKeys": ["pod-template-hash"],
                "labelSelector": {"matchLabels": {"a": "b"}}}}]}, "podAffinity":
                {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector":
                {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}}"#,
        ],
    ),
    (
        "tolerations",
        &[
            r#"[{"key": "example.com/a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
            {"key": "a", "value": "b"}]"#,
        ],
    ),
    (
        "topologySpreadConstraints",
        &[
            r#"[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2,
            "nodeTaintsPolicy": "Honor", "labelSelector": {"matchLabels": {"a": "b"}}}]"#,
        ],
    ),
    ("dnsPolicy", &[r#""None""#, r#""Default""#]),
    (
        "dnsConfig",
        &[
            r#"{"nameservers": ["10.0.0.10", "::1"], "searches": ["a.example.org"], "options": [{"name": "ndots", "value": "2"}]}"#,
        ],
    ),
    (
        "hostAliases",
        &[r#"[{"ip": "10.0.0.1", "hostnames": ["db", "db.example.org"]}]"#],
    ),
    ("hostname", &[r#""orders""#]),
    ("priorityClassName", &[r#""high""#]),
    ("runtimeClassName", &[r#""gvisor""#]),
    ("preemptionPolicy", &[r#""Never""#]),
    ("nodeSelector", &[r#"{"kubernetes.io/arch": "arm64"}"#]),
    ("readinessGates", &[r#"[{"conditionType": "example.com/ready"}]"#]),
    ("schedulingGates", &[r#"[{"name": "example.com/quota"}]"#]),
    ("hostNetwork", &["true"]),
    ("shareProcessNamespace", &["true"]),
    ("imagePullSecrets", &[r#"[{"name": "registry"}]"#]),
];

/// Sources of the volume `files`, of which one is given always.
const SOURCES: &[&str] = &[
    r#"{"emptyDir": {"sizeLimit": "1Gi"}}"#,
    r#"{"configMap": {"name": "orders", "defaultMode": 420, "items": [{"key": "a", "path": "b/c", "mode": 256}]}}"#,
    r#"{"secret": {"secretName": "orders", "items": [{"key": "a", "path": "b"}]}}"#,
    r#"{"hostPath": {"path": "/var/log", "type": "Directory"}}"#,
    r#"{"persistentVolumeClaim": {"claimName": "data"}}"#,
    r#"{"nfs": {"server": "nfs.example.org", "path": "/exports"}}"#,
    r#"{"csi": {"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"a": "b"}}}"#,
    r#"{"projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}, {"configMap":
        {"name": "a", "items": [{"key": "a", "path": "b"}]}}]}}"#,
    r#"{"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}"#,
    r#"{"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests":
        {"storage": "1Gi"}}}}}}"#,
];

/// One chance in so many that a field is given.
const RARITY: usize = 5;

/// What is added to a pod.
#[derive(Debug, Clone)]
pub struct PodSample {
    /// A partial spec of a pod.
    pub pod: Value,
    /// What was changed in a valid one.
    pub changes: Vec<String>,
}

impl PodSample {
    /// The spec of a MonitoredApi with this pod.
    #[must_use]
    pub fn spec(&self) -> Value {
        json!({"image": "example.org/orders:1", "podTemplate": {"spec": self.pod}})
    }

    /// The same in a Deployment that has a pod already.
    #[must_use]
    pub fn over(&self, deployment: &Value) -> Value {
        let mut deployment = deployment.clone();
        let pod = &mut deployment["spec"]["template"]["spec"];
        for (field, given) in self
            .pod
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, given)| !given.is_null())
        {
            match (&mut pod[field], given) {
                (Value::Array(items), Value::Array(more)) if ["containers", "volumes"].contains(&field.as_str()) => {
                    items.extend(more.iter().cloned());
                }
                (place, given) => *place = given.clone(),
            }
        }
        deployment
    }
}

/// `count` pods; the same for the same seed.
///
/// # Errors
/// A row of a table is not JSON.
pub fn pods(seed: u64, count: usize) -> Result<Vec<PodSample>> {
    let mut random = Rng::with_seed(seed);
    (0..count).map(|index| sample(&mut random, index)).collect()
}

fn sample(random: &mut Rng, index: usize) -> Result<PodSample> {
    let mut side = json!({"name": "side", "image": "x:1"});
    let mut pod = Map::new();
    for (path, values) in VALID {
        if random.usize(..RARITY) > 0 {
            continue;
        }
        let value = pick(random, values)?;
        match path.strip_prefix("side.") {
            Some(field) => side[field] = value,
            None => set(&mut pod, path, value),
        }
    }
    let mut volume = pick(random, SOURCES)?;
    volume["name"] = json!("files");
    pod.insert("containers".to_owned(), json!([side]));
    pod.insert("volumes".to_owned(), json!([volume]));
    // Without name servers this policy is a mistake.
    if pod.get("dnsPolicy") == Some(&json!("None")) {
        pod.entry("dnsConfig").or_insert(json!({"nameservers": ["10.0.0.10"]}));
    }
    let mut pod = Value::Object(pod);
    let changes = (0..[0, 1, 1, 2].get(index % 4).copied().unwrap_or_default())
        .map(|_| change_anywhere(random, &mut pod))
        .collect::<Result<_>>()?;
    whole_numbers(&mut pod);
    Ok(PodSample { pod, changes })
}

/// Writes whole numbers without a point, as kubectl sends them.
#[expect(clippy::cast_possible_truncation, reason = "whole and small")]
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            let float = number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < 1e15);
            if let Some(float) = float {
                *value = json!(float as i64);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

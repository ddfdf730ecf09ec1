//! Workloads as another team writes them: nothing in them is ours, and an annotation says where their metrics are.

use serde_json::{Value, json};

use super::Stack;

/// A Deployment, StatefulSet or DaemonSet of the image and the Service of its users, as one document.
pub(super) fn manifest(namespace: &str, kind: &str, stack: &Stack, image: &str) -> String {
    let name = stack.name();
    let labels = json!({"app": name});
    let mut spec = json!({
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels, "annotations": {"prometheus.io/path": stack.path}},
            "spec": {
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "web", "image": image,
                    "ports": [{"containerPort": stack.port}],
                    "readinessProbe": {"tcpSocket": {"port": stack.port}},
                    "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                }],
            },
        },
    });
    if kind == "StatefulSet" {
        spec["serviceName"] = json!(name);
    }
    let metadata = json!({"name": name, "namespace": namespace});
    let items: [Value; 2] = [
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": stack.port}]},
        }),
    ];
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

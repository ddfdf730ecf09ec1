//! The writes that the operator makes for new MonitoredApis, as a client would send them that does nothing else: what the
//! operator's speed is compared with.

use anyhow::{Context, Result, anyhow};
use controller_core::{children::child_kind, facts::Settings, render};
use serde_json::{Value, json};

use crate::kubernetes::{MONITORED_APIS, Resource, Write};

/// Field manager of the writes.
const MANAGER: &str = "plain-client";

/// The applies of every object of a MonitoredApi, in the order of the plan, and one write of its status.
///
/// # Errors
/// When the spec has violations.
pub fn writes(namespace: &str, name: &str, spec: &Value, status: &Value) -> Result<Vec<Write>> {
    let api = json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": name, "namespace": namespace}, "spec": spec,
    });
    let api = serde_json::from_value(api)?;
    let objects = render(&api, &Settings::default())
        .map_err(|violations| anyhow!("{violations:?}"))?
        .objects;
    let mut writes: Vec<Write> = objects
        .iter()
        .map(|intent| apply(intent.object()))
        .collect::<Result<_>>()?;
    let path = format!("{}/status", MONITORED_APIS.object(namespace, name));
    writes.push(Write::merge(path, &json!({"status": status})));
    Ok(writes)
}

fn apply(object: &Value) -> Result<Write> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let kind = child_kind(text("/kind")).with_context(|| object.to_string())?;
    let resource = Resource::new(kind.group, kind.version, kind.plural);
    let path = resource.object(text("/metadata/namespace"), text("/metadata/name"));
    Ok(Write::apply(&path, MANAGER, object))
}

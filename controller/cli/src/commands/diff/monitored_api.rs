//! What an apply would make of the MonitoredApi itself.

use controller_api::{MonitoredApi, MonitoredApiStatus, names};
use controller_core::call_error::CallError;
use controller_core::failure::ErrorClass;
use serde_json::{Map, Value};

use super::row::{DiffRow, LAST_APPLIED, ObjectName, without_server_fields};
use super::{is_refusal, three_way};
use crate::cluster::{ApiServer, ObjectKind, Trial};

/// Manager of `kubectl apply --server-side`.
const APPLY_MANAGER: &str = "kubectl";
/// Manager of `kubectl apply`.
const CLIENT_SIDE_MANAGER: &str = "kubectl-client-side-apply";
/// What became of the attempt.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) row: DiffRow,
    /// The MonitoredApi as it would be, with the uid by which it owns its objects. `None`: it would be refused.
    pub(super) after: Option<MonitoredApi>,
    /// The status that it has.
    pub(super) status: MonitoredApiStatus,
    /// It does not exist yet.
    pub(super) is_new: bool,
}

/// Tries to apply the MonitoredApi of a file, as `kubectl apply` did before or would now.
///
/// # Errors
///
/// The cluster can't be read, or does not answer.
pub(super) fn attempt(server: &dyn ApiServer, file: &Value, namespace: &str, name: &str) -> Result<Tried, CallError> {
    let kind = ObjectKind::MonitoredApi;
    let object = ObjectName {
        api_version: format!("{}/{}", names::GROUP, names::VERSION),
        kind: names::KIND.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let live = server.get(kind, namespace, name)?;
    let live: Option<Value> = live.map(|text| decoded(&text, &object)).transpose()?;
    let file = without_server_fields(file);
    let answer = match live.as_ref().and_then(last_applied).zip(live.as_ref()) {
        Some((applied, live)) => {
            let patch = three_way::patch(&applied, &file, live);
            server.attempt(kind, namespace, name, CLIENT_SIDE_MANAGER, Trial::Merge(&patch))
        }
        None => {
            let manager = live.as_ref().and_then(applier).unwrap_or(APPLY_MANAGER);
            server.attempt(kind, namespace, name, manager, Trial::Apply(&file))
        }
    };
    let status = live.as_ref().map(status_of).unwrap_or_default();
    let is_new = live.is_none();
    match answer {
        Ok(text) => {
            let after = decoded(&text, &object)?;
            Ok(Tried {
                row: DiffRow::of(object.clone(), live.as_ref(), Some(&after)),
                after: Some(decoded(&text, &object)?),
                status,
                is_new,
            })
        }
        Err(error) if is_refusal(error.class) => Ok(Tried {
            row: DiffRow::refused(object, error.message),
            after: None,
            status,
            is_new,
        }),
        Err(error) => Err(error),
    }
}

fn decoded<T: serde::de::DeserializeOwned>(text: &str, object: &ObjectName) -> Result<T, CallError> {
    serde_json::from_str(text).map_err(|error| CallError {
        verb: "decode",
        kind: names::KIND,
        object: format!("{}/{}", object.namespace, object.name),
        class: ErrorClass::Decode,
        message: error.to_string(),
    })
}

/// A status that this release can't read counts as none: the operator reads it the same way.
fn status_of(live: &Value) -> MonitoredApiStatus {
    let status = live.get("status").cloned().unwrap_or_default();
    serde_json::from_value(status).unwrap_or_default()
}

/// What `kubectl apply` applied before. `None`: it did not.
fn last_applied(live: &Value) -> Option<Value> {
    let annotation = live.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?;
    serde_json::from_str(annotation.as_str()?).ok()
}

/// The manager whose server-side apply the spec is from. `None`: it is from none.
fn applier(live: &Value) -> Option<&str> {
    let entries = live.get("metadata")?.get("managedFields")?.as_array()?;
    let text = |entry: &'_ Map<String, Value>, field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
    let of_spec = entries.iter().filter_map(Value::as_object).find(|entry| {
        text(entry, "operation").as_deref() == Some("Apply")
            && !entry.contains_key("subresource")
            && entry
                .get("fieldsV1")
                .is_some_and(|fields| fields.get("f:spec").is_some())
    })?;
    of_spec.get("manager")?.as_str()
}

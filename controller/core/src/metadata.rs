//! An object's metadata, and the one place where an [`ObservedChild`] is derived from it: for watches, live reads and the
//! answers to writes alike.

use std::{borrow::Cow, collections::BTreeMap};

use controller_api::names;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{facts::ObservedChild, object_hash};

/// The parts of `metadata` that decisions depend on. Absent fields are empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// Number of changes of its spec, where the kind counts them.
    pub generation: Option<i64>,
    /// RFC 3339, sorts as text.
    pub creation_timestamp: String,
    /// When its deletion was asked for.
    pub deletion_timestamp: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
    managed_fields: Vec<ManagedFields>,
}

/// Manager of the merge by which a child is repaired. Not our usual one: what that wrote other than by apply would never be
/// removed again. Its entry is removed at the end of the repair.
pub const REPAIRER: &str = "monitored-api-repair";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
    controller: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ManagedFields {
    manager: String,
    operation: String,
    subresource: String,
    /// RFC 3339, in UTC: sorts as text.
    time: String,
    /// Kept as text: most entries are never looked into.
    fields_v1: Option<Box<RawValue>>,
}

impl ManagedFields {
    /// Manager `monitored-api`, operation Apply, no subresource.
    fn is_ours(&self) -> bool {
        self.manager == names::FIELD_MANAGER && self.operation == "Apply" && self.subresource.is_empty()
    }

    /// Of another manager, and not of the status.
    fn is_of_another(&self) -> bool {
        !self.is_ours() && self.manager != REPAIRER && self.subresource != "status"
    }

    /// Whether it owns a field of the spec. Writers of the status may own a field of the same name and do not count.
    fn owns(&self, field: &str) -> bool {
        let fields = self.fields_v1.as_deref().map_or("", RawValue::get);
        self.subresource != "status" && fields.contains(&format!("\"f:{field}\""))
    }
}

/// SHA-256, in hexadecimal, of the canonical JSON of `fieldsV1`, given its text. `None`: it is not JSON.
#[must_use]
pub fn fields_hash(fields: &str) -> Option<String> {
    serde_json::from_str(fields)
        .ok()
        .map(|fields| object_hash::hash(&fields))
}

impl Metadata {
    /// Name of the MonitoredApi that the object belongs to: its controller, else its label's; else empty.
    #[must_use]
    pub fn owner(&self) -> String {
        self.controller_api()
            .or_else(|| self.labels.get(names::LABEL_API_NAME).cloned())
            .unwrap_or_default()
    }

    /// What decisions need to know of a child. `hash`: [`fields_hash`], or one that remembers what it hashed.
    ///
    /// While a repair that was cut short has left its entry, our fields count as changed: what later goes from the intent
    /// would stay in the object as the repairer's.
    ///
    /// The uid of the controller stands in the fields and is left out of the hash, so that children of different MonitoredApis
    /// with the same fields have the same hash.
    #[must_use]
    pub fn observed(&self, hash: impl Fn(&str) -> Option<String>) -> ObservedChild {
        let whole = self.entry_of(REPAIRER).is_none();
        let fields = self.applied_fields().filter(|_| whole);
        ObservedChild {
            uid: self.uid.clone(),
            controller_uid: self.controller().map(|owner| owner.uid.clone()),
            controller_api: self.controller_api(),
            applied_fields_hash: fields.and_then(|fields| hash(&self.without_controller(fields))),
            adopt: self
                .annotations
                .get(names::ANNOTATION_ADOPT)
                .is_some_and(|value| value == "true"),
            deleting: self.deletion_timestamp.is_some(),
            generation: self.generation,
        }
    }

    /// `fieldsV1` of our own entry, as JSON text.
    #[must_use]
    pub fn applied_fields(&self) -> Option<&str> {
        let ours = self.managed_fields.iter().find(|entry| entry.is_ours())?;
        ours.fields_v1.as_deref().map(RawValue::get)
    }

    /// Whether another manager than us has a part in the object, apart from its subresources.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.managed_fields
            .iter()
            .any(|entry| entry.subresource.is_empty() && entry.manager != names::FIELD_MANAGER)
    }

    /// Index of the first managedFields entry of this manager.
    #[must_use]
    pub fn entry_of(&self, manager: &str) -> Option<usize> {
        self.managed_fields.iter().position(|entry| entry.manager == manager)
    }

    /// The manager, other than us, that wrote last, apart from the status.
    #[must_use]
    pub fn latest_other_writer(&self) -> Option<&str> {
        let others = self.managed_fields.iter().filter(|entry| entry.is_of_another());
        others
            .max_by(|a, b| a.time.cmp(&b.time))
            .map(|entry| entry.manager.as_str())
    }

    /// Whether we own a field of the spec, such as `replicas`, and whether another manager does.
    #[must_use]
    pub fn owners_of(&self, field: &str) -> (bool, bool) {
        let ours = self
            .managed_fields
            .iter()
            .any(|entry| entry.is_ours() && entry.owns(field));
        (ours, self.other_owner_of(field).is_some())
    }

    /// The first manager, other than us, that owns a field of the spec.
    #[must_use]
    pub fn other_owner_of(&self, field: &str) -> Option<&str> {
        let mut others = self.managed_fields.iter().filter(|entry| entry.is_of_another());
        others
            .find(|entry| entry.owns(field))
            .map(|entry| entry.manager.as_str())
    }

    /// The text of `fieldsV1` without the controller's uid.
    fn without_controller<'a>(&self, fields: &'a str) -> Cow<'a, str> {
        // The key of the owner reference is JSON in a JSON string: `k:{\"uid\":\"…\"}`.
        let uid = self.controller().map(|owner| format!(r#"\"uid\":\"{}\""#, owner.uid));
        match uid.filter(|uid| fields.contains(uid)) {
            Some(uid) => fields.replace(&uid, r#"\"uid\":\"\""#).into(),
            None => fields.into(),
        }
    }

    /// Kind and name of its controlling owner.
    #[must_use]
    pub fn controller_kind_and_name(&self) -> Option<(&str, &str)> {
        self.controller().map(|owner| (&*owner.kind, &*owner.name))
    }

    fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references
            .iter()
            .find(|owner| owner.controller == Some(true))
    }

    /// Name of the MonitoredApi that is its controlling owner.
    #[must_use]
    pub fn controlling_api(&self) -> Option<String> {
        self.controller_api()
    }

    /// uid of its controlling owner.
    #[must_use]
    pub fn controller_uid(&self) -> Option<&str> {
        self.controller().map(|owner| owner.uid.as_str())
    }

    /// When anybody last changed it, its status included: RFC 3339.
    #[must_use]
    pub fn latest_change(&self) -> &str {
        let times = self.managed_fields.iter().map(|entry| entry.time.as_str());
        times
            .chain([self.creation_timestamp.as_str()])
            .max()
            .unwrap_or_default()
    }

    fn controller_api(&self) -> Option<String> {
        self.controller()
            .filter(|owner| names::is_monitored_api(&owner.api_version, &owner.kind))
            .map(|owner| owner.name.clone())
    }
}

//! What the operator wants to exist (`Plan`) and what became of it (`Applied`). Two types on purpose: a status is
//! computed from what was applied, never from what was merely planned.

use controller_api::{ChildRecord, MonitoredApi};
use serde_json::Value;

use crate::children::ChildKind;

/// The MonitoredApi that a plan belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiRef {
    /// Namespace of the MonitoredApi and of all its children.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: identity is by uid, so that an object of a deleted namesake is not ours. Empty offline, where no cluster
    /// gave it one; the objects then have no owner reference.
    pub uid: String,
}

impl ApiRef {
    /// The reference of a MonitoredApi; the namespace is `default` where it names none.
    #[must_use]
    pub fn of(api: &MonitoredApi) -> Self {
        Self {
            namespace: api.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            name: api.metadata.name.clone().unwrap_or_default(),
            uid: api.metadata.uid.clone().unwrap_or_default(),
        }
    }
}

/// Every object that should exist, in apply order.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whose plan it is.
    pub owner: ApiRef,
    /// The objects, sorted by wave.
    pub children: Vec<PlannedChild>,
    /// Alerts and panels that were left out, with the signal that the dialect lacks; sorted.
    pub missing: Vec<String>,
}

/// One object that should exist.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedChild {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// The complete intent, with owner reference and labels, without uid: the body of the server-side apply.
    pub object: Value,
    /// SHA-256 (hex) of `object`'s canonical JSON.
    pub desired_hash: String,
    /// `metadata.resourceVersion` of the live object, where a part of `object` was copied from it: an update carries it,
    /// so that the API server refuses what was copied from an older one.
    pub copied_from: Option<String>,
}

/// What a metadata watch tells of an object that bears a child's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedChild {
    /// Its uid.
    pub uid: String,
    /// uid of its controlling owner, if it has one.
    pub controller_uid: Option<String>,
    /// Name of its controlling owner, if that is a MonitoredApi.
    pub controller_api: Option<String>,
    /// SHA-256 (hex) of `fieldsV1` of our own managedFields entry, if there is one.
    pub applied_fields_hash: Option<String>,
    /// It bears the annotation by which a person hands it over to us.
    pub adopt: bool,
    /// It is being deleted.
    pub deleting: bool,
    /// `metadata.generation`, where the kind has one.
    pub generation: Option<i64>,
}

/// What to do with one planned child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is as recorded: no request at all.
    Skip,
    /// It does not exist, as far as the watch tells: confirm by a live GET, then apply without force.
    Create,
    /// The intent changed: forced apply that carries this uid.
    Update {
        /// uid of the object to change.
        uid: String,
    },
    /// Somebody changed a field of ours, or the record is missing: confirm by one live GET, decide again on its answer.
    Confirm,
    /// An object of this name that is not ours: hands off.
    Conflict(String),
    /// Ours or a deleted namesake's, and on its way out: wait for it to go.
    WaitForDeletion,
}

/// What became of one planned child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was sent, nothing needed to be.
    Unchanged,
    /// It was applied.
    Applied,
    /// An object of this name is not ours; the sentence says whose it is.
    Conflict(String),
    /// Its kind's CRD is not installed.
    CrdMissing,
    /// The operator may not write this kind here.
    Forbidden(String),
    /// The API server refuses the object as invalid.
    Invalid(String),
    /// The request failed in a way that may pass.
    Failed(String),
    /// It waits for the old object of its name to go.
    Waiting,
}

/// One planned child after apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedChild {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The write record to keep: new after a write, the old one otherwise.
    pub record: Option<ChildRecord>,
}

/// What became of a plan. Only `apply` makes one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// One entry a planned child, in the plan's order.
    pub children: Vec<AppliedChild>,
    /// Records of objects that should go and are not gone yet.
    pub leftovers: Vec<ChildRecord>,
    /// Records of objects that are not wanted any more and stay, for they hold data.
    pub kept: Vec<ChildRecord>,
    /// Alerts and panels that were left out (from the plan).
    pub missing: Vec<String>,
}

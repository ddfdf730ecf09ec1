//! The write record: what was written, so that nothing is written twice, a restart writes nothing, and drift is seen.
//!
//! A pure state machine. The shell asks [`decide`] with what its watch tells; only when the answer is
//! [`Decision::Confirm`] or [`Decision::Create`] does it read the live object and ask [`confirm`].

mod project;

use controller_api::{ChildRecord, names};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::{
    hash,
    plan::{ApiRef, Decision, ObservedChild, Plan, PlannedChild},
};

/// What to do with one planned child, after a live read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// It is as wanted: no write, keep this record.
    Keep(ChildRecord),
    /// It does not exist: apply without force, then check the answer with [`created_by_us`].
    Create,
    /// It exists, is ours and differs: forced apply that carries this uid.
    Update {
        /// uid of the object to change.
        uid: String,
    },
    /// An object of this name that is not ours: hands off.
    Conflict(String),
    /// Ours or a deleted namesake's, and on its way out: wait for it to go.
    WaitForDeletion,
}

/// What to do with one planned child, from what the watch tells.
#[must_use]
pub fn decide(
    planned: &PlannedChild,
    record: Option<&ChildRecord>,
    observed: Option<&ObservedChild>,
    owner: &ApiRef,
) -> Decision {
    let Some(observed) = observed else {
        return Decision::Create;
    };
    match ownership(planned, observed, owner) {
        Ownership::Foreign(whose) => Decision::Conflict(whose),
        Ownership::Leaving => Decision::WaitForDeletion,
        Ownership::Adopted => Decision::Update {
            uid: observed.uid.clone(),
        },
        Ownership::Ours => match record {
            Some(record) if record.uid == observed.uid => {
                if record.desired_hash != planned.desired_hash {
                    Decision::Update {
                        uid: observed.uid.clone(),
                    }
                } else if observed.applied_fields_hash.as_ref() == Some(&record.applied_fields_hash) {
                    Decision::Skip
                } else {
                    Decision::Confirm
                }
            }
            Some(_) | None => Decision::Confirm,
        },
    }
}

/// What to do with one planned child, from the object as a live GET returned it (`None`: 404).
#[must_use]
pub fn confirm(
    planned: &PlannedChild,
    record: Option<&ChildRecord>,
    live: Option<&Value>,
    owner: &ApiRef,
) -> Confirmed {
    let Some(live) = live else { return Confirmed::Create };
    let Some(meta) = metadata(live) else {
        return Confirmed::Conflict(format!("{} has no readable metadata", place(planned)));
    };
    let observed = observe(&meta);
    let update = Confirmed::Update {
        uid: observed.uid.clone(),
    };
    match ownership(planned, &observed, owner) {
        Ownership::Foreign(whose) => Confirmed::Conflict(whose),
        Ownership::Leaving => Confirmed::WaitForDeletion,
        Ownership::Adopted => update,
        Ownership::Ours => {
            let Some(applied) = observed.applied_fields_hash.clone() else {
                return update;
            };
            let as_recorded = record.is_some_and(|record| {
                record.uid == observed.uid
                    && record.desired_hash == planned.desired_hash
                    && record.applied_fields_hash == applied
            });
            // Without a record (a restored resource), the object itself is the evidence: our fields are exactly those
            // that we would send, and their values are those that we would send.
            let lost_and_equal = record.is_none() && owns_exactly(&meta, live, planned);
            if as_recorded || lost_and_equal {
                Confirmed::Keep(new_record(planned, &observed, applied))
            } else {
                update
            }
        }
    }
}

/// Records of objects that should go: what was written once and is not planned any more.
#[must_use]
pub fn prune(plan: &Plan, records: &[ChildRecord]) -> Vec<ChildRecord> {
    records
        .iter()
        .filter(|record| {
            !plan
                .children
                .iter()
                .any(|planned| planned.kind.as_str() == record.kind && planned.name == record.name)
        })
        .cloned()
        .collect()
}

/// The write record of a child, from the object as the API server answered an apply. `None`: the answer has no
/// managedFields entry of ours, which a server-side apply always leaves.
#[must_use]
pub fn record_of(planned: &PlannedChild, answer: &Value) -> Option<ChildRecord> {
    let observed = observe(&metadata(answer)?);
    let applied = observed.applied_fields_hash.clone()?;
    Some(new_record(planned, &observed, applied))
}

/// Whether the answer to an apply without force shows that we made the object, and did not take over one that appeared
/// between the GET and the apply: it is controlled by our owner and no other manager has a part in it.
#[must_use]
pub fn created_by_us(answer: &Value, owner_uid: &str) -> bool {
    let Some(meta) = metadata(answer) else { return false };
    let managers = meta.managed_fields.iter().flatten();
    let foreign = managers
        .filter(|entry| entry.subresource.as_deref().unwrap_or_default().is_empty())
        .any(|entry| entry.manager.as_deref() != Some(names::FIELD_MANAGER));
    observe(&meta).controller_uid.as_deref() == Some(owner_uid) && !foreign
}

/// What the write record needs to know of an object's metadata: for the watch and for live reads alike.
#[must_use]
pub fn observe(meta: &ObjectMeta) -> ObservedChild {
    let adopt = meta
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(names::ANNOTATION_ADOPT));
    let controller = meta
        .owner_references
        .iter()
        .flatten()
        .find(|reference| reference.controller == Some(true));
    ObservedChild {
        uid: meta.uid.clone().unwrap_or_default(),
        controller_uid: controller.map(|reference| reference.uid.clone()),
        controller_api: controller
            .filter(|reference| names::is_monitored_api(&reference.api_version, &reference.kind))
            .map(|reference| reference.name.clone()),
        applied_fields_hash: applied_fields(meta).map(hash::hash),
        adopt: adopt.is_some_and(|value| value == "true"),
        deleting: meta.deletion_timestamp.is_some(),
        generation: meta.generation,
    }
}

/// `fieldsV1` of our own managedFields entry: manager `monitored-api`, operation Apply, no subresource.
fn applied_fields(meta: &ObjectMeta) -> Option<&Value> {
    meta.managed_fields
        .iter()
        .flatten()
        .find(|entry| {
            entry.manager.as_deref() == Some(names::FIELD_MANAGER)
                && entry.operation.as_deref() == Some("Apply")
                && entry.subresource.as_deref().unwrap_or_default().is_empty()
        })
        .and_then(|entry| entry.fields_v1.as_ref())
        .map(|fields| &fields.0)
}

enum Ownership {
    Ours,
    /// Nobody's, and handed over to us by a person.
    Adopted,
    Leaving,
    Foreign(String),
}

fn ownership(planned: &PlannedChild, observed: &ObservedChild, owner: &ApiRef) -> Ownership {
    let ours = !owner.uid.is_empty() && observed.controller_uid.as_deref() == Some(&owner.uid);
    // Two of one name can't exist: the other is deleted, and the garbage collector is on its way, at most half a minute
    // late where our CRD is new to it.
    let of_a_deleted_namesake = !owner.uid.is_empty() && observed.controller_api.as_deref() == Some(&owner.name);
    let handed_over = observed.adopt && observed.controller_uid.is_none();
    match (ours || handed_over, observed.deleting) {
        (true, true) => Ownership::Leaving,
        (true, false) if ours => Ownership::Ours,
        (true, false) => Ownership::Adopted,
        (false, _) if of_a_deleted_namesake => Ownership::Leaving,
        (false, _) if observed.controller_uid.is_some() => Ownership::Foreign(format!(
            "{} is controlled by another object: rename this MonitoredApi, or delete that object",
            place(planned)
        )),
        (false, _) => Ownership::Foreign(format!(
            "{} exists and is not ours: delete it, or hand it over with the annotation {}=true",
            place(planned),
            names::ANNOTATION_ADOPT
        )),
    }
}

fn new_record(planned: &PlannedChild, observed: &ObservedChild, applied_fields_hash: String) -> ChildRecord {
    ChildRecord {
        kind: planned.kind.as_str().to_owned(),
        name: planned.name.clone(),
        uid: observed.uid.clone(),
        desired_hash: planned.desired_hash.clone(),
        applied_fields_hash,
        version: observed.generation.map(|generation| generation.to_string()),
        state: "Ready".to_owned(),
    }
}

fn owns_exactly(meta: &ObjectMeta, live: &Value, planned: &PlannedChild) -> bool {
    applied_fields(meta).is_some_and(|fields| {
        let ours = project::project(live, fields);
        let wanted = project::without_identity(&planned.object);
        hash::canonical_json(&ours) == hash::canonical_json(&wanted)
    })
}

fn metadata(object: &Value) -> Option<ObjectMeta> {
    serde_json::from_value(object.get("metadata")?.clone()).ok()
}

fn place(planned: &PlannedChild) -> String {
    format!("{} {}", planned.kind.as_str(), planned.name)
}

#[cfg(test)]
mod tests;

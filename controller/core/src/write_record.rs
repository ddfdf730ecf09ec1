//! The write record: what was written, so that nothing is written twice, a restart writes nothing, and drift is seen.
//!
//! A pure state machine. The shell calls [`decide`] with what its watch knows; only when the answer is
//! [`Decision::Confirm`] or [`Decision::Create`] does it read the live object and call [`confirm`].

mod project;

use controller_api::{ChildRecord, names};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    facts::{LiveReplicas, ObservedChild, VolumeClaimFacts},
    metadata::Metadata,
    object_hash,
    owner::ApiRef,
    plan::{Decision, PlannedChild},
};

/// An object as a live GET returned it.
#[derive(Debug, Clone)]
pub struct LiveObject {
    /// The whole of it.
    pub object: Value,
    /// Its metadata.
    pub metadata: Metadata,
    /// What follows from its metadata.
    pub observed: ObservedChild,
}

impl LiveObject {
    /// Decodes the text of an object. `hash`: as in [`Metadata::observed`].
    ///
    /// # Errors
    ///
    /// A text that is not JSON, or not that of an object with metadata.
    pub fn from_json(text: &str, hash: impl Fn(&str) -> Option<String>) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct WithMetadata {
            metadata: Metadata,
        }
        let WithMetadata { metadata } = serde_json::from_str(text)?;
        Ok(Self {
            object: serde_json::from_str(text)?,
            observed: metadata.observed(hash),
            metadata,
        })
    }

    /// The number of replicas of a Deployment, and who owns it.
    #[must_use]
    pub fn replicas(&self) -> LiveReplicas {
        let wanted = self.object.pointer("/spec/replicas").and_then(Value::as_i64);
        let (owned_by_us, owned_by_another) = self.metadata.owners_of("replicas");
        LiveReplicas {
            replicas: wanted.and_then(|wanted| i32::try_from(wanted).ok()).unwrap_or(1),
            owned_by_us,
            owned_by_another,
        }
    }

    /// The size of a PersistentVolumeClaim, and whether somebody else set it.
    #[must_use]
    pub fn claim(&self) -> VolumeClaimFacts {
        let size = self.object.pointer("/spec/resources/requests/storage");
        VolumeClaimFacts {
            uid: self.observed.uid.clone(),
            size: size.and_then(Value::as_str).unwrap_or_default().to_owned(),
            resized: self.metadata.owners_of("storage").1,
            ..VolumeClaimFacts::default()
        }
    }
}

/// What to do with one planned child, after a live read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// It is as wanted: no write, keep this record.
    Keep(ChildRecord),
    /// It does not exist: apply without force, then check the answer with [`created_by_us`].
    Create,
    /// It exists, is ours and differs: forced apply that carries this uid.
    Update {
        /// uid of the object to change.
        uid: String,
    },
    /// An object of this name that is not ours: it must not be touched.
    Conflict(String),
    /// Ours, or a deleted namesake's, and being deleted: wait until it is gone.
    WaitForDeletion,
}

/// What to do with one planned child, from what the watch knows.
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
                if record.desired_hash != planned.desired_hash() {
                    Decision::Update {
                        uid: observed.uid.clone(),
                    }
                } else if is_as_recorded(record, observed) {
                    Decision::Skip
                } else {
                    Decision::Confirm
                }
            }
            Some(_) | None => Decision::Confirm,
        },
    }
}

/// Whether the object is the recorded one, and our fields are as they were when it was recorded.
pub(crate) fn is_as_recorded(record: &ChildRecord, observed: &ObservedChild) -> bool {
    record.uid == observed.uid && observed.applied_fields_hash.as_ref() == Some(&record.applied_fields_hash)
}

/// What to do with one planned child, from the object as a live GET returned it (`None`: 404).
#[must_use]
pub fn confirm(
    planned: &PlannedChild,
    record: Option<&ChildRecord>,
    live: Option<&LiveObject>,
    owner: &ApiRef,
) -> Confirmation {
    let Some(live) = live else { return Confirmation::Create };
    let observed = &live.observed;
    let update = Confirmation::Update {
        uid: observed.uid.clone(),
    };
    match ownership(planned, observed, owner) {
        Ownership::Foreign(whose) => Confirmation::Conflict(whose),
        Ownership::Leaving => Confirmation::WaitForDeletion,
        Ownership::Adopted => update,
        Ownership::Ours => {
            let Some(applied) = observed.applied_fields_hash.clone() else {
                return update;
            };
            let as_recorded = record.is_some_and(|record| {
                record.uid == observed.uid
                    && record.desired_hash == planned.desired_hash()
                    && record.applied_fields_hash == applied
            });
            // Without a record (a restored resource), the object itself is the evidence: our fields are exactly those
            // that we would send, and their values are those that we would send.
            let lost_and_equal = record.is_none() && owns_exactly(live, planned);
            if as_recorded || lost_and_equal {
                Confirmation::Keep(new_record(planned, observed, applied))
            } else {
                update
            }
        }
    }
}

/// The write record of a child, from the answer to an apply. `None`: the answer has no managedFields entry of ours,
/// which a server-side apply always leaves.
#[must_use]
pub fn record_of(planned: &PlannedChild, answer: &ObservedChild) -> Option<ChildRecord> {
    let applied = answer.applied_fields_hash.clone()?;
    Some(new_record(planned, answer, applied))
}

/// Whether the answer to an apply without force shows that the object is ours alone although this apply did not make it, as
/// after an earlier one whose answer was late: it is controlled by our owner and no other manager has a part in it.
#[must_use]
pub fn created_by_us(answer: &Metadata, owner_uid: &str) -> bool {
    answer.observed(|_| None).controller_uid.as_deref() == Some(owner_uid) && !answer.is_shared()
}

/// The intent that takes back all that we applied to the object with this uid: its identity and no field.
#[must_use]
pub fn nothing(planned: &PlannedChild, uid: &str) -> Value {
    let of = |pointer: &str| planned.object().pointer(pointer).cloned().unwrap_or_default();
    json!({
        "apiVersion": of("/apiVersion"),
        "kind": of("/kind"),
        "metadata": {"name": planned.name, "namespace": of("/metadata/namespace"), "uid": uid},
    })
}

/// The sentence for an object with a child's name that has no owner or another one, and what to do.
#[must_use]
pub fn not_ours(planned: &PlannedChild) -> String {
    format!(
        "{planned} exists and does not belong to this MonitoredApi: delete it, or hand it over with the annotation {}=true",
        names::ANNOTATION_ADOPT
    )
}

enum Ownership {
    Ours,
    /// Without a controller, and handed over to us by a person.
    Adopted,
    Leaving,
    Foreign(String),
}

fn ownership(planned: &PlannedChild, observed: &ObservedChild, owner: &ApiRef) -> Ownership {
    let ours = !owner.uid.is_empty() && observed.controller_uid.as_deref() == Some(&owner.uid);
    // Two MonitoredApis of one name cannot exist: the other is deleted, and the garbage collector will remove its objects,
    // up to half a minute later where our CRD is new to it.
    let of_a_deleted_namesake = !owner.uid.is_empty() && observed.controller_api.as_deref() == Some(&owner.name);
    let handed_over = observed.adopt && observed.controller_uid.is_none();
    match (ours || handed_over, observed.deleting) {
        (true, true) => Ownership::Leaving,
        (true, false) if ours => Ownership::Ours,
        (true, false) => Ownership::Adopted,
        (false, _) if of_a_deleted_namesake => Ownership::Leaving,
        (false, _) if observed.controller_uid.is_some() => Ownership::Foreign(format!(
            "{planned} is controlled by another object: rename this MonitoredApi, or delete that object"
        )),
        (false, _) => Ownership::Foreign(not_ours(planned)),
    }
}

fn new_record(planned: &PlannedChild, observed: &ObservedChild, applied_fields_hash: String) -> ChildRecord {
    ChildRecord {
        kind: planned.kind.as_str().to_owned(),
        name: planned.name.clone(),
        uid: observed.uid.clone(),
        desired_hash: planned.desired_hash().to_owned(),
        applied_fields_hash,
        version: observed.generation.map(|generation| generation.to_string()),
        state: "Ready".to_owned(),
    }
}

fn owns_exactly(live: &LiveObject, planned: &PlannedChild) -> bool {
    let fields = live.metadata.applied_fields().map(serde_json::from_str::<Value>);
    fields.and_then(Result::ok).is_some_and(|fields| {
        let ours = project::project(&live.object, &fields);
        let wanted = project::without_identity(planned.object());
        object_hash::canonical_json(&ours) == object_hash::canonical_json(&wanted)
    })
}

#[cfg(test)]
mod tests;

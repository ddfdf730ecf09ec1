//! What the operator would make of the objects that it writes for a MonitoredApi: planned as the operator plans them, from the
//! live objects and the live status, and each tried by the API server's dry run.

use std::collections::BTreeMap;
use std::sync::Arc;

use controller_api::{MonitoredApi, MonitoredApiStatus, WorkloadStatus, names};
use controller_core::call_error::CallError;
use controller_core::changes::{Changes, decide, record_of};
use controller_core::children::{blocked_by, child_kind, child_kinds, dashboard};
use controller_core::facts::{Facts, KindState, Reference, Settings, WorkloadId};
use controller_core::failure::ErrorClass;
use controller_core::metadata::{REPAIRER, fields_hash};
use controller_core::owner::ApiRef;
use controller_core::plan::{AppliedChild, Decision, Outcome, Plan, PlannedChild};
use controller_core::referenced::WorkloadObject;
use controller_core::status::reads_overall;
use controller_core::write_record::{Confirmation, LiveObject, confirm};
use controller_core::{ChildKind, compile};
use serde_json::{Value, json};

use super::row::{DiffRow, ObjectName};
use super::{DiffError, is_refusal};
use crate::cluster::{ApiServer, ObjectKind, Trial};

/// Why an object of an optional kind is left out.
const NOT_SERVED: &str =
    "left out, because the cluster does not serve this kind: its CustomResourceDefinition is not installed";

/// A MonitoredApi as it would be, and the cluster that it would be in.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) server: &'a dyn ApiServer,
    pub(super) settings: &'a Settings,
    pub(super) api: &'a MonitoredApi,
    /// The status that it has now.
    pub(super) status: &'a MonitoredApiStatus,
    /// It does not exist yet.
    pub(super) is_new: bool,
}

/// The live objects of a MonitoredApi.
#[derive(Default)]
struct LiveChildren {
    objects: BTreeMap<(ChildKind, String), LiveObject>,
    /// Those that may not be read.
    unreadable: BTreeMap<(ChildKind, String), CallError>,
    /// Kinds that the cluster does not serve.
    missing: Vec<ChildKind>,
}

impl Comparison<'_> {
    /// One row for each object that the operator would write or delete.
    ///
    /// # Errors
    ///
    /// The spec is invalid, or the cluster does not answer.
    pub(super) fn rows(&self) -> Result<Vec<DiffRow>, DiffError> {
        let owner = ApiRef::of(self.api);
        let compiled = |facts: &Facts| compile(self.api, self.settings, facts, &owner).map_err(DiffError::Violations);
        let workload = self.workload(&owner.namespace)?.map(Arc::new);
        // Which objects there are to read does not depend on what else is read.
        let live = self.live_children(&compiled(&Facts {
            workload: workload.clone(),
            ..Facts::default()
        })?)?;
        let facts = Facts {
            workload,
            ..self.facts(&live, &owner)
        };
        let plan = compiled(&facts)?;
        // While a workload was never read, the operator writes nothing.
        if plan.api.suspend || plan.waits_for_workload() {
            return Ok(Vec::new());
        }
        let changes = decide(&plan, &self.status.children, &facts);
        let mut rows = Vec::new();
        let mut earlier = Vec::new();
        for (planned, decision) in plan.children.iter().zip(&changes.decisions) {
            let (row, outcome) = self.child(planned, decision, &live, &earlier)?;
            rows.push(row);
            earlier.push(AppliedChild {
                kind: planned.kind,
                name: planned.name.clone(),
                outcome,
                record: None,
            });
        }
        rows.extend(self.leftovers(&changes, &live));
        Ok(rows)
    }

    /// What is known of the workload that exists already.
    fn workload(&self, namespace: &str) -> Result<Option<WorkloadStatus>, DiffError> {
        let Some(given) = &self.api.spec.workload_ref else {
            return Ok(None);
        };
        let id = WorkloadId {
            kind: given.kind,
            name: given.name.clone(),
        };
        let found = self.server.get(ObjectKind::Workload(id.kind), namespace, &id.name)?;
        let found = found.and_then(|text| serde_json::from_str::<WorkloadObject>(&text).ok());
        let reference = match found {
            Some(object) => Reference::Found(Box::new(object.into_workload(id))),
            None => Reference::Missing(id),
        };
        Ok(reference.outline(self.status.workload.as_ref()))
    }

    fn live_children(&self, plan: &Plan) -> Result<LiveChildren, CallError> {
        let namespace = &plan.api.owner.namespace;
        let planned = plan.children.iter().map(|child| (child.kind, child.name.clone()));
        let recorded = self.status.children.iter();
        let recorded = recorded.filter_map(|record| Some((child_kind(&record.kind)?, record.name.clone())));
        let mut live = LiveChildren::default();
        for (kind, name) in planned.chain(recorded).chain(dashboard::to_look_for(&plan.api)) {
            let key = (kind, name);
            if live.objects.contains_key(&key) || live.unreadable.contains_key(&key) {
                continue;
            }
            match self.read(kind, namespace, &key.1) {
                Ok(Some(object)) => {
                    live.objects.insert(key, object);
                }
                Ok(None) => {}
                Err(error) if error.class == ErrorClass::KindMissing => live.missing.push(kind),
                Err(error) if is_refusal(error.class) => {
                    live.unreadable.insert(key, error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }

    fn read(&self, kind: ChildKind, namespace: &str, name: &str) -> Result<Option<LiveObject>, CallError> {
        let Some(text) = self.server.get(ObjectKind::Child(kind), namespace, name)? else {
            return Ok(None);
        };
        let live = LiveObject::from_json(&text, fields_hash).map_err(|error| unreadable(kind, name, &error))?;
        Ok(Some(live))
    }

    /// What the operator would know.
    fn facts(&self, live: &LiveChildren, owner: &ApiRef) -> Facts {
        let state = |kind: ChildKind| {
            let missing = live.missing.contains(&kind);
            (kind, if missing { KindState::Missing } else { KindState::Synced })
        };
        let of_name = |kind: ChildKind| live.objects.get(&(kind, owner.name.clone()));
        let claim = of_name(ChildKind::PERSISTENT_VOLUME_CLAIM);
        let own_claim = claim.filter(|claim| claim.observed.controller_uid.as_deref() == Some(&owner.uid));
        let deployment = of_name(ChildKind::DEPLOYMENT);
        let observed = live.objects.iter();
        Facts {
            states: child_kinds().map(state).collect(),
            children: observed
                .map(|((kind, name), object)| (*kind, name.clone(), object.observed.clone()))
                .collect(),
            volume_claim: own_claim.map(LiveObject::claim),
            has_overall: reads_overall(self.status),
            dashboard_in: dashboard::recorded(self.status),
            live_replicas: deployment.map(LiveObject::replicas),
            deployment_version: deployment.map(|live| live.metadata.resource_version.clone()),
            ..Facts::default()
        }
    }

    /// What would become of one object, as a row and as the operator would know it.
    fn child(
        &self,
        planned: &PlannedChild,
        decision: &Decision,
        live: &LiveChildren,
        earlier: &[AppliedChild],
    ) -> Result<(DiffRow, Outcome), CallError> {
        let owner = ApiRef::of(self.api);
        let name = || object_name(planned.kind, &owner.namespace, &planned.name);
        let refused = |outcome: Outcome| (DiffRow::refused(name(), sentence(&outcome)), outcome);
        let key = (planned.kind, planned.name.clone());
        if live.missing.contains(&planned.kind) && planned.kind.optional {
            return Ok((
                DiffRow::unchanged(name(), Some(NOT_SERVED.to_owned())),
                Outcome::CrdMissing,
            ));
        }
        if let Some(error) = live.unreadable.get(&key) {
            return Ok((DiffRow::refused(name(), error.to_string()), failure(planned, error)));
        }
        if let Decision::Fail(outcome) = decision {
            return Ok(refused(outcome.clone()));
        }
        let before = live.objects.get(&key);
        let record = record_of(&self.status.children, planned);
        let confirmation = confirm(planned, record, before, &owner);
        let may_be_written = matches!(confirmation, Confirmation::Create | Confirmation::Update { .. });
        if may_be_written && let Some(outcome) = blocked_by(planned.kind, &Decision::Confirm, earlier) {
            return Ok(refused(outcome));
        }
        let answer = match (confirmation, before) {
            (Confirmation::Keep(_), _) => return Ok((DiffRow::unchanged(name(), None), Outcome::Unchanged)),
            (Confirmation::Conflict(whose), _) => return Ok(refused(Outcome::Conflict(whose))),
            (Confirmation::WaitForDeletion, _) => {
                let waits = "the old object of this name is still being deleted".to_owned();
                return Ok(refused(Outcome::Waiting(waits)));
            }
            (Confirmation::Update { uid }, Some(before)) => self.update(planned, &uid, before),
            (Confirmation::Create | Confirmation::Update { .. }, _) => self.create(planned),
        };
        match answer {
            Ok(after) => {
                let row = DiffRow::of(name(), before.map(|before| &before.object), Some(&after));
                Ok((row, Outcome::Applied))
            }
            Err(error) if is_refusal(error.class) => {
                let hint = (planned.kind.explain)(&error.message).map(|hint| format!(": {hint}"));
                let reason = format!("{}{}", error.message, hint.unwrap_or_default());
                Ok((DiffRow::refused(name(), reason), failure(planned, &error)))
            }
            Err(error) => Err(error),
        }
    }

    /// Tries to make an object. The owner reference is left out of the attempt and put back into the answer: it may name a
    /// MonitoredApi that does not exist yet, and who may ask for it is a matter of the operator's rights.
    fn create(&self, planned: &PlannedChild) -> Result<Value, CallError> {
        let mut intent = planned.object().clone();
        let mut owners = intent
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .and_then(|metadata| metadata.remove("ownerReferences"));
        if self.is_new {
            // The uid that the API server made up for the dry run will be another one.
            for owner in owners.iter_mut().filter_map(Value::as_array_mut).flatten() {
                if let Some(owner) = owner.as_object_mut() {
                    owner.remove("uid");
                }
            }
        }
        let mut answer = self.attempt(planned, names::FIELD_MANAGER, Trial::Apply(&intent))?;
        if let Some((metadata, owners)) = answer.get_mut("metadata").and_then(Value::as_object_mut).zip(owners) {
            metadata.insert("ownerReferences".to_owned(), owners);
        }
        Ok(answer)
    }

    /// Tries the operator's apply on the object with this uid and, where that is invalid, its repair: a merge of the whole.
    fn update(&self, planned: &PlannedChild, uid: &str, live: &LiveObject) -> Result<Value, CallError> {
        let mut intent = planned.object().clone();
        if let Some(metadata) = intent.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".to_owned(), uid.into());
        }
        let refusal = match self.attempt(planned, names::FIELD_MANAGER, Trial::Apply(&intent)) {
            Err(error) if error.class == ErrorClass::Invalid => error,
            other => return other,
        };
        if let Some(object) = intent.as_object_mut() {
            let version = &live.metadata.resource_version;
            object.insert("metadata".to_owned(), json!({"uid": uid, "resourceVersion": version}));
        }
        self.attempt(planned, REPAIRER, Trial::Merge(&intent))
            .map_err(|_| refusal)
    }

    fn attempt(&self, planned: &PlannedChild, manager: &str, trial: Trial<'_>) -> Result<Value, CallError> {
        let PlannedChild { kind, name, .. } = planned;
        let namespace = planned.intent.text("/metadata/namespace");
        let answer = self
            .server
            .attempt(ObjectKind::Child(*kind), namespace, name, manager, trial)?;
        serde_json::from_str(&answer).map_err(|error| unreadable(*kind, name, &error))
    }

    /// Objects that the operator would delete, and those that it would keep.
    fn leftovers(&self, changes: &Changes, live: &LiveChildren) -> Vec<DiffRow> {
        let namespace = ApiRef::of(self.api).namespace;
        let found = |kind: &str, name: &str| {
            let kind = child_kind(kind)?;
            let object = live.objects.get(&(kind, name.to_owned()))?;
            Some((object_name(kind, &namespace, name), object))
        };
        let removed = changes.prune.iter().chain(&changes.in_use);
        let removed = removed.filter_map(|record| {
            let (name, object) = found(&record.kind, &record.name)?;
            Some(DiffRow::of(name, Some(&object.object), None))
        });
        let kept = changes.kept.iter().filter_map(|record| {
            let (name, _) = found(&record.kind, &record.name)?;
            Some(DiffRow::unchanged(
                name,
                Some("stays, because it holds data".to_owned()),
            ))
        });
        removed.chain(kept).collect()
    }
}

fn object_name(kind: ChildKind, namespace: &str, name: &str) -> ObjectName {
    ObjectName {
        api_version: kind.api_version(),
        kind: kind.as_str().to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn unreadable(kind: ChildKind, name: &str, error: &serde_json::Error) -> CallError {
    CallError {
        verb: "decode",
        kind: kind.as_str(),
        object: name.to_owned(),
        class: ErrorClass::Decode,
        message: error.to_string(),
    }
}

fn failure(planned: &PlannedChild, error: &CallError) -> Outcome {
    Outcome::of_failure(planned, error.class, &error.message)
}

/// The sentence of an outcome that keeps an object from being written.
fn sentence(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Conflict(why)
        | Outcome::Forbidden(why)
        | Outcome::Invalid(why)
        | Outcome::Failed(why)
        | Outcome::LintFailed(why)
        | Outcome::Contested(why)
        | Outcome::Waiting(why)
        | Outcome::Pending(why) => why,
        Outcome::CrdMissing => NOT_SERVED,
        Outcome::Unchanged | Outcome::Applied => "",
    }
}

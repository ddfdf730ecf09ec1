//! Writes children, and nothing else does. Each child on its own: one that fails stops no other.
//!
//! What to do is core's to decide, from the write record and the watch; where the watch can't be relied on, from one
//! live GET.

mod copied;
mod repair;

use controller_api::ChildRecord;
use controller_core::children::{ChildKind, held_back};
use controller_core::plan::{Applied, AppliedChild, Decision, ObservedChild, Outcome, Plan, PlannedChild};
use controller_core::write_record::{self, Confirmed};
use futures::future::join_all;
use metric_contract::platform;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cache::table::Source;
use crate::cluster::kinds;
use crate::cluster::{CallError, ErrorClass, Raw};
use crate::watch::board::{KindState, Subject};
use crate::watch::observe::{ChildItem, ClaimItem, DeploymentItem};
use crate::work::context::Context;
use crate::work::gather::Target;

/// What is to be done, before anything is.
#[derive(Debug)]
pub(crate) struct Todo {
    decisions: Vec<Decision>,
    prune: Vec<ChildRecord>,
    kept: Vec<ChildRecord>,
}

impl Todo {
    /// A request is due whose intent copies from the live object.
    pub(crate) fn copies(&self, plan: &Plan) -> bool {
        let copies = |(planned, decision): (&PlannedChild, &Decision)| {
            planned.copied_from.is_some() && !matches!(decision, Decision::Skip)
        };
        plan.children.iter().zip(&self.decisions).any(copies)
    }

    /// Nothing needs a request.
    pub(crate) fn is_quiet(&self) -> bool {
        self.prune.is_empty()
            && self.decisions.iter().all(|decision| match decision {
                Decision::Skip | Decision::Conflict(_) | Decision::WaitForDeletion => true,
                Decision::Create | Decision::Update { .. } | Decision::Confirm => false,
            })
    }
}

/// Compares the plan with the write records and with what the watches tell. No request.
pub(crate) fn decide(context: &Context, target: &Target, plan: &Plan) -> Todo {
    let decisions = plan
        .children
        .iter()
        .map(|planned| decide_child(context, target, planned))
        .collect();
    let (kept, prune) = leftovers(context, target, plan).into_iter().partition(holds_data);
    Todo { decisions, prune, kept }
}

fn holds_data(record: &ChildRecord) -> bool {
    ChildKind::from_name(&record.kind).is_some_and(|kind| kind.row().holds_data)
}

fn state(context: &Context, target: &Target, kind: ChildKind) -> KindState {
    context.board.state(Subject::Child(kind), &target.key.namespace)
}

fn decide_child(context: &Context, target: &Target, planned: &PlannedChild) -> Decision {
    match state(context, target, planned.kind) {
        KindState::Synced => {
            let observed = context.store.child(&target.key, planned.kind, &planned.name);
            let record = record(target, planned);
            write_record::decide(planned, record, observed.as_ref(), &target.owner)
        }
        // No request either: `apply` knows the state too.
        KindState::Missing if planned.kind.row().optional => Decision::Skip,
        KindState::Missing | KindState::Pending | KindState::Forbidden => Decision::Confirm,
    }
}

fn record<'a>(target: &'a Target, planned: &PlannedChild) -> Option<&'a ChildRecord> {
    let kind = planned.kind.as_str();
    target
        .status
        .children
        .iter()
        .find(|record| record.kind == kind && record.name == planned.name)
}

/// Objects that should go: recorded once, or found with our owner reference, and not planned any more.
fn leftovers(context: &Context, target: &Target, plan: &Plan) -> Vec<ChildRecord> {
    let mut records = write_record::prune(plan, &target.status.children);
    // What is known to be gone needs no request.
    records.retain(|record| {
        ChildKind::from_name(&record.kind).is_none_or(|kind| match state(context, target, kind) {
            KindState::Synced => context
                .store
                .child(&target.key, kind, &record.name)
                .is_some_and(|observed| is_ours(target, &observed)),
            KindState::Missing => false,
            KindState::Pending | KindState::Forbidden => true,
        })
    });
    let planned = |kind: ChildKind, name: &str| plan.children.iter().any(|p| p.kind == kind && p.name == name);
    for (kind, name, observed) in context.store.children(&target.key) {
        let known = records.iter().any(|r| r.kind == kind.as_str() && r.name == name);
        if is_ours(target, &observed) && !planned(kind, &name) && !known {
            records.push(unrecorded(kind, name, observed));
        }
    }
    records
}

fn is_ours(target: &Target, observed: &ObservedChild) -> bool {
    observed.controller_uid.as_deref() == Some(&target.owner.uid)
}

fn unrecorded(kind: ChildKind, name: String, observed: ObservedChild) -> ChildRecord {
    ChildRecord {
        kind: kind.as_str().to_owned(),
        name,
        uid: observed.uid,
        desired_hash: String::new(),
        applied_fields_hash: observed.applied_fields_hash.unwrap_or_default(),
        version: None,
        state: "Ready".to_owned(),
    }
}

/// Does what is to be done, wave by wave, and tells what became of each child.
pub(crate) async fn apply(context: &Context, target: &Target, plan: &Plan, todo: Todo) -> Applied {
    let mut children = Vec::with_capacity(plan.children.len());
    let mut work: Vec<_> = plan.children.iter().zip(todo.decisions).collect();
    while let Some((first, _)) = work.first() {
        let wave = first.kind.row().wave;
        let later = work
            .iter()
            .position(|(planned, _)| planned.kind.row().wave != wave)
            .unwrap_or(work.len());
        let rest = work.split_off(later);
        let earlier: &[AppliedChild] = &children;
        let wave = work.drain(..).map(|(planned, decision)| {
            let child = Child {
                context,
                target,
                planned,
            };
            child.settle_after(earlier, decision)
        });
        let settled = join_all(wave).await;
        children.extend(settled);
        work = rest;
    }
    let gone = join_all(todo.prune.into_iter().map(|record| prune(context, target, record))).await;
    Applied {
        children,
        leftovers: gone.into_iter().flatten().collect(),
        kept: todo.kept,
        missing: plan.missing.clone(),
    }
}

/// One child being applied.
#[derive(Clone, Copy)]
struct Child<'a> {
    context: &'a Context,
    target: &'a Target,
    planned: &'a PlannedChild,
}

/// Only the metadata of an answer, as JSON: all that a write record is made from.
#[derive(Deserialize)]
struct OnlyMetadata {
    metadata: Value,
}

impl Child<'_> {
    async fn settle_after(self, earlier: &[AppliedChild], decision: Decision) -> AppliedChild {
        match held_back(self.planned.kind, earlier) {
            Some(why) => self.became(Outcome::Conflict(why), record(self.target, self.planned).cloned()),
            None => self.settle(decision).await,
        }
    }

    async fn settle(self, decision: Decision) -> AppliedChild {
        let old = record(self.target, self.planned).cloned();
        let missing = state(self.context, self.target, self.planned.kind) == KindState::Missing;
        if missing && self.planned.kind.row().optional {
            return self.became(Outcome::CrdMissing, None);
        }
        let result = match decision {
            Decision::Skip => return self.became(Outcome::Unchanged, old),
            Decision::Conflict(whose) => return self.became(Outcome::Conflict(whose), None),
            Decision::WaitForDeletion => return self.became(Outcome::Waiting, old),
            Decision::Update { uid } => match self.update(&uid).await {
                // What the watch told was old: look, once.
                Err(error) if matches!(error.class, ErrorClass::Conflict | ErrorClass::NotFound) => self.look().await,
                other => other,
            },
            Decision::Create | Decision::Confirm => self.look().await,
        };
        match result {
            Ok((outcome, record)) => self.became(outcome, record),
            Err(error) => self.failed(&error, old),
        }
    }

    fn became(self, outcome: Outcome, record: Option<ChildRecord>) -> AppliedChild {
        AppliedChild {
            kind: self.planned.kind,
            name: self.planned.name.clone(),
            outcome,
            record,
        }
    }

    /// Reads the live object and does what core says of it.
    async fn look(self) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        let resource = kinds::resource(self.planned.kind.row());
        let namespace = &*self.target.key.namespace;
        let get = self
            .context
            .cluster
            .get::<Raw>(resource, Some(namespace), &self.planned.name);
        let live = match get.await? {
            Some(raw) => {
                self.remember(&raw);
                Some(decode::<Value>(self.planned, &raw)?)
            }
            None => None,
        };
        let old = record(self.target, self.planned);
        match write_record::confirm(self.planned, old, live.as_ref(), &self.target.owner) {
            Confirmed::Keep(record) => Ok((Outcome::Unchanged, Some(record))),
            Confirmed::Create => self.create().await,
            Confirmed::Update { uid } => self.update(&uid).await,
            Confirmed::Conflict(whose) => Ok((Outcome::Conflict(whose), None)),
            Confirmed::WaitForDeletion => Ok((Outcome::Waiting, old.cloned())),
        }
    }

    /// A live read said that nothing bears the name. Without force, so that what appeared since is not taken over
    /// silently, and the answer is checked.
    async fn create(self) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        let answer = self.write(&self.planned.object, false).await?;
        if write_record::created_by_us(&answer, &self.target.owner.uid) {
            return Ok((Outcome::Applied, write_record::record_of(self.planned, &answer)));
        }
        let sentence = format!(
            "{} {} appeared while it was being created and is not ours alone: delete it",
            self.planned.kind.as_str(),
            self.planned.name
        );
        Ok((Outcome::Conflict(sentence), None))
    }

    /// Ours: with force, but only on the object of this uid, and only while what the intent copies from it is true.
    async fn update(self, uid: &str) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        let mut intent = self.planned.object.clone();
        if let Some(metadata) = intent.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".to_owned(), uid.into());
        }
        let answer = match self.write_bound(&intent).await {
            Err(error) if error.class == ErrorClass::Invalid => self.repair(&intent, uid, error).await?,
            other => other?,
        };
        Ok((Outcome::Applied, write_record::record_of(self.planned, &answer)))
    }

    async fn write(self, intent: &Value, force: bool) -> Result<Value, CallError> {
        let kind = self.planned.kind;
        if !self.context.leadership.is_held() {
            return Err(not_leading(self.planned));
        }
        let apply = self.context.cluster.apply::<Raw>(
            kinds::resource(kind.row()),
            &self.target.key.namespace,
            &self.planned.name,
            intent,
            force,
        );
        let result = apply.await;
        let label = result.as_ref().map_or_else(|error| error.class.as_str(), |_| "applied");
        self.context.telemetry.count(platform::APPLIES, &[kind.as_str(), label]);
        self.answered(&result?)
    }

    /// The metadata of an answer, remembered on the way.
    fn answered(self, raw: &Raw) -> Result<Value, CallError> {
        self.remember(raw);
        let OnlyMetadata { metadata } = decode(self.planned, raw)?;
        Ok(json!({"metadata": metadata}))
    }

    /// Puts what the API server answered into the store, so that the watch's event of it is no news.
    fn remember(self, raw: &Raw) {
        let store = &self.context.store;
        match self.planned.kind {
            ChildKind::Deployment => {
                if let Ok(item) = serde_json::from_str::<DeploymentItem>(raw.get()) {
                    store.put_deployment(&item, Source::Answer);
                }
            }
            ChildKind::PersistentVolumeClaim => {
                if let Ok(item) = serde_json::from_str::<ClaimItem>(raw.get()) {
                    store.put_claim(&item, Source::Answer);
                }
            }
            ChildKind::ServiceAccount
            | ChildKind::Service
            | ChildKind::ServiceMonitor
            | ChildKind::PrometheusRule
            | ChildKind::ConfigMap => {
                if let Ok(item) = serde_json::from_str::<ChildItem>(raw.get()) {
                    store.put_child(self.planned.kind, &item, Source::Answer);
                }
            }
        }
    }

    fn failed(self, error: &CallError, old: Option<ChildRecord>) -> AppliedChild {
        let Self { target, planned, .. } = self;
        let (kind, class) = (planned.kind.as_str(), error.class.as_str());
        tracing::warn!(namespace = %target.key.namespace, name = %target.key.name, kind, child = %planned.name, class,
            %error, "child not applied");
        self.became(failure(planned, error), old)
    }
}

/// What a failed request means for its child.
fn failure(planned: &PlannedChild, error: &CallError) -> Outcome {
    let place = format!("{} {}", planned.kind.as_str(), planned.name);
    if let Some(why) = (planned.kind.row().explain)(&error.message) {
        return Outcome::Invalid(why.to_owned());
    }
    match error.class {
        ErrorClass::KindMissing if planned.kind.row().optional => Outcome::CrdMissing,
        // Right after our CRD is installed, for up to half a minute: the admission plugin that checks owner references
        // has not read the list of kinds again. Not a matter of permissions; it passes.
        ErrorClass::Forbidden if error.message.contains("cannot find RESTMapping") => Outcome::Failed(format!(
            "{place}: the API server's admission does not know the kind MonitoredApi yet"
        )),
        ErrorClass::Forbidden => Outcome::Forbidden(error.message.clone()),
        ErrorClass::Invalid => Outcome::Invalid(error.message.clone()),
        // Sentences of our own: the transport's differ from one attempt to the next, and the status with them.
        ErrorClass::Conflict => Outcome::Failed(format!("{place} is being changed by somebody else")),
        ErrorClass::NotFound => Outcome::Failed(format!("{place}: its namespace does not exist")),
        ErrorClass::KindMissing => Outcome::Failed(format!("{place}: the API server does not serve this kind")),
        ErrorClass::Throttled => Outcome::Failed("the API server asks for fewer requests".to_owned()),
        ErrorClass::Timeout => Outcome::Failed("the API server does not answer in time".to_owned()),
        ErrorClass::Unreachable => Outcome::Failed("the API server can't be reached".to_owned()),
        ErrorClass::Gone | ErrorClass::Server => Outcome::Failed(format!("{place}: the API server failed")),
        ErrorClass::Decode => Outcome::Failed(format!("{place}: the API server's answer can't be read")),
    }
}

fn not_leading(planned: &PlannedChild) -> CallError {
    CallError {
        verb: "apply",
        kind: planned.kind.as_str(),
        object: planned.name.clone(),
        class: ErrorClass::Unreachable,
        message: "this replica leads no more".to_owned(),
    }
}

fn decode<T: serde::de::DeserializeOwned>(planned: &PlannedChild, raw: &Raw) -> Result<T, CallError> {
    serde_json::from_str(raw.get()).map_err(|error| CallError {
        verb: "decode",
        kind: planned.kind.as_str(),
        object: planned.name.clone(),
        class: ErrorClass::Decode,
        message: error.to_string(),
    })
}

/// Deletes one object that should not exist any more. Returns its record while it is not gone.
async fn prune(context: &Context, target: &Target, record: ChildRecord) -> Option<ChildRecord> {
    // A kind that this release doesn't know: an object of a later one, not ours to judge.
    let kind = ChildKind::from_name(&record.kind)?;
    match delete(context, target, kind, &record).await {
        Ok(true) => None,
        Ok(false) => Some(record),
        Err(error) => {
            tracing::warn!(namespace = %target.key.namespace, name = %target.key.name, kind = kind.as_str(),
                child = %record.name, class = error.class.as_str(), %error, "child not deleted");
            match error.class {
                ErrorClass::KindMissing | ErrorClass::NotFound => None,
                ErrorClass::Conflict
                | ErrorClass::Forbidden
                | ErrorClass::Invalid
                | ErrorClass::Gone
                | ErrorClass::Throttled
                | ErrorClass::Timeout
                | ErrorClass::Unreachable
                | ErrorClass::Server
                | ErrorClass::Decode => Some(record),
            }
        }
    }
}

/// Whether the object is gone, or was never ours.
async fn delete(context: &Context, target: &Target, kind: ChildKind, record: &ChildRecord) -> Result<bool, CallError> {
    let resource = kinds::resource(kind.row());
    let namespace = &*target.key.namespace;
    let get = context
        .cluster
        .get::<ChildItem>(resource, Some(namespace), &record.name);
    let Some(live) = get.await? else { return Ok(true) };
    if live.observed.uid != record.uid || !is_ours(target, &live.observed) {
        return Ok(true);
    }
    if live.observed.deleting || !context.leadership.is_held() {
        return Ok(false);
    }
    let version = Some(live.resource_version.clone());
    let result = context
        .cluster
        .delete(resource, namespace, &record.name, &record.uid, version)
        .await;
    let label = result
        .as_ref()
        .map_or_else(|error| error.class.as_str(), |()| "deleted");
    context.telemetry.count(platform::APPLIES, &[kind.as_str(), label]);
    result.map(|()| {
        // Gone or going; the watch tells if a finalizer holds it.
        context.store.remove_child(kind, &live);
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(message: &str) -> Outcome {
        let planned = PlannedChild {
            kind: ChildKind::Service,
            name: "orders".to_owned(),
            object: json!({}),
            desired_hash: String::new(),
            copied_from: None,
        };
        let error = CallError {
            verb: "apply",
            kind: "Service",
            object: "orders".to_owned(),
            class: ErrorClass::Forbidden,
            message: message.to_owned(),
        };
        failure(&planned, &error)
    }

    #[test]
    fn an_admission_that_does_not_know_our_kind_yet_is_tried_again_soon() {
        // As OwnerReferencesPermissionEnforcement of Kubernetes 1.36 says it, seconds after the CRD is installed.
        let told = "services \"orders\" is forbidden: cannot set blockOwnerDeletion in this case because cannot find \
            RESTMapping for APIVersion monitoredapi.io/v1alpha1 Kind MonitoredApi: no matches for kind";
        assert!(matches!(forbidden(told), Outcome::Failed(_)));
    }

    #[test]
    fn a_missing_permission_waits_for_a_person() {
        let told = "services is forbidden: User \"x\" cannot patch resource \"services\" in API group \"\"";
        assert!(matches!(forbidden(told), Outcome::Forbidden(_)));
    }
}

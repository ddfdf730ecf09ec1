//! Writes children; no other module does. Each child is written on its own, so that a failure does not stop the others.
//!
//! Core decides what to do, from the write record and what the watch knows, or from one GET if the watch cannot be relied
//! on.

mod creation;
mod repair;
mod replicas_precondition;

use controller_api::ChildRecord;
use controller_core::ChildKind;
use controller_core::changes::{Changes, is_ours, record_of};
use controller_core::children::{blocked_by, child_kind, dashboard, unanswered};
use controller_core::contest;
use controller_core::facts::KindState;
use controller_core::metadata::Metadata;
use controller_core::plan::{Applied, AppliedChild, Decision, Outcome, Plan, PlannedChild};
use controller_core::refusals;
use controller_core::watched::WatchedKind;
use controller_core::write_record::{self, Confirmation, LiveObject};
use futures::future::join_all;
use jiff::Timestamp;
use metric_contract::platform;
use serde::Deserialize;
use serde_json::Value;

use crate::cache::child_id::child_id;
use crate::cache::managed_fields_hash;
use crate::cache::versioned_map::Source;
use crate::cluster::kinds;
use crate::cluster::{CallError, ErrorClass, Raw, Written};
use crate::watch::observe::ChildItem;
use crate::work::context::Context;
use crate::work::gather::Target;

/// Makes the changes of a plan, wave by wave, and returns what became of each child.
pub(crate) async fn apply(context: &Context, target: &Target, plan: &Plan, changes: &Changes) -> Applied {
    let mut children = Vec::with_capacity(plan.children.len());
    let mut work: Vec<_> = plan.children.iter().zip(changes.decisions.iter().cloned()).collect();
    while let Some((first, _)) = work.first() {
        let wave = first.kind.wave;
        let later = work
            .iter()
            .position(|(planned, _)| planned.kind.wave != wave)
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
    let now = Timestamp::now();
    for child in &mut children {
        refusals::doubt(child, &target.status, now);
    }
    let (replaced_later, unwanted): (Vec<_>, Vec<_>) = changes
        .prune
        .iter()
        .cloned()
        .partition(|record| dashboard::holds_it_still(record, &children));
    let leftovers = if unanswered(&children) {
        unwanted
    } else {
        let gone = join_all(unwanted.into_iter().map(|record| prune(context, target, record))).await;
        gone.into_iter().flatten().collect()
    };
    Applied {
        children,
        leftovers,
        kept: changes.kept.clone(),
        in_use: changes.in_use.iter().cloned().chain(replaced_later).collect(),
        missing: plan.missing(),
        reads_overall: plan.reads_overall(),
    }
}

/// One child being applied.
#[derive(Clone, Copy)]
struct Child<'a> {
    context: &'a Context,
    target: &'a Target,
    planned: &'a PlannedChild,
}

/// The answer to a write: a write record is made from its metadata alone.
#[derive(Deserialize)]
struct Answer {
    metadata: Metadata,
}

impl<'a> Child<'a> {
    async fn settle_after(self, earlier: &[AppliedChild], decision: Decision) -> AppliedChild {
        match blocked_by(self.planned.kind, &decision, earlier) {
            Some(outcome) => self.with(outcome, self.record().cloned()),
            None => self.settle(decision).await,
        }
    }

    async fn settle(self, decision: Decision) -> AppliedChild {
        let applied = self.settled(decision).await;
        // Also while it is as wanted for a moment, so that the status does not change with every write.
        if !matches!(applied.outcome, Outcome::Unchanged | Outcome::Applied) {
            return applied;
        }
        match self.context.contests.sentence(&self.target.key, self.planned) {
            Some(why) => self.with(Outcome::Contested(why), applied.record),
            None => applied,
        }
    }

    async fn settled(self, decision: Decision) -> AppliedChild {
        let old = self.record().cloned();
        let watched = WatchedKind::Child(self.planned.kind);
        let missing = self.context.watches.state(watched, &self.target.key.namespace) == KindState::Missing;
        if missing && self.planned.kind.optional {
            return self.with(Outcome::CrdMissing, None);
        }
        let result = match decision {
            Decision::Skip => return self.with(Outcome::Unchanged, old),
            Decision::Conflict(whose) => return self.with(Outcome::Conflict(whose), None),
            Decision::WaitForDeletion => return self.with(leaving(), old),
            Decision::Fail(outcome) => return self.with(outcome, old),
            Decision::Update { uid } => match self.update(&uid, None).await {
                // What the watch knew was outdated: read the object once.
                Err(error) if matches!(error.class, ErrorClass::Conflict | ErrorClass::NotFound) => self.look().await,
                other => other,
            },
            Decision::Create if self.has_a_free_name().await => self.create().await,
            Decision::Create | Decision::Confirm => self.look().await,
        };
        match result {
            Ok((outcome, record)) => self.with(outcome, record),
            Err(error) => self.failed(&error, old),
        }
    }

    fn record(self) -> Option<&'a ChildRecord> {
        record_of(&self.target.status.children, self.planned)
    }

    fn with(self, outcome: Outcome, record: Option<ChildRecord>) -> AppliedChild {
        AppliedChild {
            kind: self.planned.kind,
            name: self.planned.name.clone(),
            outcome,
            record,
        }
    }

    /// Whether it is known without a GET that no object of this name exists.
    async fn has_a_free_name(self) -> bool {
        let Self {
            context,
            target,
            planned,
        } = self;
        let names = &context.name_lists;
        let namespace = &target.key.namespace;
        names
            .is_free(&context.cluster, planned.kind, namespace, &planned.name)
            .await
    }

    /// Reads the live object and does what core says of it.
    async fn look(self) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        let resource = kinds::resource(self.planned.kind);
        let namespace = &*self.target.key.namespace;
        let known = self.known_version();
        let get = self
            .context
            .cluster
            .get::<Raw>(resource, Some(namespace), &self.planned.name);
        let live = match get.await? {
            Some(raw) => {
                self.remember(&raw, known);
                let live = LiveObject::from_json(raw.get(), managed_fields_hash::applied_fields);
                Some(live.map_err(|error| unreadable(self.planned, &error))?)
            }
            None => None,
        };
        if let Some(live) = &live
            && self.context.intrusions.contains(&live.observed.uid)
        {
            return self.withdraw(&live.observed.uid).await;
        }
        let old = self.record();
        // The record knows the names of our fields only. Without it, every value is compared.
        let trusted = old.filter(|_| !self.target.is_requested());
        match write_record::confirm(self.planned, trusted, live.as_ref(), &self.target.owner) {
            Confirmation::Keep(record) => Ok((Outcome::Unchanged, Some(record))),
            Confirmation::Create => self.create().await,
            Confirmation::Update { uid } => self.update(&uid, live.as_ref()).await,
            Confirmation::Conflict(whose) => Ok((Outcome::Conflict(whose), None)),
            Confirmation::WaitForDeletion => Ok((leaving(), old.cloned())),
        }
    }

    /// Ours: with force, but only on the object of this uid, and only while what the intent copies from it is true.
    /// `live`: the object, if it was just read.
    async fn update(self, uid: &str, live: Option<&LiveObject>) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        let rival = contest::rival(self.planned, live.map(|live| &live.metadata));
        let contests = &self.context.contests;
        if let Err(why) = contests.write_child(&self.target.key, self.planned, self.record(), &rival) {
            return Ok((Outcome::Contested(why), self.record().cloned()));
        }
        let mut intent = self.planned.object().clone();
        if let Some(metadata) = intent.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".to_owned(), uid.into());
        }
        let answer = match self.write_unless_scaled(&intent).await {
            Err(error) if error.class == ErrorClass::Invalid => self.repair(&intent, uid, error).await?,
            other => other?,
        };
        let answer = self.without_trace(answer).await?;
        Ok((Outcome::Applied, self.new_record(&answer)))
    }

    fn new_record(self, answer: &Metadata) -> Option<ChildRecord> {
        write_record::record_of(self.planned, &answer.observed(managed_fields_hash::applied_fields))
    }

    /// One apply. Returns the metadata of the answer.
    async fn write(self, intent: &Value, force: bool) -> Result<Metadata, CallError> {
        self.send(intent, force).await.map(|written| written.object)
    }

    async fn send(self, intent: &Value, force: bool) -> Result<Written<Metadata>, CallError> {
        let kind = self.planned.kind;
        self.context.must_lead("apply", kind.as_str(), &self.planned.name)?;
        let known = self.known_version();
        let apply = self.context.cluster.apply::<Raw>(
            kinds::resource(kind),
            &self.target.key.namespace,
            &self.planned.name,
            intent,
            force,
        );
        let result = apply.await;
        let names = &self.context.name_lists;
        names.written(kind, &self.target.key.namespace, &self.planned.name);
        let label = result.as_ref().map_or_else(|error| error.class.as_str(), |_| "applied");
        self.context.telemetry.count(platform::APPLIES, &[kind.as_str(), label]);
        let Written { created, object } = result?;
        let object = self.answered(&object, known)?;
        Ok(Written { created, object })
    }

    /// Version at which the watch knows the child, at the moment at which a request begins.
    fn known_version(self) -> Option<u64> {
        let id = child_id(
            WatchedKind::Child(self.planned.kind),
            &self.target.key,
            &self.planned.name,
        );
        self.context.store.version_of::<ChildItem>(&self.target.key, &id)
    }

    /// Returns the metadata of an answer, and puts it into the cache. `known`: [`Self::known_version`] before the request.
    fn answered(self, raw: &Raw, known: Option<u64>) -> Result<Metadata, CallError> {
        self.remember(raw, known);
        let answer: Answer = serde_json::from_str(raw.get()).map_err(|error| unreadable(self.planned, &error))?;
        Ok(answer.metadata)
    }

    /// Puts what the API server answered into the store, so that the watch's event of it changes nothing.
    fn remember(self, raw: &Raw, known: Option<u64>) {
        if let Ok(item) = serde_json::from_str::<ChildItem>(raw.get()) {
            let kind = WatchedKind::Child(self.planned.kind);
            self.context.store.upsert(kind, item, Source::Answer(known));
        }
    }

    fn failed(self, error: &CallError, old: Option<ChildRecord>) -> AppliedChild {
        let Self { target, planned, .. } = self;
        let (kind, class) = (planned.kind.as_str(), error.class.as_str());
        tracing::warn!(namespace = %target.key.namespace, name = %target.key.name, kind, child = %planned.name, class,
            %error, "child not applied");
        self.with(Outcome::of_failure(planned, error.class, &error.message), old)
    }
}

fn leaving() -> Outcome {
    Outcome::Waiting("the old object of this name is still being deleted".to_owned())
}

fn unreadable(planned: &PlannedChild, error: &serde_json::Error) -> CallError {
    CallError {
        verb: "decode",
        kind: planned.kind.as_str(),
        object: planned.name.clone(),
        class: ErrorClass::Decode,
        message: error.to_string(),
    }
}

/// Deletes one object that should not exist any more. Returns its record while it is not gone.
async fn prune(context: &Context, target: &Target, record: ChildRecord) -> Option<ChildRecord> {
    // A kind that this release does not know: an object of a later release, which this one leaves alone.
    let kind = child_kind(&record.kind)?;
    match delete(context, target, kind, &record).await {
        Ok(true) => None,
        Ok(false) => Some(record),
        Err(error) => {
            tracing::warn!(namespace = %target.key.namespace, name = %target.key.name, kind = kind.as_str(),
                child = %record.name, class = error.class.as_str(), %error, "child not deleted");
            match error.class {
                ErrorClass::KindMissing | ErrorClass::NotFound => None,
                ErrorClass::Conflict
                | ErrorClass::Unauthenticated
                | ErrorClass::Forbidden
                | ErrorClass::Invalid
                | ErrorClass::KindTerminating
                | ErrorClass::Gone
                | ErrorClass::Throttled
                | ErrorClass::Timeout
                | ErrorClass::Unreachable
                | ErrorClass::Server
                | ErrorClass::TooLarge
                | ErrorClass::Decode => Some(record),
            }
        }
    }
}

/// Whether the object is gone, or was never ours.
async fn delete(context: &Context, target: &Target, kind: ChildKind, record: &ChildRecord) -> Result<bool, CallError> {
    let resource = kinds::resource(kind);
    let namespace = &*target.key.namespace;
    let get = context
        .cluster
        .get::<ChildItem>(resource, Some(namespace), &record.name);
    let Some(live) = get.await? else { return Ok(true) };
    let ours = is_ours(&live.observed, &target.owner) && !context.intrusions.contains(&live.observed.uid);
    if live.observed.uid != record.uid || !ours {
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
        // Gone or going; the watch shows it if a finalizer holds it.
        context.store.remove(WatchedKind::Child(kind), live);
        true
    })
}

#[cfg(test)]
mod tests;

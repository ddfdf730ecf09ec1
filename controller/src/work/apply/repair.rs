//! Repairs a child that a server-side apply alone cannot repair: somebody changed the key of a list's entry, such as a
//! port's number. To the API server that is another entry, which belongs to them and stays; with ours beside it the
//! object is invalid (two ports of one name), so the forced apply is refused for ever.
//!
//! Three writes, and only after such a refusal: our lists as a whole, our apply, and our trace of the first removed. Where the
//! last one fails, the trace counts as drift, and the next update removes it.

use controller_core::changes::is_ours;
use controller_core::metadata::{Metadata, REPAIRER};
use metric_contract::platform;
use serde_json::{Value, json};

use super::{Child, replicas_precondition::at_version};
use crate::cluster::kinds;
use crate::cluster::{CallError, Raw};
use crate::watch::observe::ChildItem;

impl Child<'_> {
    /// Puts `intent` through on the object with this uid. If the refusal was for another reason, that one is returned.
    pub(super) async fn repair(self, intent: &Value, uid: &str, refused: CallError) -> Result<Metadata, CallError> {
        let cluster = &self.context.cluster;
        let resource = kinds::resource(self.planned.kind);
        let (namespace, name) = (&*self.target.key.namespace, self.planned.name.as_str());
        let kind = self.planned.kind.as_str();
        self.context.must_lead("merge", kind, name)?;
        // A merge has no conflict check, so it must not reach an object that belongs to another owner by now.
        let Some(live) = cluster.get::<ChildItem>(resource, Some(namespace), name).await? else {
            return Err(refused);
        };
        if live.observed.uid != uid || !is_ours(&live.observed, &self.target.owner) {
            return Err(refused);
        }
        let mut whole = intent.clone();
        if let Some(object) = whole.as_object_mut() {
            // Lists of metadata are the owner references: the apply has its say on them.
            object.insert("metadata".to_owned(), json!({"uid": uid}));
        }
        let version = self.planned.preconditioned_on.as_deref();
        let whole = at_version(&whole, version.or(Some(&live.resource_version)));
        self.context.must_lead("merge", kind, name)?;
        let merged = cluster.merge::<Raw>(resource, namespace, name, &whole, REPAIRER).await;
        let label = merged
            .as_ref()
            .map_or_else(|error| error.class.as_str(), |_| "repaired");
        self.context.telemetry.count(platform::APPLIES, &[kind, label]);
        if merged.is_err() {
            return Err(refused);
        }
        tracing::info!(namespace, name = %self.target.key.name, kind, child = name, refusal = %refused, "child repaired");
        self.write(intent, true).await
    }

    /// Removes the repairer's entry, if the object has one: from this repair, or from an earlier one that was cut short.
    pub(super) async fn without_trace(self, answer: Metadata) -> Result<Metadata, CallError> {
        let Some(trace) = answer.entry_of(REPAIRER) else {
            return Ok(answer);
        };
        let (namespace, name) = (&*self.target.key.namespace, self.planned.name.as_str());
        let entry = format!("/metadata/managedFields/{trace}");
        let patch = json!([
            {"op": "test", "path": "/metadata/uid", "value": answer.uid},
            {"op": "test", "path": format!("{entry}/manager"), "value": REPAIRER},
            {"op": "remove", "path": entry},
        ]);
        self.context.must_lead("patch", self.planned.kind.as_str(), name)?;
        let known = self.known_version();
        let resource = kinds::resource(self.planned.kind);
        let patched = self
            .context
            .cluster
            .json_patch::<Raw>(resource, namespace, name, &patch);
        self.answered(&patched.await?, known)
    }
}

//! Repairs a child that a server-side apply alone cannot repair: somebody changed the key of a list's entry, such as a
//! port's number. To the API server that is another entry, which belongs to them and stays; with ours beside it the
//! object is invalid (two ports of one name), so the forced apply is refused for ever.
//!
//! Three writes, and only after such a refusal: our lists as a whole, our apply, and our trace of the first removed.

use controller_core::metadata::Metadata;
use metric_contract::platform;
use serde_json::{Value, json};

use super::{Child, replicas_precondition::at_version};
use crate::cluster::kinds;
use crate::cluster::{CallError, Raw};

/// Manager of the first write. Not the usual one: what that wrote other than by apply would never be removed again.
const REPAIRER: &str = "monitored-api-repair";

impl Child<'_> {
    /// Puts `intent` through on the object with this uid. If the refusal was for another reason, that one is returned.
    pub(super) async fn repair(self, intent: &Value, uid: &str, refused: CallError) -> Result<Metadata, CallError> {
        let cluster = &self.context.cluster;
        let resource = kinds::resource(self.planned.kind);
        let (namespace, name) = (&*self.target.key.namespace, self.planned.name.as_str());
        let kind = self.planned.kind.as_str();
        let mut whole = intent.clone();
        if let Some(object) = whole.as_object_mut() {
            // Lists of metadata are the owner references: the apply has its say on them.
            object.insert("metadata".to_owned(), json!({"uid": uid}));
        }
        let whole = at_version(&whole, self.planned.preconditioned_on.as_deref());
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
        let answer = self.write(intent, true).await?;
        let Some(trace) = answer.entry_of(REPAIRER) else {
            return Ok(answer);
        };
        let entry = format!("/metadata/managedFields/{trace}");
        let patch = json!([
            {"op": "test", "path": format!("{entry}/manager"), "value": REPAIRER},
            {"op": "remove", "path": entry},
        ]);
        self.context.must_lead("patch", kind, name)?;
        let cleaned = cluster.json_patch::<Raw>(resource, namespace, name, &patch).await?;
        self.answered(&cleaned)
    }
}

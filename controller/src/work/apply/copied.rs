//! Writes an intent that copies from the live object only while what it copied is still true: a number of replicas
//! that somebody has just changed must not be put back.

use controller_core::children::deployment;
use serde_json::Value;

use super::Child;
use crate::cluster::{CallError, ErrorClass};
use crate::work::gather;

/// A rollout changes the Deployment's status several times a second, and each change is a new version.
const ATTEMPTS: usize = 4;

impl Child<'_> {
    /// The forced apply of `intent`, bound to the version that it copies from. Where only other parts of the object have
    /// moved on since, to the newer version.
    ///
    /// # Errors
    /// Those of the request; `Conflict` where what was copied is not true any more: plan again.
    pub(super) async fn write_bound(self, intent: &Value) -> Result<Value, CallError> {
        let mut version = self.planned.copied_from.clone();
        let mut attempts = 1..ATTEMPTS;
        loop {
            let conflict = match self.write(&bound(intent, version.as_deref()), true).await {
                Err(error) if error.class == ErrorClass::Conflict && version.is_some() => error,
                other => return other,
            };
            match gather::live_replicas(self.context, self.target).await? {
                Some((live, newer)) if deployment::copies(intent, live) && attempts.next().is_some() => {
                    version = Some(newer);
                }
                _ => return Err(conflict),
            }
        }
    }
}

/// The body that the API server refuses where the object is not at this version.
pub(super) fn bound(body: &Value, version: Option<&str>) -> Value {
    let mut body = body.clone();
    let metadata = body.get_mut("metadata").and_then(Value::as_object_mut);
    if let (Some(version), Some(metadata)) = (version, metadata) {
        metadata.insert("resourceVersion".to_owned(), version.into());
    }
    body
}

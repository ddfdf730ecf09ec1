//! Writes an intent that copies the number of replicas from the live object only while that number is still the live
//! one: a number that was just changed, by an autoscaler or a person, must not be put back.

use controller_core::children::deployment;
use controller_core::metadata::Metadata;
use serde_json::Value;

use super::Child;
use crate::cluster::{CallError, ErrorClass};
use crate::work::gather;

/// A rollout changes the Deployment's status several times a second, and each change is a new version.
const ATTEMPTS: usize = 4;

impl Child<'_> {
    /// The forced apply of `intent`, with the version that it copies from as a precondition. Where only other parts of the
    /// object have changed since, it is tried again with the newer version.
    ///
    /// # Errors
    /// Those of the request; `Conflict` where the number is another one now: plan again.
    pub(super) async fn write_unless_scaled(self, intent: &Value) -> Result<Metadata, CallError> {
        let mut version = self.planned.preconditioned_on.clone();
        let mut attempts = 1..ATTEMPTS;
        loop {
            let conflict = match self.write(&at_version(intent, version.as_deref()), true).await {
                Err(error) if error.class == ErrorClass::Conflict && version.is_some() => error,
                other => return other,
            };
            match gather::live_replicas(self.context, self.target).await? {
                Some((live, newer)) if deployment::replicas_unchanged(intent, live) && attempts.next().is_some() => {
                    version = Some(newer);
                }
                _ => return Err(conflict),
            }
        }
    }
}

/// The body that the API server refuses where the object is not at this version.
pub(super) fn at_version(body: &Value, version: Option<&str>) -> Value {
    let mut body = body.clone();
    let metadata = body.get_mut("metadata").and_then(Value::as_object_mut);
    if let (Some(version), Some(metadata)) = (version, metadata) {
        metadata.insert("resourceVersion".to_owned(), version.into());
    }
    body
}

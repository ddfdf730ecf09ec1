//! An observed child in some sixty bytes: ten thousand MonitoredApis have eighty thousand of them.

use std::num::NonZeroI64;
use std::sync::Arc;

use controller_core::facts::{LiveReplicas, ObservedChild};
use uuid::Uuid;

use crate::cache::interner;
use crate::watch::observe::ChildDetails;

/// A uid: sixteen bytes where it is a UUID in lower case, as the API server's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Uid {
    Uuid(Uuid),
    Text(Box<str>),
}

impl Uid {
    pub(crate) fn new(text: &str) -> Self {
        match Uuid::try_parse(text) {
            // Only if the bytes give exactly the same text again.
            Ok(uuid) if uuid.to_string() == text => Self::Uuid(uuid),
            Ok(_) | Err(_) => Self::Text(text.into()),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Uuid(uuid) => uuid.to_string(),
        }
    }
}

/// A SHA-256 in hexadecimal: thirty-two bytes where it is one in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sha {
    Bytes([u8; 32]),
    Text(Box<str>),
}

impl Sha {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            // Only if the bytes give exactly the same text again.
            Ok(()) if hex::encode(bytes) == text => Self::Bytes(bytes),
            Ok(()) | Err(_) => Self::Text(text.into()),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Bytes(bytes) => hex::encode(bytes),
        }
    }
}

/// What the store keeps of a child, without its name.
#[derive(Debug, Clone)]
pub(crate) struct CachedChild {
    uid: Uid,
    /// All children of a MonitoredApi have the same.
    controller: Option<Arc<str>>,
    controller_api: Option<Arc<str>>,
    /// Most MonitoredApis have the same for each kind.
    fields: Option<Arc<str>>,
    adopt: bool,
    deleting: bool,
    /// The API server counts from 1.
    generation: Option<NonZeroI64>,
    /// `None`: the kind is watched by metadata alone.
    details: Option<Box<ChildDetails>>,
}

impl CachedChild {
    pub(crate) fn new(observed: &ObservedChild, details: Option<Box<ChildDetails>>) -> Self {
        let ObservedChild {
            uid,
            controller_uid,
            controller_api,
            applied_fields_hash,
            adopt,
            deleting,
            generation,
        } = observed;
        Self {
            uid: Uid::new(uid),
            controller: controller_uid.as_deref().map(interner::text),
            controller_api: controller_api.as_deref().map(interner::text),
            fields: applied_fields_hash.as_deref().map(interner::text),
            adopt: *adopt,
            deleting: *deleting,
            generation: generation.and_then(NonZeroI64::new),
            details,
        }
    }

    pub(crate) fn details(&self) -> Option<&ChildDetails> {
        self.details.as_deref()
    }

    pub(crate) fn same_uid(&self, other: &Self) -> bool {
        self.uid == other.uid
    }

    /// Whether everything that decides about a write is equal.
    pub(crate) fn same_for_apply(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.controller == other.controller
            && self.controller_api == other.controller_api
            && self.fields == other.fields
            && self.adopt == other.adopt
            && self.deleting == other.deleting
            // Who owns the number of replicas decides whether we send one.
            && self.replicas() == other.replicas()
    }

    fn replicas(&self) -> Option<LiveReplicas> {
        self.details().map(|details| details.replicas)
    }

    /// Whether everything else that the status depends on is equal.
    pub(crate) fn same_details(&self, other: &Self) -> bool {
        self.details == other.details
    }

    pub(crate) fn observed(&self) -> ObservedChild {
        ObservedChild {
            uid: self.uid.text(),
            controller_uid: self.controller.as_deref().map(str::to_owned),
            controller_api: self.controller_api.as_deref().map(str::to_owned),
            applied_fields_hash: self.fields.as_deref().map(str::to_owned),
            adopt: self.adopt,
            deleting: self.deleting,
            generation: self.generation.map(NonZeroI64::get),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(uid: &str) -> ObservedChild {
        ObservedChild {
            uid: uid.to_owned(),
            controller_uid: Some("0b1e2c3d-0000-4000-8000-0123456789ab".to_owned()),
            controller_api: Some("orders".to_owned()),
            applied_fields_hash: Some("ab".repeat(32)),
            adopt: false,
            deleting: true,
            generation: Some(4),
        }
    }

    #[test]
    fn an_observed_child_comes_back_as_it_was_put_in() {
        for uid in [
            "9f8e7d6c-1111-4222-8333-aabbccddeeff",
            "no-uuid",
            "9F8E7D6C-1111-4222-8333-AABBCCDDEEFF",
        ] {
            assert_eq!(CachedChild::new(&observed(uid), None).observed(), observed(uid));
        }
    }

    #[test]
    fn an_entry_stays_small() {
        assert!(size_of::<CachedChild>() <= 96, "{} bytes", size_of::<CachedChild>());
    }

    #[test]
    fn a_new_generation_alone_decides_on_no_write() {
        let one = CachedChild::new(&observed("u"), None);
        let mut later = observed("u");
        later.generation = Some(5);
        assert!(one.same_for_apply(&CachedChild::new(&later, None)));
        later.deleting = false;
        assert!(!one.same_for_apply(&CachedChild::new(&later, None)));
    }
}

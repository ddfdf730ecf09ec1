//! An observed child in some fifty bytes: ten thousand MonitoredApis have eighty thousand of them.

use std::sync::{Arc, LazyLock};

use controller_core::facts::{DeploymentFacts, GrafanaPlacement, LiveReplicas, ObservedChild};
use uuid::Uuid;

use crate::cache::interner::Interner;
use crate::watch::observe::ChildDetails;

/// A uid: sixteen bytes where it is a UUID in lower case, as the API server's are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// Who controls a child: all children of a MonitoredApi have the same.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Controller {
    uid: Option<Uid>,
    api: Option<Box<str>>,
}

impl AsRef<Self> for Controller {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What children of one kind have in common across MonitoredApis.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Common {
    applied_fields: Option<Sha>,
    adopt: bool,
    deleting: bool,
    generation: Option<i64>,
}

impl AsRef<Self> for Common {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Common {
    /// Whether everything that decides about a write is equal.
    fn same_for_apply(&self, other: &Self) -> bool {
        let Self {
            applied_fields,
            adopt,
            deleting,
            generation: _,
        } = self;
        *applied_fields == other.applied_fields && *adopt == other.adopt && *deleting == other.deleting
    }
}

static CONTROLLERS: LazyLock<Interner<Controller>> = LazyLock::new(Interner::new);
static COMMON: LazyLock<Interner<Common>> = LazyLock::new(Interner::new);

/// What the store keeps of a child, without its name.
#[derive(Debug, Clone)]
pub(crate) struct CachedChild {
    uid: Uid,
    controller: Arc<Controller>,
    common: Arc<Common>,
    /// `None`: the kind is watched by metadata alone.
    details: Option<Box<CachedDetails>>,
}

impl CachedChild {
    pub(crate) fn new(observed: &ObservedChild, details: Option<ChildDetails>) -> Self {
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
            controller: CONTROLLERS.get(Controller {
                uid: controller_uid.as_deref().map(Uid::new),
                api: controller_api.as_deref().map(Into::into),
            }),
            common: COMMON.get(Common {
                applied_fields: applied_fields_hash.as_deref().map(Sha::new),
                adopt: *adopt,
                deleting: *deleting,
                generation: *generation,
            }),
            details: details.map(|details| Box::new(CachedDetails::new(details))),
        }
    }

    /// The fields besides the metadata that the status depends on.
    pub(crate) fn details(&self) -> Option<ChildDetails> {
        self.details.as_ref().map(|details| details.of(self.uid.text()))
    }

    pub(crate) fn same_uid(&self, other: &Self) -> bool {
        self.uid == other.uid
    }

    /// Whether everything that decides about a write is equal.
    pub(crate) fn same_for_apply(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.controller == other.controller
            && self.common.same_for_apply(&other.common)
            // Who owns the number of replicas decides whether we send one.
            && self.replicas() == other.replicas()
    }

    /// The replicas of a Deployment.
    pub(crate) fn replicas(&self) -> Option<LiveReplicas> {
        self.details.as_ref().map(|details| details.replicas)
    }

    /// Whether everything else that the status depends on is equal.
    pub(crate) fn same_details(&self, other: &Self) -> bool {
        self.details == other.details
    }

    pub(crate) fn observed(&self) -> ObservedChild {
        let Self { controller, common, .. } = self;
        ObservedChild {
            uid: self.uid.text(),
            controller_uid: controller.uid.as_ref().map(Uid::text),
            controller_api: controller.api.as_deref().map(str::to_owned),
            applied_fields_hash: common.applied_fields.as_ref().map(Sha::text),
            adopt: common.adopt,
            deleting: common.deleting,
            generation: common.generation,
        }
    }
}

/// [`ChildDetails`] without its uid, and with a box around what is rare.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CachedDetails {
    generation: i64,
    observed_generation: i64,
    replicas: LiveReplicas,
    wanted: i32,
    existing: i32,
    updated: i32,
    ready: i32,
    available: i32,
    /// `None`: all of it has its default.
    rare: Option<Box<RareDetails>>,
}

/// What only failing Deployments, claims and GrafanaDashboards have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct RareDetails {
    progress_failed: Option<(String, String)>,
    replica_failure: Option<String>,
    phase: String,
    size: String,
    resized: bool,
    grafana: GrafanaPlacement,
}

impl CachedDetails {
    fn new(details: ChildDetails) -> Self {
        // Destructured without `..`, so that the compiler asks for a new field here.
        let ChildDetails {
            deployment,
            replicas,
            phase,
            size,
            resized,
            grafana,
        } = details;
        let DeploymentFacts {
            uid: _,
            generation,
            observed_generation,
            wanted,
            replicas: existing,
            updated,
            ready,
            available,
            progress_failed,
            replica_failure,
        } = deployment;
        let rare = RareDetails {
            progress_failed,
            replica_failure,
            phase,
            size,
            resized,
            grafana,
        };
        Self {
            generation,
            observed_generation,
            replicas,
            wanted,
            existing,
            updated,
            ready,
            available,
            rare: (rare != RareDetails::default()).then(|| Box::new(rare)),
        }
    }

    /// The details of the child with this uid.
    fn of(&self, uid: String) -> ChildDetails {
        let RareDetails {
            progress_failed,
            replica_failure,
            phase,
            size,
            resized,
            grafana,
        } = self.rare.as_deref().cloned().unwrap_or_default();
        ChildDetails {
            deployment: DeploymentFacts {
                uid,
                generation: self.generation,
                observed_generation: self.observed_generation,
                wanted: self.wanted,
                replicas: self.existing,
                updated: self.updated,
                ready: self.ready,
                available: self.available,
                progress_failed,
                replica_failure,
            },
            replicas: self.replicas,
            phase,
            size,
            resized,
            grafana,
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
    fn details_come_back_as_they_were_put_in() {
        let usual = ChildDetails {
            deployment: DeploymentFacts {
                uid: "9f8e7d6c-1111-4222-8333-aabbccddeeff".to_owned(),
                generation: 9,
                observed_generation: 8,
                wanted: 7,
                replicas: 6,
                updated: 5,
                ready: 4,
                available: 3,
                progress_failed: None,
                replica_failure: None,
            },
            replicas: LiveReplicas {
                replicas: 2,
                owned_by_us: false,
                owned_by_another: true,
            },
            phase: String::new(),
            size: String::new(),
            resized: false,
            grafana: GrafanaPlacement::NotSaid,
        };
        let mut failing = usual.clone();
        failing.deployment.progress_failed = Some(("ProgressDeadlineExceeded".to_owned(), "late".to_owned()));
        failing.deployment.replica_failure = Some("exceeded quota".to_owned());
        let mut of_a_claim = usual.clone();
        (of_a_claim.phase, of_a_claim.size) = ("Bound".to_owned(), "1Gi".to_owned());
        let mut resized = usual.clone();
        resized.resized = true;
        let mut in_grafana = usual.clone();
        in_grafana.grafana = GrafanaPlacement::Synchronized;
        for details in [usual, failing, of_a_claim, resized, in_grafana] {
            let cached = CachedChild::new(&observed(&details.deployment.uid), Some(details.clone()));
            assert_eq!(cached.details(), Some(details));
        }
    }

    #[test]
    fn an_entry_stays_small() {
        assert!(size_of::<CachedChild>() <= 48, "{} bytes", size_of::<CachedChild>());
        assert!(size_of::<CachedDetails>() <= 64, "{} bytes", size_of::<CachedDetails>());
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

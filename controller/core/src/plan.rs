//! What the operator wants to exist (`Plan`) and what became of it (`Applied`). Two types on purpose: a status is
//! computed from what was applied, never from what was merely planned.

use std::{fmt, sync::OnceLock};

use controller_api::ChildRecord;
use controller_rules::lint::Finding;
use serde_json::Value;

use crate::{
    from_live::FromLive,
    intent::Intent,
    kind::ChildKind,
    object_hash,
    omission::{self, Omission},
    valid::ValidApi,
};

/// Every object that should exist, in apply order.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The valid spec that it was built from.
    pub api: ValidApi,
    /// The objects, sorted by wave.
    pub children: Vec<PlannedChild>,
    /// Alerts, objectives and panels that are left out; sorted.
    pub omissions: Vec<Omission>,
    /// What it takes from the cluster.
    pub(crate) live: FromLive,
}

impl Plan {
    /// What is left out, as rows of `status.metrics.missing`.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        omission::missing(&self.omissions)
    }

    /// Whether it has no object because the workload that the spec refers to was never read: it is carried out when that is known.
    #[must_use]
    pub const fn waits_for_workload(&self) -> bool {
        self.api.workload_ref.is_some() && self.live.workload.is_none()
    }

    /// Whether its rules and panels read what the targets count over all routes.
    #[must_use]
    pub const fn reads_overall(&self) -> bool {
        self.live.reads_overall
    }

    /// Whether an object of this kind and name is part of it.
    #[must_use]
    pub fn has(&self, kind: ChildKind, name: &str) -> bool {
        self.children
            .iter()
            .any(|child| child.kind == kind && child.name == name)
    }
}

/// One object that should exist.
#[derive(Debug, Clone)]
pub struct PlannedChild {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// The complete intent, with owner reference and labels.
    pub intent: Intent,
    /// `metadata.resourceVersion` of the live object, where a part of the intent was copied from it: an update carries it,
    /// so that the API server refuses what was copied from an older one.
    pub preconditioned_on: Option<String>,
    /// What the lint found in it. With an error among them it must not be written, and the last good one stays.
    pub findings: Vec<Finding>,
    /// Computed when it is first asked for: `render` never needs it.
    desired_hash: OnceLock<String>,
}

impl PlannedChild {
    /// An object that copies nothing from the live one.
    #[must_use]
    pub const fn new(kind: ChildKind, name: String, object: Value) -> Self {
        Self {
            kind,
            name,
            intent: Intent::new(object),
            preconditioned_on: None,
            findings: Vec::new(),
            desired_hash: OnceLock::new(),
        }
    }

    /// The body of the server-side apply, without uid.
    #[must_use]
    pub fn object(&self) -> &Value {
        self.intent.object()
    }

    /// SHA-256, in hexadecimal, of the object's canonical JSON.
    #[must_use]
    pub fn desired_hash(&self) -> &str {
        self.desired_hash.get_or_init(|| object_hash::hash(self.object()))
    }
}

#[cfg(test)]
impl PlannedChild {
    /// The same with another hash than its object's.
    pub(crate) fn with_desired_hash(self, hash: String) -> Self {
        Self {
            desired_hash: OnceLock::from(hash),
            ..self
        }
    }
}

impl fmt::Display for PlannedChild {
    /// `Kind name`, as messages name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What to do with one planned child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is as recorded: no request is made.
    Skip,
    /// It does not exist as far as the watch knows: confirm this by a live GET, then apply without force.
    Create,
    /// The intent changed: forced apply that carries this uid.
    Update {
        /// uid of the object to change.
        uid: String,
    },
    /// A field of ours was changed, or the record is missing: read the object by a live GET and decide again.
    Confirm,
    /// An object of this name that is not ours: it must not be touched.
    Conflict(String),
    /// Ours, or a deleted namesake's, and being deleted: wait until it is gone.
    WaitForDeletion,
    /// Something that its intent depends on cannot be read: nothing is sent, and this is the outcome.
    Fail(Outcome),
}

/// What became of one planned child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was sent, nothing needed to be.
    Unchanged,
    /// It was applied.
    Applied,
    /// An object of this name is not ours; the sentence says whose it is.
    Conflict(String),
    /// Its kind's CRD is not installed.
    CrdMissing,
    /// The operator may not write this kind here.
    Forbidden(String),
    /// The API server refuses the object as invalid.
    Invalid(String),
    /// The request failed in a way that may pass.
    Failed(String),
    /// The lint found a mistake in it, so it was not sent; the sentence says which. The last good one stays.
    LintFailed(String),
    /// Somebody else keeps changing it, so it is not written back at once; the sentence says who.
    Contested(String),
    /// It waits for an old object to go; the sentence says for which.
    Waiting(String),
    /// The cluster is not ready for it yet, and will be without anybody's doing.
    Pending(String),
}

impl Outcome {
    /// Whether the object is there as it was planned.
    #[must_use]
    pub const fn is_as_planned(&self) -> bool {
        match self {
            Self::Unchanged | Self::Applied => true,
            Self::Conflict(_)
            | Self::CrdMissing
            | Self::Forbidden(_)
            | Self::Invalid(_)
            | Self::LintFailed(_)
            | Self::Failed(_)
            | Self::Contested(_)
            | Self::Waiting(_)
            | Self::Pending(_) => false,
        }
    }

    /// Whether the child could not be written as wanted.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        match self {
            Self::Unchanged | Self::Applied | Self::Waiting(_) | Self::Pending(_) => false,
            Self::Conflict(_)
            | Self::CrdMissing
            | Self::Forbidden(_)
            | Self::Invalid(_)
            | Self::LintFailed(_)
            | Self::Failed(_)
            | Self::Contested(_) => true,
        }
    }
}

/// One planned child after apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedChild {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The write record to keep: new after a write, the old one otherwise.
    pub record: Option<ChildRecord>,
}

/// What became of a plan. Only `apply` makes one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// One entry a planned child, in the plan's order.
    pub children: Vec<AppliedChild>,
    /// Records of objects that should go and are not gone yet.
    pub leftovers: Vec<ChildRecord>,
    /// Records of objects that are not wanted any more and stay, for they hold data.
    pub kept: Vec<ChildRecord>,
    /// Records of objects that are not wanted any more and stay until no pod of the old revision needs them, or until the object
    /// that takes their place exists.
    pub in_use: Vec<ChildRecord>,
    /// Alerts and panels that were left out (from the plan).
    pub missing: Vec<String>,
    /// Rules and panels read what the targets count over all routes (from the plan).
    pub reads_overall: bool,
}

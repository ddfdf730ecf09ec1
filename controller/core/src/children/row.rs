//! What a row of the child table says.

use super::{BuildInput, BuildOutput};
use crate::{kind::ChildKind, violation::Violations};

/// An API group with its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

impl Group {
    pub(super) const CORE: Self = Self {
        name: "",
        version: "v1",
    };
    pub(super) const APPS: Self = Self {
        name: "apps",
        version: "v1",
    };
    pub(super) const PROMETHEUS_OPERATOR: Self = Self {
        name: "monitoring.coreos.com",
        version: "v1",
    };
}

/// How a kind is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// By its objects' metadata alone.
    Metadata,
    /// By its whole objects: the status of the MonitoredApi depends on their spec or status.
    Whole,
}

/// Builds the objects of one kind into `BuildOutput`: complete intents, owner reference included. What is wrong with the
/// result is a violation.
pub(super) type Build = fn(&BuildInput<'_>, &mut BuildOutput, &mut Violations);

/// One row of [`super::CHILD_KINDS`].
#[derive(Debug, Clone, Copy)]
pub struct ChildKindRow {
    /// Which kind.
    pub kind: ChildKind,
    /// API group; empty for core.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind, as in a manifest.
    pub name: &'static str,
    /// Resource, as in RBAC.
    pub plural: &'static str,
    /// Its CRD may be absent, come and go. Default: no.
    pub optional: bool,
    /// `Ready` needs it. Default: no.
    pub needed_by_ready: bool,
    /// Kinds of a lower wave are applied first. Default: 1.
    pub wave: u8,
    /// Its objects hold data: one that is turned off is kept, and the operator has no right to delete it. Default: no.
    pub holds_data: bool,
    /// How it is watched. Default: by metadata.
    pub watch: Watch,
    /// CEL over `object`, a MonitoredApi: whether the spec turns the kind on. The admission policy then asks whether the
    /// author may create it. Default: always.
    pub enabled_when: &'static str,
    /// What a refusal of the API server means, and the fix, as a sentence. `None`, the default: its own words say it.
    pub explain: fn(&str) -> Option<&'static str>,
    pub(super) build: Build,
}

impl ChildKindRow {
    pub(super) const fn new(kind: ChildKind, group: Group, plural: &'static str, build: Build) -> Self {
        Self {
            kind,
            group: group.name,
            version: group.version,
            name: kind.as_str(),
            plural,
            optional: false,
            needed_by_ready: false,
            wave: 1,
            holds_data: false,
            watch: Watch::Metadata,
            enabled_when: ALWAYS,
            explain: no_explanation,
            build,
        }
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    pub(super) const fn needed_by_ready(self) -> Self {
        Self {
            needed_by_ready: true,
            ..self
        }
    }

    pub(super) const fn in_wave(self, wave: u8) -> Self {
        Self { wave, ..self }
    }

    pub(super) const fn holding_data(self) -> Self {
        Self {
            holds_data: true,
            ..self
        }
    }

    pub(super) const fn watched(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    pub(super) const fn enabled_when(self, enabled_when: &'static str) -> Self {
        Self { enabled_when, ..self }
    }

    pub(super) const fn explained_by(self, explain: fn(&str) -> Option<&'static str>) -> Self {
        Self { explain, ..self }
    }

    /// `apiVersion`, as in a manifest.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether every spec turns the kind on.
    #[must_use]
    pub fn is_always_enabled(&self) -> bool {
        self.enabled_when == ALWAYS
    }
}

/// CEL that is always true.
const ALWAYS: &str = "true";

const fn no_explanation(_: &str) -> Option<&'static str> {
    None
}

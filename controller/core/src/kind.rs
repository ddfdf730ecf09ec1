//! The kinds of object that the operator writes, and the names of their ports. What a kind is stands here; each is declared
//! in the file that builds it, `children/<kind>.rs`.

use std::{cmp, fmt, hash, ops};

/// Name of the container port, and of the Service's port, on which the API answers.
pub const PORT_HTTP: &str = "http";
/// Name of the port of the metrics page, where it is another one.
pub const PORT_METRICS: &str = "metrics";

/// A kind of object that the operator writes. All of them: [`child_kinds`](crate::children::child_kinds). Its
/// definition's fields can be read from it: `kind.plural`.
#[derive(Clone, Copy)]
pub struct ChildKind(&'static ChildKindDef);

impl ChildKind {
    pub(crate) const fn new(def: &'static ChildKindDef) -> Self {
        Self(def)
    }

    /// Kind, as in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0.name
    }
}

impl ops::Deref for ChildKind {
    type Target = ChildKindDef;

    fn deref(&self) -> &ChildKindDef {
        self.0
    }
}

impl PartialEq for ChildKind {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ChildKind {}

impl PartialOrd for ChildKind {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChildKind {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl hash::Hash for ChildKind {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for ChildKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ChildKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a kind of child is.
#[derive(Debug, Clone, Copy)]
pub struct ChildKindDef {
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
    /// Running pods need its objects: one that is turned off is deleted only when the rollout to pods without it is complete.
    /// Default: no.
    pub used_by_pods: bool,
    /// Its objects belong to a workload that the operator writes: there are none beside one that exists already. Default: no.
    pub of_own_workload: bool,
    /// How it is watched. Default: by metadata.
    pub watch: Watch,
    /// CEL over `object`, a MonitoredApi: whether the spec turns the kind on. The admission policy then asks whether the
    /// author may create it. Default: always.
    pub enabled_when: &'static str,
    /// What a refusal of the API server means, and the fix, as a sentence. `None`, the default: its own words say it.
    pub explain: fn(&str) -> Option<&'static str>,
}

impl ChildKindDef {
    pub(crate) const fn new(group: Group, name: &'static str, plural: &'static str) -> Self {
        Self {
            group: group.name,
            version: group.version,
            name,
            plural,
            optional: false,
            needed_by_ready: false,
            wave: 1,
            holds_data: false,
            used_by_pods: false,
            of_own_workload: false,
            watch: Watch::Metadata,
            enabled_when: ALWAYS,
            explain: no_explanation,
        }
    }

    pub(crate) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    pub(crate) const fn needed_by_ready(self) -> Self {
        Self {
            needed_by_ready: true,
            ..self
        }
    }

    pub(crate) const fn in_wave(self, wave: u8) -> Self {
        Self { wave, ..self }
    }

    pub(crate) const fn holding_data(self) -> Self {
        Self {
            holds_data: true,
            ..self
        }
    }

    pub(crate) const fn used_by_pods(self) -> Self {
        Self {
            used_by_pods: true,
            ..self
        }
    }

    pub(crate) const fn of_own_workload(self) -> Self {
        Self {
            of_own_workload: true,
            ..self
        }
    }

    pub(crate) const fn watched(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    pub(crate) const fn enabled_when(self, enabled_when: &'static str) -> Self {
        Self { enabled_when, ..self }
    }

    pub(crate) const fn explained_by(self, explain: fn(&str) -> Option<&'static str>) -> Self {
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

/// An API group with its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Group {
    pub(crate) const CORE: Self = Self {
        name: "",
        version: "v1",
    };
    pub(crate) const APPS: Self = Self {
        name: "apps",
        version: "v1",
    };
    pub(crate) const AUTOSCALING: Self = Self {
        name: "autoscaling",
        version: "v2",
    };
    pub(crate) const PROMETHEUS_OPERATOR: Self = Self {
        name: "monitoring.coreos.com",
        version: "v1",
    };
    pub(crate) const GRAFANA_OPERATOR: Self = Self {
        name: "grafana.integreatly.org",
        version: "v1beta1",
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

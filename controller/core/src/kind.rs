//! The kinds of object that the operator writes, and the names of their ports. Knows nothing of how they are built.

use std::fmt;

/// Name of the container port, and of the Service's port, on which the API answers.
pub const PORT_HTTP: &str = "http";
/// Name of the port of the metrics page, where it is another one.
pub const PORT_METRICS: &str = "metrics";

/// Declares [`ChildKind`]: one row for each kind, as it is written in a manifest.
macro_rules! child_kinds {
    ($(#[doc = $meaning:literal] $kind:ident;)+) => {
        /// A kind of object that the operator writes. What it is made of stands in its row of
        /// [`CHILD_KINDS`](crate::children::CHILD_KINDS).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ChildKind {
            $(#[doc = $meaning] $kind,)+
        }

        impl ChildKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Kind, as in a manifest.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)+
                }
            }
        }
    };
}

child_kinds! {
    /// The workload's own ServiceAccount, without token and without Role.
    ServiceAccount;
    /// The volume for the workload's data.
    PersistentVolumeClaim;
    /// The Service, and the headless metrics Service where metrics have a port of their own.
    Service;
    /// The ServiceMonitor, by which a Prometheus finds the workload.
    ServiceMonitor;
    /// Recording rules and alerts.
    PrometheusRule;
    /// The dashboard, as a ConfigMap for Grafana's sidecar.
    ConfigMap;
    /// The workload. Applied last, so that everything its pods refer to exists.
    Deployment;
}

impl ChildKind {
    /// The kind of that name. `None`: not one of ours, or one of a later release.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for ChildKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! The child table: one row a kind. Watches, apply order, prune, RBAC, the admission policy and the documents follow
//! from it.

/// A kind of object that the operator writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// The workload's own ServiceAccount, without token and without Role.
    ServiceAccount,
    /// The Service, and the headless metrics Service where metrics have a port of their own.
    Service,
    /// What makes Prometheus scrape the workload.
    ServiceMonitor,
    /// Recording rules and alerts.
    PrometheusRule,
    /// The dashboard, as a ConfigMap for Grafana's sidecar.
    ConfigMap,
    /// The workload. Applied last, so that whatever its pods refer to exists.
    Deployment,
}

/// What an author must be allowed to create for a child kind to be theirs to ask for: a CEL expression over `object`
/// that says whether the spec turns the kind on.
pub type TurnedOn = &'static str;

/// One row of [`CHILD_KINDS`].
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
    /// Its CRD may be absent, come and go.
    pub optional: bool,
    /// `Ready` needs it.
    pub core: bool,
    /// Kinds of a lower wave are applied first.
    pub wave: u8,
    /// When the spec turns it on (for the admission policy).
    pub turned_on: TurnedOn,
}

//! The child table: one row a kind. Watches, apply order, prune, RBAC, the admission policy and the documents follow
//! from it.

mod config_map;
pub mod deployment;
mod object;
mod persistent_volume_claim;
mod prometheus_rule;
mod service;
mod service_account;
pub mod service_monitor;

pub(crate) use prometheus_rule::facts as rule_facts;
use serde_json::Value;

use crate::{
    facts::{Facts, Settings},
    hash,
    plan::{ApiRef, AppliedChild, Outcome, Plan, PlannedChild},
    validate::ValidApi,
};

/// Name of the container port, and of the Service's port, on which the API answers.
pub const PORT_HTTP: &str = "http";
/// Name of the port of the metrics page, where it is another one.
pub const PORT_METRICS: &str = "metrics";

/// A kind of object that the operator writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// The workload's own ServiceAccount, without token and without Role.
    ServiceAccount,
    /// The volume for the workload's data.
    PersistentVolumeClaim,
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

impl ChildKind {
    /// The kind's row in [`CHILD_KINDS`].
    #[must_use]
    pub const fn row(self) -> &'static ChildKindRow {
        match self {
            Self::ServiceAccount => &service_account::ROW,
            Self::PersistentVolumeClaim => &persistent_volume_claim::ROW,
            Self::Service => &service::ROW,
            Self::ServiceMonitor => &service_monitor::ROW,
            Self::PrometheusRule => &prometheus_rule::ROW,
            Self::ConfigMap => &config_map::ROW,
            Self::Deployment => &deployment::ROW,
        }
    }

    /// Kind, as in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        CHILD_KINDS.iter().find(|row| row.name == name).map(|row| row.kind)
    }
}

/// What an author must be allowed to create for a child kind to be theirs to ask for: a CEL expression over `object`
/// that says whether the spec turns the kind on.
pub type TurnedOn = &'static str;

/// What the children are built from.
#[derive(Debug, Clone, Copy)]
pub struct BuildInput<'a> {
    /// The valid spec.
    pub api: &'a ValidApi,
    /// Settings of the installation.
    pub settings: &'a Settings,
    /// What was read from the cluster.
    pub facts: &'a Facts,
    /// The MonitoredApi that owns the children.
    pub owner: &'a ApiRef,
}

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
    /// Its objects hold data: one that is turned off is kept, and the operator has no right to delete it.
    pub holds_data: bool,
    /// When the spec turns it on (for the admission policy).
    pub turned_on: TurnedOn,
    /// What a refusal of the API server means, in a person's words and with the fix; `None`: its own words say it.
    pub explain: fn(&str) -> Option<&'static str>,
    /// Version of the live object that its intent copies from; `None`: it copies nothing.
    pub copied_from: fn(&BuildInput<'_>) -> Option<String>,
    /// The objects of this kind that should exist, by name: complete intents, owner reference included.
    pub build: fn(&BuildInput<'_>) -> Vec<(String, Value)>,
}

impl ChildKindRow {
    /// `apiVersion`, as in a manifest.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// Why a child must not be written after what became of the earlier ones; `None`: it may.
///
/// No pod may mount a volume that is somebody else's: what it writes there could not be taken back.
#[must_use]
pub fn held_back(kind: ChildKind, earlier: &[AppliedChild]) -> Option<String> {
    let foreign = |child: &&AppliedChild| {
        child.kind == ChildKind::PersistentVolumeClaim && matches!(child.outcome, Outcome::Conflict(_))
    };
    earlier
        .iter()
        .find(|child| kind == ChildKind::Deployment && foreign(child))
        .map(|claim| {
            format!(
                "not written, for its pods would mount the PersistentVolumeClaim {}",
                claim.name
            )
        })
}

/// Every kind of object that the operator writes, in apply order.
pub const CHILD_KINDS: &[ChildKindRow] = &[
    service_account::ROW,
    persistent_volume_claim::ROW,
    service::ROW,
    service_monitor::ROW,
    prometheus_rule::ROW,
    config_map::ROW,
    deployment::ROW,
];

/// For kinds whose refusals speak for themselves.
const fn unexplained(_: &str) -> Option<&'static str> {
    None
}

/// For kinds whose intent follows from the spec alone.
const fn copies_nothing(_: &BuildInput<'_>) -> Option<String> {
    None
}

/// Every object that should exist, in apply order. Kinds whose CRD is missing are part of it: whether they can be
/// written is found out by who writes.
#[must_use]
pub fn build(api: &ValidApi, settings: &Settings, facts: &Facts, owner: &ApiRef) -> Plan {
    let input = BuildInput {
        api,
        settings,
        facts,
        owner,
    };
    let mut rows: Vec<&ChildKindRow> = CHILD_KINDS.iter().collect();
    rows.sort_by_key(|row| row.wave);
    let children = rows.into_iter().flat_map(|row| planned(row, &input)).collect();
    Plan {
        owner: owner.clone(),
        children,
        missing: missing(&input),
    }
}

/// Alerts and panels that were left out, each with the signal that the dialect lacks; sorted.
fn missing(input: &BuildInput<'_>) -> Vec<String> {
    let mut missing = prometheus_rule::missing(input.api);
    missing.extend(config_map::missing(input));
    missing.sort();
    missing.dedup();
    missing
}

fn planned<'a>(row: &'a ChildKindRow, input: &BuildInput<'_>) -> impl Iterator<Item = PlannedChild> + use<'a> {
    let copied_from = (row.copied_from)(input);
    (row.build)(input).into_iter().map(move |(name, object)| PlannedChild {
        kind: row.kind,
        name,
        desired_hash: hash::hash(&object),
        object,
        copied_from: copied_from.clone(),
    })
}

#[cfg(test)]
mod tests;

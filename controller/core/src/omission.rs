//! What is left out of the rules and the dashboard of an API, and why: a row of the status, and a sentence for people.

use std::fmt;

use controller_rules::{GeneratedRules, ObjectiveGap, OmittedAlert, OmittedObjective, OmittedPanel};
use metric_contract::{Dialect, Signal};

/// An alert, a panel or an objective that is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Omission {
    /// What it is.
    pub kind: OmissionKind,
    /// Its name; of a panel, its title.
    pub name: String,
    /// Why: in `status.metrics.missing`, behind the name.
    gap: String,
    /// Why, and what to set where something can be set.
    pub reason: String,
}

/// What can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OmissionKind {
    /// An alert.
    Alert,
    /// An objective with its recording rules and alerts.
    Objective,
    /// A panel of the dashboard.
    Panel,
}

impl OmissionKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Objective => "objective",
            Self::Panel => "panel",
        }
    }
}

impl fmt::Display for Omission {
    /// A row of `status.metrics.missing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            OmissionKind::Alert => write!(f, "{}: {}", self.name, self.gap),
            OmissionKind::Objective | OmissionKind::Panel => {
                write!(f, "{} {}: {}", self.kind.as_str(), self.name, self.gap)
            }
        }
    }
}

/// The rows of `status.metrics.missing`, sorted.
#[must_use]
pub fn missing(omissions: &[Omission]) -> Vec<String> {
    let mut rows: Vec<_> = omissions.iter().map(ToString::to_string).collect();
    rows.sort();
    rows.dedup();
    rows
}

/// Alerts and objectives that are left out of the rules.
pub(crate) fn of_rules(rules: &GeneratedRules, dialect: Option<&Dialect>) -> Vec<Omission> {
    let alerts = rules.omitted_alerts().iter();
    let alerts = alerts.map(|OmittedAlert { alert, signal }| Omission {
        kind: OmissionKind::Alert,
        name: (*alert).to_owned(),
        gap: signal.name().to_owned(),
        reason: reason(*signal, dialect),
    });
    let objectives = rules.omitted_objectives().iter();
    let objectives = objectives.map(|OmittedObjective { objective, gap }| Omission {
        kind: OmissionKind::Objective,
        name: objective.clone(),
        gap: gap.to_string(),
        reason: match gap {
            ObjectiveGap::MissingSignal(signal) => reason(*signal, dialect),
            ObjectiveGap::NoMethodLabel | ObjectiveGap::NotABucketBound { .. } => gap.to_string(),
        },
    });
    alerts.chain(objectives).collect()
}

/// Panels that are left out of the dashboard.
pub(crate) fn of_dashboard(panels: &[OmittedPanel], dialect: Option<&Dialect>) -> Vec<Omission> {
    let panels = panels.iter().map(|OmittedPanel { title, signal }| Omission {
        kind: OmissionKind::Panel,
        name: (*title).to_owned(),
        gap: signal.name().to_owned(),
        reason: reason(*signal, dialect),
    });
    panels.collect()
}

/// Limits that a signal is compared with and that the spec can set: what is so while it does not, and what to set.
const LIMITS: [(Signal, &str); 4] = [
    (
        Signal::MemoryLimit,
        "there is no memory limit: set spec.resources.limits.memory",
    ),
    (Signal::CpuLimit, "there is no CPU limit: set spec.resources.limits.cpu"),
    (
        Signal::ScrapeTimeout,
        "there is no time limit of a scrape: set spec.metrics.timeout",
    ),
    (
        Signal::SampleLimit,
        "there is no limit on the samples of a scrape: set spec.metrics.limits.samples",
    ),
];

fn reason(signal: Signal, dialect: Option<&Dialect>) -> String {
    if let Some((_, unset)) = LIMITS.iter().find(|(limit, _)| *limit == signal) {
        return (*unset).to_owned();
    }
    match dialect {
        None => "the names of the image's metrics are not known: set spec.metrics.dialect".to_owned(),
        Some(dialect) if signal == Signal::Duration && dialect.duration().is_some() => format!(
            "its default threshold is not below the largest bucket of the dialect {}: set a lower one in \
             spec.alerts.overrides",
            dialect.name
        ),
        Some(dialect) => format!("the dialect {} has no metric for {}", dialect.name, signal.name()),
    }
}

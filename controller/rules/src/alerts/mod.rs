//! The alerts: one row of a family's table each, with a runbook in `docs/runbooks` and a unit test in
//! `controller/rules/tests/promtool`.

mod active;
mod availability;
mod build;
mod cache;
mod errors;
mod family;
mod latency;
mod objectives;
mod pods;
mod saturation;
mod scrape;
mod template;
mod threshold;
mod traffic;

use metric_contract::Signal;

use crate::{
    PanelId, Severity,
    promql::{Decimal, PromDuration},
    queries::{ApiQueries, QueryResult},
};

pub(crate) use active::{ActiveAlert, ActiveAlerts, active_alerts, runbook_url};
pub use active::{check_overrides, check_runbook_base_url, threshold_in_force};
pub use build::{alerts_against_a_week_ago, build_rules, check_thresholds};
pub use family::{AlertFamily, SourceSystem};
pub use threshold::ThresholdUnit;

/// The tables of all families, in the order in which documents and rule files list them.
const FAMILIES: [&[AlertDef]; 9] = [
    availability::ALERTS,
    pods::ALERTS,
    errors::ALERTS,
    latency::ALERTS,
    saturation::ALERTS,
    traffic::ALERTS,
    cache::ALERTS,
    scrape::ALERTS,
    objectives::ALERTS,
];

/// Every alert, in the order in which documents and rule files list them.
pub fn alerts() -> impl Iterator<Item = &'static AlertDef> {
    FAMILIES.into_iter().flatten()
}

/// The alert of this name.
#[must_use]
pub fn alert(name: &str) -> Option<&'static AlertDef> {
    alerts().find(|def| def.name == name)
}

/// The fewest requests within a window for which a ratio or a percentile is meaningful.
const MIN_REQUESTS: u64 = 10;
/// How long a condition must hold by default: longer than a rolling update disturbs the figures.
const DEFAULT_FOR: PromDuration = PromDuration::from_minutes(5);
/// How long the condition of a critical alert must hold by default.
const CRITICAL_FOR: PromDuration = PromDuration::from_minutes(2);
/// How long an API must be down by default.
const DOWN_FOR: PromDuration = PromDuration::from_minutes(1);

/// An alert, as one row.
#[derive(Debug, Clone, Copy)]
pub struct AlertDef {
    /// Its name; also the name of its runbook and of its unit test.
    pub name: &'static str,
    /// The kind of trouble that it reports.
    pub family: AlertFamily,
    /// How urgent it is by default.
    pub severity: Severity,
    /// Which of the five systems that this project replaces document an alert for the same trouble. Only a record of
    /// where the alert comes from: nothing is generated from it.
    pub sources: &'static [SourceSystem],
    /// The signals that it needs; if the dialect lacks one of them, the alert is left out.
    pub signals: &'static [Signal],
    /// When it fires.
    pub condition: AlertCondition,
    /// How long the condition must hold by default.
    pub for_: PromDuration,
    /// The panel that shows the trouble.
    pub panel: PanelId,
    /// One sentence that does not change while the alert fires. May hold `{api}`, `{threshold}`, `{for}`; of an objective
    /// also `{objective}`, `{target}`, `{window}`, `{burn}`, `{long}`, `{short}`.
    pub summary: &'static str,
    /// What happens. May also hold `{value}`, the value that the alert has.
    pub description: &'static str,
}

impl AlertDef {
    /// The threshold's unit, if it has one.
    #[must_use]
    pub const fn threshold_unit(&self) -> Option<ThresholdUnit> {
        match self.condition {
            AlertCondition::Plain(_) | AlertCondition::Objectives => None,
            AlertCondition::Threshold { unit, .. } => Some(unit),
        }
    }

    /// The threshold that applies unless a user sets another, in the query's unit, if it has one.
    #[must_use]
    pub const fn default_threshold(&self) -> Option<Decimal> {
        match self.condition {
            AlertCondition::Plain(_) | AlertCondition::Objectives => None,
            AlertCondition::Threshold { default, .. } => Some(default),
        }
    }
}

/// When an alert fires.
#[derive(Debug, Clone, Copy)]
pub enum AlertCondition {
    /// A state that needs no number.
    Plain(fn(&ApiQueries<'_>) -> QueryResult),
    /// An objective's error budget is spent too fast: one alert for each objective and speed.
    Objectives,
    /// A value compared with a threshold.
    Threshold {
        /// The unit in which a user writes it.
        unit: ThresholdUnit,
        /// The default, in the query's unit: a ratio, seconds, bytes or a count.
        default: Decimal,
        /// Builds the condition for a threshold.
        build: fn(&ApiQueries<'_>, Decimal) -> QueryResult,
    },
}

//! The alerts: one row of [`ALERTS`] each, with a runbook in `docs/runbooks` and a unit test in `tests/promtool`.

mod availability;
mod build;
mod check;
mod errors;
mod family;
mod latency;
mod near;
mod saturation;
mod template;
mod threshold;

use metric_contract::Signal;

use crate::{
    dashboards::PanelId,
    promql::{Decimal, PromDuration},
    series::{Built, Series},
};

pub use build::build_rules;
pub use check::check_overrides;
pub(crate) use check::{InForce, Resolved, resolve, runbook_url};
pub use family::{AlertFamily, Severity, SourceSystem};
pub use threshold::ThresholdUnit;

/// Every alert, in the order in which documents and rule files list them.
pub const ALERTS: &[AlertDef] = &[
    availability::API_DOWN,
    availability::API_TARGETS_MISSING,
    errors::API_HIGH_ERROR_RATIO,
    errors::API_CRITICAL_ERROR_RATIO,
    latency::API_HIGH_LATENCY_P95,
    saturation::API_TOO_MANY_IN_FLIGHT,
];

/// Requests within a window below which a ratio or a percentile says nothing.
const MIN_REQUESTS: u64 = 10;
/// How long a condition must hold by default: longer than a rolling update's hiccups.
const DEFAULT_FOR: PromDuration = PromDuration::from_minutes(5);
/// The same for critical alerts.
const CRITICAL_FOR: PromDuration = PromDuration::from_minutes(2);
/// The same for an API that is down.
const DOWN_FOR: PromDuration = PromDuration::from_minutes(1);

/// An alert, as one row.
#[derive(Debug, Clone, Copy)]
pub struct AlertDef {
    /// Its name; also the name of its runbook and of its unit test.
    pub name: &'static str,
    /// What kind of trouble it tells of.
    pub family: AlertFamily,
    /// How urgent it is by default.
    pub severity: Severity,
    /// The source systems that have an alert for the same trouble.
    pub sources: &'static [SourceSystem],
    /// The signals without which it cannot be built.
    pub signals: &'static [Signal],
    /// When it holds.
    pub condition: Condition,
    /// How long the condition must hold by default.
    pub for_: PromDuration,
    /// The panel on which the trouble can be seen.
    pub panel: PanelId,
    /// One sentence that does not change while the alert fires. May hold `{api}`, `{threshold}`, `{for}`.
    pub summary: &'static str,
    /// What happens. May hold `{value}` too: the value that the alert has.
    pub description: &'static str,
}

impl AlertDef {
    /// The threshold's unit, if it has one.
    #[must_use]
    pub const fn threshold_unit(&self) -> Option<ThresholdUnit> {
        match self.condition {
            Condition::Plain(_) => None,
            Condition::Threshold { unit, .. } => Some(unit),
        }
    }
}

/// When an alert holds.
#[derive(Debug, Clone, Copy)]
pub enum Condition {
    /// A state that needs no number.
    Plain(fn(&Series<'_>) -> Built),
    /// A figure against a threshold.
    Threshold {
        /// The unit in which a user writes it.
        unit: ThresholdUnit,
        /// The default; seconds and bytes are whole or decimal numbers of them.
        default: Decimal,
        /// The condition for a threshold.
        build: fn(&Series<'_>, Decimal) -> Built,
    },
}

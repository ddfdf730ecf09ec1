//! The figures of objectives as Sloth's families hold them, computed from our own counts.
//!
//! Without any event there is no ratio, nothing is burnt, and the whole budget is left. Sloth's own rules record NaN then,
//! which spoils every sum over time.

use metric_contract::{
    labels::{JOB, NAMESPACE, OBJECTIVE},
    sloth,
};

use super::{
    ApiQueries,
    objective::{EventResult, of_objective},
    or_zero,
};
use crate::{
    objective::{Objective, ObjectiveWindow},
    promql::{Decimal, Expr, LabelName, PromDuration, VectorSelector, vector},
};

impl ObjectiveWindow {
    /// The window as Sloth writes it: whole weeks as weeks.
    #[must_use]
    pub(crate) const fn spelled_by_sloth(self) -> &'static str {
        match self {
            Self::Days7 => "1w",
            Self::Days14 => "2w",
            Self::Days28 => "4w",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
        }
    }
}

impl ApiQueries<'_> {
    /// The share of events that failed within a window. A window that is shorter than that of the rates is as long as it.
    #[must_use]
    pub(crate) fn sloth_ratio(&self, objective: &str, window: PromDuration) -> Expr {
        let (errors, _) = self.summed(objective, window, EventResult::Error);
        let (total, _) = self.summed(objective, window, EventResult::Total);
        errors.per(total.where_above(0))
    }

    /// The share of events that failed within the objective's whole window.
    #[must_use]
    pub(crate) fn sloth_period_ratio(&self, objective: &Objective) -> Expr {
        let errors = self.whole_count(objective, EventResult::Error);
        let total = self.whole_count(objective, EventResult::Total);
        errors.per(total.where_above(0))
    }

    /// How many times faster than allowed the budget was spent within the shortest window.
    #[must_use]
    pub(crate) fn sloth_current_burn_rate(&self, objective: &Objective) -> Expr {
        let name = &objective.name;
        let [(minutes, window), ..] = sloth::WINDOWS;
        let (total, _) = self.summed(name, PromDuration::from_minutes(minutes), EventResult::Total);
        or_zero(self.sloth_recorded(&sloth_ratio_name(window), name), total).per(objective.budget())
    }

    /// The same of the objective's whole window.
    #[must_use]
    pub(crate) fn sloth_period_burn_rate(&self, objective: &Objective) -> Expr {
        let ratio = self.sloth_recorded(&sloth_ratio_name(objective.window.spelled_by_sloth()), &objective.name);
        or_zero(ratio, self.whole_count(objective, EventResult::Total)).per(objective.budget())
    }

    /// A figure that never changes, with the labels by which series are this API's: it comes from no series that has them.
    #[must_use]
    pub(crate) fn sloth_constant(&self, value: Decimal) -> (Expr, [(String, String); 2]) {
        let labels = [(NAMESPACE, self.api.namespace), (JOB, self.api.name)];
        (
            vector(value),
            labels.map(|(label, value)| (label.to_owned(), value.to_owned())),
        )
    }

    /// Series that our rules record under one of Sloth's names.
    fn sloth_series(&self, record: &str, objective: &str) -> VectorSelector {
        of_objective(self.scope.select(record), objective)
    }

    fn sloth_recorded(&self, record: &str, objective: &str) -> Expr {
        self.scope.max(
            self.sloth_series(record, objective).into(),
            &[LabelName::new(OBJECTIVE)],
        )
    }
}

/// The name of [`ApiQueries::sloth_ratio`]'s series, and of [`ApiQueries::sloth_period_ratio`]'s.
#[must_use]
pub(crate) fn sloth_ratio_name(window: &str) -> String {
    format!("{}{window}", sloth::ERROR_RATIO)
}

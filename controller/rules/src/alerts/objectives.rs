//! Whether an objective will be missed: its error budget is spent faster than its window allows.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily};
use crate::{PanelId, Severity, promql::PromDuration};

pub(super) const ALERTS: &[AlertDef] = &[AlertDef {
    name: "ApiErrorBudgetBurn",
    family: AlertFamily::Objectives,
    // Of the two fast tiers; that of the slow ones is a warning.
    severity: Severity::Critical,
    sources: &[],
    signals: &[Signal::Requests],
    condition: AlertCondition::Objectives,
    // The long window already makes sure that it is no moment's trouble.
    for_: PromDuration::from_minutes(0),
    panel: PanelId::BurnRate,
    summary: "{api} spends the error budget of its objective {objective} more than {burn} times too fast",
    description: "Of the events that the objective {objective} of {api} counts, {value} failed in the last {long}, and too \
                  many also in the last {short}: the error budget of {target} % over {window} is spent more than {burn} \
                  times too fast.",
}];

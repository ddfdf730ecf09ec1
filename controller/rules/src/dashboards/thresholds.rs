//! The colours of a panel above certain values, from the thresholds of the active alerts.

use super::{
    Colour, ColourStep,
    model::{PanelThresholds, ThresholdStep},
};
use crate::{alerts::ActiveAlert, promql::Decimal};

/// The steps of a panel in ascending order, beginning with one that has no lower bound.
pub(super) fn thresholds(steps: &[ColourStep], alerts: &[ActiveAlert]) -> PanelThresholds {
    let base = ThresholdStep {
        color: Colour::Green.name(),
        value: None,
    };
    let above = steps_in_force(steps, alerts)
        .into_iter()
        .map(|(value, colour)| ThresholdStep {
            color: colour.name(),
            value: Some(value),
        });
    PanelThresholds {
        mode: "absolute",
        steps: [base].into_iter().chain(above).collect(),
    }
}

/// The values from which on a panel has another colour, in ascending order. Below all of them it is green.
pub(super) fn steps_in_force(steps: &[ColourStep], alerts: &[ActiveAlert]) -> Vec<(f64, Colour)> {
    let mut values: Vec<_> = steps
        .iter()
        .filter_map(|step| Some((value(step, alerts)?, step.colour)))
        .collect();
    // A user can set the warning above the critical threshold; Grafana needs them in ascending order.
    values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    // Two steps may follow one alert: from a threshold that the user set, the second, more urgent colour holds.
    values.reverse();
    values.dedup_by(|(a, _), (b, _)| a.total_cmp(b).is_eq());
    values.reverse();
    values
}

/// The user's threshold, else the panel's own value, else the alert's default. A step without a value of its own is left
/// out if its alert is turned off.
fn value(step: &ColourStep, alerts: &[ActiveAlert]) -> Option<f64> {
    let alert = step
        .alert
        .and_then(|name| alerts.iter().find(|alert| alert.def.name == name));
    let users = alert
        .filter(|alert| alert.threshold_path.is_some())
        .and_then(|alert| alert.threshold);
    let default = alert.and_then(|alert| alert.threshold);
    users.or(step.from).or(default).map(Decimal::to_f64)
}

impl Colour {
    const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

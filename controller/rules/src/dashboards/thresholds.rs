//! From which value on a panel turns which colour, by the alerts in force.

use super::{
    Colour, Step,
    model::{ThresholdStep, Thresholds},
};
use crate::{alerts::InForce, promql::Decimal};

/// The steps of a panel, ascending, beginning below everything.
pub(super) fn thresholds(steps: &[Step], alerts: &[InForce]) -> Thresholds {
    let mut values: Vec<_> = steps
        .iter()
        .filter_map(|step| Some((value(step, alerts)?, step.colour)))
        .collect();
    // A user may set the warning above the critical threshold; Grafana wants them ascending.
    values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let base = ThresholdStep {
        color: Colour::Green.name(),
        value: None,
    };
    let above = values.into_iter().map(|(value, colour)| ThresholdStep {
        color: colour.name(),
        value: Some(value),
    });
    Thresholds {
        mode: "absolute",
        steps: [base].into_iter().chain(above).collect(),
    }
}

/// A user's own threshold wins over the panel's value, and that over the alert's default. A step whose alert is turned
/// off and that has no value of its own is left out.
fn value(step: &Step, alerts: &[InForce]) -> Option<f64> {
    let alert = step
        .alert
        .and_then(|name| alerts.iter().find(|alert| alert.def.name == name));
    let own = alert
        .filter(|alert| alert.threshold_path.is_some())
        .and_then(|alert| alert.threshold);
    let default = alert.and_then(|alert| alert.threshold);
    own.or(step.from).or(default).map(Decimal::to_f64)
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

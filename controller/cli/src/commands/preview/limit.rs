//! The values that a chart draws a line at, because something begins there.

use controller_rules::{
    Severity,
    alerts::ThresholdUnit,
    dashboards::{Colour, GrafanaUnit},
};

/// A value at which something begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// In the unit of the panel.
    pub(super) value: f64,
    /// How bad it is there.
    pub(super) level: Level,
    /// What begins there, such as the name of an alert.
    pub(super) name: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Good,
    Warning,
    Critical,
}

impl Level {
    /// The word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// That of a label `severity`: what is not critical only warns.
    pub(super) fn of_severity(severity: &str) -> Self {
        if severity == Severity::Critical.as_str() {
            Self::Critical
        } else {
            Self::Warning
        }
    }

    /// That of a panel's colour.
    pub(super) const fn of_colour(colour: Colour) -> Self {
        match colour {
            Colour::Green => Self::Good,
            Colour::Yellow => Self::Warning,
            Colour::Red => Self::Critical,
        }
    }

    /// That of a value, by the steps of a panel.
    pub(super) fn of_value(value: f64, steps: &[(f64, Colour)]) -> Self {
        let step = steps.iter().rev().find(|(from, _)| *from <= value);
        step.map_or(Self::Good, |(_, colour)| Self::of_colour(*colour))
    }
}

/// Whether a threshold can be drawn in a panel: it is of the same dimension as the panel's values.
pub(super) const fn is_drawn(threshold: ThresholdUnit, panel: GrafanaUnit) -> bool {
    matches!(
        (threshold, panel),
        (ThresholdUnit::Ratio, GrafanaUnit::PercentUnit)
            | (ThresholdUnit::Duration, GrafanaUnit::Seconds)
            | (ThresholdUnit::Bytes, GrafanaUnit::Bytes)
            | (ThresholdUnit::Count, GrafanaUnit::Short)
    )
}

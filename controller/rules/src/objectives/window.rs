//! The windows over which the alerts of an objective look.

use crate::{
    ObjectiveWindow,
    promql::{Decimal, PromDuration},
    severity::Severity,
};

/// An alert of an objective: it fires while the budget is spent `factor` times faster than would use it up at the end of the
/// objective's window, over both windows. The long one makes sure that it matters, the short one that it still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BurnTier {
    /// How many times faster than allowed.
    pub(crate) factor: Decimal,
    /// The long window.
    pub(crate) long: PromDuration,
    /// The short window.
    pub(crate) short: PromDuration,
    /// How urgent it is.
    pub(crate) severity: Severity,
}

/// Factor in tenths, long and short window in minutes, severity: table 5-8 of the SRE workbook, for a window of four weeks.
const TIERS: [(u64, u32, u32, Severity); 4] = [
    (144, 60, 5, Severity::Critical),
    (60, 360, 30, Severity::Critical),
    (30, 1_440, 120, Severity::Warning),
    (10, 4_320, 360, Severity::Warning),
];

impl ObjectiveWindow {
    /// Its four alerts, the fastest first. Their windows are scaled to it, so that each fires after the same share of the
    /// budget is spent; none is shorter than `shortest`.
    pub(crate) fn tiers(self, shortest: PromDuration) -> [BurnTier; 4] {
        let (times, parts) = match self {
            Self::Days7 => (1, 4),
            Self::Days14 => (1, 2),
            Self::Days28 | Self::Days30 => (1, 1),
            Self::Days90 => (3, 1),
        };
        let scaled = |minutes: u32| PromDuration::from_minutes((minutes * times).div_ceil(parts)).max(shortest);
        TIERS.map(|(tenths, long, short, severity)| BurnTier {
            factor: Decimal::hundredths(tenths * 10),
            long: scaled(long),
            short: scaled(short),
            severity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(window: ObjectiveWindow) -> Vec<String> {
        let tiers = window.tiers(PromDuration::from_minutes(5));
        tiers
            .iter()
            .map(|tier| format!("{} {}/{}", tier.factor, tier.long, tier.short))
            .collect()
    }

    #[test]
    fn four_weeks_and_a_month_have_the_windows_of_the_sre_workbook() {
        for window in [ObjectiveWindow::Days28, ObjectiveWindow::Days30] {
            assert_eq!(windows(window), ["14.4 1h/5m", "6 6h/30m", "3 1d/2h", "1 3d/6h"]);
        }
    }

    #[test]
    fn other_windows_scale_them_down_to_the_window_of_a_rate() {
        assert_eq!(
            windows(ObjectiveWindow::Days7),
            ["14.4 15m/5m", "6 1h30m/8m", "3 6h/30m", "1 18h/1h30m"]
        );
        assert_eq!(
            windows(ObjectiveWindow::Days14),
            ["14.4 30m/5m", "6 3h/15m", "3 12h/1h", "1 36h/3h"]
        );
        assert_eq!(
            windows(ObjectiveWindow::Days90),
            ["14.4 3h/15m", "6 18h/1h30m", "3 3d/6h", "1 9d/18h"]
        );
    }

    #[test]
    fn a_tier_fires_after_the_same_share_of_the_budget_whatever_the_window() {
        for window in [ObjectiveWindow::Days7, ObjectiveWindow::Days14, ObjectiveWindow::Days28] {
            let spent = window.tiers(PromDuration::from_minutes(5)).map(|tier| {
                let share = tier.factor.to_f64() * tier.long.seconds().to_f64() / window.length().seconds().to_f64();
                (share * 1000.0).round() / 1000.0
            });
            assert_eq!(spent, [0.021, 0.054, 0.107, 0.107], "{}", window.as_str());
        }
    }
}

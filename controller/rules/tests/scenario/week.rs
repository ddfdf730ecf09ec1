//! The present compared with the same hour a week ago. Evaluated every half hour, so that a week does not take minutes.

use controller_rules::alert_tests::Drawing;

use super::{QUIET, Scenario};

/// A week and two hours.
const MINUTES: u32 = 7 * 24 * 60 + 120;
/// A week.
const WEEK: u32 = 7 * 24 * 60;

pub(super) const LONG: Scenario = Scenario {
    minutes: MINUTES,
    interval: 120,
    evaluation: 1_800,
    ..QUIET
};

/// One scenario for each way in which the present can differ.
pub(super) const WEEKS: &[Scenario] = &[
    Scenario {
        name: "a week without a change",
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
        },
        ..LONG
    },
    Scenario {
        name: "the traffic falls to a tenth after a week",
        fires: &["ApiTrafficDrop"],
        draw: |at| {
            change(at, (60.0, 0.05), (6.0, 0.05));
        },
        ..LONG
    },
    Scenario {
        name: "the traffic grows tenfold after a week",
        fires: &["ApiTrafficSpike"],
        draw: |at| {
            change(at, (60.0, 0.05), (600.0, 0.05));
        },
        ..LONG
    },
    Scenario {
        name: "requests take four times as long after a week, and still not long",
        fires: &["ApiLatencyRegression"],
        draw: |at| {
            change(at, (60.0, 0.05), (60.0, 0.4));
        },
        ..LONG
    },
    Scenario {
        name: "hardly any traffic at all, a week ago and now",
        draw: |at| {
            change(at, (0.5, 0.05), (0.05, 0.4));
        },
        ..LONG
    },
];

/// Requests a minute and their seconds, first for a week and then. At the change the pod is replaced.
pub(super) fn change(at: &mut Drawing, first: (f64, f64), then: (f64, f64)) {
    let parts = [("a", (0, WEEK), first), ("b", (WEEK, MINUTES), then)];
    for (name, span, (per_minute, seconds)) in parts {
        let pod = at.pod(name);
        at.healthy(&pod, span);
        at.answered(&pod, span, "200", per_minute);
        at.timed(&pod, span, seconds, per_minute);
    }
}

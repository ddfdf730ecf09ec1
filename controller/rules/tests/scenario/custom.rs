//! APIs whose metrics are spelled by hand: a counter beside a histogram of unknown bounds in milliseconds, a histogram alone, a
//! summary.

use controller_rules::alert_tests::{Drawing, Part::Hold};

use super::{
    QUIET, Scenario,
    week::{LONG, change},
};
use crate::common::{CUSTOM, CUSTOM_HISTOGRAM, CUSTOM_SUMMARY};

const CUSTOM_ROW: Scenario = Scenario {
    spelling: || &CUSTOM,
    ..QUIET
};
const HISTOGRAM: Scenario = Scenario {
    spelling: || &CUSTOM_HISTOGRAM,
    ..QUIET
};
const SUMMARY: Scenario = Scenario {
    spelling: || &CUSTOM_SUMMARY,
    ..QUIET
};
const CUSTOM_WEEK: Scenario = Scenario {
    spelling: || &CUSTOM,
    ..LONG
};

/// Of an API without an objective on the latency: its bounds are not known.
const SLOW: &[&str] = &["ApiHighLatencyP95", "ApiCriticalLatencyP95", "ApiHighLatencyP99"];
const FAILS: &[&str] = &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"];

/// What an API spelled by hand can suffer.
pub(super) const BY_HAND: &[Scenario] = &[
    Scenario {
        name: "by hand: steady traffic without failures",
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.metric(metric_contract::MetricId::InFlight, &pod, &[], at.whole(), Hold(3.0));
            at.replicas(1.0);
        },
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: failures with exact statuses",
        fires: FAILS,
        draw: |at| answers(at, "503"),
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: failures with classes of statuses",
        fires: FAILS,
        draw: |at| answers(at, "5xx"),
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: one failure in a minute",
        fires: &["ApiLowVolumeErrors", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 0.0);
            at.answered(&pod, at.whole(), "5xx", 1.0);
        },
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: refusals with exact statuses",
        fires: &["ApiHighClientErrorRatio"],
        draw: |at| answers(at, "422"),
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: refusals with classes of statuses",
        fires: &["ApiHighClientErrorRatio"],
        draw: |at| answers(at, "4xx"),
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: slow answers in milliseconds",
        fires: SLOW,
        draw: slow,
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: too many requests in flight",
        fires: &["ApiTooManyInFlight"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.metric(metric_contract::MetricId::InFlight, &pod, &[], at.whole(), Hold(50.0));
        },
        ..CUSTOM_ROW
    },
    Scenario {
        name: "by hand: failures that a histogram counts",
        fires: FAILS,
        draw: |at| answers(at, "500"),
        ..HISTOGRAM
    },
    Scenario {
        name: "by hand: slow answers of a histogram alone",
        fires: SLOW,
        draw: slow,
        ..HISTOGRAM
    },
    Scenario {
        name: "by hand: failures that a summary counts",
        fires: FAILS,
        draw: |at| answers(at, "500"),
        ..SUMMARY
    },
    Scenario {
        name: "by hand: slow answers of a summary, which has no percentiles",
        draw: slow,
        ..SUMMARY
    },
    Scenario {
        name: "by hand: the traffic falls to a tenth after a week",
        fires: &["ApiTrafficDrop"],
        draw: |at| change(at, (60.0, 0.05), (6.0, 0.05)),
        ..CUSTOM_WEEK
    },
    Scenario {
        name: "by hand: the traffic grows tenfold after a week",
        fires: &["ApiTrafficSpike"],
        draw: |at| change(at, (60.0, 0.05), (600.0, 0.05)),
        ..CUSTOM_WEEK
    },
    Scenario {
        name: "by hand: requests take four times as long after a week",
        fires: &["ApiLatencyRegression"],
        draw: |at| change(at, (60.0, 0.05), (60.0, 0.4)),
        ..CUSTOM_WEEK
    },
];

/// A pod that answers every request with this status.
fn answers(at: &mut Drawing, status: &str) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), status, 60.0);
}

/// A pod that answers every request after three seconds.
fn slow(at: &mut Drawing) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), "200", 60.0);
    at.timed(&pod, at.whole(), 3.0, 60.0);
}

//! The scenarios, one row each.

use controller_rules::alert_tests::{
    Drawing,
    Part::{Grow, Hold, Missing},
};
use metric_contract::{DialectId, TargetKind};

use super::{QUIET, Scenario};

/// Every scenario.
pub(crate) fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    let native = TRAFFIC.iter().chain(super::faults::FAULTS).chain(super::week::WEEKS);
    native.chain(super::custom::BY_HAND).chain(super::proxied::PROXIED)
}

/// What traffic, scrapes and rollouts do.
const TRAFFIC: &[Scenario] = &[
    Scenario {
        name: "idle",
        draw: |at| {
            at.serving("a", at.whole(), 0.0);
            at.replicas(1.0);
        },
        ..QUIET
    },
    Scenario {
        name: "no metric of the API at all",
        draw: |at| {
            let pod = at.pod("a");
            at.within("up", &pod, at.whole(), Hold(1.0));
        },
        ..QUIET
    },
    Scenario {
        name: "steady traffic without failures",
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            at.replicas(1.0);
        },
        ..QUIET
    },
    Scenario {
        name: "one request in ten fails",
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 54.0);
            at.answered(&pod, at.whole(), "500", 6.0);
        },
        ..QUIET
    },
    Scenario {
        name: "one of seven requests fails and no more come",
        draw: |at| {
            let pod = at.serving("a", at.whole(), 0.0);
            at.counted(&pod, "201", &[(10, Hold(0.0)), (7, Grow(0.0, 1.0)), (23, Hold(6.0))]);
            at.counted(&pod, "500", &[(15, Hold(0.0)), (25, Hold(1.0))]);
        },
        ..QUIET
    },
    Scenario {
        name: "all requests fail at one in ten seconds",
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 0.0);
            at.answered(&pod, at.whole(), "500", 6.0);
        },
        ..QUIET
    },
    Scenario {
        name: "all requests fail at one in a minute",
        fires: &["ApiLowVolumeErrors", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 0.0);
            at.answered(&pod, at.whole(), "500", 1.0);
        },
        ..QUIET
    },
    Scenario {
        name: "a failure in two hundred for hours",
        fires: &["ApiErrorBudgetBurn"],
        minutes: 300,
        draw: |at| {
            let pod = at.serving("a", at.whole(), 199.0);
            at.answered(&pod, at.whole(), "500", 1.0);
        },
        ..QUIET
    },
    Scenario {
        name: "a deploy with a gap of two minutes",
        draw: |at| {
            at.serving("a", (0, 18), 60.0);
            at.serving("b", (20, 40), 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "a counter begins again at zero",
        draw: |at| {
            let pod = at.pod("a");
            at.healthy(&pod, at.whole());
            at.counted(&pod, "200", &[(20, Grow(100_000.0, 60.0)), (20, Grow(0.0, 60.0))]);
            at.counted(&pod, "500", &[(20, Hold(5_000.0)), (20, Hold(0.0))]);
            at.timed(&pod, (0, 20), 0.05, 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "the series of failures is born late and stays at one",
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.counted(&pod, "500", &[(20, Missing), (20, Hold(1.0))]);
        },
        ..QUIET
    },
    Scenario {
        name: "the series of failures is born late and grows",
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 54.0);
            at.counted(&pod, "500", &[(20, Missing), (20, Grow(1.0, 6.0))]);
        },
        ..QUIET
    },
    Scenario {
        name: "a replica is added and removed",
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            at.serving("b", (10, 25), 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "failures, scraped every five seconds",
        interval: 5,
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 54.0);
            at.answered(&pod, at.whole(), "500", 6.0);
        },
        ..QUIET
    },
    Scenario {
        name: "steady traffic, scraped every five seconds",
        interval: 5,
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "failures, scraped every three minutes",
        interval: 180,
        minutes: 90,
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 54.0);
            at.answered(&pod, at.whole(), "500", 6.0);
        },
        ..QUIET
    },
    Scenario {
        name: "steady traffic, scraped every three minutes",
        interval: 180,
        minutes: 90,
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "slow answers, bounds as Prometheus 3 writes them",
        fires: &[
            "ApiHighLatencyP95",
            "ApiCriticalLatencyP95",
            "ApiHighLatencyP99",
            "ApiErrorBudgetBurn",
        ],
        draw: slow,
        ..QUIET
    },
    Scenario {
        name: "slow answers, bounds as Prometheus 2 writes them",
        fires: &[
            "ApiHighLatencyP95",
            "ApiCriticalLatencyP95",
            "ApiHighLatencyP99",
            "ApiErrorBudgetBurn",
        ],
        draw: |at| {
            at.bounds_without_point = true;
            slow(at);
        },
        ..QUIET
    },
    Scenario {
        name: "failures of a ServiceMonitor's target whose label collides",
        spelling: || DialectId::S0.spelling(),
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: failing,
        ..QUIET
    },
    Scenario {
        name: "failures of a static target",
        spelling: || DialectId::S0.spelling(),
        target: TargetKind::Static,
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: failing,
        ..QUIET
    },
    Scenario {
        name: "two pods of two versions, and the new one fails",
        fires: &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"],
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            let new = at.serving("b", (10, 40), 0.0);
            at.answered(&new, (10, 40), "500", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "every target is down",
        fires: &["ApiDown"],
        draw: |at| {
            let pod = at.pod("a");
            at.within("up", &pod, at.whole(), Hold(0.0));
        },
        ..QUIET
    },
];

fn failing(at: &mut Drawing) {
    let pod = at.serving("a", at.whole(), 54.0);
    at.answered(&pod, at.whole(), "500", 6.0);
}

fn slow(at: &mut Drawing) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), "200", 60.0);
    at.timed(&pod, at.whole(), 3.0, 60.0);
}

//! The trouble that each alert reports, at its worst, and the health in which each must be silent: one row an alert.
//!
//! A trouble that has a natural end is drawn at that end (every request fails, all memory is used); one that has none is drawn
//! beyond the alert's threshold. So an alert that stays silent in its own trouble can never fire.

use metric_contract::{Attribute, MetricId};

use super::drawing::{
    Drawing,
    Part::{self, Grow, Hold},
    float,
};

/// How long something is watched, besides the time for which the condition must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// A few windows of rates.
    Windows,
    /// More than an hour.
    Hour,
    /// Eight hours.
    Shift,
    /// A week, of which the same hour is drawn a week ago and now.
    Week,
}

/// A week, in minutes.
pub(super) const WEEK: u32 = 7 * 24 * 60;
/// Requests a minute, so many that every alert has enough.
const REQUESTS: f64 = 600.0;
/// Seconds of a request that is quick by any measure.
const QUICK: f64 = 0.001;

/// What a drawing may depend on besides the API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The alert's threshold, in the query's unit; 0 where it has none.
    pub(super) threshold: f64,
    /// Minutes over which the rules take rates.
    pub(super) window: f64,
}

/// A trouble, as one row.
pub(super) struct Trouble {
    /// The alert that must fire.
    pub(super) alert: &'static str,
    /// What happens.
    pub(super) what: &'static str,
    pub(super) length: Length,
    pub(super) draw: fn(&mut Drawing, Scale),
}

const fn row(alert: &'static str, what: &'static str, draw: fn(&mut Drawing, Scale)) -> Trouble {
    Trouble {
        alert,
        what,
        length: Length::Windows,
        draw,
    }
}

/// The trouble of every alert, in the order of their table.
pub(super) const TROUBLES: &[Trouble] = &[
    row("ApiDown", "every target is down", |at, _| {
        let pod = at.pod("a");
        at.within("up", &pod, at.whole(), Hold(0.0));
        // Pods that nobody scrapes are no targets.
        if at.is_behind_proxy() {
            let (_, end) = at.whole();
            at.reported("monitored_api_replicas_wanted", "", &[(end, Hold(1.0))]);
            at.reported("monitored_api_replicas_ready", "", &[(end, Hold(0.0))]);
        }
    }),
    row("ApiTargetsMissing", "one of two targets is down", |at, _| {
        works(at, at.whole());
        let gone = at.pod("b");
        at.within("up", &gone, at.whole(), Hold(0.0));
    }),
    row("ApiReplicasMismatch", "one of two pods is ready", |at, _| {
        at.serving("a", at.whole(), REQUESTS);
        let (_, end) = at.whole();
        at.reported("monitored_api_replicas_wanted", "", &[(end, Hold(2.0))]);
        at.reported("monitored_api_replicas_ready", "", &[(end, Hold(1.0))]);
    }),
    row("ApiPodNotReady", "a pod does not become ready", |at, _| {
        at.serving("a", at.whole(), REQUESTS);
        let (_, end) = at.whole();
        at.reported("monitored_api_pods_not_ready", "", &[(end, Hold(1.0))]);
    }),
    row("ApiFlapping", "a target goes up and down with every scrape", |at, _| {
        let pod = at.pod("a");
        at.alternate("up", &pod);
    }),
    row("ApiRestartLoop", "containers restart again and again", |at, scale| {
        at.serving("a", at.whole(), REQUESTS);
        let (_, end) = at.whole();
        let per_minute = beyond(scale.threshold) / 30.0;
        at.reported("monitored_api_restarts_total", "", &[(end, Grow(0.0, per_minute))]);
    }),
    row("ApiOomKilled", "containers are killed for want of memory", |at, _| {
        at.serving("a", at.whole(), REQUESTS);
        let (_, end) = at.whole();
        at.reported("monitored_api_restarts_total", "", &[(end, Grow(0.0, 0.5))]);
        let reason = r#", reason="OOMKilled""#;
        at.reported("monitored_api_last_termination_reason", reason, &[(end, Hold(1.0))]);
    }),
    row("ApiHighErrorRatio", "every request fails", all_fail),
    row("ApiCriticalErrorRatio", "every request fails", all_fail),
    Trouble {
        length: Length::Hour,
        ..row("ApiLowVolumeErrors", "every one of few requests fails", |at, scale| {
            let pod = at.pod("a");
            at.healthy(&pod, at.whole());
            // With ten requests in a window the alerts on the ratio take over.
            at.answered(&pod, at.whole(), "500", 9.0 / scale.window);
        })
    },
    row("ApiHighClientErrorRatio", "every request is refused", |at, _| {
        answers(at, "422")
    }),
    row("ApiClientsGiveUp", "every client leaves before an answer", |at, _| {
        answers(at, "499")
    }),
    row("ApiExceptions", "handlers panic", |at, scale| {
        let pod = at.serving("a", at.whole(), REQUESTS);
        let per_minute = beyond(scale.threshold) / scale.window;
        at.metric(MetricId::Exceptions, &pod, &[], at.whole(), Grow(0.0, per_minute));
    }),
    row("ApiDatabaseErrors", "every database operation fails", |at, _| {
        events(at, MetricId::DatabaseOperations, Attribute::OperationResult, "error");
    }),
    row("ApiBackgroundTaskFailures", "every background task fails", |at, _| {
        events(at, MetricId::BackgroundTasks, Attribute::TaskStatus, "failed");
    }),
    row(
        "ApiHighLatencyP95",
        "every request takes longer than all buckets",
        all_slow,
    ),
    row(
        "ApiCriticalLatencyP95",
        "every request takes longer than all buckets",
        all_slow,
    ),
    row(
        "ApiHighLatencyP99",
        "every request takes longer than all buckets",
        all_slow,
    ),
    row("ApiSlowRequests", "every request is slow", |at, _| {
        let pod = at.serving("a", at.whole(), REQUESTS);
        at.metric(MetricId::SlowRequests, &pod, &[], at.whole(), Grow(0.0, REQUESTS));
    }),
    Trouble {
        length: Length::Week,
        ..row(
            "ApiLatencyRegression",
            "requests take far longer than a week ago",
            |at, _| {
                change(at, (REQUESTS, QUICK), (REQUESTS, f64::INFINITY));
            },
        )
    },
    row("ApiTooManyInFlight", "too many requests are in flight", |at, scale| {
        let pod = at.serving("a", at.whole(), REQUESTS);
        // Without targets the requests are those of the pods that are ready.
        if at.is_behind_proxy() {
            at.replicas(1.0);
        }
        at.metric(MetricId::InFlight, &pod, &[], at.whole(), Hold(beyond(scale.threshold)));
    }),
    row("ApiHighCpu", "the process uses its whole CPU limit", |at, _| {
        let cores = at.limits().cpu_millicores.map_or(1.0, float) / 1_000.0;
        // A little more, so that rounding does not make it less.
        but(at, MetricId::ProcessCpu, Grow(0.0, cores * 60.6));
    }),
    row("ApiCpuThrottled", "every period is throttled", |at, _| {
        but(at, MetricId::ContainerCpuThrottledPeriods, Grow(0.0, 600.0));
    }),
    row("ApiHighMemory", "the process uses its whole memory limit", |at, _| {
        let limit = at.limits().memory_bytes.map_or(0.0, float);
        but(at, MetricId::ProcessMemory, Hold(limit));
    }),
    Trouble {
        length: Length::Shift,
        ..row("ApiMemoryLeak", "the memory grows to its limit", |at, _| {
            let limit = at.limits().memory_bytes.map_or(0.0, float);
            let (_, end) = at.whole();
            let part = Grow(limit / 4.0, limit * 0.75 / f64::from(end));
            but(at, MetricId::ProcessMemory, part);
        })
    },
    row("ApiFileDescriptors", "all file descriptors are open", |at, _| {
        but(at, MetricId::ProcessOpenFds, Hold(1_024.0));
    }),
    row("ApiThreads", "the process has too many threads", |at, scale| {
        but(at, MetricId::ProcessThreads, Hold(beyond(scale.threshold)));
    }),
    row("ApiConnectionsHigh", "too many clients are connected", |at, scale| {
        but(at, MetricId::ActiveConnections, Hold(beyond(scale.threshold)));
    }),
    row(
        "ApiAutoscalerAtMax",
        "as many pods are wanted as there may be",
        |at, _| {
            at.serving("a", at.whole(), REQUESTS);
            at.autoscaler();
            let max = at.limits().autoscaler_max.map_or(0.0, f64::from);
            let (_, end) = at.whole();
            at.reported("monitored_api_replicas_wanted", "", &[(end, Hold(max))]);
        },
    ),
    Trouble {
        length: Length::Week,
        ..row("ApiTrafficDrop", "no requests come, unlike a week ago", |at, _| {
            change(at, (REQUESTS, QUICK), (0.0, QUICK));
        })
    },
    Trouble {
        length: Length::Week,
        ..row(
            "ApiTrafficSpike",
            "far more requests come than a week ago",
            |at, scale| {
                change(at, (REQUESTS, QUICK), (REQUESTS * beyond(scale.threshold), QUICK));
            },
        )
    },
    row("ApiCacheHitRatioLow", "the cache answers nothing", |at, _| {
        events(at, MetricId::CacheOperations, Attribute::OperationResult, "miss");
    }),
    row(
        "ApiScrapeFailing",
        "pods are ready and no metrics can be read",
        |at, _| {
            let pod = at.pod("a");
            at.within("up", &pod, at.whole(), Hold(0.0));
            at.replicas(1.0);
        },
    ),
    row("ApiScrapeSlow", "a scrape takes as long as it may", |at, _| {
        let seconds = at.limits().scrape_timeout_millis.map_or(0.0, float) / 1_000.0;
        named(at, "scrape_duration_seconds", seconds);
    }),
    row("ApiScrapeNearLimit", "a page has as many samples as it may", |at, _| {
        let limit = at.limits().scrape_samples.map_or(0.0, float);
        named(at, "scrape_samples_post_metric_relabeling", limit);
    }),
    row("ApiCardinalityHigh", "a page has too many samples", |at, scale| {
        // A scrape with more than the limit fails and has none.
        let limit = at.limits().scrape_samples.map_or(f64::INFINITY, float);
        named(
            at,
            "scrape_samples_post_metric_relabeling",
            beyond(scale.threshold).min(limit),
        );
    }),
];

/// What happens in the case in which no alert fires.
pub(super) const HEALTH: &str = "everything works";

/// Draws an API that works: requests, database, cache and tasks all succeed, and the present is like a week ago.
pub(super) fn health(at: &mut Drawing, length: Length) {
    match length {
        Length::Week => change(at, (REQUESTS, QUICK), (REQUESTS, QUICK)),
        Length::Windows | Length::Hour | Length::Shift => works(at, at.whole()),
    }
    at.replicas(1.0);
}

/// Draws an API of which every request fails and takes longer than all buckets.
pub(super) fn every_promise_broken(at: &mut Drawing, per_minute: f64) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), "500", per_minute);
    at.timed(&pod, at.whole(), f64::INFINITY, per_minute);
}

/// Draws an API that keeps every promise.
pub(super) fn every_promise_kept(at: &mut Drawing, per_minute: f64) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), "200", per_minute);
    at.timed(&pod, at.whole(), QUICK, per_minute);
}

/// Draws that everything works for the others behind the API's proxy.
pub(super) fn neighbours_work(at: &mut Drawing) {
    at.neighbours("200", QUICK, 100.0 * REQUESTS);
}

/// Draws that nothing works for the others behind the API's proxy.
pub(super) fn neighbours_fail(at: &mut Drawing) {
    at.neighbours("500", f64::INFINITY, REQUESTS);
}

/// A value beyond a threshold, also beyond one of 0.
fn beyond(threshold: f64) -> f64 {
    (threshold * 2.0).max(1.0)
}

/// A pod of which everything works.
fn works(at: &mut Drawing, span: (u32, u32)) {
    let pod = at.pod("a");
    at.healthy(&pod, span);
    at.answered(&pod, span, "200", REQUESTS);
    at.timed(&pod, span, QUICK, REQUESTS);
    at.metric(MetricId::InFlight, &pod, &[], span, Hold(1.0));
    for id in [MetricId::SlowRequests, MetricId::Exceptions] {
        at.metric(id, &pod, &[], span, Hold(0.0));
    }
    for (id, attribute, value) in [
        (MetricId::DatabaseOperations, Attribute::OperationResult, "success"),
        (MetricId::CacheOperations, Attribute::OperationResult, "hit"),
        (MetricId::BackgroundTasks, Attribute::TaskStatus, "succeeded"),
    ] {
        at.metric(id, &pod, &[(attribute, value)], span, Grow(0.0, REQUESTS));
    }
}

fn all_fail(at: &mut Drawing, _: Scale) {
    answers(at, "500");
}

/// A pod that answers every request with this status.
fn answers(at: &mut Drawing, status: &str) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), status, REQUESTS);
}

fn all_slow(at: &mut Drawing, _: Scale) {
    let pod = at.pod("a");
    at.healthy(&pod, at.whole());
    at.answered(&pod, at.whole(), "200", REQUESTS);
    at.timed(&pod, at.whole(), f64::INFINITY, REQUESTS);
}

/// A pod that does one thing besides answering, always with this result.
fn events(at: &mut Drawing, id: MetricId, attribute: Attribute, value: &str) {
    let pod = at.serving("a", at.whole(), REQUESTS);
    at.metric(id, &pod, &[(attribute, value)], at.whole(), Grow(0.0, REQUESTS));
}

/// A healthy pod but for one metric of its process, in the unit of that metric.
fn but(at: &mut Drawing, id: MetricId, part: Part) {
    let pod = at.pod("a");
    let Some(name) = at.name_of(id) else { return };
    at.healthy_but(&pod, at.whole(), &[(name, at.in_unit_of(id, part))]);
    at.answered(&pod, at.whole(), "200", REQUESTS);
}

/// A healthy pod but for one metric of Prometheus.
fn named(at: &mut Drawing, metric: &str, value: f64) {
    let pod = at.pod("a");
    at.healthy_but(&pod, at.whole(), &[(metric, Hold(value))]);
    at.answered(&pod, at.whole(), "200", REQUESTS);
}

/// Requests a minute and their seconds, first a week ago and then now. Between, nothing is drawn.
fn change(at: &mut Drawing, then: (f64, f64), now: (f64, f64)) {
    let (_, end) = at.whole();
    let spans = [
        ("then", (0, end.saturating_sub(WEEK)), then),
        ("now", (WEEK.min(end), end), now),
    ];
    for (name, span, (per_minute, seconds)) in spans {
        let pod = at.pod(name);
        at.healthy(&pod, span);
        at.answered(&pod, span, "200", per_minute);
        at.timed(&pod, span, seconds, per_minute);
    }
}

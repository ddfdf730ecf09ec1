//! Whether the figures can be relied on, and whether limits hold.

use serde::Serialize;

use crate::plan::{Mode, Plan};
use crate::report::step::StepReport;
use crate::units::time;

/// How late the generator may be (99th percentile), as a share of the 99th percentile of the latencies: more would tell of the
/// generator, not of the service.
const LATE_SHARE: f64 = 0.1;
/// So late it may always be, s: less than people or timeouts notice.
const LATE_ALWAYS: f64 = 0.001;
/// So many latencies a 99th percentile needs: one in a hundred must be slower.
const ENOUGH: u64 = 100;

/// What follows from the figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Whether the generator kept its schedule and sent every request: else the figures tell of it, not of the service.
    pub trustworthy: bool,
    /// Why not.
    pub distrust: Vec<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// The limits that were asked for.
    pub limits: Vec<LimitResult>,
}

/// A limit in a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitResult {
    /// Index of the step, from 1.
    pub step: usize,
    /// The option that sets it.
    pub option: &'static str,
    /// The limit: a ratio, or seconds.
    pub limit: f64,
    /// What was measured; `None`: nothing was answered.
    pub measured: Option<f64>,
    /// Whether the limit holds.
    pub holds: bool,
}

impl Judgement {
    pub(super) fn new(plan: &Plan, steps: &[StepReport], stopped: bool) -> Self {
        let mut distrust = Vec::new();
        let mut notes = Vec::new();
        if matches!(plan.mode, Mode::Closed(_)) {
            notes.push(
                "closed loop: while the service is slow fewer requests are sent, so the percentiles are better than what independent \
                 users see; use --rps for those"
                    .to_owned(),
            );
        }
        if stopped {
            notes.push("the test was stopped before its end".to_owned());
        }
        for (index, step) in steps.iter().enumerate() {
            let name = match step.rate {
                Some(rate) => format!("step {} ({rate}/s)", index + 1),
                None => "closed loop".to_owned(),
            };
            distrust.extend(reasons(step).map(|reason| format!("{name}: {reason}")));
            notes.extend(remarks(plan, step).map(|remark| format!("{name}: {remark}")));
        }
        let limits = steps.iter().enumerate();
        Self {
            trustworthy: distrust.is_empty(),
            distrust,
            notes,
            limits: limits.flat_map(|(index, step)| limits_of(plan, index, step)).collect(),
        }
    }

    /// Whether every limit was kept, and the figures can be relied on for that.
    #[must_use]
    pub fn limits_hold(&self) -> bool {
        self.limits.is_empty() || (self.trustworthy && self.limits.iter().all(|limit| limit.holds))
    }
}

/// Why the figures of a step can't be relied on.
fn reasons(step: &StepReport) -> impl Iterator<Item = String> {
    let late = step.lateness.and_then(|lateness| {
        let late = lateness.p99_seconds;
        let p99 = step.latency.as_ref().map_or(0.0, |latency| latency.p99_seconds);
        (late > (p99 * LATE_SHARE).max(LATE_ALWAYS)).then(|| {
            format!(
                "the generator fell behind its schedule: one request in a hundred was taken up more than {} late; lower --rps, or \
                 give it a processor of its own",
                time(late)
            )
        })
    });
    let not_sent = step.not_sent();
    let missing = (not_sent > 0).then(|| {
        format!(
            "{not_sent} requests were never sent, because no connection became free; raise --connections or lower --rps"
        )
    });
    late.into_iter().chain(missing)
}

/// What a reader of the figures of a step must know.
fn remarks(plan: &Plan, step: &StepReport) -> impl Iterator<Item = String> {
    let waits = (step.waits.requests > 0).then(|| {
        format!(
            "{} requests waited for one of the {} connections, up to {}; that is part of their latency",
            step.waits.requests,
            plan.connections,
            time(step.waits.max_seconds)
        )
    });
    let few = (step.answered < ENOUGH).then(|| {
        format!(
            "only {} answers: the 99th percentile is the slowest of them",
            step.answered
        )
    });
    let unanswered = step.failures.iter().filter(|failure| !failure.first.is_empty());
    let said: Vec<_> = unanswered
        .map(|failure| format!("{}, for example: {}", failure.title, failure.first))
        .collect();
    waits.into_iter().chain(few).chain(said)
}

fn limits_of(plan: &Plan, index: usize, step: &StepReport) -> impl Iterator<Item = LimitResult> {
    let number = index + 1;
    let errors = plan.limits.max_error_ratio.map(|limit| LimitResult {
        step: number,
        option: "--max-error-ratio",
        limit,
        measured: Some(step.error_ratio),
        holds: step.error_ratio <= limit,
    });
    let p99 = plan.limits.max_p99.map(|limit| {
        let limit = limit.as_secs_f64();
        let measured = step.latency.as_ref().map(|latency| latency.p99_seconds);
        LimitResult {
            step: number,
            option: "--max-p99",
            limit,
            measured,
            holds: measured.is_some_and(|measured| measured <= limit),
        }
    });
    errors.into_iter().chain(p99)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use crate::histogram::Times;
    use crate::plan::{ClosedLoop, Limits, Trust};
    use crate::report::step::{FailureCount, Latency, Lateness, Waits};
    use crate::status::StatusSet;

    use super::*;

    fn plan(limits: Limits) -> Plan {
        Plan {
            targets: Vec::new(),
            method: Method::GET,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            http2: false,
            connections: 8,
            timeout: Duration::from_secs(1),
            expected: StatusSet::below_500(),
            trust: Trust::PublicRoots,
            mode: Mode::Closed(ClosedLoop {
                requests: 1,
                concurrency: 1,
                at_most: Duration::from_secs(1),
            }),
            limits,
        }
    }

    /// A thousand answers after `millis`, of which `errors` were errors; the generator was late by `late` seconds.
    fn step(millis: u64, errors: u64, late: f64) -> StepReport {
        let mut times = Times::precise();
        (0..1_000).for_each(|_| times.add(Duration::from_millis(millis)));
        StepReport {
            rate: Some(100.0),
            duration_seconds: 10.0,
            achieved_rate: 100.0,
            scheduled: 1_000,
            answered: 1_000,
            error_ratio: errors as f64 / 1_000.0,
            errors,
            unexpected_statuses: errors,
            statuses: BTreeMap::new(),
            failures: Vec::new(),
            bytes: 0,
            latency: Latency::of(&times),
            lateness: Some(Lateness {
                p50_seconds: 0.0,
                p99_seconds: late,
                max_seconds: late,
            }),
            waits: Waits {
                requests: 0,
                max_seconds: 0.0,
            },
        }
    }

    fn judged(limits: Limits, step: StepReport) -> Judgement {
        Judgement::new(&plan(limits), &[step], false)
    }

    #[test]
    fn a_generator_that_is_late_by_more_than_a_tenth_of_the_latency_is_not_trusted() {
        for (millis, late, trustworthy) in [
            (20, 0.001_9, true),
            (20, 0.002_1, false),
            (1, 0.000_9, true),
            (1, 0.001_1, false),
        ] {
            let judgement = judged(Limits::default(), step(millis, 0, late));
            assert_eq!(judgement.trustworthy, trustworthy, "{millis} {late}");
        }
    }

    #[test]
    fn requests_that_were_never_sent_make_the_figures_untrustworthy() {
        let mut step = step(20, 0, 0.0);
        step.failures.push(FailureCount {
            reason: "notSentTooManyWaiting",
            title: "not sent: too many were waiting",
            requests: 3,
            not_sent: true,
            first: String::new(),
        });
        let judgement = judged(Limits::default(), step);
        assert!(
            judgement.distrust[0].contains("3 requests were never sent"),
            "{judgement:?}"
        );
    }

    #[test]
    fn limits_hold_up_to_their_value() {
        let limits = Limits {
            max_error_ratio: Some(0.01),
            max_p99: Some(Duration::from_millis(25)),
        };
        assert!(judged(limits, step(20, 10, 0.0)).limits_hold());
        let errors = judged(limits, step(20, 11, 0.0));
        assert_eq!([errors.limits[0].holds, errors.limits[1].holds], [false, true]);
        assert!(!judged(limits, step(26, 0, 0.0)).limits_hold());
    }

    #[test]
    fn a_limit_does_not_hold_where_the_figures_cannot_be_relied_on_or_nothing_was_answered() {
        let limits = Limits {
            max_error_ratio: None,
            max_p99: Some(Duration::from_secs(1)),
        };
        assert!(!judged(limits, step(20, 0, 0.5)).limits_hold());
        let mut silent = step(20, 0, 0.0);
        silent.latency = None;
        assert!(!judged(limits, silent).limits_hold());
        assert!(judged(Limits::default(), step(20, 0, 0.5)).limits_hold());
    }
}

//! The figures of a step.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::histogram::Times;
use crate::plan::{Mode, Plan, Step};
use crate::record::{Failure, Recorder, StepRecord};
use crate::report::Course;

/// The shares of the latency curve, from the median on; each next one leaves half or a fifth of the slowest requests.
const CURVE: [f64; 14] = [
    0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.999_5, 0.999_8, 0.999_9, 0.999_99, 1.0,
];

/// The figures of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Requests a second that were asked for; `None` in a closed loop.
    pub rate: Option<f64>,
    /// How long it took, shorter than asked for where the test was stopped.
    pub duration_seconds: f64,
    /// Requests a second that were sent, or waited for, until the end of the step.
    pub achieved_rate: f64,
    /// Requests that were due.
    pub scheduled: u64,
    /// How many of them were answered, with whatever status.
    pub answered: u64,
    /// Errors ÷ due: unexpected statuses, and requests without an answer.
    pub error_ratio: f64,
    /// Unexpected statuses, and requests without an answer.
    pub errors: u64,
    /// Answers with a status that was not expected.
    pub unexpected_statuses: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer, by reason.
    pub failures: Vec<FailureCount>,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// From the intended start to the last byte of the answer, of the answered requests, and of those that took longer than the
    /// timeout. `None`: there are none.
    pub latency: Option<Latency>,
    /// How much later than intended the generator itself took requests up; `None` in a closed loop, which intends nothing.
    pub lateness: Option<Lateness>,
    /// Requests for which no connection was free.
    pub waits: Waits,
}

/// How many requests have no answer for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureCount {
    /// The reason.
    pub reason: &'static str,
    /// The reason, for people.
    #[serde(skip)]
    pub title: &'static str,
    /// How many.
    pub requests: u64,
    /// Whether they were never sent.
    pub not_sent: bool,
    /// What was said of the first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub first: String,
}

/// Latencies, s.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// The shortest.
    pub min_seconds: f64,
    /// The mean.
    pub mean_seconds: f64,
    /// Half of the requests took no longer.
    pub p50_seconds: f64,
    /// 90 %.
    pub p90_seconds: f64,
    /// 95 %.
    pub p95_seconds: f64,
    /// 99 %.
    pub p99_seconds: f64,
    /// 99.9 %.
    pub p999_seconds: f64,
    /// The longest.
    pub max_seconds: f64,
    /// The whole curve.
    pub percentiles: Vec<Percentile>,
}

/// A point of the latency curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Percentile {
    /// The share of requests, 0 to 1.
    pub share: f64,
    /// What none of them exceeded.
    pub seconds: f64,
}

/// How late the generator was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lateness {
    /// Median.
    pub p50_seconds: f64,
    /// 99th percentile.
    pub p99_seconds: f64,
    /// The most.
    pub max_seconds: f64,
}

/// Requests for which no connection was free at once. The time is part of their latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waits {
    /// How many.
    pub requests: u64,
    /// The longest wait; zero without any.
    pub max_seconds: f64,
}

impl Latency {
    pub(super) fn of(times: &Times) -> Option<Self> {
        let seconds = |share| times.quantile(share).map(|time| time.as_secs_f64());
        // A point that leaves less than one request says nothing that the longest doesn't.
        let enough = |share: f64| share >= 1.0 || (1.0 - share) * to_f64(times.count()) >= 1.0;
        let curve = CURVE.iter().filter(|share| enough(**share));
        Some(Self {
            min_seconds: times.min()?.as_secs_f64(),
            mean_seconds: times.mean()?.as_secs_f64(),
            p50_seconds: seconds(0.5)?,
            p90_seconds: seconds(0.9)?,
            p95_seconds: seconds(0.95)?,
            p99_seconds: seconds(0.99)?,
            p999_seconds: seconds(0.999)?,
            max_seconds: times.max()?.as_secs_f64(),
            percentiles: curve
                .filter_map(|share| {
                    let seconds = seconds(*share)?;
                    Some(Percentile { share: *share, seconds })
                })
                .collect(),
        })
    }
}

/// The figures of all steps that began.
pub(super) fn reports(plan: &Plan, recorder: &Recorder, course: &Course) -> Vec<StepReport> {
    match &plan.mode {
        Mode::Open(open) => {
            let mut begin = Duration::ZERO;
            let steps = open.steps.iter().zip(&recorder.steps).filter_map(|(step, record)| {
                let Step { rate, duration } = *step;
                let took = course.sending.saturating_sub(begin).min(duration);
                begin += duration;
                (record.scheduled > 0).then(|| open_step(rate, took, record))
            });
            steps.collect()
        }
        Mode::Closed(_) => {
            let record = recorder.steps.first().filter(|record| record.scheduled > 0);
            record.map(closed_step).into_iter().collect()
        }
    }
}

fn open_step(rate: f64, took: Duration, record: &StepRecord) -> StepReport {
    let seconds = |share| record.lateness.quantile(share).map_or(0.0, |time| time.as_secs_f64());
    StepReport {
        rate: Some(rate),
        achieved_rate: per_second(record.sent_in_step, took),
        lateness: Some(Lateness {
            p50_seconds: seconds(0.5),
            p99_seconds: seconds(0.99),
            max_seconds: seconds(1.0),
        }),
        ..closed_step(record)
    }
    .lasting(took)
}

/// A closed loop lasts until its last answer.
fn closed_step(record: &StepRecord) -> StepReport {
    let errors = record.unexpected_statuses + failed(record);
    let answered: u64 = record.statuses.values().sum();
    let failures = record.failures.iter().map(|(failure, (requests, first))| FailureCount {
        reason: failure.as_str(),
        title: failure.title(),
        requests: *requests,
        not_sent: failure.is_not_sent(),
        first: first.clone(),
    });
    StepReport {
        rate: None,
        duration_seconds: record.last_end.as_secs_f64(),
        achieved_rate: per_second(answered, record.last_end),
        scheduled: record.scheduled,
        answered,
        error_ratio: ratio(errors, record.scheduled),
        errors,
        unexpected_statuses: record.unexpected_statuses,
        statuses: record.statuses.clone(),
        failures: failures.collect(),
        bytes: record.bytes,
        latency: Latency::of(&record.latencies),
        lateness: None,
        waits: Waits {
            requests: record.waits.count(),
            max_seconds: record.waits.max().map_or(0.0, |time| time.as_secs_f64()),
        },
    }
}

impl StepReport {
    fn lasting(mut self, took: Duration) -> Self {
        self.duration_seconds = took.as_secs_f64();
        self
    }

    /// Requests that never reached a connection.
    #[must_use]
    pub fn not_sent(&self) -> u64 {
        let failures = self.failures.iter().filter(|failure| failure.not_sent);
        failures.map(|failure| failure.requests).sum()
    }
}

/// Requests that failed: whoever ends a test is no failure of the service.
fn failed(record: &StepRecord) -> u64 {
    let failures = record
        .failures
        .iter()
        .filter(|(failure, _)| **failure != Failure::Ended);
    failures.map(|(_, (requests, _))| requests).sum()
}

fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        to_f64(count) / time.as_secs_f64()
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { to_f64(part) / to_f64(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn to_f64(count: u64) -> f64 {
    count as f64
}

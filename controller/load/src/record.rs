//! What became of each request.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::histogram::Times;
use crate::status::StatusSet;
use crate::timeline::Timeline;

/// A request of the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Index of its step; `None` in the warm-up, of which nothing is counted.
    pub step: Option<usize>,
    /// Index of its target.
    pub target: usize,
    /// Intended start, after the start of what is counted.
    pub at: Duration,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was read to its end.
    Answered {
        /// Its status.
        status: u16,
        /// Bytes of its body.
        bytes: u64,
    },
    /// There is no whole answer.
    Failed {
        /// Why not.
        failure: Failure,
        /// What the system or the HTTP library said.
        detail: String,
    },
}

/// Why a request has no answer. In the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// No connection, or no TLS session on it.
    Connect,
    /// The connection ended before the answer did.
    ConnectionLost,
    /// What was answered is not HTTP.
    Protocol,
    /// The answer took longer than the timeout.
    Timeout,
    /// The timeout passed while the request waited for a free connection.
    WaitedTooLong,
    /// More requests waited for a free connection than are kept.
    TooManyWaiting,
    /// The test was ended before the answer came.
    Ended,
}

impl Failure {
    /// What it is called in reports for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectionLost => "connectionLost",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::WaitedTooLong => "notSentWaitedTooLong",
            Self::TooManyWaiting => "notSentTooManyWaiting",
            Self::Ended => "ended",
        }
    }

    /// What it is called in reports for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::ConnectionLost => "connection lost",
            Self::Protocol => "answer is not HTTP",
            Self::Timeout => "no answer in time",
            Self::WaitedTooLong => "not sent: no free connection in time",
            Self::TooManyWaiting => "not sent: too many were waiting",
            Self::Ended => "no answer when the test was ended",
        }
    }

    /// Whether the request never reached a connection.
    #[must_use]
    pub const fn is_not_sent(self) -> bool {
        match self {
            Self::WaitedTooLong | Self::TooManyWaiting => true,
            Self::Connect | Self::ConnectionLost | Self::Protocol | Self::Timeout | Self::Ended => false,
        }
    }

    /// Whether the time until then counts among the latencies: whoever waited so long had at least this latency.
    const fn counts_as_latency(self) -> bool {
        match self {
            Self::Timeout | Self::WaitedTooLong => true,
            Self::Connect | Self::ConnectionLost | Self::Protocol | Self::TooManyWaiting | Self::Ended => false,
        }
    }
}

/// What is counted of a step.
#[derive(Debug)]
pub(crate) struct StepRecord {
    pub(crate) scheduled: u64,
    /// Requests that got a connection before the end of the step.
    pub(crate) sent_in_step: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) unexpected_statuses: u64,
    /// Of each failure the number, and what was said of the first.
    pub(crate) failures: BTreeMap<Failure, (u64, String)>,
    pub(crate) bytes: u64,
    pub(crate) latencies: Times,
    /// How much later than intended the generator took requests up.
    pub(crate) lateness: Times,
    /// How long requests waited for a free connection, where none was free at once.
    pub(crate) waits: Times,
    /// When the last request ended, after the start of what is counted.
    pub(crate) last_end: Duration,
}

impl StepRecord {
    fn new() -> Self {
        Self {
            scheduled: 0,
            sent_in_step: 0,
            statuses: BTreeMap::new(),
            unexpected_statuses: 0,
            failures: BTreeMap::new(),
            bytes: 0,
            latencies: Times::precise(),
            lateness: Times::precise(),
            waits: Times::precise(),
            last_end: Duration::ZERO,
        }
    }
}

/// What is counted of a target.
#[derive(Debug)]
pub(crate) struct TargetRecord {
    pub(crate) scheduled: u64,
    pub(crate) errors: u64,
    pub(crate) latencies: Times,
}

/// What has been counted since the last look at a running test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recent {
    /// Requests that ended, since the start.
    pub ended: u64,
    /// Errors, since the start.
    pub errors: u64,
    /// Median latency since the last look.
    pub p50: Option<Duration>,
    /// 99th percentile since the last look.
    pub p99: Option<Duration>,
}

/// Counts what becomes of requests. Memory does not grow with their number.
#[derive(Debug)]
pub struct Recorder {
    expected: StatusSet,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) targets: Vec<TargetRecord>,
    pub(crate) timeline: Timeline,
    recent: Recent,
    recent_latencies: Times,
}

impl Recorder {
    /// Of a test with so many steps and targets. `expected`: the statuses that are no error.
    #[must_use]
    pub fn new(steps: usize, targets: usize, expected: StatusSet) -> Self {
        let target = || TargetRecord {
            scheduled: 0,
            errors: 0,
            latencies: Times::precise(),
        };
        Self {
            expected,
            steps: std::iter::repeat_with(StepRecord::new).take(steps).collect(),
            targets: std::iter::repeat_with(target).take(targets).collect(),
            timeline: Timeline::new(),
            recent: Recent::default(),
            recent_latencies: Times::coarse(),
        }
    }

    /// A request is due. `lateness`: how much later than intended the generator took it up.
    pub fn scheduled(&mut self, request: Request, lateness: Duration) {
        let Some(step) = request.step.and_then(|step| self.steps.get_mut(step)) else {
            return;
        };
        step.scheduled += 1;
        step.lateness.add(lateness);
        if let Some(target) = self.targets.get_mut(request.target) {
            target.scheduled += 1;
        }
        if let Some(interval) = self.timeline.at(request.at) {
            interval.scheduled += 1;
        }
    }

    /// A request got a connection. `waited`: how long none was free, `None` if one was free at once. `in_step`: whether its step
    /// is not over yet.
    pub fn sent(&mut self, request: Request, waited: Option<Duration>, in_step: bool) {
        let Some(step) = request.step.and_then(|step| self.steps.get_mut(step)) else {
            return;
        };
        step.sent_in_step += u64::from(in_step);
        if let Some(waited) = waited {
            step.waits.add(waited);
        }
    }

    /// A request ended, `latency` after its intended start.
    pub fn ended(&mut self, request: Request, latency: Duration, outcome: Outcome) {
        let Some(step) = request.step.and_then(|step| self.steps.get_mut(step)) else {
            return;
        };
        let (is_error, is_latency) = match outcome {
            Outcome::Answered { status, bytes } => {
                *step.statuses.entry(status).or_default() += 1;
                step.bytes += bytes;
                let unexpected = !self.expected.contains(status);
                step.unexpected_statuses += u64::from(unexpected);
                (unexpected, true)
            }
            Outcome::Failed { failure, detail } => {
                step.failures.entry(failure).or_insert((0, detail)).0 += 1;
                // Whoever ends a test is no failure of the service.
                (failure != Failure::Ended, failure.counts_as_latency())
            }
        };
        step.last_end = step.last_end.max(request.at.saturating_add(latency));
        self.recent.ended += 1;
        self.recent.errors += u64::from(is_error);
        let target = self.targets.get_mut(request.target);
        let interval = self.timeline.at(request.at);
        if is_latency {
            step.latencies.add(latency);
            self.recent_latencies.add(latency);
        }
        if let Some(target) = target {
            target.errors += u64::from(is_error);
            if is_latency {
                target.latencies.add(latency);
            }
        }
        if let Some(interval) = interval {
            interval.errors += u64::from(is_error);
            if is_latency {
                interval.latencies.add(latency);
            }
        }
    }

    /// What has been counted; percentiles are those since the last call.
    pub fn recent(&mut self) -> Recent {
        let recent = Recent {
            p50: self.recent_latencies.quantile(0.5),
            p99: self.recent_latencies.quantile(0.99),
            ..self.recent
        };
        self.recent_latencies.clear();
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(step: Option<usize>) -> Request {
        Request {
            step,
            target: 0,
            at: Duration::ZERO,
        }
    }

    fn failed(failure: Failure) -> Outcome {
        Outcome::Failed {
            failure,
            detail: "reset".to_owned(),
        }
    }

    #[test]
    fn every_request_that_was_due_ends_in_one_place() {
        let mut recorder = Recorder::new(1, 1, StatusSet::below_500());
        let outcomes = [
            Outcome::Answered { status: 200, bytes: 5 },
            Outcome::Answered { status: 503, bytes: 1 },
            failed(Failure::Connect),
            failed(Failure::Connect),
            failed(Failure::TooManyWaiting),
        ];
        for outcome in outcomes {
            recorder.scheduled(request(Some(0)), Duration::ZERO);
            recorder.ended(request(Some(0)), Duration::from_millis(1), outcome);
        }
        let step = &recorder.steps[0];
        assert_eq!((step.scheduled, step.bytes, step.unexpected_statuses), (5, 6, 1));
        assert_eq!(step.statuses, BTreeMap::from([(200, 1), (503, 1)]));
        assert_eq!(step.failures[&Failure::Connect], (2, "reset".to_owned()));
        assert_eq!(
            step.statuses.values().sum::<u64>() + step.failures.values().map(|(count, _)| count).sum::<u64>(),
            5
        );
        assert_eq!(recorder.recent().errors, 4);
    }

    #[test]
    fn requests_that_ran_into_the_timeout_count_among_the_latencies_and_refused_ones_do_not() {
        let mut recorder = Recorder::new(1, 1, StatusSet::below_500());
        for failure in [
            Failure::Timeout,
            Failure::WaitedTooLong,
            Failure::Connect,
            Failure::TooManyWaiting,
        ] {
            recorder.ended(request(Some(0)), Duration::from_secs(10), failed(failure));
        }
        assert_eq!(recorder.steps[0].latencies.count(), 2);
    }

    #[test]
    fn nothing_of_the_warm_up_is_counted() {
        let mut recorder = Recorder::new(1, 1, StatusSet::below_500());
        recorder.scheduled(request(None), Duration::ZERO);
        recorder.sent(request(None), None, true);
        recorder.ended(
            request(None),
            Duration::ZERO,
            Outcome::Answered { status: 200, bytes: 1 },
        );
        assert_eq!((recorder.steps[0].scheduled, recorder.recent().ended), (0, 0));
        assert_eq!(recorder.timeline.intervals().len(), 0);
    }

    #[test]
    fn percentiles_of_a_running_test_are_those_since_the_last_look() {
        let mut recorder = Recorder::new(1, 1, StatusSet::below_500());
        let answered = || Outcome::Answered { status: 200, bytes: 1 };
        recorder.ended(request(Some(0)), Duration::from_secs(1), answered());
        assert!(recorder.recent().p99.unwrap() >= Duration::from_millis(990));
        recorder.ended(request(Some(0)), Duration::from_millis(1), answered());
        let recent = recorder.recent();
        assert!(recent.p99.unwrap() < Duration::from_millis(2) && recent.ended == 2);
        assert_eq!(recorder.recent().p99, None);
    }

    #[test]
    fn a_test_that_was_ended_is_no_error_of_the_service() {
        let mut recorder = Recorder::new(1, 1, StatusSet::below_500());
        recorder.ended(request(Some(0)), Duration::from_secs(1), failed(Failure::Ended));
        assert_eq!(recorder.recent().errors, 0);
    }
}

//! The result of a load test as data: what is printed, written as JSON and drawn.

mod judgement;
mod step;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

pub use judgement::{Judgement, LimitResult};
pub use step::{FailureCount, Latency, Lateness, Percentile, StepReport, Waits};

use crate::plan::{ClosedLoop, Mode, Plan};
use crate::record::Recorder;

/// What `tool` says: by it a file is known as a report.
pub const TOOL: &str = "monitored-api load";

/// The course of a test: what the counts alone do not tell.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// When the test began.
    pub started: Timestamp,
    /// How long requests were started, without the warm-up.
    pub sending: Duration,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// The result of a load test. Times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`TOOL`].
    pub tool: &'static str,
    /// Its version.
    pub version: &'static str,
    /// `open-loop` or `closed-loop`.
    pub mode: &'static str,
    /// When the test began, RFC 3339.
    pub started_at: String,
    /// Whether it was stopped before its end.
    pub ended_early: bool,
    /// What was asked for.
    pub settings: Settings,
    /// One for each step that began; a closed loop has one.
    pub steps: Vec<StepReport>,
    /// One for each address.
    pub targets: Vec<TargetReport>,
    /// What happened when.
    pub timeline: TimelineReport,
    /// Whether the figures can be relied on, and whether limits hold.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Method of every request.
    pub method: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// Bytes of the body of every request.
    pub body_bytes: usize,
    /// Statuses that are no error.
    pub expected_status: String,
    /// How long a request may take.
    pub timeout_seconds: f64,
    /// Open connections to one host at most.
    pub connections: usize,
    /// How arrivals are spread; `None` in a closed loop.
    pub arrivals: Option<&'static str>,
    /// Not counted time at the start.
    pub warm_up_seconds: f64,
    /// Requests in all; `None` in an open loop.
    pub requests: Option<u64>,
}

/// What is counted of an address.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// The address.
    pub url: String,
    /// Its weight.
    pub weight: u32,
    /// Requests that were due.
    pub scheduled: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Latencies; `None`: no request has one.
    pub latency: Option<Latency>,
}

/// What happened when.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineReport {
    /// Width of an interval.
    pub interval_seconds: f64,
    /// All intervals from the start on.
    pub intervals: Vec<IntervalReport>,
}

/// The requests that were to start in an interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntervalReport {
    /// Its start, after the start of what is counted.
    pub start_seconds: f64,
    /// Requests that were due.
    pub scheduled: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Median latency.
    pub p50_seconds: Option<f64>,
    /// 99th percentile.
    pub p99_seconds: Option<f64>,
    /// Longest latency.
    pub max_seconds: Option<f64>,
}

impl Report {
    /// Of what was counted.
    #[must_use]
    pub fn new(plan: &Plan, recorder: &Recorder, course: &Course) -> Self {
        let steps = step::reports(plan, recorder, course);
        let judgement = Judgement::new(plan, &steps, course.stopped);
        let (connections, arrivals, warm_up, requests) = match &plan.mode {
            Mode::Open(open) => (plan.connections, Some(open.arrivals.as_str()), open.warm_up, None),
            Mode::Closed(ClosedLoop {
                requests, concurrency, ..
            }) => (*concurrency, None, Duration::ZERO, Some(*requests)),
        };
        Self {
            tool: TOOL,
            version: env!("CARGO_PKG_VERSION"),
            mode: match plan.mode {
                Mode::Open(_) => "open-loop",
                Mode::Closed(_) => "closed-loop",
            },
            started_at: course.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            ended_early: course.stopped,
            settings: Settings {
                method: plan.method.to_string(),
                protocol: if plan.http2 { "HTTP/2" } else { "HTTP/1.1" },
                body_bytes: plan.body.len(),
                expected_status: plan.expected.to_string(),
                timeout_seconds: plan.timeout.as_secs_f64(),
                connections,
                arrivals,
                warm_up_seconds: warm_up.as_secs_f64(),
                requests,
            },
            steps,
            targets: targets(plan, recorder),
            timeline: timeline(recorder),
            judgement,
        }
    }

    /// Whether it is that of an open loop.
    #[must_use]
    pub fn is_open_loop(&self) -> bool {
        self.settings.arrivals.is_some()
    }
}

fn targets(plan: &Plan, recorder: &Recorder) -> Vec<TargetReport> {
    let both = plan.targets.iter().zip(&recorder.targets);
    both.map(|(target, record)| TargetReport {
        url: target.uri().to_string(),
        weight: target.weight(),
        scheduled: record.scheduled,
        errors: record.errors,
        latency: Latency::of(&record.latencies),
    })
    .collect()
}

fn timeline(recorder: &Recorder) -> TimelineReport {
    let width = recorder.timeline.width();
    let mut start = Duration::ZERO;
    let intervals = recorder.timeline.intervals().iter().map(|interval| {
        let seconds = |share| interval.latencies.quantile(share).map(|time| time.as_secs_f64());
        let report = IntervalReport {
            start_seconds: start.as_secs_f64(),
            scheduled: interval.scheduled,
            errors: interval.errors,
            p50_seconds: seconds(0.5),
            p99_seconds: seconds(0.99),
            max_seconds: seconds(1.0),
        };
        start += width;
        report
    });
    TimelineReport {
        intervals: intervals.collect(),
        interval_seconds: width.as_secs_f64(),
    }
}

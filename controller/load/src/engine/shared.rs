//! What all tasks of a running test share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::header::{HOST, HeaderValue, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Request as HttpRequest, Uri};
use http_body_util::Full;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::connection::{Message, version};
use crate::plan::Plan;
use crate::record::{Failure, Outcome, Recorder, Request};
use crate::target::Target;

/// Sent where the plan names no other.
const AGENT: &str = concat!("monitored-api/", env!("CARGO_PKG_VERSION"));

/// A request with the times that matter while it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) request: Request,
    /// From which its latency counts.
    pub(super) intended: Instant,
    /// When its step ends; `None`: it is not known before.
    pub(super) step_end: Option<Instant>,
    /// Since when it waits for a connection; `None`: one was free at once.
    pub(super) waiting_since: Option<Instant>,
}

/// What all tasks of a running test share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) plan: Plan,
    /// By index of the target.
    messages: Vec<Message>,
    recorder: Mutex<Recorder>,
    /// No further request is to start.
    pub(super) stopped: CancellationToken,
    /// No answer is waited for any more.
    pub(super) given_up: CancellationToken,
    /// The tasks that send.
    pub(super) tasks: TaskTracker,
}

impl Shared {
    pub(super) fn new(plan: Plan, steps: usize) -> Self {
        let recorder = Recorder::new(steps, plan.targets.len(), plan.expected.clone());
        Self {
            messages: plan.targets.iter().map(|target| message(&plan, target)).collect(),
            recorder: Mutex::new(recorder),
            stopped: CancellationToken::new(),
            given_up: CancellationToken::new(),
            tasks: TaskTracker::new(),
            plan,
        }
    }

    /// The request to a target.
    pub(super) fn message(&self, target: usize) -> Message {
        self.messages.get(target).cloned().unwrap_or_default()
    }

    pub(super) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request got a connection.
    pub(super) fn sent(&self, job: &Job, now: Instant) {
        let waited = job.waiting_since.map(|since| now.saturating_duration_since(since));
        let in_step = job.step_end.is_none_or(|end| now < end);
        self.recorder().sent(job.request, waited, in_step);
    }

    /// A request ended now.
    pub(super) fn ended(&self, job: &Job, outcome: Outcome) {
        let latency = job.intended.elapsed();
        self.recorder().ended(job.request, latency, outcome);
    }

    /// A request ended now without an answer.
    pub(super) fn failed(&self, job: &Job, failure: Failure) {
        let detail = String::new();
        self.ended(job, Outcome::Failed { failure, detail });
    }
}

fn message(plan: &Plan, target: &Target) -> Message {
    let mut message = HttpRequest::new(Full::new(plan.body.clone()));
    *message.method_mut() = plan.method.clone();
    *message.version_mut() = version(plan.http2);
    *message.headers_mut() = plan.headers.clone();
    let agent = HeaderValue::from_static(AGENT);
    message.headers_mut().entry(USER_AGENT).or_insert(agent);
    if plan.http2 {
        *message.uri_mut() = target.uri().clone();
        return message;
    }
    // HTTP/1.1 names the host in a header, and the path alone in its first line.
    if let Ok(host) = HeaderValue::from_str(target.authority().as_str()) {
        message.headers_mut().entry(HOST).or_insert(host);
    }
    let path = target.uri().path_and_query().cloned();
    *message.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    message
}

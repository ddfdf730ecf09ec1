//! The requests to one host: those that wait for a connection, and the connections that take them.
//!
//! A worker takes one request at a time. With HTTP/1.1 it has a connection of its own, with HTTP/2 a hundred share one. Workers
//! start as they are needed, up to a bound.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::engine::connection::{Connector, Message, Sender};
use crate::engine::shared::{Job, Shared};
use crate::record::{Failure, Outcome};

/// Requests that wait for a connection at most; more are counted as not sent. In memory each takes some hundred bytes.
const MOST_WAITING: usize = 1_000_000;
/// Requests that are under way on one HTTP/2 connection at most: what servers allow by default.
const STREAMS: usize = 100;

/// The requests to one host.
#[derive(Debug)]
pub(super) struct Lane {
    connector: Connector,
    most_workers: usize,
    /// Connections that several workers share; empty with HTTP/1.1.
    connections: Vec<AsyncMutex<Option<Sender>>>,
    state: Mutex<State>,
    wake: Notify,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Workers that wait for a request, and have not been woken for one yet.
    idle: usize,
    workers: usize,
    /// No further request comes.
    closed: bool,
}

impl Lane {
    /// With so many connections at most.
    pub(super) fn new(connector: Connector, connections: usize, shared: Arc<Shared>) -> Self {
        let (most_workers, connections) = if shared.plan.http2 {
            let slots = std::iter::repeat_with(AsyncMutex::default).take(connections);
            (connections.saturating_mul(STREAMS), slots.collect())
        } else {
            (connections, Vec::new())
        };
        Self {
            connector,
            most_workers,
            connections,
            state: Mutex::default(),
            wake: Notify::new(),
            shared,
        }
    }

    /// Gives a request to the worker that was idle last, or to a new one, or lets it wait.
    pub(super) fn offer(self: &Arc<Self>, mut job: Job) {
        let mut state = self.state();
        if state.waiting.len() >= MOST_WAITING {
            drop(state);
            self.shared.failed(&job, Failure::TooManyWaiting);
            return;
        }
        // Those that were woken have not taken their request yet.
        if state.idle > 0 {
            state.idle -= 1;
            state.waiting.push_back(job);
            self.wake.notify_last();
        } else if state.workers < self.most_workers {
            let worker = state.workers;
            state.workers += 1;
            state.waiting.push_back(job);
            drop(state);
            self.shared.tasks.spawn(Arc::clone(self).work(worker));
        } else {
            job.waiting_since = Some(Instant::now());
            state.waiting.push_back(job);
        }
    }

    /// No further request comes: workers end when none waits.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_waiters();
    }

    /// Takes away the requests that wait.
    pub(super) fn take_waiting(&self) -> VecDeque<Job> {
        std::mem::take(&mut self.state().waiting)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request; `None`: no further one comes.
    async fn next(&self) -> Option<Job> {
        loop {
            let mut woken = pin!(self.wake.notified());
            {
                let mut state = self.state();
                if let Some(job) = state.waiting.pop_front() {
                    return Some(job);
                }
                if state.closed {
                    return None;
                }
                state.idle += 1;
                // Before the lock is given back, so that no wake-up is missed.
                woken.as_mut().enable();
            }
            woken.await;
        }
    }

    async fn work(self: Arc<Self>, worker: usize) {
        let mut own = None;
        while let Some(job) = self.next().await {
            self.serve(worker, job, &mut own).await;
        }
    }

    /// Sends a request and counts what becomes of it. `worker`: which of the shared connections; `own`: where the worker keeps
    /// its connection.
    pub(super) async fn serve(&self, worker: usize, job: Job, own: &mut Option<Sender>) {
        let now = Instant::now();
        let deadline = job.intended + self.shared.plan.timeout;
        if now >= deadline {
            return self.shared.failed(&job, Failure::WaitedTooLong);
        }
        self.shared.sent(&job, now);
        let message = self.shared.message(job.request.target);
        let exchange = self.exchange(worker, message, own);
        let outcome = tokio::select! {
            biased;
            outcome = exchange => outcome,
            () = tokio::time::sleep_until(deadline.into()) => failed(Failure::Timeout),
            () = self.shared.given_up.cancelled() => failed(Failure::Ended),
        };
        if matches!(outcome, Outcome::Failed { .. }) {
            // What may still come on this connection would be taken for the answer to the next request.
            *own = None;
        }
        self.shared.ended(&job, outcome);
    }

    async fn exchange(&self, worker: usize, message: Message, own: &mut Option<Sender>) -> Outcome {
        let shared_connection = self.connections.get(worker / STREAMS);
        let mut message = message;
        // A connection that the server closed while it was idle is no failure: the request is sent on a new one.
        for _ in 0..2 {
            let sender = match shared_connection {
                Some(slot) => self.shared_sender(slot).await.map(|sender| own.insert(sender)),
                None => self.own_sender(own).await,
            };
            match sender {
                Err(outcome) => return outcome,
                Ok(sender) => match sender.exchange(message).await {
                    Ok(outcome) => return outcome,
                    Err(unsent) => {
                        message = unsent;
                        *own = None;
                        if let Some(slot) = shared_connection {
                            slot.lock().await.take_if(|sender| !sender.is_open());
                        }
                    }
                },
            }
        }
        failed(Failure::ConnectionLost)
    }

    /// A sender for a connection of the worker's own.
    async fn own_sender<'a>(&self, own: &'a mut Option<Sender>) -> Result<&'a mut Sender, Outcome> {
        match own.take_if(|sender| sender.is_open()) {
            Some(open) => Ok(own.insert(open)),
            None => Ok(own.insert(self.connector.connect().await?)),
        }
    }

    /// A sender for a connection that workers share.
    async fn shared_sender(&self, slot: &AsyncMutex<Option<Sender>>) -> Result<Sender, Outcome> {
        let mut slot = slot.lock().await;
        if let Some(sender) = slot.as_ref().filter(|sender| sender.is_open()).and_then(Sender::share) {
            return Ok(sender);
        }
        let sender = self.connector.connect().await?;
        *slot = sender.share();
        Ok(sender)
    }
}

const fn failed(failure: Failure) -> Outcome {
    Outcome::Failed {
        failure,
        detail: String::new(),
    }
}

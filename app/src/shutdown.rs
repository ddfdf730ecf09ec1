//! Stopping: from a signal to the moment at which nothing is accepted any more.
//!
//! Kubernetes removes a pod from its Services while it sends SIGTERM, and it takes a while until every node knows. So the
//! readiness probe fails at once, but serving continues for the drain delay. A second signal ends the process at once.

use std::{io, process, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::state::{AppState, Phase};

/// The signals that stop the process. Made before anything else, because the kernel ignores signals to process 1 that have
/// no handler.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// The platform refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal, and returns its number.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}

/// Waits for a signal, drains, then sends `true` through `close`. Ends the process at a second signal.
pub async fn drain(mut signals: Signals, state: AppState, delay: Duration, close: watch::Sender<bool>) {
    let first = signals.next().await;
    state.enter(Phase::Draining);
    tracing::info!(
        signal = first,
        drain_delay_seconds = delay.as_secs_f64(),
        "stopping: the readiness probe fails from now on"
    );
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        second = signals.next() => leave(second),
    }
    tracing::info!("stopping: no new connections are accepted, requests in flight finish");
    // Fails only if serving has already ended.
    let _ = close.send(true);
    leave(signals.next().await);
}

fn leave(signal: i32) -> ! {
    tracing::warn!(signal, "second signal: the process ends at once");
    process::exit(128 + signal)
}

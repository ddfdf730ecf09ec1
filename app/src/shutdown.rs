//! Stopping: from a signal to the moment at which nothing is accepted any more.
//!
//! Kubernetes removes a pod from its Services while it sends SIGTERM, and the removal takes a while to reach everybody.
//! So readiness says no at once, but serving goes on for the drain delay. A second signal ends the process at once.

use std::{io, process, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::state::{AppState, Phase};

/// The signals that stop the process. Made before anything else: as process 1, a signal without a handler is ignored.
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

    /// The next one; its number.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}

/// Waits for a signal, drains, then says that it is time to close. Ends the process at a second signal.
pub async fn drain(mut signals: Signals, state: AppState, delay: Duration, close: watch::Sender<bool>) {
    let first = signals.next().await;
    state.enter(Phase::Draining);
    tracing::info!(
        signal = first,
        drain_delay_seconds = delay.as_secs_f64(),
        "stopping: readiness says no"
    );
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        second = signals.next() => leave(second),
    }
    tracing::info!("stopping: no new connections, requests in flight finish");
    // Nobody listens only if serving has ended by itself.
    let _ = close.send(true);
    leave(signals.next().await);
}

fn leave(signal: i32) -> ! {
    tracing::warn!(signal, "second signal: leaving at once");
    process::exit(128 + signal)
}

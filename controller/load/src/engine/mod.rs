//! Sends the requests of a plan: a runtime of one thread, timers of the kernel, connections of its own.
//!
//! One thread is enough for tens of thousands of requests a second, and it shows by its own lateness when it is not: the timer that
//! starts requests and the sockets that bring answers are waited for in the same place.

mod closed;
mod connection;
mod error;
mod lane;
mod lanes;
mod open;
mod shared;
mod timer;
mod tls;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

pub use error::LoadError;

use crate::engine::lanes::Lanes;
use crate::engine::shared::Shared;
use crate::engine::timer::Timer;
use crate::plan::{Mode, OpenLoop, Plan};
use crate::record::Recent;
use crate::report::{Course, Report};

/// Time between two looks at a running test.
const LOOK: Duration = Duration::from_millis(250);
/// After so many polls of tasks the runtime looks for answers and for its timer. Tokio's 61 would let both wait for as long as that
/// many requests take.
const POLLS: u32 = 8;
/// Files that the process has open beside its connections.
const OTHER_FILES: u64 = 32;

/// How far a running test is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Time since the start of what is counted; zero in the warm-up.
    pub elapsed: Duration,
    /// Whether requests still start.
    pub sending: bool,
    /// What has been counted.
    pub recent: Recent,
}

/// Runs a load test to its end, or until the process is interrupted (Ctrl-C) or asked to end (SIGTERM): then no further request starts, and answers are
/// waited for until the timeout, or until it is interrupted again. Tells `progress` how far it is, four times a second.
///
/// # Errors
///
/// The test cannot begin, for example because a host can't be reached.
pub fn run(plan: Plan, progress: Sender<Progress>) -> Result<Report, LoadError> {
    let (connections, option) = match plan.mode {
        Mode::Open(_) => (plan.connections, "--connections"),
        Mode::Closed(closed_loop) => (closed_loop.concurrency, "--concurrency"),
    };
    allow_files(&plan, connections, option)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(POLLS)
        .build()?;
    let report = runtime.block_on(test(plan, connections, progress));
    // Connections that are still busy must not hold up the end.
    runtime.shutdown_background();
    report
}

async fn test(plan: Plan, connections: usize, progress: Sender<Progress>) -> Result<Report, LoadError> {
    let (steps, warm_up) = match &plan.mode {
        Mode::Open(OpenLoop { steps, warm_up, .. }) => (steps.len(), *warm_up),
        Mode::Closed(_) => (1, Duration::ZERO),
    };
    let shared = Arc::new(Shared::new(plan, steps));
    let interrupts = tokio::spawn(interrupts(Arc::clone(&shared)));
    let lanes = tokio::select! {
        lanes = Lanes::new(&shared, connections) => Arc::new(lanes?),
        () = shared.stopped.cancelled() => return Err(LoadError::Stopped),
    };
    let timer = Timer::new()?;
    let (start, started) = (Instant::now(), Timestamp::now());
    let looks = tokio::spawn(look(start + warm_up, progress, Arc::clone(&shared)));
    match &shared.plan.mode {
        Mode::Open(open_loop) => open::drive(open_loop, start, &lanes, &shared, &timer).await?,
        Mode::Closed(closed_loop) => closed::drive(*closed_loop, start, &lanes, &shared).await,
    }
    let sending = start.elapsed().saturating_sub(warm_up);
    let stopped = shared.stopped.is_cancelled();
    if stopped {
        open::drop_waiting(&lanes, &shared);
    }
    // From here on it means that no request starts any more.
    shared.stopped.cancel();
    lanes.close();
    shared.tasks.close();
    shared.tasks.wait().await;
    looks.abort();
    interrupts.abort();
    let course = Course {
        started,
        sending,
        stopped,
    };
    Ok(Report::new(&shared.plan, &shared.recorder(), &course))
}

/// Ends the test when the process is interrupted, and the wait for answers when it is interrupted again.
async fn interrupts(shared: Arc<Shared>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    for then in [&shared.stopped, &shared.given_up] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        then.cancel();
    }
    Ok(())
}

/// Tells how far the test is, until nobody listens.
async fn look(start: Instant, progress: Sender<Progress>, shared: Arc<Shared>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let now = Progress {
            elapsed: Instant::now().saturating_duration_since(start),
            sending: !shared.stopped.is_cancelled(),
            recent: shared.recorder().recent(),
        };
        if progress.send(now).is_err() {
            return;
        }
    }
}

/// Raises the number of files that the process may have open, as far as it is allowed to.
fn allow_files(plan: &Plan, connections: usize, option: &'static str) -> Result<(), LoadError> {
    let hosts = u64::try_from(plan.targets.len()).unwrap_or(u64::MAX);
    let connections = u64::try_from(connections).unwrap_or(u64::MAX);
    let needed = connections.saturating_mul(hosts).saturating_add(OTHER_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(allowed) = maximum.filter(|maximum| *maximum < needed) {
        return Err(LoadError::OpenFiles {
            option,
            needed,
            allowed,
        });
    }
    let limit = Rlimit {
        current: Some(needed),
        maximum,
    };
    setrlimit(Resource::Nofile, limit).map_err(|error| LoadError::Start(error.into()))
}

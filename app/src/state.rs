//! State that all request handlers share: the store, the metrics, the limits, and the phase of the process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    background::TaskQueue,
    cache::UserCache,
    compute::ComputePool,
    config::{Config, Limits},
    insight::SelfReport,
    store::Store,
    telemetry::{Metrics, Tracer},
};

/// Requests for analysis that are served at the same time; see `routes/analysis.rs`.
pub const ANALYSES: usize = 2;

/// The phase of the process; it only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Migrations are running.
    Starting,
    /// Serving.
    Serving,
    /// Stopping: still serving, while traffic is directed elsewhere.
    Draining,
}

/// The shared state; clones share it.
#[derive(Debug, Clone)]
pub struct AppState(Arc<AppStateInner>);

#[derive(Debug)]
struct AppStateInner {
    store: Store,
    metrics: Metrics,
    tracer: Tracer,
    compute_pool: ComputePool,
    self_report: SelfReport,
    users: UserCache,
    background: TaskQueue,
    limits: Limits,
    has_metrics_listener: bool,
    permits: Arc<Semaphore>,
    body_memory: Arc<Semaphore>,
    response_memory: Arc<Semaphore>,
    slow_permits: Arc<Semaphore>,
    analysis_permits: Arc<Semaphore>,
    phase: AtomicU8,
    is_prepared: AtomicBool,
    started: Instant,
    /// Milliseconds after `started` at which timers last ran.
    heartbeat: AtomicU64,
}

impl AppState {
    /// Makes the state of a process that is starting. Needs a tokio runtime, for background tasks.
    #[must_use]
    pub fn new(config: &Config, store: Store, metrics: Metrics, tracer: Tracer) -> Self {
        Self(Arc::new(AppStateInner {
            users: UserCache::new(config.cache, metrics.cache()),
            background: TaskQueue::start(config.background, metrics.background()),
            store,
            self_report: SelfReport::new(config, &metrics),
            metrics,
            tracer,
            compute_pool: ComputePool::new(config.compute),
            limits: config.limits,
            has_metrics_listener: config.metrics_listen.is_some(),
            permits: Arc::new(Semaphore::new(config.limits.concurrent_requests)),
            body_memory: Arc::new(Semaphore::new(config.limits.bodies_bytes())),
            response_memory: Arc::new(Semaphore::new(config.limits.responses_bytes())),
            slow_permits: Arc::new(Semaphore::new(config.limits.slow_requests())),
            analysis_permits: Arc::new(Semaphore::new(ANALYSES)),
            phase: AtomicU8::new(Phase::Starting as u8),
            is_prepared: AtomicBool::new(false),
            started: Instant::now(),
            heartbeat: AtomicU64::new(0),
        }))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The tracer, which makes spans.
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }

    /// The cache of users.
    #[must_use]
    pub fn users(&self) -> &UserCache {
        &self.0.users
    }

    /// The queue of background tasks.
    #[must_use]
    pub fn background(&self) -> &TaskQueue {
        &self.0.background
    }

    /// The threads for long computations.
    #[must_use]
    pub fn compute_pool(&self) -> &ComputePool {
        &self.0.compute_pool
    }

    /// The service's report on itself.
    #[must_use]
    pub fn self_report(&self) -> &SelfReport {
        &self.0.self_report
    }

    /// Limits for clients.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Whether metrics and their analysis are served at the main address.
    #[must_use]
    pub fn serves_metrics(&self) -> bool {
        self.0.metrics.enabled() && !self.0.has_metrics_listener
    }

    /// One permit for each request that may be served now.
    #[must_use]
    pub fn permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.permits)
    }

    /// One permit for each byte of a request's body that may be kept now.
    #[must_use]
    pub fn body_memory(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.body_memory)
    }

    /// One permit for each byte of a large response that may wait for its client now.
    #[must_use]
    pub fn response_memory(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.response_memory)
    }

    /// One permit for each request that may be served now of those that are slow on purpose.
    #[must_use]
    pub fn slow_permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.slow_permits)
    }

    /// One permit for each request for analysis that may be served now.
    #[must_use]
    pub fn analysis_permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.analysis_permits)
    }

    /// Time since the process started.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// The phase of the process.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }

    /// Whether the store has been prepared. A process that is stopped while it starts drains without.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.0.is_prepared.load(Ordering::Acquire)
    }

    /// Enters a phase, unless a later one has been entered: a start that ends late does not undo a drain.
    pub fn enter(&self, phase: Phase) {
        if phase == Phase::Serving {
            self.0.is_prepared.store(true, Ordering::Release);
        }
        self.0.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Records that timers run.
    pub fn beat(&self) {
        let now = u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX);
        self.0.heartbeat.store(now, Ordering::Relaxed);
    }

    /// Time since timers last ran.
    #[must_use]
    pub fn since_heartbeat(&self) -> Duration {
        self.uptime()
            .saturating_sub(Duration::from_millis(self.0.heartbeat.load(Ordering::Relaxed)))
    }
}

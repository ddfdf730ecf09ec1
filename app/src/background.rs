//! Background tasks, which no response waits for: a bounded queue and a few workers. A full queue drops and counts new
//! tasks.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http_instrument::{Counter, FamilyError, Histogram, HttpMetrics};
use metric_contract::MetricId;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc},
    task::JoinSet,
};

use crate::{config::BackgroundBounds, telemetry::shown_count::ShownCount};

/// Kinds of work, a bounded set: the label `task_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskType {
    /// Welcomes a user who registered.
    UserWelcomeEmail,
}

impl TaskType {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::UserWelcomeEmail];

    /// As the label says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserWelcomeEmail => "user_welcome_email",
        }
    }
}

#[derive(Debug)]
struct TaskCounters {
    queued: Counter,
    started: Counter,
    succeeded: Counter,
    failed: Counter,
    dropped: Counter,
    duration: Histogram,
}

/// Metrics of background tasks; clones share them.
#[derive(Debug, Clone)]
pub struct BackgroundMetrics {
    handles: Arc<[TaskCounters]>,
    /// Tasks in the queue.
    length: Arc<ShownCount>,
}

impl BackgroundMetrics {
    /// Makes the handles, so that every series exists from the start.
    ///
    /// # Errors
    /// The families do not fit, or the cap on series is reached.
    pub fn new(metrics: &HttpMetrics) -> Result<Self, FamilyError> {
        let handles = TaskType::ALL.iter().map(|task_type| {
            let name = task_type.as_str();
            let counter = |status| metrics.counter(MetricId::BackgroundTasks, &[name, status]);
            Ok(TaskCounters {
                queued: counter("queued")?,
                started: counter("started")?,
                succeeded: counter("succeeded")?,
                failed: counter("failed")?,
                dropped: counter("dropped")?,
                duration: metrics.histogram(MetricId::BackgroundTaskDuration, &[name], None)?,
            })
        });
        Ok(Self {
            handles: handles.collect::<Result<_, _>>()?,
            length: Arc::new(ShownCount::new(metrics.gauge(MetricId::BackgroundQueueLength, &[])?)),
        })
    }

    fn count(&self, task_type: TaskType, which: impl FnOnce(&TaskCounters) -> &Counter) {
        if let Some(handles) = self.handles.get(task_type as usize) {
            which(handles).increment();
        }
    }
}

/// Why a task failed, for the log.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

struct Task {
    task_type: TaskType,
    work: Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("task_type", &self.task_type)
            .finish_non_exhaustive()
    }
}

/// The queue and its workers.
#[derive(Debug)]
pub struct TaskQueue {
    /// `None` once no more tasks are accepted.
    queue: Mutex<Option<mpsc::Sender<Task>>>,
    tasks: Arc<AsyncMutex<mpsc::Receiver<Task>>>,
    workers: AsyncMutex<JoinSet<()>>,
    metrics: BackgroundMetrics,
}

impl TaskQueue {
    /// Starts the workers; they need a runtime.
    #[must_use]
    pub fn start(bounds: BackgroundBounds, metrics: BackgroundMetrics) -> Self {
        let (queue, tasks) = mpsc::channel(bounds.queue.max(1));
        let tasks = Arc::new(AsyncMutex::new(tasks));
        let mut workers = JoinSet::new();
        for _ in 0..bounds.workers.max(1) {
            workers.spawn(work(Arc::clone(&tasks), metrics.clone()));
        }
        Self {
            queue: Mutex::new(Some(queue)),
            tasks,
            workers: AsyncMutex::new(workers),
            metrics,
        }
    }

    /// Queues a task; `false` if it was dropped because the queue is full, or because the process is stopping.
    pub fn submit(
        &self,
        task_type: TaskType,
        work: impl Future<Output = Result<(), TaskError>> + Send + 'static,
    ) -> bool {
        let work = Box::pin(work);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = queue.as_ref().and_then(|queue| queue.try_reserve().ok()) else {
            self.metrics.count(task_type, |handles| &handles.dropped);
            tracing::warn!(
                task_type = task_type.as_str(),
                "a background task was dropped: the queue is full"
            );
            return false;
        };
        // Counted before a worker can see it, so that a task is never started before it is queued.
        self.metrics.count(task_type, |handles| &handles.queued);
        self.metrics.length.add(1);
        room.send(Task { task_type, work });
        true
    }

    /// Accepts no more tasks, and waits for the queued ones; those that are left after `patience` are dropped.
    pub async fn drain(&self, patience: Duration) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut workers = self.workers.lock().await;
        let ended = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ended).await.is_ok() {
            return;
        }
        workers.shutdown().await;
        let mut tasks = self.tasks.lock().await;
        let mut dropped = 0_u32;
        while let Ok(task) = tasks.try_recv() {
            self.metrics.count(task.task_type, |handles| &handles.dropped);
            self.metrics.length.remove(1);
            dropped += 1;
        }
        tracing::warn!(
            dropped,
            "background tasks were dropped because they did not end in time"
        );
    }
}

async fn work(tasks: Arc<AsyncMutex<mpsc::Receiver<Task>>>, metrics: BackgroundMetrics) {
    loop {
        let task = tasks.lock().await.recv().await;
        let Some(Task { task_type, work }) = task else {
            return;
        };
        metrics.length.remove(1);
        metrics.count(task_type, |handles| &handles.started);
        let started = Instant::now();
        // A task of its own: if it panics, the worker lives on; and it ends with the worker.
        let mut running = JoinSet::new();
        running.spawn(work);
        let failure = match running.join_next().await {
            Some(Ok(Ok(()))) | None => None,
            Some(Ok(Err(error))) => Some(error.to_string()),
            // The panic hook has logged the reason.
            Some(Err(_)) => Some("it panicked".to_owned()),
        };
        if let Some(handles) = metrics.handles.get(task_type as usize) {
            handles.duration.observe(started.elapsed());
        }
        match failure {
            None => metrics.count(task_type, |handles| &handles.succeeded),
            Some(error) => {
                metrics.count(task_type, |handles| &handles.failed);
                tracing::warn!(task_type = task_type.as_str(), error, "a background task failed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use metric_contract::DialectId;
    use tokio::sync::oneshot;

    use super::*;

    const KIND: TaskType = TaskType::UserWelcomeEmail;
    const PATIENCE: Duration = Duration::from_secs(10);

    fn start(queue: usize) -> TaskQueue {
        let metrics = BackgroundMetrics::new(&HttpMetrics::new(DialectId::Native)).unwrap();
        TaskQueue::start(BackgroundBounds { queue, workers: 1 }, metrics)
    }

    /// Queued, started, succeeded, failed, dropped.
    fn counts(background: &TaskQueue) -> [u64; 5] {
        let handles = &background.metrics.handles[KIND as usize];
        [
            &handles.queued,
            &handles.started,
            &handles.succeeded,
            &handles.failed,
            &handles.dropped,
        ]
        .map(Counter::value)
    }

    async fn fall() -> Result<(), TaskError> {
        panic!("what is tested")
    }

    #[tokio::test]
    async fn a_task_that_fails_or_panics_is_counted_and_the_next_one_runs() {
        let background = start(10);
        assert!(background.submit(KIND, async { Err("no".into()) }));
        assert!(background.submit(KIND, fall()));
        assert!(background.submit(KIND, async { Ok(()) }));
        background.drain(PATIENCE).await;
        assert_eq!(counts(&background), [3, 3, 1, 2, 0]);
        assert_eq!(background.metrics.length.value(), 0);
        assert!(!background.submit(KIND, async { Ok(()) }), "it takes nothing any more");
        assert_eq!(counts(&background), [3, 3, 1, 2, 1]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_length_of_a_queue_at_rest_is_zero_however_often_it_changed() {
        let http = HttpMetrics::new(DialectId::Native);
        let metrics = BackgroundMetrics::new(&http).unwrap();
        let background = Arc::new(TaskQueue::start(BackgroundBounds { queue: 10, workers: 1 }, metrics));
        let shown = || http.sum(MetricId::BackgroundQueueLength, None);
        for _ in 0..2_000 {
            let submitting = Arc::clone(&background);
            // On the other thread, so that the worker may take the task at any moment.
            let submitted = tokio::spawn(async move { submitting.submit(KIND, async { Ok(()) }) });
            assert!(submitted.await.unwrap());
            let start = Instant::now();
            while counts(&background)[2] < counts(&background)[0] {
                assert!(start.elapsed() < PATIENCE);
                tokio::task::yield_now().await;
            }
            assert_eq!(shown(), Some(0.0));
        }
    }

    #[tokio::test]
    async fn a_full_queue_drops_what_comes_and_runs_what_it_took() {
        let background = start(2);
        let (running, runs) = oneshot::channel();
        let (finish, finished) = oneshot::channel::<()>();
        background.submit(KIND, async {
            let _ = running.send(());
            finished.await.map_err(Into::into)
        });
        runs.await.unwrap();
        assert!(background.submit(KIND, async { Ok(()) }));
        assert!(background.submit(KIND, async { Ok(()) }));
        assert!(!background.submit(KIND, async { Ok(()) }));
        assert_eq!(background.metrics.length.value(), 2);
        assert_eq!(counts(&background), [3, 1, 0, 0, 1]);
        finish.send(()).unwrap();
        background.drain(PATIENCE).await;
        assert_eq!(counts(&background), [3, 3, 3, 0, 1]);
    }

    #[tokio::test]
    async fn a_job_that_does_not_end_in_time_is_abandoned() {
        let background = start(2);
        background.submit(KIND, std::future::pending());
        tokio::task::yield_now().await;
        background.submit(KIND, async { Ok(()) });
        background.drain(Duration::from_millis(50)).await;
        assert_eq!(counts(&background), [2, 1, 0, 0, 1]);
    }
}

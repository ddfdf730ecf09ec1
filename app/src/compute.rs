//! Long computations: a bounded queue, and threads of their own at a lower priority, so that probes and other requests
//! keep being answered. Knows nothing of HTTP.
//!
//! Threads start with the first jobs. By default there is one thread less than the cores, but at least one.

use std::{
    collections::VecDeque,
    hint::black_box,
    num::NonZero,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::config::ComputeBounds;

/// The largest index that is computed, in about 5 s. Each further one takes 1.6 times as long.
pub const MAX_N: u32 = 45;
/// `nice` value of the threads: 0 is the usual priority, 19 the lowest.
const NICENESS: i32 = 10;
/// Up to this index a computation is so short (a millisecond) that it is not interrupted.
const TOO_SHORT_TO_STOP: u32 = 25;

/// The queue and its threads; clones share them. Threads end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct ComputePool(Arc<CloseOnDrop>);

/// Ends the threads when it is dropped; they themselves hold only [`Shared`].
#[derive(Debug)]
struct CloseOnDrop(Arc<JobQueue>);

#[derive(Debug)]
struct JobQueue {
    /// Jobs that may wait.
    queue: usize,
    max_threads: usize,
    state: Mutex<QueueState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    n: u32,
    is_abandoned: Arc<AtomicBool>,
    reply: oneshot::Sender<ComputedNumber>,
}

/// A result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputedNumber {
    /// The Fibonacci number.
    pub result: u64,
    /// Time that the computation took, without waiting.
    pub took: Duration,
}

/// Why a computation was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The queue is full.
    #[error("the queue of computations is full")]
    Full,
    /// No thread could be started, or it ended.
    #[error("there is no thread for computations")]
    NoThread,
}

impl ComputePool {
    /// Makes a pool with these bounds. Starts no thread yet.
    #[must_use]
    pub fn new(bounds: ComputeBounds) -> Self {
        let ComputeBounds { threads, queue } = bounds;
        Self(Arc::new(CloseOnDrop(Arc::new(JobQueue {
            queue,
            max_threads: threads.unwrap_or_else(all_cores_but_one),
            state: Mutex::default(),
            wake: Condvar::new(),
        }))))
    }

    /// The `n`th Fibonacci number by naive recursion, O(2^n). Dropping the future cancels the job, whether it
    /// waits or runs.
    ///
    /// # Errors
    /// The queue is full, or there is no thread.
    pub async fn fibonacci(&self, n: u32) -> Result<ComputedNumber, ComputeError> {
        let (reply, answer) = oneshot::channel();
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let _abandons = AbandonOnDrop(Arc::clone(&is_abandoned));
        self.submit(Job { n, is_abandoned, reply })?;
        answer.await.map_err(|_| ComputeError::NoThread)
    }

    fn submit(&self, job: Job) -> Result<(), ComputeError> {
        let shared = &self.0.0;
        let mut state = shared.lock();
        if state.jobs.len() >= shared.queue {
            state.jobs.retain(|job| !job.is_abandoned.load(Ordering::Relaxed));
        }
        if state.jobs.len() >= shared.queue {
            return Err(ComputeError::Full);
        }
        if state.idle <= state.jobs.len() && state.threads < shared.max_threads {
            match start(Arc::clone(shared)) {
                Ok(()) => state.threads += 1,
                Err(error) => tracing::warn!(error = %error, "a thread for computations could not be started"),
            }
        }
        if state.threads == 0 {
            return Err(ComputeError::NoThread);
        }
        state.jobs.push_back(job);
        drop(state);
        shared.wake.notify_one();
        Ok(())
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.wake.notify_all();
    }
}

/// Marks a job as abandoned when its future is dropped.
struct AbandonOnDrop(Arc<AtomicBool>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl JobQueue {
    /// Locks the state. Nothing panics while the lock is held, so the state of a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; none when the queue is closed.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        state.idle += 1;
        let mut state = self
            .wake
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        if state.closed { None } else { state.jobs.pop_front() }
    }
}

fn all_cores_but_one() -> usize {
    // This respects the CPU quota of a cgroup.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores.saturating_sub(1).max(1)
}

fn start(shared: Arc<JobQueue>) -> std::io::Result<()> {
    let work = move || {
        // On Linux this concerns the calling thread only. Lowering the priority is always allowed; if it fails nevertheless,
        // the thread runs at the usual priority.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        while let Some(job) = shared.next() {
            run(job);
        }
    };
    thread::Builder::new().name("compute".to_owned()).spawn(work).map(drop)
}

fn run(Job { n, is_abandoned, reply }: Job) {
    let started = Instant::now();
    if let Some(result) = fibonacci_unless(n, &is_abandoned) {
        let took = started.elapsed();
        // Fails if the request is gone, which needs no handling.
        let _ = reply.send(ComputedNumber { result, took });
    }
}

/// The same recursion as [`fibonacci`]; stops when the job has been cancelled.
fn fibonacci_unless(n: u32, is_abandoned: &AtomicBool) -> Option<u64> {
    if is_abandoned.load(Ordering::Relaxed) {
        return None;
    }
    if n <= TOO_SHORT_TO_STOP {
        return Some(fibonacci(n));
    }
    Some(fibonacci_unless(n - 1, is_abandoned)? + fibonacci_unless(n - 2, is_abandoned)?)
}

/// Naive on purpose; `black_box` keeps the compiler from optimizing the recursion.
fn fibonacci(n: u32) -> u64 {
    if n < 2 {
        u64::from(n)
    } else {
        fibonacci(black_box(n - 1)) + fibonacci(black_box(n - 2))
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    /// Long enough that it does not end by itself while a test looks.
    const LONG: u32 = MAX_N;
    const THREADS: usize = 2;
    const QUEUE: usize = 8;

    fn computer() -> ComputePool {
        ComputePool::new(ComputeBounds {
            threads: Some(THREADS),
            queue: QUEUE,
        })
    }

    async fn until(computer: &ComputePool, holds: impl Fn(&QueueState) -> bool) {
        for _ in 0..2_000 {
            if holds(&computer.0.0.lock()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not within ten seconds: {:?}", computer.0.0.lock());
    }

    #[tokio::test]
    async fn numbers_are_right() {
        let computer = computer();
        for (n, result) in [(0, 0), (1, 1), (2, 1), (10, 55), (27, 196_418)] {
            assert_eq!(computer.fibonacci(n).await.unwrap().result, result, "{n}");
        }
    }

    #[tokio::test]
    async fn a_job_beyond_the_queue_is_refused_and_the_queue_stays_bounded() {
        let computer = computer();
        let ask = || {
            let computer = computer.clone();
            tokio::spawn(async move { computer.fibonacci(LONG).await })
        };
        let running: Vec<_> = (0..THREADS).map(|_| ask()).collect();
        until(&computer, |state| state.threads == THREADS && state.jobs.is_empty()).await;
        let waiting: Vec<_> = (0..QUEUE).map(|_| ask()).collect();
        until(&computer, |state| state.jobs.len() == QUEUE).await;
        for _ in 0..3 {
            assert_eq!(ask().await.unwrap(), Err(ComputeError::Full));
        }
        assert_eq!(computer.0.0.lock().jobs.len(), QUEUE);
        running.iter().chain(&waiting).for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn an_abandoned_job_frees_its_place_and_its_thread() {
        let computer = computer();
        let asked = (0..QUEUE + THREADS).map(|_| {
            let computer = computer.clone();
            tokio::spawn(async move { computer.fibonacci(LONG).await })
        });
        let asked: Vec<_> = asked.collect();
        until(&computer, |state| !state.jobs.is_empty() && state.idle == 0).await;
        asked.iter().for_each(tokio::task::JoinHandle::abort);
        join_all(asked).await;
        let started = Instant::now();
        assert_eq!(computer.fibonacci(5).await.unwrap().result, 5);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn threads_have_a_lower_priority_and_end_with_the_queue() {
        let before = own_niceness();
        let computer = computer();
        computer.fibonacci(1).await.unwrap();
        let shared = Arc::downgrade(&computer.0.0);
        assert_eq!(niceness_of("compute"), Some(NICENESS.to_string()));
        assert_eq!(own_niceness(), before, "only the threads are slowed");
        drop(computer);
        for _ in 0..2_000 {
            if shared.upgrade().is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a thread still holds the queue");
    }

    fn own_niceness() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    /// Field 19 of `/proc/…/stat` of this process' thread of a name.
    fn niceness_of(name: &str) -> Option<String> {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        threads.flatten().find_map(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
            let (head, fields) = stat.rsplit_once(") ")?;
            head.ends_with(&format!("({name}"))
                .then(|| fields.split(' ').nth(16).unwrap_or_default().to_owned())
        })
    }
}

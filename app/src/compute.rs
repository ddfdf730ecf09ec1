//! Work that takes a core for long: a bounded queue, and threads of its own at a lower priority, so that the threads
//! that answer probes and other requests are never taken. Knows nothing of HTTP.
//!
//! Threads start with the first job. Unless told otherwise they take at most all cores but one (one if there is only
//! one), and the kernel lets them run when nobody else wants to.

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

/// The largest number that is computed: about 5 s. One more takes 1.6 times as long.
pub const MAX_N: u32 = 45;
/// Priority of the threads, `nice` value: 0 is everybody else's, 19 the lowest.
const NICENESS: i32 = 10;
/// Below this a computation is too short (a millisecond) to look whether somebody still wants it.
const TOO_SHORT_TO_STOP: u32 = 25;

/// The queue and its threads; a clone is the same. Threads end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Computer(Arc<Owner>);

/// Ends the threads when it is dropped; they themselves hold only [`Shared`].
#[derive(Debug)]
struct Owner(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Jobs that may wait.
    queue: usize,
    max_threads: usize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    n: u32,
    unwanted: Arc<AtomicBool>,
    reply: oneshot::Sender<Computed>,
}

/// A result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computed {
    /// The Fibonacci number.
    pub result: u64,
    /// Time that the computation took, without waiting.
    pub took: Duration,
}

/// Why nothing is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The queue is full.
    #[error("as many computations wait as may")]
    Full,
    /// No thread could be started, or it ended.
    #[error("no thread computes")]
    NoThread,
}

impl Computer {
    /// Within these bounds. Starts no thread yet.
    #[must_use]
    pub fn new(bounds: ComputeBounds) -> Self {
        let ComputeBounds { threads, queue } = bounds;
        Self(Arc::new(Owner(Arc::new(Shared {
            queue,
            max_threads: threads.unwrap_or_else(all_cores_but_one),
            state: Mutex::default(),
            wake: Condvar::new(),
        }))))
    }

    /// The `n`th Fibonacci number by naive recursion, O(2^n). A future that is dropped takes its job back: what waits is
    /// not computed, what runs is stopped.
    ///
    /// # Errors
    /// The queue is full, or there is no thread.
    pub async fn fibonacci(&self, n: u32) -> Result<Computed, ComputeError> {
        let (reply, answer) = oneshot::channel();
        let unwanted = Arc::new(AtomicBool::new(false));
        let _takes_back = TakeBack(Arc::clone(&unwanted));
        self.submit(Job { n, unwanted, reply })?;
        answer.await.map_err(|_| ComputeError::NoThread)
    }

    fn submit(&self, job: Job) -> Result<(), ComputeError> {
        let shared = &self.0.0;
        let mut state = shared.lock();
        if state.jobs.len() >= shared.queue {
            state.jobs.retain(|job| !job.unwanted.load(Ordering::Relaxed));
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

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.wake.notify_all();
    }
}

/// Marks a job as unwanted when its future is dropped.
struct TakeBack(Arc<AtomicBool>);

impl Drop for TakeBack {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// The state. No code panics while it holds it, so that a poisoned lock still has a good state.
    fn lock(&self) -> MutexGuard<'_, State> {
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
    // Knows the quota of a cgroup too.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores.saturating_sub(1).max(1)
}

fn start(shared: Arc<Shared>) -> std::io::Result<()> {
    let work = move || {
        // On Linux this is of the calling thread alone. Lower is always allowed; if not, it is as fast as the others.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        while let Some(job) = shared.next() {
            run(job);
        }
    };
    thread::Builder::new().name("compute".to_owned()).spawn(work).map(drop)
}

fn run(Job { n, unwanted, reply }: Job) {
    let started = Instant::now();
    if let Some(result) = fibonacci_unless(n, &unwanted) {
        let took = started.elapsed();
        // Nobody is left to tell if this fails.
        let _ = reply.send(Computed { result, took });
    }
}

/// The same recursion; stops where it can when nobody wants the result any more.
fn fibonacci_unless(n: u32, unwanted: &AtomicBool) -> Option<u64> {
    if unwanted.load(Ordering::Relaxed) {
        return None;
    }
    if n <= TOO_SHORT_TO_STOP {
        return Some(fibonacci(n));
    }
    Some(fibonacci_unless(n - 1, unwanted)? + fibonacci_unless(n - 2, unwanted)?)
}

/// Naive on purpose; `black_box` keeps the compiler from making it less so.
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

    fn computer() -> Computer {
        Computer::new(ComputeBounds {
            threads: Some(THREADS),
            queue: QUEUE,
        })
    }

    async fn until(computer: &Computer, holds: impl Fn(&State) -> bool) {
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
    async fn what_does_not_fit_the_queue_is_refused_and_the_queue_stays_bounded() {
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
    async fn a_job_that_nobody_wants_gives_its_place_and_its_thread_back() {
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

//! Bounded traffic on 127.0.0.1, for tests that need a rate: a plain GET at a fixed pace until told to stop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The longest time that traffic runs, even if its owner never stops it.
const AT_MOST: Duration = Duration::from_secs(1_800);

/// Traffic in the background; ends when dropped.
#[derive(Debug)]
pub struct Traffic {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    worker: Option<JoinHandle<()>>,
}

impl Traffic {
    /// Ask the `urls` in turn, `per_second` requests in all. Answers of any status count; failures to connect don't.
    #[must_use]
    pub fn start(urls: Vec<String>, per_second: u32) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let worker = std::thread::spawn({
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            move || drive(&urls, per_second.max(1), &stop, &sent)
        });
        Self {
            stop,
            sent,
            worker: Some(worker),
        }
    }

    /// Answers so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            // An error means that the worker panicked, so there is nothing to stop.
            let _ = worker.join();
        }
    }
}

fn drive(urls: &[String], per_second: u32, stop: &AtomicBool, sent: &AtomicU64) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .into();
    let start = Instant::now();
    for (turn, url) in urls.iter().cycle().enumerate() {
        let due = Duration::from_secs(1) * u32::try_from(turn).unwrap_or(u32::MAX) / per_second;
        while start.elapsed() < due && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if stop.load(Ordering::Relaxed) || start.elapsed() > AT_MOST {
            return;
        }
        if let Ok(mut answer) = agent.get(url).call() {
            // Read to the end, so that the connection is used again.
            let _ = answer.body_mut().read_to_vec();
            sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

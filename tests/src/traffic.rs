//! Bounded traffic on 127.0.0.1: a plain GET at a fixed pace for tests that need a rate, and clients that do something else
//! again and again, such as to leave before the answer.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Result;

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

/// Work that a thread repeats until this is dropped. The thread ends soon after.
#[derive(Debug)]
pub struct Repeated(Arc<AtomicBool>);

impl Repeated {
    /// Starts the thread. The work must pause by itself.
    #[must_use]
    pub fn start(mut work: impl FnMut() + Send + 'static) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let of_thread = Arc::clone(&ended);
        std::thread::spawn(move || {
            while !of_thread.load(Ordering::Relaxed) {
                work();
            }
        });
        Self(ended)
    }

    /// Clients that leave, one after the other, as [`ask_and_leave`] does.
    #[must_use]
    pub fn leave(address: SocketAddr, path: &'static str) -> Self {
        Self::start(move || {
            // A connection that is refused is tried again.
            let _ = ask_and_leave(address, path);
        })
    }
}

impl Drop for Repeated {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client that closes the connection while `path`, which takes longer than 300 ms, is being answered.
///
/// # Errors
/// When there is no connection.
pub fn ask_and_leave(address: SocketAddr, path: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    // The time is over before the answer begins.
    let _ = stream.read(&mut [0; 1]);
    Ok(())
}

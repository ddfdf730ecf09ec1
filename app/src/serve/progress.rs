//! How fast a client takes a response. Time is an argument.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The least rate at which a client must take a response, on average. Slower ones use up the time for idle connections.
const LEAST_BYTES_PER_SECOND: u64 = 8 * 1024;

/// A response that a client is taking.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    bytes: AtomicU64,
    /// Milliseconds after `began` at which the last piece was taken.
    last: AtomicU64,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            bytes: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// Reports that the client takes a piece.
    pub(super) fn hands_over(&self, bytes: usize, now: Instant) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let last = now.saturating_duration_since(self.began).as_millis();
        self.last
            .store(u64::try_from(last).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the client has been too slow for this long.
    pub(super) fn is_overdue(&self, limit: Duration, now: Instant) -> bool {
        let earned = self.bytes.load(Ordering::Relaxed).saturating_mul(1_000) / LEAST_BYTES_PER_SECOND;
        let since = Duration::from_millis(earned.min(self.last.load(Ordering::Relaxed)));
        now.saturating_duration_since(self.began).saturating_sub(since) >= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_client_that_takes_a_little_now_and_then_is_too_slow() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let progress = Progress::new(start);
        for second in (0..=80).step_by(20) {
            progress.hands_over(2_048, at(second));
        }
        assert!(progress.is_overdue(LIMIT, at(80)));
    }

    #[test]
    fn a_client_that_keeps_up_has_all_the_time_that_it_needs() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let progress = Progress::new(start);
        for second in 0..3_600 {
            progress.hands_over(10_000, at(second));
            assert!(!progress.is_overdue(LIMIT, at(second)));
        }
        assert!(!progress.is_overdue(LIMIT, at(3_658)));
        assert!(progress.is_overdue(LIMIT, at(3_660)), "then it stalls");
    }
}

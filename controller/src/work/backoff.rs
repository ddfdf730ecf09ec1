//! Waiting times: exponential, capped, jittered. The randomness need not be secret.

use std::time::Duration;

/// `span`, shortened at random by up to a fifth, so that tasks that started together drift apart.
pub(crate) fn jittered(span: Duration) -> Duration {
    span.mul_f64(fastrand::f64().mul_add(-0.2, 1.0))
}

/// Exponential backoff: `first`, then twice as long each time, never more than `cap`; half of each wait is jitter.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap,
            failures: 0,
        }
    }

    /// The wait before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = exponential(self.first, self.cap, self.failures);
        self.failures = self.failures.saturating_add(1);
        wait.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }

    /// Starts over after a success.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }
}

/// `first · 2^failures`, at most `cap`.
pub(crate) fn exponential(first: Duration, cap: Duration, failures: u32) -> Duration {
    first.saturating_mul(1_u32 << failures.min(16)).min(cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(800), Duration::from_secs(30));
        let waits: Vec<_> = (0..10).map(|_| backoff.next()).collect();
        assert!(waits[0] >= Duration::from_millis(400) && waits[0] <= Duration::from_millis(800));
        assert!(waits[9] >= Duration::from_secs(15) && waits[9] <= Duration::from_secs(30));
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(800));
    }

    #[test]
    fn the_wait_never_overflows() {
        assert_eq!(
            exponential(Duration::from_secs(1), Duration::from_secs(300), u32::MAX),
            Duration::from_secs(300)
        );
    }

    #[test]
    fn jittered_waits_stay_within_a_fifth_and_differ() {
        let span = Duration::from_secs(10);
        let waits: Vec<_> = (0..100).map(|_| jittered(span)).collect();
        assert!(waits.iter().all(|wait| (Duration::from_secs(8)..=span).contains(wait)));
        assert!(waits.windows(2).any(|pair| pair[0] != pair[1]));
    }
}

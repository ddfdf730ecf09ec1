//! Waiting times: exponential, capped, jittered. No cryptography hangs on the randomness.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A number in `0.0..1.0`, different on each call and in each process.
pub(crate) fn random() -> f64 {
    // Every `RandomState` has keys of its own, seeded by the operating system.
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exactly what an f64 holds")]
    let unit = bits as f64 / (1_u64 << 53) as f64;
    unit
}

/// `span` less up to a fifth of it, so that what started together does not stay together.
pub(crate) fn jittered(span: Duration) -> Duration {
    span.mul_f64(random().mul_add(-0.2, 1.0))
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
        wait.mul_f64(random().mul_add(0.5, 0.5))
    }

    /// Something worked: start over.
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
    fn random_numbers_stay_in_range_and_differ() {
        let numbers: Vec<_> = (0..100).map(|_| random()).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        assert!(numbers.windows(2).any(|pair| (pair[0] - pair[1]).abs() > f64::EPSILON));
    }
}

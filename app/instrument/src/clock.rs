//! A monotonic clock that counts nanoseconds. `std::time::Instant` measures the same, but normalizes and checks what it
//! subtracts, which costs more than recording a request's duration does.

#[cfg(not(unix))]
use std::{sync::LazyLock, time::Instant};

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since a fixed moment in the past.
#[cfg(unix)]
#[inline]
pub(crate) fn nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // 64 bits of nanoseconds are 584 years.
    (now.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(now.tv_nsec as u64)
}

/// Nanoseconds since a fixed moment in the past.
#[cfg(not(unix))]
pub(crate) fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn time_passes_as_it_does_for_everybody() {
        let before = nanoseconds();
        thread::sleep(Duration::from_millis(20));
        let passed = nanoseconds() - before;
        assert!((20_000_000..20_000_000_000).contains(&passed), "{passed}");
    }
}

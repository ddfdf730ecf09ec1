//! The highest value of the last one to two minutes, as in Micrometer's `_max`: older values are forgotten.

use std::sync::atomic::{AtomicU64, Ordering};

/// The highest value of this minute and the one before.
#[derive(Debug, Default)]
pub(crate) struct WindowMax {
    minute: AtomicU64,
    current: AtomicU64,
    previous: AtomicU64,
}

impl WindowMax {
    /// Records a value. `minute` is the current minute, counted from any start.
    pub(crate) fn record(&self, minute: u64, value: u64) {
        self.turn_to(minute);
        self.current.fetch_max(value, Ordering::Relaxed);
    }

    /// The highest value of this minute and the one before; 0 if there was none.
    pub(crate) fn value(&self, minute: u64) -> u64 {
        self.turn_to(minute);
        self.current
            .load(Ordering::Relaxed)
            .max(self.previous.load(Ordering::Relaxed))
    }

    /// Begins a new minute if it is due. A value that another thread records at that moment may be lost.
    fn turn_to(&self, minute: u64) {
        let held = self.minute.load(Ordering::Relaxed);
        if held >= minute
            || self
                .minute
                .compare_exchange(held, minute, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let last = self.current.swap(0, Ordering::Relaxed);
        self.previous
            .store(if held + 1 == minute { last } else { 0 }, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_value_is_forgotten_after_the_minute_that_follows() {
        let max = WindowMax::default();
        max.record(0, 7);
        max.record(0, 3);
        assert_eq!((max.value(0), max.value(1)), (7, 7));
        max.record(1, 5);
        assert_eq!((max.value(1), max.value(2), max.value(3)), (7, 5, 0));
        max.record(3, 1);
        assert_eq!(max.value(9), 0);
    }
}

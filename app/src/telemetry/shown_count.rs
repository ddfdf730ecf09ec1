//! A count that a gauge shows.

use std::sync::{Mutex, PoisonError};

use http_instrument::Gauge;

/// A count that many threads change, and the gauge that shows it.
#[derive(Debug)]
pub struct ShownCount {
    shown: Gauge,
    /// Held while the gauge is set, so that the last change is the one that is shown.
    count: Mutex<u64>,
}

impl ShownCount {
    /// Starts at 0, and keeps the gauge up to date.
    #[must_use]
    pub fn new(shown: Gauge) -> Self {
        Self {
            shown,
            count: Mutex::new(0),
        }
    }

    /// Counts more.
    pub fn add(&self, more: u64) {
        self.change(|now| now.saturating_add(more));
    }

    /// Counts fewer; never below zero.
    pub fn remove(&self, fewer: u64) {
        self.change(|now| now.saturating_sub(fewer));
    }

    /// Sets the count.
    pub fn set(&self, count: u64) {
        self.change(|_| count);
    }

    /// The count.
    #[must_use]
    pub fn value(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(u64) -> u64) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = change(*count);
        self.shown.set(*count as f64);
    }
}

#[cfg(test)]
mod tests {
    use http_instrument::HttpMetrics;
    use metric_contract::{DialectId, MetricId};

    use super::*;

    fn gauge() -> Gauge {
        HttpMetrics::new(DialectId::Native)
            .gauge(MetricId::ActiveUsers, &[])
            .unwrap()
    }

    #[test]
    fn the_figure_moves_and_is_never_below_zero() {
        let gauge = gauge();
        let users = ShownCount::new(gauge.clone());
        users.add(2);
        users.remove(1);
        assert_eq!((users.value(), gauge.value()), (1, 1.0));
        users.remove(5);
        assert_eq!((users.value(), gauge.value()), (0, 0.0));
        users.set(40);
        users.add(2);
        assert_eq!((users.value(), gauge.value()), (42, 42.0));
    }

    #[test]
    fn the_gauge_shows_the_last_change_whichever_thread_made_it() {
        let gauge = gauge();
        let count = ShownCount::new(gauge.clone());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50_000 {
                        count.add(1);
                        count.remove(1);
                    }
                });
            }
        });
        assert_eq!((count.value(), gauge.value()), (0, 0.0));
    }
}

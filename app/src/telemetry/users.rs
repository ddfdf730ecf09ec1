//! How many users are active: registering and deleting move the figure, a client may set it, and it is never below zero.

use std::sync::atomic::{AtomicU64, Ordering};

use http_instrument::Gauge;

/// The figure.
#[derive(Debug)]
pub struct ActiveUsers {
    shown: Gauge,
    users: AtomicU64,
}

impl ActiveUsers {
    /// Shows the figure in a gauge. 0 until somebody says otherwise.
    #[must_use]
    pub fn new(shown: Gauge) -> Self {
        Self {
            shown,
            users: AtomicU64::new(0),
        }
    }

    /// So many users more.
    pub fn add(&self, users: u64) {
        self.change(|now| now.saturating_add(users));
    }

    /// So many users less.
    pub fn remove(&self, users: u64) {
        self.change(|now| now.saturating_sub(users));
    }

    /// So many users.
    pub fn set(&self, users: u64) {
        self.change(|_| users);
    }

    /// How many there are.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.users.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        let set = |now| Some(change(now));
        let before = self.users.fetch_update(Ordering::Relaxed, Ordering::Relaxed, set);
        self.shown.set(before.map_or(0, change) as f64);
    }
}

#[cfg(test)]
mod tests {
    use http_instrument::HttpMetrics;
    use metric_contract::{DialectId, Meaning};

    use super::*;

    #[test]
    fn the_figure_moves_and_is_never_below_zero() {
        let gauge = HttpMetrics::new(DialectId::Native)
            .gauge(Meaning::ActiveUsers, &[])
            .unwrap();
        let users = ActiveUsers::new(gauge.clone());
        users.add(2);
        users.remove(1);
        assert_eq!((users.value(), gauge.value()), (1, 1.0));
        users.remove(5);
        assert_eq!((users.value(), gauge.value()), (0, 0.0));
        users.set(40);
        users.add(2);
        assert_eq!((users.value(), gauge.value()), (42, 42.0));
    }
}

//! How many users are active: registering and deleting move the figure, a client may set it, and it is never below zero.

use std::sync::{Mutex, PoisonError};

use http_instrument::Gauge;

/// The number of active users.
#[derive(Debug)]
pub struct ActiveUsers {
    shown: Gauge,
    /// Held while the gauge is set, so that the last change is the one that is shown.
    users: Mutex<u64>,
}

impl ActiveUsers {
    /// Starts at 0, and keeps the gauge up to date.
    #[must_use]
    pub fn new(shown: Gauge) -> Self {
        Self {
            shown,
            users: Mutex::new(0),
        }
    }

    /// Adds users.
    pub fn add(&self, users: u64) {
        self.change(|now| now.saturating_add(users));
    }

    /// Removes users; the number never falls below zero.
    pub fn remove(&self, users: u64) {
        self.change(|now| now.saturating_sub(users));
    }

    /// Sets the number of users.
    pub fn set(&self, users: u64) {
        self.change(|_| users);
    }

    /// How many there are.
    #[must_use]
    pub fn value(&self) -> u64 {
        *self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(u64) -> u64) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        *users = change(*users);
        self.shown.set(*users as f64);
    }
}

#[cfg(test)]
mod tests {
    use http_instrument::HttpMetrics;
    use metric_contract::{DialectId, MetricId};

    use super::*;

    #[test]
    fn the_figure_moves_and_is_never_below_zero() {
        let gauge = HttpMetrics::new(DialectId::Native)
            .gauge(MetricId::ActiveUsers, &[])
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

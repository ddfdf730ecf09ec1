//! Counts what is told in the log once a minute at most.

use std::time::{Duration, Instant};

/// The least time between two log lines.
const INTERVAL: Duration = Duration::from_secs(60);

/// How often something happened since the last log line about it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    number: usize,
    told: Option<Instant>,
}

impl Tally {
    /// Adds to the number. Returns the sum if it is time for the next log line.
    pub(super) fn add(&mut self, number: usize, now: Instant) -> Option<usize> {
        self.number += number;
        if self.told.is_some_and(|told| now.duration_since(told) < INTERVAL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_logged_at_once_and_those_of_the_next_minute_together() {
        let mut lost = Tally::default();
        let start = Instant::now();
        assert_eq!(lost.add(5, start), Some(5));
        assert_eq!(lost.add(2, start + INTERVAL / 2), None);
        assert_eq!(lost.add(1, start + INTERVAL), Some(3));
        assert_eq!(lost.add(1, start + INTERVAL), None);
    }
}

//! Whether clients are sent away because all connections are taken. While they are, clients that do nothing have less time,
//! so that others find room.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long after a client was sent away the pressure lasts.
const LASTS: Duration = Duration::from_secs(5);

/// Whether clients are sent away; clones share it. Time is an argument.
#[derive(Debug, Clone)]
pub(super) struct Pressure {
    started: Instant,
    /// Milliseconds after `started` until which the pressure lasts.
    until: Arc<AtomicU64>,
}

impl Pressure {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            started: now,
            until: Arc::default(),
        }
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.started).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    /// Reports that a client is sent away.
    pub(super) fn sent_away(&self, now: Instant) {
        self.until.store(self.milliseconds(now + LASTS), Ordering::Relaxed);
    }

    pub(super) fn is_high(&self, now: Instant) -> bool {
        self.milliseconds(now) < self.until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_lasts_a_while_after_a_client_was_sent_away() {
        let start = Instant::now();
        let pressure = Pressure::new(start);
        assert!(!pressure.is_high(start));
        pressure.sent_away(start + Duration::from_secs(10));
        assert!(pressure.is_high(start + Duration::from_secs(14)));
        assert!(!pressure.is_high(start + Duration::from_secs(15)));
    }
}

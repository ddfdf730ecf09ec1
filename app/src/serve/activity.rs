//! What a connection is doing, and since when: decides when it has done nothing for too long. Time is an argument.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::config::Limits;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Doing {
    /// Open, and not one byte has come.
    Nothing,
    /// Receiving a request's head.
    Head,
    /// A handler runs; it bounds its own time.
    Handler,
    /// Sending a response, or waiting for the next request.
    Rest,
}

/// Shared by a connection's socket, its service and its watchdog.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    doing: AtomicU8,
    /// Milliseconds after `opened`.
    since: AtomicU64,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            doing: AtomicU8::new(Doing::Nothing as u8),
            since: AtomicU64::new(0),
        }
    }

    fn doing(&self) -> Doing {
        match self.doing.load(Ordering::Relaxed) {
            0 => Doing::Nothing,
            1 => Doing::Head,
            2 => Doing::Handler,
            _ => Doing::Rest,
        }
    }

    fn touch(&self, now: Instant) {
        let since = now.saturating_duration_since(self.opened).as_millis();
        self.since
            .store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn enter(&self, doing: Doing, now: Instant) {
        self.touch(now);
        self.doing.store(doing as u8, Ordering::Relaxed);
    }

    /// Bytes came from the client.
    pub(super) fn read(&self, now: Instant) {
        match self.doing() {
            // A head's time runs from its first byte: one byte a second must not prolong it.
            Doing::Nothing | Doing::Rest => self.enter(Doing::Head, now),
            Doing::Head | Doing::Handler => {}
        }
    }

    /// The client took bytes.
    pub(super) fn wrote(&self, now: Instant) {
        match self.doing() {
            Doing::Rest => self.touch(now),
            Doing::Nothing | Doing::Head | Doing::Handler => {}
        }
    }

    /// A handler starts.
    pub(super) fn begin(&self, now: Instant) {
        self.enter(Doing::Handler, now);
    }

    /// A handler has answered, or was given up.
    pub(super) fn end(&self, now: Instant) {
        self.enter(Doing::Rest, now);
    }

    /// Whether the time for what it is doing is over.
    pub(super) fn is_overdue(&self, limits: &Limits, now: Instant) -> bool {
        let limit = match self.doing() {
            Doing::Nothing => limits.first_byte,
            Doing::Head => limits.header,
            Doing::Handler => return false,
            Doing::Rest => limits.idle,
        };
        let since = Duration::from_millis(self.since.load(Ordering::Relaxed));
        now.saturating_duration_since(self.opened).saturating_sub(since) >= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        concurrent_requests: 1,
        connections: 1,
        connections_per_ip: None,
        streams: 1,
        body_bytes: 1,
        first_byte: Duration::from_secs(1),
        header: Duration::from_secs(2),
        body: Duration::from_secs(3),
        idle: Duration::from_secs(4),
    };

    #[test]
    fn each_state_has_its_own_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let activity = Activity::new(start);
        assert!(!activity.is_overdue(&LIMITS, at(999)));
        assert!(activity.is_overdue(&LIMITS, at(1_000)));
        activity.read(at(1_000));
        activity.read(at(2_000));
        assert!(!activity.is_overdue(&LIMITS, at(2_999)));
        assert!(
            activity.is_overdue(&LIMITS, at(3_000)),
            "bytes that trickle in do not prolong the head's time"
        );
        activity.begin(at(3_000));
        assert!(!activity.is_overdue(&LIMITS, at(9_000_000)));
        activity.end(at(10_000));
        activity.wrote(at(13_000));
        assert!(!activity.is_overdue(&LIMITS, at(16_999)));
        assert!(activity.is_overdue(&LIMITS, at(17_000)));
    }
}

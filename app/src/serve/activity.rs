//! What a connection is doing, and since when: decides when it has done nothing for too long. Time is an argument.
//!
//! HTTP/1.1 tells by the bytes that move. In HTTP/2 bytes also move when nothing happens (pings, window updates), and
//! they would hold a connection for ever: there only requests and pieces of responses count.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::config::Limits;

/// What a connection is doing while no handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Doing {
    /// Open, and not one byte has come.
    Nothing,
    /// Receiving a request's head.
    Head,
    /// Sending a response, or waiting for the next request.
    Rest,
}

/// Shared by a connection's socket, its service, its responses and its watchdog.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    doing: AtomicU8,
    /// Milliseconds after `opened`.
    since: AtomicU64,
    /// Handlers that run; they bound their own time.
    handlers: AtomicU32,
    /// Responses whose bodies have not ended.
    responses: AtomicU32,
    is_http2: AtomicBool,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            doing: AtomicU8::new(Doing::Nothing as u8),
            since: AtomicU64::new(0),
            handlers: AtomicU32::new(0),
            responses: AtomicU32::new(0),
            is_http2: AtomicBool::new(false),
        }
    }

    fn doing(&self) -> Doing {
        match self.doing.load(Ordering::Relaxed) {
            0 => Doing::Nothing,
            1 => Doing::Head,
            _ => Doing::Rest,
        }
    }

    /// Whether bytes tell what the connection is doing.
    fn goes_by_bytes(&self) -> bool {
        !self.is_http2.load(Ordering::Relaxed) && self.handlers.load(Ordering::Relaxed) == 0
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

    /// Whether not one byte has come.
    pub(super) fn is_unused(&self) -> bool {
        self.doing() == Doing::Nothing
    }

    /// Bytes came from the client.
    pub(super) fn read(&self, now: Instant) {
        match self.doing() {
            Doing::Nothing => self.enter(Doing::Head, now),
            // A head's time runs from its first byte: one byte a second must not prolong it.
            Doing::Head => {}
            // While a response is sent, what comes is for later.
            Doing::Rest if self.goes_by_bytes() && self.responses.load(Ordering::Relaxed) == 0 => {
                self.enter(Doing::Head, now);
            }
            Doing::Rest => {}
        }
    }

    /// The client took bytes.
    pub(super) fn wrote(&self, now: Instant) {
        match self.doing() {
            Doing::Rest if self.goes_by_bytes() => self.touch(now),
            Doing::Nothing | Doing::Head | Doing::Rest => {}
        }
    }

    /// A handler starts.
    pub(super) fn begin(&self, is_http2: bool, now: Instant) {
        if is_http2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        self.handlers.fetch_add(1, Ordering::Relaxed);
        self.enter(Doing::Rest, now);
    }

    /// A handler has answered, or was given up.
    pub(super) fn end(&self, now: Instant) {
        self.handlers.fetch_sub(1, Ordering::Relaxed);
        self.touch(now);
    }

    /// A response's body starts.
    pub(super) fn begin_response(&self) {
        self.responses.fetch_add(1, Ordering::Relaxed);
    }

    /// The client has room for a piece of a response.
    pub(super) fn progress(&self, now: Instant) {
        self.touch(now);
    }

    /// A response's body has ended, or was given up.
    pub(super) fn end_response(&self, now: Instant) {
        self.responses.fetch_sub(1, Ordering::Relaxed);
        self.touch(now);
    }

    /// Whether the time for what it is doing is over.
    pub(super) fn is_overdue(&self, limits: &Limits, now: Instant) -> bool {
        if self.handlers.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let limit = match self.doing() {
            Doing::Nothing => limits.first_byte,
            Doing::Head => limits.header,
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
        activity.begin(false, at(3_000));
        assert!(!activity.is_overdue(&LIMITS, at(9_000_000)));
        activity.end(at(10_000));
        activity.wrote(at(13_000));
        assert!(!activity.is_overdue(&LIMITS, at(16_999)));
        assert!(activity.is_overdue(&LIMITS, at(17_000)));
    }

    #[test]
    fn in_http2_pings_do_not_prolong_a_rest_and_pieces_of_a_response_do() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let activity = Activity::new(start);
        activity.read(at(0));
        activity.begin(true, at(0));
        activity.begin(true, at(0));
        activity.end(at(1_000));
        assert!(!activity.is_overdue(&LIMITS, at(9_000)), "the other one runs");
        activity.begin_response();
        activity.end(at(9_000));
        activity.progress(at(10_000));
        activity.end_response(at(11_000));
        activity.read(at(14_000));
        activity.wrote(at(14_000));
        assert!(!activity.is_overdue(&LIMITS, at(14_999)));
        assert!(activity.is_overdue(&LIMITS, at(15_000)));
    }

    #[test]
    fn what_comes_while_a_response_is_sent_does_not_start_a_heads_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let activity = Activity::new(start);
        activity.read(at(0));
        activity.begin(false, at(0));
        activity.begin_response();
        activity.end(at(0));
        activity.read(at(1_000));
        activity.wrote(at(2_500));
        assert!(!activity.is_overdue(&LIMITS, at(6_000)));
        activity.end_response(at(6_000));
        activity.read(at(7_000));
        assert!(activity.is_overdue(&LIMITS, at(9_000)), "now it is the next head");
    }
}

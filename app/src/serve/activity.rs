//! The phase of a connection and since when it lasts: decides when a connection has been idle for too long. Time is an
//! argument.
//!
//! In HTTP/1.1 every byte that moves is activity. In HTTP/2 bytes also move when nothing happens (pings, window updates)
//! and would keep a connection open forever, so only requests and pieces of responses count.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::progress::Progress;
use crate::config::Limits;

/// So many requests in a row that are refused end an HTTP/1.1 connection. A client that sends requests without waiting for their
/// answers would else take each permit that becomes free, and much processor time.
const MOST_REFUSALS: u32 = 32;

/// The phase of a connection while no handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum ConnectionPhase {
    /// Open, and no byte has been received.
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
    phase: AtomicU8,
    /// Milliseconds after `opened`.
    since: AtomicU64,
    /// Handlers that run; they have time limits of their own.
    handlers: AtomicU32,
    /// Responses whose bodies have not ended.
    responses: AtomicU32,
    /// Those of them that take more than one piece.
    watched: Mutex<Vec<Arc<Progress>>>,
    is_http2: AtomicBool,
    /// Answers 503 since another one.
    refusals: AtomicU32,
    /// Its place among the connections that are served.
    place: AtomicUsize,
    is_asked_to_leave: AtomicBool,
    leaving: Notify,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            phase: AtomicU8::new(ConnectionPhase::Nothing as u8),
            since: AtomicU64::new(0),
            handlers: AtomicU32::new(0),
            responses: AtomicU32::new(0),
            watched: Mutex::default(),
            is_http2: AtomicBool::new(false),
            refusals: AtomicU32::new(0),
            place: AtomicUsize::new(0),
            is_asked_to_leave: AtomicBool::new(false),
            leaving: Notify::new(),
        }
    }

    fn phase(&self) -> ConnectionPhase {
        match self.phase.load(Ordering::Relaxed) {
            0 => ConnectionPhase::Nothing,
            1 => ConnectionPhase::Head,
            _ => ConnectionPhase::Rest,
        }
    }

    /// Whether bytes that move count as activity.
    fn goes_by_bytes(&self) -> bool {
        !self.is_http2.load(Ordering::Relaxed) && self.handlers.load(Ordering::Relaxed) == 0
    }

    fn touch(&self, now: Instant) {
        let since = now.saturating_duration_since(self.opened).as_millis();
        self.since
            .store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn enter(&self, phase: ConnectionPhase, now: Instant) {
        self.touch(now);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Whether no byte has been received yet.
    pub(super) fn is_unused(&self) -> bool {
        self.phase() == ConnectionPhase::Nothing
    }

    /// Reports bytes from the client.
    pub(super) fn read(&self, now: Instant) {
        match self.phase() {
            ConnectionPhase::Nothing => self.enter(ConnectionPhase::Head, now),
            // The time for a head runs from its first byte, so one byte a second does not prolong it.
            ConnectionPhase::Head => {}
            // Bytes that come while a response is sent belong to the next request.
            ConnectionPhase::Rest if self.goes_by_bytes() && self.responses.load(Ordering::Relaxed) == 0 => {
                self.enter(ConnectionPhase::Head, now);
            }
            ConnectionPhase::Rest => {}
        }
    }

    /// Reports bytes that the client took.
    pub(super) fn wrote(&self, now: Instant) {
        match self.phase() {
            ConnectionPhase::Rest if self.goes_by_bytes() => self.touch(now),
            ConnectionPhase::Nothing | ConnectionPhase::Head | ConnectionPhase::Rest => {}
        }
    }

    /// Reports the start of a handler.
    pub(super) fn begin(&self, is_http2: bool, now: Instant) {
        if is_http2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        self.handlers.fetch_add(1, Ordering::Relaxed);
        self.enter(ConnectionPhase::Rest, now);
    }

    /// Reports that a handler has ended, or was dropped because the client left.
    pub(super) fn end(&self, now: Instant) {
        self.handlers.fetch_sub(1, Ordering::Relaxed);
        self.touch(now);
    }

    /// Reports an answer, and whether it is a refusal. Returns whether the connection is to end with it.
    pub(super) fn answer(&self, is_refusal: bool) -> bool {
        if !is_refusal {
            self.refusals.store(0, Ordering::Relaxed);
            return false;
        }
        let before = self.refusals.fetch_add(1, Ordering::Relaxed);
        before + 1 >= MOST_REFUSALS && !self.is_http2.load(Ordering::Relaxed)
    }

    /// Reports the start of a response body.
    pub(super) fn begin_response(&self) {
        self.responses.fetch_add(1, Ordering::Relaxed);
    }

    /// Watches how fast the client takes a response.
    pub(super) fn watch_response(&self, now: Instant) -> Arc<Progress> {
        let progress = Arc::new(Progress::new(now));
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.push(Arc::clone(&progress));
        progress
    }

    /// Watches a response no longer.
    pub(super) fn forget_response(&self, progress: &Arc<Progress>) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|other| !Arc::ptr_eq(other, progress));
    }

    /// Whether a response is not taken in time, whatever else happens on the connection.
    fn has_stalled(&self, limit: Duration, now: Instant) -> bool {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.iter().any(|response| response.is_overdue(limit, now))
    }

    /// Reports that the client takes the next piece of a response.
    pub(super) fn progress(&self, now: Instant) {
        self.touch(now);
    }

    /// Reports that a response body has ended, or was dropped because the client left.
    pub(super) fn end_response(&self, now: Instant) {
        self.responses.fetch_sub(1, Ordering::Relaxed);
        self.touch(now);
    }

    pub(super) fn set_place(&self, place: usize) {
        self.place.store(place, Ordering::Relaxed);
    }

    pub(super) fn place(&self) -> usize {
        self.place.load(Ordering::Relaxed)
    }

    /// Asks the connection to close if it still does nothing.
    pub(super) fn ask_to_leave(&self) {
        self.is_asked_to_leave.store(true, Ordering::Relaxed);
        self.leaving.notify_one();
    }

    pub(super) fn is_asked_to_leave(&self) -> bool {
        self.is_asked_to_leave.load(Ordering::Relaxed)
    }

    /// Waits until the connection is asked to close and does nothing.
    pub(super) async fn left(&self) {
        loop {
            self.leaving.notified().await;
            if self.does_nothing() {
                return;
            }
            // A request came first.
            self.is_asked_to_leave.store(false, Ordering::Relaxed);
        }
    }

    /// How long nothing has happened; `None` while something happens, or if the connection has been asked to close.
    pub(super) fn idle_for(&self, now: Instant) -> Option<Duration> {
        (self.does_nothing() && !self.is_asked_to_leave()).then(|| self.quiet_for(now))
    }

    /// Whether there is no request, neither a part of one nor its response.
    fn does_nothing(&self) -> bool {
        self.phase() != ConnectionPhase::Head
            && self.handlers.load(Ordering::Relaxed) == 0
            && self.responses.load(Ordering::Relaxed) == 0
    }

    /// The time since the last activity.
    fn quiet_for(&self, now: Instant) -> Duration {
        let since = Duration::from_millis(self.since.load(Ordering::Relaxed));
        now.saturating_duration_since(self.opened).saturating_sub(since)
    }

    /// Whether the time for the current phase is over.
    pub(super) fn is_overdue(&self, limits: &Limits, now: Instant) -> bool {
        if self.has_stalled(limits.idle, now) {
            return true;
        }
        if self.handlers.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let limit = match self.phase() {
            ConnectionPhase::Nothing => limits.first_byte,
            ConnectionPhase::Head => limits.header,
            ConnectionPhase::Rest => limits.idle,
        };
        self.quiet_for(now) >= limit
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
        memory_bytes: None,
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
    fn only_refusals_in_a_row_end_a_connection_and_not_in_http2() {
        let start = Instant::now();
        let activity = Activity::new(start);
        let after = |refusals: u32| (0..refusals).map(|_| activity.answer(true)).filter(|end| *end).count();
        assert_eq!(after(MOST_REFUSALS - 1), 0);
        assert!(!activity.answer(false));
        assert_eq!(after(MOST_REFUSALS), 1);
        activity.begin(true, start);
        assert_eq!(after(MOST_REFUSALS), 0);
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
    fn a_stream_that_stalls_has_a_time_on_a_busy_connection_too() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let activity = Activity::new(start);
        activity.read(at(0));
        activity.begin(true, at(0));
        activity.begin_response();
        let stalled = activity.watch_response(at(0));
        stalled.hands_over(1_000_000, at(1_000));
        activity.begin(true, at(4_900));
        assert!(!activity.is_overdue(&LIMITS, at(4_999)));
        assert!(activity.is_overdue(&LIMITS, at(5_000)), "a handler runs, and yet");
        activity.forget_response(&stalled);
        assert!(!activity.is_overdue(&LIMITS, at(5_000)));
    }

    #[test]
    fn bytes_that_arrive_while_a_response_is_sent_do_not_start_the_timeout_of_a_head() {
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

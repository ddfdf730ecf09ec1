//! The series of one method on one route, and how a request is recorded into them.
//!
//! What runs on the request path takes no lock, allocates nothing and formats nothing; what some dialects and options
//! want beside that is in [`crate::details`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Instant,
};

use crate::{
    cells::{Cells, Row},
    details::{Details, ErrorName},
    exchange::Extra,
    registry::Shared,
    scale::BUCKETS,
    verb::Verb,
};

/// Distinct statuses that one method of one route may answer with; a handler rarely has more than six.
pub(crate) const STATUS_SLOTS: usize = 16;
const IN_FLIGHT: usize = 0;
const STATUS: usize = 1;
const SLOW: usize = STATUS + STATUS_SLOTS;

/// The handler's code waits: should the request end now, nothing was answered and nothing is counted.
const WAITING: u16 = 0;
/// The handler's code runs: should the request end now, the handler has panicked.
const RUNNING: u16 = 1;
/// What a request counts as whose handler ends without an answer.
const FAILED: u16 = 500;

/// Places of the cells of an endpoint's row, after those for requests in flight, statuses and slow requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) duration: usize,
    pub(crate) request_size: usize,
    pub(crate) response_size: usize,
    pub(crate) width: usize,
}

impl Places {
    pub(crate) fn new(duration_width: usize, size_width: usize) -> Self {
        let duration = SLOW + 1;
        let request_size = duration + duration_width;
        let response_size = request_size + size_width;
        Self {
            duration,
            request_size,
            response_size,
            width: response_size + size_width,
        }
    }
}

/// The series of one method on one route.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) shared: &'static Shared,
    pub(crate) verb: Verb,
    /// Which of [`Shared::variants`].
    pub(crate) variant: u8,
    /// Whether the cap on series applies; not to the unmatched route, which takes what others may not have.
    capped: bool,
    pub(crate) route: Box<str>,
    statuses: [AtomicU16; STATUS_SLOTS],
    cells: Cells,
    pub(crate) details: Details,
}

impl Endpoint {
    pub(crate) fn new(shared: &'static Shared, verb: Verb, variant: u8, route: &str, capped: bool) -> Self {
        Self {
            shared,
            verb,
            variant,
            capped,
            route: route.into(),
            statuses: Default::default(),
            cells: Cells::new(shared.places.width),
            details: Details::default(),
        }
    }

    /// The slot of a status, taken on first use. `None`: no slot is free, or the cap is reached.
    #[inline]
    pub(crate) fn status_slot(&self, status: u16) -> Option<usize> {
        // Most answers have the status of the first one.
        let [first, ..] = &self.statuses;
        if first.load(Ordering::Relaxed) == status {
            return Some(0);
        }
        for (slot, held) in self.statuses.iter().enumerate() {
            let found = match held.load(Ordering::Relaxed) {
                0 => self.take_slot(held, status)?,
                found => found,
            };
            if found == status {
                return Some(slot);
            }
        }
        None
    }

    /// Takes a slot that was free a moment ago. Who holds it now, or `None` if the cap is reached.
    #[cold]
    fn take_slot(&self, held: &AtomicU16, status: u16) -> Option<u16> {
        if self.capped && !self.shared.room_for(self.shared.status_series) {
            return None;
        }
        match held.compare_exchange(0, status, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                self.shared.take_room(self.shared.status_series);
                Some(status)
            }
            Err(other) => Some(other),
        }
    }

    /// Statuses that have a slot, in the order of their slots.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = u16> {
        let held = self.statuses.iter().map(|held| held.load(Ordering::Relaxed));
        held.take_while(|status| *status != 0)
    }

    /// The status of a slot; 0 if it is free.
    pub(crate) fn status_of(&self, slot: usize) -> u16 {
        self.statuses.get(slot).map_or(0, |held| held.load(Ordering::Relaxed))
    }

    /// Requests answered with the status of a slot.
    pub(crate) fn status_count(&self, slot: usize) -> u64 {
        self.cells.sum(STATUS + slot)
    }

    /// Requests answered.
    pub(crate) fn requests(&self) -> u64 {
        let slots = 0..self.statuses().count();
        slots.fold(0, |sum, slot| sum.wrapping_add(self.status_count(slot)))
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.cells.sum(IN_FLIGHT)
    }

    /// Requests that took longer than the threshold.
    pub(crate) fn slow(&self) -> u64 {
        self.cells.sum(SLOW)
    }

    pub(crate) fn sum(&self, place: usize) -> u64 {
        self.cells.sum(place)
    }

    /// Counts the size of a request's body.
    fn record_request_size(&self, row: Row<'_>, bytes: u64) {
        if self.shared.body_sizes {
            self.record_size(row, self.shared.places.request_size, bytes);
        }
    }

    #[inline]
    fn record_size(&self, row: Row<'_>, at: usize, bytes: u64) {
        if bytes == 0 {
            // In the first bucket, whatever its bound, and nothing to the sum. So are most requests.
            if self.shared.empty_bodies {
                row.add(at + BUCKETS, 1);
            }
            return;
        }
        self.shared.size_bounds.record(row, at, bytes);
    }

    #[inline]
    fn record_answer(&self, row: Row<'_>, status: u16, nanoseconds: u64, bytes: u64) {
        let shared = self.shared;
        let Some(slot) = self.status_slot(status) else {
            return shared.record_refused(self, status);
        };
        row.add(STATUS + slot, 1);
        if nanoseconds > shared.slow_nanoseconds {
            row.add(SLOW, 1);
        }
        shared.duration_bounds.record(row, shared.places.duration, nanoseconds);
        if shared.body_sizes {
            self.record_size(row, shared.places.response_size, bytes);
        }
        if shared.by_status.is_some() {
            self.record_by_status(slot, nanoseconds, bytes);
        }
    }

    /// Counts a request under the unmatched route because its own series has no room.
    pub(crate) fn record_overflow(&self, status: u16) {
        if let Some(slot) = self.status_slot(status) {
            self.cells.row().add(STATUS + slot, 1);
        }
    }
}

/// A request in flight. Whatever ends it (answer, cancellation, panic) drops this, and the gauge goes down.
#[derive(Debug)]
pub(crate) struct InFlight {
    endpoint: &'static Endpoint,
    started: Instant,
    response_bytes: u64,
    /// What options want to know of it when it ends.
    extra: Option<Arc<Extra>>,
    /// What it counts as if it ends now.
    status: u16,
    /// Its method is HEAD: no body is sent, whatever the response has.
    is_head: bool,
}

impl InFlight {
    /// Starts the clock. The handler's code is about to run; see [`InFlight::running`].
    #[inline]
    pub(crate) fn start(
        endpoint: &'static Endpoint,
        is_head: bool,
        request_bytes: Option<u64>,
        extra: Option<Arc<Extra>>,
    ) -> Self {
        let row = endpoint.cells.row();
        row.add(IN_FLIGHT, 1);
        if let Some(bytes) = request_bytes {
            endpoint.record_request_size(row, bytes);
        }
        Self {
            endpoint,
            started: Instant::now(),
            response_bytes: 0,
            extra,
            status: RUNNING,
            is_head,
        }
    }

    /// The handler's code runs: should it panic, the request ends here and is the server's fault.
    #[inline]
    pub(crate) fn running(&mut self) {
        self.status = RUNNING;
    }

    /// The handler waits: should the client leave now, nothing was answered, so nothing is counted.
    #[inline]
    pub(crate) fn waiting(&mut self) {
        self.status = WAITING;
    }

    /// There is an answer.
    #[inline]
    pub(crate) fn answered<B>(&mut self, response: &http::Response<B>) {
        self.status = response.status().as_u16();
        if self.status >= 500 {
            self.endpoint.note_exception(response.extensions());
        }
        if let Some(extra) = &self.extra {
            extra.answered(response.headers());
        }
    }

    /// The service failed instead of answering.
    #[cold]
    pub(crate) fn failed(&mut self) {
        self.status = FAILED;
        self.endpoint.record_exception(ErrorName::SERVICE);
    }

    pub(crate) fn add_response_bytes(&mut self, bytes: u64) {
        self.response_bytes = self.response_bytes.saturating_add(bytes);
    }

    pub(crate) fn is_head(&self) -> bool {
        self.is_head
    }

    /// The status that counts, of a request whose handler was left while it ran.
    #[cold]
    fn panicked(&self) -> u16 {
        self.endpoint.record_exception(ErrorName::PANIC);
        FAILED
    }
}

impl Drop for InFlight {
    // Not inlined: what is dropped is often an `Option` that is empty by then, and asking that is all that it costs.
    #[inline(never)]
    fn drop(&mut self) {
        let endpoint = self.endpoint;
        let status = match self.status {
            WAITING => return endpoint.cells.row().subtract_one(IN_FLIGHT),
            RUNNING => self.panicked(),
            answered => answered,
        };
        // 64 bits of nanoseconds are 584 years.
        let nanoseconds = endpoint.shared.rounded(self.started.elapsed().as_nanos() as u64);
        // After the clock is read: then nothing of it is kept across that call.
        let row = endpoint.cells.row();
        row.subtract_one(IN_FLIGHT);
        endpoint.record_answer(row, status, nanoseconds, self.response_bytes);
        if let Some(extra) = &self.extra {
            endpoint.record_extra(extra, status, nanoseconds, self.response_bytes);
        }
    }
}

/// Counts a request's body as it is read; records its size when it ends or is dropped.
#[derive(Debug)]
pub(crate) struct RequestTally {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) bytes: u64,
}

impl Drop for RequestTally {
    fn drop(&mut self) {
        self.endpoint.record_request_size(self.endpoint.cells.row(), self.bytes);
    }
}

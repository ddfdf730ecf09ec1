//! The series of one method on one route, and how a request is recorded into them.
//!
//! Everything here runs on the request path: no lock, no allocation, no formatting.

use std::{
    sync::atomic::{AtomicU16, Ordering},
    time::Instant,
};

use crate::{
    cells::{Cells, Row},
    registry::Shared,
    verb::Verb,
};

/// Distinct statuses that one method of one route may answer with; a handler rarely has more than six.
pub(crate) const STATUS_SLOTS: usize = 16;
const IN_FLIGHT: usize = 0;
const STATUS: usize = 1;
/// What a request counts as whose handler ends without an answer.
const PANICKED: u16 = 500;

/// Places of the cells of an endpoint's row, after the in-flight cell and the statuses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) duration: usize,
    pub(crate) request_size: usize,
    pub(crate) response_size: usize,
    pub(crate) width: usize,
}

impl Places {
    pub(crate) fn new(duration_width: usize, size_width: usize) -> Self {
        let duration = STATUS + STATUS_SLOTS;
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
    /// The matched route's template, or the dialect's word for none.
    pub(crate) route: Box<str>,
    /// Whether the cap on series applies; not to the unmatched route, which takes what others may not have.
    capped: bool,
    /// Label pairs as printed, one text for each HTTP family (see [`crate::http_families`]).
    pub(crate) labels: [Box<str>; crate::http_families::COUNT],
    statuses: [AtomicU16; STATUS_SLOTS],
    cells: Cells,
}

impl Endpoint {
    pub(crate) fn new(
        shared: &'static Shared,
        verb: Verb,
        route: &str,
        capped: bool,
        labels: [Box<str>; crate::http_families::COUNT],
    ) -> Self {
        Self {
            shared,
            verb,
            route: route.into(),
            capped,
            labels,
            statuses: Default::default(),
            cells: Cells::new(shared.places.width),
        }
    }

    /// The place of a status key's counter, made on first use. `None`: no slot is free, or the cap is reached.
    #[inline]
    pub(crate) fn status_place(&self, key: u16) -> Option<usize> {
        for (slot, held) in self.statuses.iter().enumerate() {
            let found = match held.load(Ordering::Relaxed) {
                0 if self.capped && !self.shared.room_for(1) => return None,
                0 => match held.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => {
                        self.shared.take_room(1);
                        key
                    }
                    Err(other) => other,
                },
                found => found,
            };
            if found == key {
                return Some(STATUS + slot);
            }
        }
        None
    }

    /// Status keys in use, with their counts.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = (u16, u64)> {
        self.statuses
            .iter()
            .map(|held| held.load(Ordering::Relaxed))
            .take_while(|key| *key != 0)
            .enumerate()
            .map(|(slot, key)| (key, self.cells.sum(STATUS + slot)))
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.cells.sum(IN_FLIGHT)
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
        let bounds = &self.shared.size_bounds;
        row.add(at + bounds.bucket(bytes), 1);
        row.add(at + bounds.buckets(), bytes);
    }

    #[inline]
    fn record_answer(&self, row: Row<'_>, status: u16, nanoseconds: u64, bytes: u64) {
        let shared = self.shared;
        let Some(place) = self.status_place(shared.status_key(status)) else {
            return shared.record_refused(self.verb, status);
        };
        row.add(place, 1);
        let at = shared.places.duration;
        row.add(at + shared.duration_bounds.bucket(nanoseconds), 1);
        row.add(at + shared.duration_bounds.buckets(), nanoseconds);
        if shared.body_sizes {
            self.record_size(row, shared.places.response_size, bytes);
        }
    }

    /// Counts a request under the unmatched route because its own series has no room.
    pub(crate) fn record_overflow(&self, status: u16) {
        if let Some(place) = self.status_place(self.shared.status_key(status)) {
            self.cells.row().add(place, 1);
        }
    }
}

/// A request in flight. Whatever ends it (answer, cancellation, panic) drops this, and the gauge goes down.
#[derive(Debug)]
pub(crate) struct InFlight {
    endpoint: &'static Endpoint,
    started: Instant,
    response_bytes: u64,
    /// What it counts as if it ends now; 0: nothing.
    status: u16,
}

impl InFlight {
    /// Starts the clock. The handler's code is about to run; see [`InFlight::running`].
    #[inline]
    pub(crate) fn start(endpoint: &'static Endpoint, request_bytes: Option<u64>) -> Self {
        let row = endpoint.cells.row();
        row.add(IN_FLIGHT, 1);
        if let Some(bytes) = request_bytes {
            endpoint.record_request_size(row, bytes);
        }
        Self {
            endpoint,
            started: Instant::now(),
            response_bytes: 0,
            status: PANICKED,
        }
    }

    /// The handler's code runs: should it panic, the request ends here and is the server's fault.
    #[inline]
    pub(crate) fn running(&mut self) {
        self.status = PANICKED;
    }

    /// The handler waits: should the client leave now, nothing was answered, so nothing is counted.
    #[inline]
    pub(crate) fn waiting(&mut self) {
        self.status = 0;
    }

    #[inline]
    pub(crate) fn answered(&mut self, status: u16) {
        self.status = status;
    }

    pub(crate) fn add_response_bytes(&mut self, bytes: u64) {
        self.response_bytes = self.response_bytes.saturating_add(bytes);
    }

    pub(crate) fn endpoint(&self) -> &'static Endpoint {
        self.endpoint
    }
}

impl Drop for InFlight {
    #[inline]
    fn drop(&mut self) {
        let row = self.endpoint.cells.row();
        row.subtract_one(IN_FLIGHT);
        if self.status == 0 {
            return;
        }
        // 64 bits of nanoseconds are 584 years.
        let nanoseconds = self.started.elapsed().as_nanos() as u64;
        self.endpoint
            .record_answer(row, self.status, nanoseconds, self.response_bytes);
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

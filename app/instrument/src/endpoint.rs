//! The series of one method on one route, and how a request is recorded into them.
//!
//! The code on the request path takes no lock, allocates nothing and formats nothing. What only some dialects and
//! options record is in [`crate::optional_metrics`].

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use http::Extensions;

use crate::{
    cell_layout::{IN_FLIGHT, SLOW, STATUS, STATUS_SLOTS},
    cells::{Cells, with_row},
    clock,
    method_label::MethodLabel,
    observed_request::RequestExtras,
    optional_metrics::{Answer, ErrorName, OptionalMetrics},
    recording::Recording,
};

/// Stands for a status while the handler waits. If the request is dropped in this state, its client has left.
const WAITING: u16 = 0;
/// Stands for a status while the handler's code runs. If the request is dropped in this state, the handler has
/// panicked.
const RUNNING: u16 = 1;
/// The status that is recorded when a handler ends without an answer.
const FAILED: u16 = 500;
/// The status that is recorded when the client leaves before there is an answer (nginx's 499).
const ABANDONED: u16 = 499;

/// The series of one method on one route.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) recording: &'static Recording,
    pub(crate) method: MethodLabel,
    /// An index into the values of [`ExtraLabel`](crate::extra_label::ExtraLabel).
    pub(crate) extra_label: u8,
    /// Whether the cap on series applies. It does not apply to the unmatched route, where requests count whose own
    /// route has no room.
    capped: bool,
    pub(crate) route: Box<str>,
    statuses: [AtomicU16; STATUS_SLOTS],
    cells: Cells,
    pub(crate) optional: OptionalMetrics,
}

impl Endpoint {
    pub(crate) fn new(
        recording: &'static Recording,
        method: MethodLabel,
        extra_label: u8,
        route: &str,
        capped: bool,
    ) -> Self {
        Self {
            recording,
            method,
            extra_label,
            capped,
            route: route.into(),
            statuses: Default::default(),
            cells: Cells::new(recording.layout.width),
            optional: OptionalMetrics::default(),
        }
    }

    /// The slot of a status, which is taken on first use. `None` if no slot is free or the cap is reached.
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

    /// Takes a slot that was free a moment ago. Returns the status that has it now, which is another one if another
    /// thread was faster; `None` if the cap is reached.
    #[cold]
    fn take_slot(&self, held: &AtomicU16, status: u16) -> Option<u16> {
        if self.capped && !self.recording.has_room(self.recording.status_series) {
            return None;
        }
        match held.compare_exchange(0, status, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                self.recording.add_series(self.recording.status_series);
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

    /// Counts the exception that the response names with an [`ErrorName`], if there is one.
    #[cold]
    fn note_exception(&self, extensions: &Extensions) {
        if let Some(name) = extensions.get::<ErrorName>() {
            self.record_exception(*name);
        }
    }

    fn record_exception(&self, name: ErrorName) {
        self.optional.record_exception(self.recording, name);
    }

    /// Counts a request under the unmatched route because its own series has no room.
    pub(crate) fn record_overflow(&self, status: u16) {
        if let Some(slot) = self.status_slot(status) {
            with_row!(self.cells, row => row.add(STATUS + slot, 1));
        }
    }
}

/// A guard for a request in flight. It is dropped however the request ends (answer, cancellation, panic); that records
/// the request and lowers the gauge of requests in flight.
#[derive(Debug)]
pub(crate) struct InFlightGuard {
    /// `None` if nothing is recorded, or no more.
    endpoint: Option<&'static Endpoint>,
    /// See [`clock::nanoseconds`].
    started: u64,
    /// What exemplars and callbacks need when the request ends.
    extras: Option<Arc<RequestExtras>>,
    /// The status to record if the request ends now; or [`WAITING`] or [`RUNNING`], before there is an answer.
    status: u16,
    /// The request's method, which is not always the endpoint's.
    method: MethodLabel,
}

impl InFlightGuard {
    /// A guard that records nothing.
    pub(crate) const NONE: Self = Self {
        endpoint: None,
        started: 0,
        extras: None,
        status: WAITING,
        method: MethodLabel::Other,
    };

    /// Whether the guard will record a request.
    #[inline]
    pub(crate) fn is_armed(&self) -> bool {
        self.endpoint.is_some()
    }

    /// The same guard for the future that the service has returned. Made of its fields, and not moved, so that the
    /// compiler writes them straight into that future.
    #[inline]
    pub(crate) fn for_future(mut self) -> Self {
        Self {
            endpoint: self.endpoint.take(),
            started: self.started,
            extras: self.extras.take(),
            status: WAITING,
            method: self.method,
        }
    }

    /// Records the request now, if there is one.
    #[inline]
    pub(crate) fn record_now(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.record_out_of_line(endpoint);
        }
    }

    /// Records the request now, if there is one, with a body of so many bytes.
    #[inline]
    pub(crate) fn record_sent(&mut self, bytes: u64) {
        if let Some(endpoint) = self.endpoint.take() {
            self.record(endpoint, self.status, bytes);
        }
    }

    /// Starts the clock. The handler's code is about to run; see [`InFlightGuard::running`].
    #[inline]
    pub(crate) fn start(
        endpoint: &'static Endpoint,
        method: MethodLabel,
        request_bytes: Option<u64>,
        extras: Option<Arc<RequestExtras>>,
    ) -> Self {
        let recording = endpoint.recording;
        with_row!(endpoint.cells, row => recording.record_start(row, request_bytes));
        Self {
            endpoint: Some(endpoint),
            started: clock::nanoseconds(),
            extras,
            status: RUNNING,
            method,
        }
    }

    /// Records that the handler's code runs. If the guard is dropped in this state, the request counts as a panic.
    #[inline]
    pub(crate) fn mark_running(&mut self) {
        self.status = RUNNING;
    }

    /// Records that the handler waits. If the guard is dropped in this state, the request counts as abandoned by its
    /// client.
    #[inline]
    pub(crate) fn mark_waiting(&mut self) {
        self.status = WAITING;
    }

    /// Records the response's status, and the headers that callbacks need.
    #[inline]
    pub(crate) fn record_response<B>(&mut self, response: &http::Response<B>) {
        self.status = response.status().as_u16();
        if self.status >= 500 {
            self.note_exception(response.extensions());
        }
        if let Some(extras) = &self.extras {
            extras.answered(response.headers());
        }
    }

    /// Records that the service returned an error instead of a response.
    #[cold]
    pub(crate) fn record_error(&mut self) {
        self.status = FAILED;
        if let Some(endpoint) = self.endpoint {
            endpoint.record_exception(ErrorName::SERVICE);
        }
    }

    #[cold]
    fn note_exception(&self, extensions: &Extensions) {
        if let Some(endpoint) = self.endpoint {
            endpoint.note_exception(extensions);
        }
    }

    /// Whether the method is HEAD. Then no body is sent, even if the response has one.
    #[inline]
    pub(crate) fn is_head_request(&self) -> bool {
        self.method == MethodLabel::Head
    }

    /// The status of a request that ends without an answer. Counts a panic if that is why.
    #[cold]
    fn status_without_answer(&self, endpoint: &Endpoint) -> u16 {
        if self.status == WAITING {
            return ABANDONED;
        }
        endpoint.record_exception(ErrorName::PANIC);
        FAILED
    }

    /// What a guard does that is dropped before it was finished. Not inlined, because most guards are empty by then, and
    /// only that is checked.
    #[inline(never)]
    fn record_out_of_line(&mut self, endpoint: &'static Endpoint) {
        let status = match self.status {
            WAITING | RUNNING => self.status_without_answer(endpoint),
            answered => answered,
        };
        self.record(endpoint, status, 0);
    }

    #[inline]
    fn record(&self, endpoint: &'static Endpoint, status: u16, response_bytes: u64) {
        let recording = endpoint.recording;
        let nanoseconds = recording.rounded(clock::nanoseconds().saturating_sub(self.started));
        let slot = endpoint.status_slot(status);
        // The row is taken after the clock was read, so that it need not be kept across that call.
        with_row!(endpoint.cells, row => recording.record_end(row, slot, nanoseconds, response_bytes));
        match slot {
            None => recording.record_refused(endpoint.extra_label, status),
            Some(slot) if recording.by_status.is_some() => {
                let optional = &endpoint.optional;
                optional.record_by_status(recording, slot, nanoseconds, response_bytes);
            }
            Some(_) => {}
        }
        if let Some(extras) = &self.extras {
            let answer = Answer {
                route: &endpoint.route,
                status,
                nanoseconds,
                response_bytes,
            };
            endpoint.optional.record_extras(recording, extras, answer);
        }
    }
}

impl Drop for InFlightGuard {
    #[inline]
    fn drop(&mut self) {
        self.record_now();
    }
}

/// Counts a response's body as it is sent; records the request when the body ends or is dropped.
#[derive(Debug)]
pub(crate) struct ResponseBodyGuard {
    pub(crate) request: InFlightGuard,
    pub(crate) bytes: u64,
}

impl Drop for ResponseBodyGuard {
    fn drop(&mut self) {
        self.request.record_sent(self.bytes);
    }
}

/// Counts a request's body as it is read; records its size when it ends or is dropped.
#[derive(Debug)]
pub(crate) struct RequestBodyGuard {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) bytes: u64,
}

impl Drop for RequestBodyGuard {
    fn drop(&mut self) {
        let recording = self.endpoint.recording;
        with_row!(self.endpoint.cells, row => recording.record_request_size(row, self.bytes));
    }
}

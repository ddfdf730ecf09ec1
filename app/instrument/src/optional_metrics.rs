//! What an endpoint records only in some dialects or with some options: histograms by status, exceptions, exemplars.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use metric_contract::ErrorNames;

use crate::{
    cell_layout::STATUS_SLOTS,
    cells::{Cells, with_row},
    exemplar::Exemplar,
    observed_request::{ObservedRequest, RequestExtras},
    recording::Recording,
    window_max::WindowMax,
};

/// The most names of exceptions that an endpoint counts; further names are refused.
const MOST_EXCEPTIONS: usize = 16;

/// The error behind a response with a status of 5xx. Put it into the response's extensions, and the layer counts it if
/// the dialect counts exceptions. Use few names: each makes one series for each route that fails with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorName {
    /// The name as in the type of a problem document: `store-unavailable`.
    pub slug: &'static str,
    /// The name as of a thrown exception: `HTTPException`.
    pub exception: &'static str,
}

impl ErrorName {
    /// The handler panicked.
    pub const PANIC: Self = Self {
        slug: "panic",
        exception: "Exception",
    };
    /// The service returned an error instead of an answer.
    pub const SERVICE: Self = Self {
        slug: "service-error",
        exception: "Exception",
    };

    /// The name that a dialect uses.
    #[must_use]
    pub const fn label_value(self, names: ErrorNames) -> &'static str {
        match names {
            ErrorNames::Slugs => self.slug,
            ErrorNames::Exceptions => self.exception,
        }
    }
}

/// The histograms and the longest duration of one status of an endpoint.
#[derive(Debug)]
pub(crate) struct StatusHistograms {
    cells: Cells,
    max: WindowMax,
}

/// What exemplars and callbacks need of an answered request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    pub(crate) nanoseconds: u64,
    pub(crate) response_bytes: u64,
}

/// What an endpoint records beside its own cells. Nothing is allocated before it is needed.
#[derive(Debug, Default)]
pub(crate) struct OptionalMetrics {
    by_status: [OnceLock<Box<StatusHistograms>>; STATUS_SLOTS],
    exceptions: RwLock<Vec<(&'static str, AtomicU64)>>,
    /// The latest exemplar of each bucket of the duration; empty before the first one.
    exemplars: Mutex<Box<[Option<Exemplar>]>>,
}

impl OptionalMetrics {
    #[cold]
    pub(crate) fn record_by_status(&self, recording: &Recording, slot: usize, nanoseconds: u64, bytes: u64) {
        let Some((places, held)) = recording.by_status.zip(self.by_status.get(slot)) else {
            return;
        };
        let of_status = held.get_or_init(|| {
            Box::new(StatusHistograms {
                cells: Cells::new(places.width),
                max: WindowMax::default(),
            })
        });
        let has_size = recording.body_sizes && (bytes > 0 || recording.empty_bodies);
        with_row!(of_status.cells, row => {
            recording.duration_bounds.record(row, 0, nanoseconds);
            if has_size {
                recording.size_bounds.record(row, places.response_size, bytes);
            }
        });
        of_status.max.record(recording.minute(), nanoseconds);
    }

    /// The value of a cell of a status's histograms; 0 before the first request with that status.
    pub(crate) fn status_sum(&self, slot: usize, place: usize) -> u64 {
        let held = self.by_status.get(slot).and_then(OnceLock::get);
        held.map_or(0, |of_status| of_status.cells.sum(place))
    }

    /// The longest duration of this minute and the one before, in nanoseconds.
    pub(crate) fn status_max(&self, recording: &Recording, slot: usize) -> u64 {
        let held = self.by_status.get(slot).and_then(OnceLock::get);
        held.map_or(0, |of_status| of_status.max.value(recording.minute()))
    }

    pub(crate) fn record_exception(&self, recording: &Recording, name: ErrorName) {
        let counted = self.exception(recording, name, |count| count.fetch_add(1, Ordering::Relaxed));
        if counted.is_none() {
            recording.count_refused();
        }
    }

    /// Makes an exception's series exist at 0.
    pub(crate) fn expect_exception(&self, recording: &Recording, name: ErrorName) {
        let _exists = self.exception(recording, name, |_| 0);
    }

    /// Calls `found` with the count of an exception, which is made on first use. `None` if there are too many names, or
    /// the cap on series is reached.
    fn exception<T>(&self, recording: &Recording, name: ErrorName, found: impl Fn(&AtomicU64) -> T) -> Option<T> {
        let name = name.label_value(recording.dialect.error_names);
        if !recording.counts_exceptions {
            return Some(found(&AtomicU64::new(0)));
        }
        let exceptions = &self.exceptions;
        let held = exceptions.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = held.iter().find(|(known, _)| *known == name) {
            return Some(found(count));
        }
        drop(held);
        let mut held = exceptions.write().unwrap_or_else(PoisonError::into_inner);
        if !held.iter().any(|(known, _)| *known == name) {
            if held.len() >= MOST_EXCEPTIONS || !recording.has_room(1) {
                return None;
            }
            recording.add_series(1);
            held.push((name, AtomicU64::new(0)));
        }
        held.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, count)| found(count))
    }

    /// The name of the exception at a place.
    pub(crate) fn exception_name(&self, place: usize) -> Option<&'static str> {
        let held = self.exceptions.read().unwrap_or_else(PoisonError::into_inner);
        held.get(place).map(|(name, _)| *name)
    }

    pub(crate) fn exception_count(&self, place: usize) -> u64 {
        let held = self.exceptions.read().unwrap_or_else(PoisonError::into_inner);
        held.get(place).map_or(0, |(_, count)| count.load(Ordering::Relaxed))
    }

    /// Calls the user's callbacks with a request that ended, and keeps its trace as an exemplar.
    #[cold]
    pub(crate) fn record_extras(&self, recording: &Recording, extras: &RequestExtras, answer: Answer<'_>) {
        if let Some(trace) = extras.trace.filter(|_| recording.exemplars) {
            self.keep_exemplar(recording, trace, answer);
        }
        if let Some(head) = &extras.head {
            let none = http::HeaderMap::new();
            let observed = ObservedRequest {
                method: &head.method,
                route: answer.route,
                request_headers: &head.headers,
                status: answer.status,
                response_headers: head.response.get().unwrap_or(&none),
                response_bytes: answer.response_bytes,
                duration: Duration::from_nanos(answer.nanoseconds),
            };
            for callback in &recording.callbacks {
                callback.call(&observed);
            }
        }
    }

    /// Keeps an exemplar, unless another thread holds the lock: losing one does no harm, and no request should wait.
    fn keep_exemplar(&self, recording: &Recording, trace: [u8; 16], answer: Answer<'_>) {
        let Ok(mut held) = self.exemplars.try_lock() else {
            return;
        };
        let bounds = &recording.duration_bounds;
        if held.is_empty() {
            *held = vec![None; bounds.buckets()].into_boxed_slice();
        }
        if let Some(slot) = held.get_mut(bounds.bucket(answer.nanoseconds)) {
            *slot = Some(Exemplar {
                trace,
                nanoseconds: answer.nanoseconds,
                at: SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or_default(),
                status: answer.status,
            });
        }
    }

    /// The newest exemplar in a range of buckets of the duration; only those of `status`, if it is given.
    pub(crate) fn exemplar(&self, buckets: std::ops::RangeInclusive<usize>, status: Option<u16>) -> Option<Exemplar> {
        let held = self.exemplars.lock().unwrap_or_else(PoisonError::into_inner);
        let of_buckets = held.get(buckets)?.iter().flatten();
        of_buckets
            .filter(|exemplar| status.is_none_or(|status| status == exemplar.status))
            .max_by_key(|exemplar| exemplar.at)
            .copied()
    }
}

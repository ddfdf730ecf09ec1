//! What an endpoint keeps for some dialects and options only: histograms by status, exceptions, exemplars.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::Extensions;
use metric_contract::ErrorNames;

use crate::{
    cells::Cells,
    endpoint::{Endpoint, STATUS_SLOTS},
    exchange::{Exchange, Extra},
    window_max::WindowMax,
};

/// Names of exceptions that an endpoint tells apart at most.
const MOST_EXCEPTIONS: usize = 16;

/// What a response of 5xx failed with. Put it into the response's extensions, and the layer counts it where the dialect
/// counts exceptions. Names must be few: each is a series of each route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorName {
    /// As a problem document's type names it: `store-unavailable`.
    pub slug: &'static str,
    /// As an exception that is thrown is named: `HTTPException`.
    pub exception: &'static str,
}

impl ErrorName {
    /// A handler that panicked.
    pub const PANIC: Self = Self {
        slug: "panic",
        exception: "Exception",
    };
    /// A service that failed instead of answering.
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

/// Places of the cells of a status's row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatusPlaces {
    pub(crate) response_size: usize,
    pub(crate) width: usize,
}

impl StatusPlaces {
    pub(crate) fn new(duration_width: usize, size_width: usize) -> Self {
        Self {
            response_size: duration_width,
            width: duration_width + size_width,
        }
    }
}

/// Histograms of one status of an endpoint.
#[derive(Debug)]
pub(crate) struct OfStatus {
    cells: Cells,
    max: WindowMax,
}

/// A request whose trace is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exemplar {
    pub(crate) trace: [u8; 16],
    pub(crate) nanoseconds: u64,
    /// Since the epoch.
    pub(crate) at: Duration,
    status: u16,
}

/// What an endpoint keeps beside its cells; empty until it is needed.
#[derive(Debug, Default)]
pub(crate) struct Details {
    by_status: [OnceLock<Box<OfStatus>>; STATUS_SLOTS],
    exceptions: RwLock<Vec<(&'static str, AtomicU64)>>,
    /// The last of each bucket of the duration.
    exemplars: Mutex<Box<[Option<Exemplar>]>>,
}

impl Endpoint {
    #[cold]
    pub(crate) fn record_by_status(&self, slot: usize, nanoseconds: u64, bytes: u64) {
        let shared = self.shared;
        let Some((places, held)) = shared.by_status.zip(self.details.by_status.get(slot)) else {
            return;
        };
        let of_status = held.get_or_init(|| {
            Box::new(OfStatus {
                cells: Cells::new(places.width),
                max: WindowMax::default(),
            })
        });
        let row = of_status.cells.row();
        shared.duration_bounds.record(row, 0, nanoseconds);
        if shared.body_sizes && (bytes > 0 || shared.empty_bodies) {
            shared.size_bounds.record(row, places.response_size, bytes);
        }
        of_status.max.record(shared.minute(), nanoseconds);
    }

    /// A cell of a status's histograms; 0 before its first request.
    pub(crate) fn status_sum(&self, slot: usize, place: usize) -> u64 {
        let held = self.details.by_status.get(slot).and_then(OnceLock::get);
        held.map_or(0, |of_status| of_status.cells.sum(place))
    }

    /// The longest duration of the last minutes, in nanoseconds.
    pub(crate) fn status_max(&self, slot: usize) -> u64 {
        let held = self.details.by_status.get(slot).and_then(OnceLock::get);
        held.map_or(0, |of_status| of_status.max.value(self.shared.minute()))
    }

    /// Counts what a response failed with, if it says so.
    #[cold]
    pub(crate) fn note_exception(&self, extensions: &Extensions) {
        if let Some(name) = extensions.get::<ErrorName>() {
            self.record_exception(*name);
        }
    }

    pub(crate) fn record_exception(&self, name: ErrorName) {
        let counted = self.exception(name, |count| count.fetch_add(1, Ordering::Relaxed));
        if counted.is_none() {
            self.shared.count_refused();
        }
    }

    /// Makes an exception's series exist.
    pub(crate) fn expect_exception(&self, name: ErrorName) {
        let _exists = self.exception(name, |_| 0);
    }

    /// `None`: there are too many names.
    fn exception<T>(&self, name: ErrorName, found: impl Fn(&AtomicU64) -> T) -> Option<T> {
        let name = name.label_value(self.shared.dialect.error_names);
        if !self.shared.counts_exceptions {
            return Some(found(&AtomicU64::new(0)));
        }
        let exceptions = &self.details.exceptions;
        let held = exceptions.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = held.iter().find(|(known, _)| *known == name) {
            return Some(found(count));
        }
        drop(held);
        let mut held = exceptions.write().unwrap_or_else(PoisonError::into_inner);
        if !held.iter().any(|(known, _)| *known == name) {
            if held.len() >= MOST_EXCEPTIONS || !self.shared.room_for(1) {
                return None;
            }
            self.shared.take_room(1);
            held.push((name, AtomicU64::new(0)));
        }
        held.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, count)| found(count))
    }

    /// The name of the exception at a place.
    pub(crate) fn exception_name(&self, place: usize) -> Option<&'static str> {
        let held = self.details.exceptions.read().unwrap_or_else(PoisonError::into_inner);
        held.get(place).map(|(name, _)| *name)
    }

    pub(crate) fn exception_count(&self, place: usize) -> u64 {
        let held = self.details.exceptions.read().unwrap_or_else(PoisonError::into_inner);
        held.get(place).map_or(0, |(_, count)| count.load(Ordering::Relaxed))
    }

    /// Tells the functions of the user's own of a request that ended, and remembers its trace.
    #[cold]
    pub(crate) fn record_extra(&self, extra: &Extra, status: u16, nanoseconds: u64, bytes: u64) {
        let shared = self.shared;
        if let Some(trace) = extra.trace.filter(|_| shared.exemplars) {
            self.keep_exemplar(trace, status, nanoseconds);
        }
        if let Some(head) = &extra.head {
            let none = http::HeaderMap::new();
            let exchange = Exchange {
                method: &head.method,
                route: &self.route,
                request_headers: &head.headers,
                status,
                response_headers: head.response.get().unwrap_or(&none),
                response_bytes: bytes,
                duration: Duration::from_nanos(nanoseconds),
            };
            for function in &shared.functions {
                function.call(&exchange);
            }
        }
    }

    /// Gives way to whoever holds the lock: one exemplar is as good as another.
    fn keep_exemplar(&self, trace: [u8; 16], status: u16, nanoseconds: u64) {
        let Ok(mut held) = self.details.exemplars.try_lock() else {
            return;
        };
        let bounds = &self.shared.duration_bounds;
        if held.is_empty() {
            *held = vec![None; bounds.buckets()].into_boxed_slice();
        }
        if let Some(slot) = held.get_mut(bounds.bucket(nanoseconds)) {
            *slot = Some(Exemplar {
                trace,
                nanoseconds,
                at: SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or_default(),
                status,
            });
        }
    }

    /// The newest exemplar of some buckets of the duration, of a status if the family tells statuses apart.
    pub(crate) fn exemplar(&self, buckets: std::ops::RangeInclusive<usize>, status: Option<u16>) -> Option<Exemplar> {
        let held = self.details.exemplars.lock().unwrap_or_else(PoisonError::into_inner);
        let of_buckets = held.get(buckets)?.iter().flatten();
        of_buckets
            .filter(|exemplar| status.is_none_or(|status| status == exemplar.status))
            .max_by_key(|exemplar| exemplar.at)
            .copied()
    }
}

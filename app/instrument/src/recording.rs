//! The settings by which every request is recorded: bounds, the layout of the cells, the options and the cap on series.
//!
//! This file knows no endpoint. All fields that the request path reads are in its one struct.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use metric_contract::Dialect;

use crate::{
    cell_layout::{CellLayout, IN_FLIGHT, SLOW, STATUS, StatusCellLayout},
    cells::Row,
    extra_label::ExtraLabel,
    observed_request::Callback,
    scale::{BUCKETS, Bounds},
};

/// The settings of recording, the same for all endpoints.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) duration_bounds: Bounds,
    pub(crate) size_bounds: Bounds,
    pub(crate) layout: CellLayout,
    /// A request that takes longer counts as slow.
    pub(crate) slow_nanoseconds: u64,
    /// Durations are rounded to a multiple of this.
    pub(crate) rounding_nanoseconds: u64,
    pub(crate) body_sizes: bool,
    /// Whether bodies of no bytes count; never if `body_sizes` is off.
    pub(crate) empty_bodies: bool,
    /// Whether a request keeps something until it ends: its trace for exemplars, or its headers for callbacks.
    pub(crate) has_extras: bool,
    /// The layout of a status's histograms, if some family has durations or sizes by status.
    pub(crate) by_status: Option<StatusCellLayout>,
    pub(crate) extra_label: ExtraLabel,

    /// The dialect as the options change it: the rows that are exported, with the bounds, names and labels in force.
    pub(crate) dialect: &'static Dialect,
    pub(crate) counts_exceptions: bool,
    pub(crate) exemplars: bool,
    pub(crate) callbacks: Box<[Callback]>,
    pub(crate) started: Instant,
    pub(crate) max_series: usize,
    /// The number of series that each status adds to an endpoint.
    pub(crate) status_series: usize,
    pub(crate) series: AtomicUsize,
    pub(crate) refused: AtomicU64,
    /// Counts the requests whose own series has no room. Set once, when the registry exists.
    pub(crate) overflow: OnceLock<&'static dyn Overflow>,
}

#[cold]
fn record_slow<const OWNED: bool>(row: Row<'_, OWNED>) {
    row.add(SLOW, 1);
}

/// Counts requests for which the cap on series leaves no room.
pub(crate) trait Overflow: fmt::Debug + Send + Sync {
    /// Counts a request by its status, under the unmatched route.
    fn record_overflow(&'static self, extra_label: u8, status: u16);
}

impl Recording {
    /// Whether the cap leaves room for this number of further series.
    pub(crate) fn has_room(&self, series: usize) -> bool {
        self.series.load(Ordering::Relaxed).saturating_add(series) <= self.max_series
    }

    pub(crate) fn add_series(&self, series: usize) {
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request whose own series has no room for its status.
    #[cold]
    pub(crate) fn record_refused(&self, extra_label: u8, status: u16) {
        self.count_refused();
        if let Some(overflow) = self.overflow.get() {
            overflow.record_overflow(extra_label, status);
        }
    }

    /// Counts the start of a request, and the size of its body if it is known.
    #[inline]
    pub(crate) fn record_start<const OWNED: bool>(&self, row: Row<'_, OWNED>, request_bytes: Option<u64>) {
        row.add(IN_FLIGHT, 1);
        if let Some(bytes) = request_bytes {
            self.record_request_size(row, bytes);
        }
    }

    /// Counts the size of a request's body.
    #[inline]
    pub(crate) fn record_request_size<const OWNED: bool>(&self, row: Row<'_, OWNED>, bytes: u64) {
        self.record_size(row, self.layout.request_size, bytes);
    }

    #[inline]
    fn record_size<const OWNED: bool>(&self, row: Row<'_, OWNED>, at: usize, bytes: u64) {
        if bytes == 0 {
            // Zero belongs to the first bucket whatever its bound is, and adds nothing to the sum. Most requests have
            // no body, so this path needs no search for the bucket.
            if self.empty_bodies {
                row.add(at + BUCKETS, 1);
            }
        } else if self.body_sizes {
            self.size_bounds.record(row, at, bytes);
        }
    }

    /// Counts the end of a request. `slot` is that of its status; without one only the gauge of requests in flight
    /// changes.
    #[inline]
    pub(crate) fn record_end<const OWNED: bool>(
        &self,
        row: Row<'_, OWNED>,
        slot: Option<usize>,
        nanoseconds: u64,
        response_bytes: u64,
    ) {
        row.subtract_one(IN_FLIGHT);
        let Some(slot) = slot else { return };
        row.add(STATUS + slot, 1);
        if nanoseconds > self.slow_nanoseconds {
            record_slow(row);
        }
        self.duration_bounds.record(row, self.layout.duration, nanoseconds);
        self.record_size(row, self.layout.response_size, response_bytes);
    }

    /// The duration rounded as the options say.
    #[inline]
    pub(crate) fn rounded(&self, nanoseconds: u64) -> u64 {
        match self.rounding_nanoseconds {
            0 | 1 => nanoseconds,
            step => (nanoseconds.saturating_add(step / 2) / step).saturating_mul(step),
        }
    }

    /// The minute since the metrics were built; the first is 1.
    pub(crate) fn minute(&self) -> u64 {
        1 + self.started.elapsed().as_secs() / 60
    }
}

//! Which cell of a row holds what.

/// Distinct statuses that one method of one route may answer with; a handler rarely has more than six.
pub(crate) const STATUS_SLOTS: usize = 16;
/// The cell of requests in flight.
pub(crate) const IN_FLIGHT: usize = 0;
/// The first of the cells that count requests by status; there is one for each slot.
pub(crate) const STATUS: usize = 1;
/// The cell of slow requests.
pub(crate) const SLOW: usize = STATUS + STATUS_SLOTS;

/// The histograms in an endpoint's row, behind the counters: the first cell of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellLayout {
    pub(crate) duration: usize,
    pub(crate) request_size: usize,
    pub(crate) response_size: usize,
    /// Cells of the row.
    pub(crate) width: usize,
}

impl CellLayout {
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

/// The histograms in the row of one status: that of the duration is the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatusCellLayout {
    pub(crate) response_size: usize,
    /// Cells of the row.
    pub(crate) width: usize,
}

impl StatusCellLayout {
    pub(crate) fn new(duration_width: usize, size_width: usize) -> Self {
        Self {
            response_size: duration_width,
            width: duration_width + size_width,
        }
    }
}

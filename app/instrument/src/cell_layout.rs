//! The places of an endpoint's counters and histograms in its row of cells.

/// The number of distinct statuses that one method of one route can count; a handler rarely answers with more than six.
pub(crate) const STATUS_SLOTS: usize = 16;
/// The cell of requests in flight.
pub(crate) const IN_FLIGHT: usize = 0;
/// The first of the cells that count requests by status; there is one for each slot.
pub(crate) const STATUS: usize = 1;
/// The cell of slow requests.
pub(crate) const SLOW: usize = STATUS + STATUS_SLOTS;

/// The first cell of each histogram in an endpoint's row. The counters stand before them.
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

/// The places of the histograms in the row of one status. The duration's histogram begins at cell 0.
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

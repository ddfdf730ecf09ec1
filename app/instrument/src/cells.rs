//! Counters that threads do not fight over: every recording thread owns a row of cells, a scrape adds the rows up.
//!
//! Knows nothing of metrics. A cell is addressed by its place in the row; what the place means is the caller's.

use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

/// Rows that belong to one thread each, at most. More only costs memory; threads beyond it share row 0.
const MAX_OWNED_ROWS: usize = 16;
/// Cells in one line. 128 bytes: adjacent-line prefetch makes neighbours of 64 bytes contend on x86.
const LINE: usize = 16;

static NEXT_SEAT: AtomicUsize = AtomicUsize::new(1);
static ROWS: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// `usize::MAX`: this thread has not recorded yet.
    static SEAT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The row that the current thread writes. Row 0 is shared, every other has exactly one writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat(usize);

impl Seat {
    /// The current thread's seat; taken when it first records, kept for its life.
    #[inline]
    pub(crate) fn current() -> Self {
        SEAT.with(|seat| match seat.get() {
            usize::MAX => Self::take(seat),
            taken => Self(taken),
        })
    }

    #[cold]
    fn take(seat: &Cell<usize>) -> Self {
        let next = NEXT_SEAT.fetch_add(1, Ordering::Relaxed);
        let mine = if next < rows() { next } else { 0 };
        seat.set(mine);
        Self(mine)
    }
}

fn rows() -> usize {
    *ROWS.get_or_init(|| {
        1 + thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_OWNED_ROWS)
    })
}

/// Keeps rows of different threads on different cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([AtomicU64; LINE]);

/// `width` counters, once for every row.
#[derive(Debug)]
pub(crate) struct Cells {
    lines: Box<[Line]>,
    lines_per_row: usize,
}

impl Cells {
    pub(crate) fn new(width: usize) -> Self {
        let lines_per_row = width.div_ceil(LINE);
        let lines = (0..lines_per_row * rows()).map(|_| Line::default()).collect();
        Self { lines, lines_per_row }
    }

    #[inline]
    fn cell(&self, row: usize, at: usize) -> Option<&AtomicU64> {
        self.lines.get(row * self.lines_per_row + at / LINE)?.0.get(at % LINE)
    }

    /// Adds `n` to a counter, wrapping.
    #[inline]
    pub(crate) fn add(&self, seat: Seat, at: usize, n: u64) {
        let Some(cell) = self.cell(seat.0, at) else { return };
        if seat.0 == 0 {
            cell.fetch_add(n, Ordering::Relaxed);
        } else {
            // This thread is the only writer of the row, so a plain load and store lose nothing and need no lock prefix.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        }
    }

    /// Subtracts one; the row may go below zero when another thread added, the sum over rows does not.
    #[inline]
    pub(crate) fn subtract_one(&self, seat: Seat, at: usize) {
        self.add(seat, at, u64::MAX);
    }

    /// A counter's value, over all rows.
    pub(crate) fn sum(&self, at: usize) -> u64 {
        (0..self.lines.len() / self.lines_per_row.max(1))
            .filter_map(|row| self.cell(row, at))
            .fold(0, |sum, cell| sum.wrapping_add(cell.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_rows_lose_no_count() {
        let cells = Cells::new(40);
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        cells.add(Seat::current(), 17, 2);
                    }
                });
            }
        });
        assert_eq!(cells.sum(17), 128_000);
        assert_eq!(cells.sum(16), 0);
    }

    #[test]
    fn what_one_thread_adds_another_may_take_back() {
        let cells = Cells::new(1);
        cells.add(Seat::current(), 0, 1);
        thread::scope(|scope| {
            scope.spawn(|| cells.subtract_one(Seat::current(), 0));
        });
        assert_eq!(cells.sum(0), 0);
    }
}

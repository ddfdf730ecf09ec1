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
/// Cells between rows. 128 bytes: adjacent-line prefetch makes neighbours of 64 bytes contend on x86.
const GAP: usize = 16;

static NEXT_ROW: AtomicUsize = AtomicUsize::new(1);
static ROWS: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// `usize::MAX`: this thread has not recorded yet.
    static ROW_INDEX: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The row that the current thread writes. Row 0 is shared, every other has exactly one writer.
#[derive(Debug, Clone, Copy)]
struct RowIndex(usize);

impl RowIndex {
    /// The current thread's index; taken when it first records, kept for its life.
    #[inline]
    fn current() -> Self {
        ROW_INDEX.with(|index| match index.get() {
            usize::MAX => Self::take(index),
            taken => Self(taken),
        })
    }

    #[cold]
    fn take(index: &Cell<usize>) -> Self {
        let next = NEXT_ROW.fetch_add(1, Ordering::Relaxed);
        let mine = if next < rows() { next } else { 0 };
        index.set(mine);
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

/// `width` counters, once for every row.
#[derive(Debug)]
pub(crate) struct Cells {
    cells: Box<[AtomicU64]>,
    /// Cells from one row to the next: the width, and a gap so wide that no two rows share a cache line.
    stride: usize,
}

/// The current thread's counters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// From the row's start; what is beyond its width is nobody's, or another row's.
    cells: &'a [AtomicU64],
    is_owned: bool,
}

impl Row<'_> {
    /// Adds `n` to a counter, wrapping.
    #[inline]
    pub(crate) fn add(self, at: usize, n: u64) {
        let Some(cell) = self.cells.get(at) else { return };
        if self.is_owned {
            // This thread is the only writer of the row, so a plain load and store lose nothing and need no lock prefix.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        } else {
            cell.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Subtracts one; the row may go below zero when another thread added, the sum over rows does not.
    #[inline]
    pub(crate) fn subtract_one(self, at: usize) {
        self.add(at, u64::MAX);
    }
}

impl Cells {
    pub(crate) fn new(width: usize) -> Self {
        let stride = width + GAP;
        Self {
            cells: (0..stride * rows()).map(|_| AtomicU64::new(0)).collect(),
            stride,
        }
    }

    /// The current thread's row.
    #[inline]
    pub(crate) fn row(&self) -> Row<'_> {
        let index = RowIndex::current().0;
        let start = index * self.stride;
        Row {
            cells: self.cells.get(start..).unwrap_or_default(),
            is_owned: index != 0,
        }
    }

    /// A counter's value, over all rows.
    pub(crate) fn sum(&self, at: usize) -> u64 {
        let rows = self.cells.iter().skip(at).step_by(self.stride);
        rows.fold(0, |sum, cell| sum.wrapping_add(cell.load(Ordering::Relaxed)))
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
                        cells.row().add(17, 2);
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
        cells.row().add(0, 1);
        thread::scope(|scope| {
            scope.spawn(|| cells.row().subtract_one(0));
        });
        assert_eq!(cells.sum(0), 0);
    }
}

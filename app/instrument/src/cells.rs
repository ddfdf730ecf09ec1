//! Counters that many threads can increase without contention: every recording thread owns a row of cells, and a scrape
//! adds up the rows.
//!
//! This file knows nothing of metrics. A cell is addressed by its place in the row; the caller says what a place
//! counts.

use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

/// The most rows that belong to one thread each. Further threads share row 0. More rows would cost memory and a longer
/// scrape.
const MAX_OWNED_ROWS: usize = 16;
/// Unused cells between two rows: 128 bytes. 64 bytes, one cache line, would not be enough, because x86 processors
/// fetch cache lines in pairs.
const GAP: usize = 16;

static NEXT_ROW: AtomicUsize = AtomicUsize::new(1);
static ROWS: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// `usize::MAX`: this thread has not recorded yet.
    static ROW_INDEX: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The index of the row that a thread writes. Row 0 is shared; every other row has exactly one writer.
#[derive(Debug, Clone, Copy)]
struct RowIndex(usize);

impl RowIndex {
    /// The current thread's row. A thread takes it when it first records, and keeps it until the thread ends.
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
    /// Each row ends with a gap so wide that no two rows share a cache line.
    rows: Box<[Box<[AtomicU64]>]>,
}

/// Counters of one row. `OWNED`: the current thread is the only one that writes them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a, const OWNED: bool> {
    cells: &'a [AtomicU64],
}

/// The current thread's counters. Whether they are its own is asked once, and not for each counter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CurrentRow<'a> {
    Owned(Row<'a, true>),
    Shared(Row<'a, false>),
}

/// Evaluates an expression with the current thread's row of some cells, of either kind.
macro_rules! with_row {
    ($cells:expr, $row:ident => $record:expr) => {
        match $cells.row() {
            $crate::cells::CurrentRow::Owned($row) => $record,
            $crate::cells::CurrentRow::Shared($row) => $record,
        }
    };
}
pub(crate) use with_row;

impl<const OWNED: bool> Row<'_, OWNED> {
    /// Adds `n` to a counter, wrapping.
    #[inline]
    pub(crate) fn add(self, at: usize, n: u64) {
        let Some(cell) = self.cells.get(at) else { return };
        if OWNED {
            // This thread is the only writer of the row, so a plain load and store lose nothing and need no lock
            // prefix.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        } else {
            cell.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Subtracts one, wrapping. A row may go below zero if another thread's row was increased for the same request; the
    /// sum over the rows is right.
    #[inline]
    pub(crate) fn subtract_one(self, at: usize) {
        self.add(at, u64::MAX);
    }
}

impl Cells {
    pub(crate) fn new(width: usize) -> Self {
        let row = || (0..width + GAP).map(|_| AtomicU64::new(0)).collect();
        Self {
            rows: (0..rows()).map(|_| row()).collect(),
        }
    }

    /// The current thread's row.
    #[inline]
    pub(crate) fn row(&self) -> CurrentRow<'_> {
        let index = RowIndex::current().0;
        match self.rows.get(index) {
            Some(cells) if index != 0 => CurrentRow::Owned(Row { cells }),
            Some(cells) => CurrentRow::Shared(Row { cells }),
            // Cannot happen, because there is a row for every index.
            None => CurrentRow::Shared(Row { cells: &[] }),
        }
    }

    /// A counter's value, over all rows.
    pub(crate) fn sum(&self, at: usize) -> u64 {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        cells.fold(0, |sum, cell| sum.wrapping_add(cell.load(Ordering::Relaxed)))
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
                        with_row!(cells, row => row.add(17, 2));
                    }
                });
            }
        });
        assert_eq!(cells.sum(17), 128_000);
        assert_eq!(cells.sum(16), 0);
    }

    #[test]
    fn one_thread_can_subtract_a_value_that_another_thread_added() {
        let cells = Cells::new(1);
        with_row!(cells, row => row.add(0, 1));
        thread::scope(|scope| {
            scope.spawn(|| with_row!(cells, row => row.subtract_one(0)));
        });
        assert_eq!(cells.sum(0), 0);
    }
}

//! Counts and times of the store's operations. Handles are made at start, one set for each operation.

use std::{sync::Arc, time::Instant};

use http_instrument::{Counter, FamilyError, Histogram, HttpMetrics};
use metric_contract::Meaning;

use super::Operation;

/// Metrics of all operations; a clone is the same.
#[derive(Debug, Clone)]
pub struct StoreMetrics(Arc<[Handles]>);

#[derive(Debug)]
struct Handles {
    succeeded: Counter,
    failed: Counter,
    duration: Histogram,
}

impl StoreMetrics {
    /// Makes the handles, so that every series exists from the start.
    ///
    /// # Errors
    /// The families do not fit, or the cap on series is reached.
    pub fn new(metrics: &HttpMetrics) -> Result<Self, FamilyError> {
        let handles = Operation::ALL.iter().map(|operation| {
            let (operation, table) = operation.labels();
            Ok(Handles {
                succeeded: metrics.counter(Meaning::DatabaseOperations, &[operation, table, "success"])?,
                failed: metrics.counter(Meaning::DatabaseOperations, &[operation, table, "error"])?,
                duration: metrics.histogram(Meaning::DatabaseOperationDuration, &[operation, table], None)?,
            })
        });
        Ok(Self(handles.collect::<Result<_, _>>()?))
    }

    pub(super) fn start(&self, operation: Operation) -> Running<'_> {
        Running {
            handles: self.0.get(operation as usize),
            started: Instant::now(),
        }
    }
}

/// An operation that runs. One that is cancelled is not counted: its outcome is not known.
pub(super) struct Running<'a> {
    handles: Option<&'a Handles>,
    started: Instant,
}

impl Running<'_> {
    pub(super) fn end(self, succeeded: bool) {
        if let Some(handles) = self.handles {
            handles.duration.observe(self.started.elapsed());
            if succeeded {
                handles.succeeded.increment()
            } else {
                handles.failed.increment()
            }
        }
    }
}

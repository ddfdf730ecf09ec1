//! Counts and times of the store's operations. Handles are made at start, one set for each operation.

use std::{sync::Arc, time::Instant};

use http_instrument::{Counter, FamilyError, Gauge, Histogram, HttpMetrics};
use metric_contract::MetricId;

use super::{Operation, pools::Usage};

/// Metrics of all operations and of the connections; clones share it.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    operations: Arc<[Handles]>,
    connections: Connections,
}

#[derive(Debug, Clone)]
struct Connections {
    idle: Gauge,
    used: Gauge,
    max: Gauge,
}

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
    /// The metrics cannot have these handles, or the cap on series is reached.
    pub fn new(metrics: &HttpMetrics) -> Result<Self, FamilyError> {
        let handles = Operation::ALL.iter().map(|operation| {
            let (operation, table) = operation.labels();
            Ok(Handles {
                succeeded: metrics.counter(MetricId::DatabaseOperations, &[operation, table, "success"])?,
                failed: metrics.counter(MetricId::DatabaseOperations, &[operation, table, "error"])?,
                duration: metrics.histogram(MetricId::DatabaseOperationDuration, &[operation, table], None)?,
            })
        });
        Ok(Self {
            operations: handles.collect::<Result<_, _>>()?,
            connections: Connections {
                idle: metrics.gauge(MetricId::DatabaseConnections, &["idle"])?,
                used: metrics.gauge(MetricId::DatabaseConnections, &["used"])?,
                max: metrics.gauge(MetricId::DatabaseConnectionsMax, &[])?,
            },
        })
    }

    pub(super) fn show(&self, usage: Usage) {
        let Connections { idle, used, max } = &self.connections;
        idle.set(f64::from(usage.idle));
        used.set(f64::from(usage.open.saturating_sub(usage.idle)));
        max.set(f64::from(usage.max));
    }

    pub(super) fn start(&self, operation: Operation) -> Running<'_> {
        Running {
            handles: self.operations.get(operation as usize),
            started: Instant::now(),
        }
    }
}

/// An operation that is running. A cancelled one is not counted, because its result is not known.
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

//! Counts open client connections: the task that serves one holds an [`OpenConnection`].

use std::sync::{Arc, Mutex, PoisonError};

use http_instrument::Gauge;

/// The number of open connections; clones share it.
#[derive(Debug, Clone)]
pub struct Connections(Arc<OpenCount>);

#[derive(Debug)]
struct OpenCount {
    shown: Gauge,
    /// Held while the gauge is set, so that the last change is the one that is shown.
    open: Mutex<u64>,
}

impl OpenCount {
    fn change(&self, change: impl FnOnce(u64) -> u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = change(*open);
        self.shown.set(*open as f64);
    }
}

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<OpenCount>);

impl Connections {
    /// Starts at 0, and keeps the gauge up to date.
    #[must_use]
    pub fn new(shown: Gauge) -> Self {
        Self(Arc::new(OpenCount {
            shown,
            open: Mutex::new(0),
        }))
    }

    /// Counts one more connection, until the returned guard is dropped.
    #[must_use]
    pub fn open(&self) -> OpenConnection {
        self.0.change(|open| open.saturating_add(1));
        OpenConnection(Arc::clone(&self.0))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.change(|open| open.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use http_instrument::HttpMetrics;
    use metric_contract::MetricId;

    use super::*;

    #[test]
    fn a_connection_counts_until_it_is_dropped() {
        let metrics = HttpMetrics::default();
        let gauge = metrics.gauge(MetricId::ActiveConnections, &[]).unwrap();
        let connections = Connections::new(gauge.clone());
        let first = connections.open();
        let second = connections.open();
        assert_eq!(gauge.value(), 2.0);
        drop(first);
        assert_eq!(gauge.value(), 1.0);
        drop(second);
        assert_eq!(gauge.value(), 0.0);
    }
}

//! Counts open client connections: the task that serves one holds an [`OpenConnection`].

use std::sync::Arc;

use http_instrument::Gauge;

use super::shown_count::ShownCount;

/// The number of open connections; clones share it.
#[derive(Debug, Clone)]
pub struct Connections(Arc<ShownCount>);

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<ShownCount>);

impl Connections {
    /// Starts at 0, and keeps the gauge up to date.
    #[must_use]
    pub fn new(shown: Gauge) -> Self {
        Self(Arc::new(ShownCount::new(shown)))
    }

    /// Counts one more connection, until the returned guard is dropped.
    #[must_use]
    pub fn open(&self) -> OpenConnection {
        self.0.add(1);
        OpenConnection(Arc::clone(&self.0))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.remove(1);
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

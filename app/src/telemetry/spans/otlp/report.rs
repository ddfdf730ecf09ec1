//! Logs spans that could not be sent, at most one line a minute. The SDK would log every batch, so every export is
//! reported to it as a success.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

/// The least time between two log lines.
const INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Reporting<E> {
    exporter: E,
    lost: Mutex<Lost>,
}

impl<E> Reporting<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self {
            exporter,
            lost: Mutex::default(),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        // The error names a status or a kind of failure; addresses and headers stay below the level that is logged.
        if let Err(error) = self.exporter.export(batch).await {
            let due = self
                .lost
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(spans, Instant::now());
            if let Some(lost_spans) = due {
                tracing::warn!(lost_spans, %error, "traces could not be sent");
            }
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Spans that were lost since the last log line.
#[derive(Debug, Default)]
struct Lost {
    spans: usize,
    told: Option<Instant>,
}

impl Lost {
    /// Adds lost spans. Returns their sum if it is time for the next log line.
    fn add(&mut self, spans: usize, now: Instant) -> Option<usize> {
        self.spans += spans;
        if self.told.is_some_and(|told| now.duration_since(told) < INTERVAL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_logged_at_once_and_those_of_the_next_minute_together() {
        let mut lost = Lost::default();
        let start = Instant::now();
        assert_eq!(lost.add(5, start), Some(5));
        assert_eq!(lost.add(2, start + INTERVAL / 2), None);
        assert_eq!(lost.add(1, start + INTERVAL), Some(3));
        assert_eq!(lost.add(1, start + INTERVAL), None);
    }
}

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

use super::tally::Tally;

#[derive(Debug)]
pub(super) struct Reporting<E> {
    exporter: E,
    lost: Mutex<Tally>,
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

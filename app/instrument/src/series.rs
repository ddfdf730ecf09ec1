//! Which series the layer's families have: a line for each set of label values, and what adds up to it.
//!
//! A dialect may leave a label out (S1's histogram has no method), so that several endpoints are one series, or tell a
//! status apart (OpenTelemetry's has it), so that one endpoint is several. Texts are made once, when a part first appears.

use std::{collections::HashMap, sync::PoisonError};

use metric_contract::MetricId;

use crate::{
    endpoint::Endpoint,
    registry::Shared,
    spelling::{HttpFamily, Level, Of},
};

/// A part of a series: an endpoint, or one of its statuses or exceptions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) endpoint: &'static Endpoint,
    /// The slot of the status or the place of the exception, if the family's level is one of them.
    pub(crate) slot: usize,
}

impl Part {
    /// How many requests it counts, in a family that counts.
    pub(crate) fn count(self, family: &HttpFamily) -> u64 {
        let Self { endpoint, slot } = self;
        match (family.row.metric, family.level) {
            (MetricId::InFlight, _) => endpoint.in_flight(),
            (MetricId::SlowRequests, _) => endpoint.slow(),
            (MetricId::DurationMax, _) => endpoint.status_max(slot),
            (_, Level::Status) => endpoint.status_count(slot),
            (_, Level::Exception) => endpoint.exception_count(slot),
            (_, Level::Endpoint) => endpoint.requests(),
        }
    }
}

/// A line, or a histogram's lines.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Box<str>,
    /// One at least.
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug, Default)]
struct OfFamily {
    series: Vec<Series>,
    by_labels: HashMap<Box<str>, usize>,
}

impl OfFamily {
    fn add(&mut self, labels: Box<str>, part: Part) {
        if let Some(series) = self
            .by_labels
            .get(&labels)
            .and_then(|place| self.series.get_mut(*place))
        {
            series.parts.push(part);
            return;
        }
        self.by_labels.insert(labels.clone(), self.series.len());
        let parts = vec![part];
        self.series.push(Series { labels, parts });
    }
}

/// The series of every family of the layer, in the order in which they appeared.
#[derive(Debug, Default)]
pub(crate) struct Index {
    families: Vec<OfFamily>,
    /// Of each endpoint, how many statuses and exceptions have been seen.
    seen: Vec<(usize, usize)>,
}

impl Index {
    /// Takes in what has appeared since.
    pub(crate) fn update(&mut self, shared: &'static Shared) {
        self.families.resize_with(shared.http.len(), OfFamily::default);
        let endpoints = shared.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        for (place, endpoint) in endpoints.iter().copied().enumerate() {
            if place == self.seen.len() {
                self.seen.push((0, 0));
                self.add(shared, Level::Endpoint, endpoint, 0, Of::Endpoint);
            }
            let (mut statuses, mut exceptions) = self.seen.get(place).copied().unwrap_or_default();
            for status in endpoint.statuses().skip(statuses) {
                self.add(shared, Level::Status, endpoint, statuses, Of::Status(status));
                statuses += 1;
            }
            if shared.counts_exceptions {
                while let Some(name) = endpoint.exception_name(exceptions) {
                    self.add(shared, Level::Exception, endpoint, exceptions, Of::Exception(name));
                    exceptions += 1;
                }
            }
            if let Some(seen) = self.seen.get_mut(place) {
                *seen = (statuses, exceptions);
            }
        }
    }

    fn add(&mut self, shared: &Shared, level: Level, endpoint: &'static Endpoint, slot: usize, of: Of) {
        for (family, series) in shared.http.iter().zip(&mut self.families) {
            let counts = match of {
                Of::Status(status) => family.counts_status(status),
                Of::Endpoint | Of::Exception(_) => true,
            };
            if family.level == level && counts {
                series.add(family.labels(endpoint, of), Part { endpoint, slot });
            }
        }
    }

    /// The series of the family at a place of [`Shared::http`].
    pub(crate) fn of(&self, place: usize) -> &[Series] {
        self.families.get(place).map_or(&[], |family| &family.series)
    }
}

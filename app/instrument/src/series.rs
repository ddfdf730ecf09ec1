//! The series of the layer's families: for each set of label values, the endpoints (or their statuses or exceptions)
//! whose counts are added up.
//!
//! A family without a label for the method (S1's histogram) adds several endpoints to one series. One with a label for
//! the status (OpenTelemetry's histogram) splits an endpoint into several series. The text of the labels is made once,
//! when a part is first seen.

use std::collections::HashMap;

use metric_contract::MetricId;

use crate::{
    endpoint::Endpoint,
    http_family::{HttpFamily, LabelSource, SeriesLevel},
};

/// A part of a series: an endpoint, or one of its statuses or exceptions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesPart {
    pub(crate) endpoint: &'static Endpoint,
    /// The slot of the status or the place of the exception, according to the family's level; 0 for a whole endpoint.
    pub(crate) slot: usize,
}

impl SeriesPart {
    /// The value of the part in a family of counters or gauges.
    pub(crate) fn count(self, family: &HttpFamily) -> u64 {
        let Self { endpoint, slot } = self;
        match (family.row.metric, family.level) {
            (MetricId::InFlight | MetricId::InFlightOverall, _) => endpoint.in_flight(),
            (MetricId::SlowRequests | MetricId::SlowRequestsOverall, _) => endpoint.slow(),
            (MetricId::DurationMax, _) => endpoint.optional.status_max(endpoint.recording, slot),
            (_, SeriesLevel::Status) => endpoint.status_count(slot),
            (_, SeriesLevel::Exception) => endpoint.optional.exception_count(slot),
            (_, SeriesLevel::Endpoint) => endpoint.requests(),
        }
    }
}

/// One series of a family: a line of the page, or the lines of a histogram.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Box<str>,
    /// The parts that are added up; there is at least one.
    pub(crate) parts: Vec<SeriesPart>,
}

#[derive(Debug, Default)]
struct FamilySeries {
    series: Vec<Series>,
    by_labels: HashMap<Box<str>, usize>,
}

impl FamilySeries {
    fn add(&mut self, labels: Box<str>, part: SeriesPart) {
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
    families: Vec<FamilySeries>,
    /// The number of statuses and of exceptions that are in the index already, for each endpoint.
    seen: Vec<(usize, usize)>,
}

impl Index {
    /// Adds the endpoints, statuses and exceptions that are new since the last call.
    pub(crate) fn update(&mut self, http: &[HttpFamily], endpoints: &[&'static Endpoint], counts_exceptions: bool) {
        self.families.resize_with(http.len(), FamilySeries::default);
        for (place, endpoint) in endpoints.iter().copied().enumerate() {
            if place == self.seen.len() {
                self.seen.push((0, 0));
                self.add(http, SeriesLevel::Endpoint, endpoint, 0, LabelSource::Endpoint);
            }
            let (mut statuses, mut exceptions) = self.seen.get(place).copied().unwrap_or_default();
            for status in endpoint.statuses().skip(statuses) {
                self.add(
                    http,
                    SeriesLevel::Status,
                    endpoint,
                    statuses,
                    LabelSource::Status(status),
                );
                statuses += 1;
            }
            if counts_exceptions {
                while let Some(name) = endpoint.optional.exception_name(exceptions) {
                    self.add(
                        http,
                        SeriesLevel::Exception,
                        endpoint,
                        exceptions,
                        LabelSource::Exception(name),
                    );
                    exceptions += 1;
                }
            }
            if let Some(seen) = self.seen.get_mut(place) {
                *seen = (statuses, exceptions);
            }
        }
    }

    fn add(
        &mut self,
        http: &[HttpFamily],
        level: SeriesLevel,
        endpoint: &'static Endpoint,
        slot: usize,
        of: LabelSource,
    ) {
        for (family, series) in http.iter().zip(&mut self.families) {
            let counts = match of {
                LabelSource::Status(status) => family.counts_status(status),
                LabelSource::Endpoint | LabelSource::Exception(_) => true,
            };
            if family.level == level && counts {
                series.add(family.labels(endpoint, of), SeriesPart { endpoint, slot });
            }
        }
    }

    /// The series of the family at a place of the families.
    pub(crate) fn of(&self, place: usize) -> &[Series] {
        self.families.get(place).map_or(&[], |family| &family.series)
    }
}

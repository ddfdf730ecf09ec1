//! Which series the layer's families have: a line for each set of label values, and what adds up to it.
//!
//! A dialect may leave a label out (S1's histogram has no method), so that several endpoints are one series, or tell a
//! status apart (OpenTelemetry's has it), so that one endpoint is several. Texts are made once, when a part first appears.

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
    /// The slot of the status or the place of the exception, if the family's level is one of them.
    pub(crate) slot: usize,
}

impl SeriesPart {
    /// How many requests it counts, in a family that counts.
    pub(crate) fn count(self, family: &HttpFamily) -> u64 {
        let Self { endpoint, slot } = self;
        match (family.row.metric, family.level) {
            (MetricId::InFlight, _) => endpoint.in_flight(),
            (MetricId::SlowRequests, _) => endpoint.slow(),
            (MetricId::DurationMax, _) => endpoint.optional.status_max(endpoint.recording, slot),
            (_, SeriesLevel::Status) => endpoint.status_count(slot),
            (_, SeriesLevel::Exception) => endpoint.optional.exception_count(slot),
            (_, SeriesLevel::Endpoint) => endpoint.requests(),
        }
    }
}

/// A line, or a histogram's lines.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Box<str>,
    /// One at least.
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
    /// Of each endpoint, how many statuses and exceptions have been seen.
    seen: Vec<(usize, usize)>,
}

impl Index {
    /// Takes in what has appeared since.
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

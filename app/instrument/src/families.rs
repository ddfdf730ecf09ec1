//! The handles of all metrics that the layer does not record itself: those of the contract, and families that the service
//! defines.
//!
//! A service asks for a handle once, at start, for each set of label values. If the dialect does not export the metric, the
//! handle works all the same and its series are not on the page.

use std::sync::{PoisonError, RwLock};

use exposition::Format;
use metric_contract::{Conversion, Family, MetricKind, Unit};

use crate::{
    handle::{Counter, Gauge, Handle, Histogram},
    handle_request::HandleRequest,
    metric_key::{FamilyError, MetricKey},
    text,
};

/// A handle, and the labels of its series.
#[derive(Debug)]
struct LabelledHandle {
    /// The label pairs as they are printed.
    labels: Box<str>,
    handle: Handle,
}

/// The handles of one metric.
#[derive(Debug)]
struct MetricHandles {
    key: MetricKey,
    /// `None` if the dialect does not export the metric.
    family: Option<&'static Family>,
    /// From the unit in which values are given to the family's.
    conversion: Conversion,
    series: Vec<LabelledHandle>,
}

/// All handles, by metric.
#[derive(Debug, Default)]
pub(crate) struct Families(RwLock<Vec<MetricHandles>>);

impl Families {
    pub(crate) fn counter(&self, request: HandleRequest<'_>) -> Result<Counter, FamilyError> {
        request.must_be(MetricKind::Counter)?;
        self.get_or_add(
            request,
            |handle| match handle {
                Handle::Counter(counter) => Some(counter.clone()),
                Handle::Gauge(_) | Handle::Histogram(_) => None,
            },
            || {
                let counter = Counter::default();
                (counter.clone(), Handle::Counter(counter))
            },
        )
    }

    /// A value to set, of a gauge or of a counter that is kept elsewhere.
    pub(crate) fn gauge(&self, request: HandleRequest<'_>) -> Result<Gauge, FamilyError> {
        self.get_or_add(
            request,
            |handle| match handle {
                Handle::Gauge(gauge) => Some(gauge.clone()),
                Handle::Counter(_) | Handle::Histogram(_) => None,
            },
            || {
                let gauge = Gauge::default();
                (gauge.clone(), Handle::Gauge(gauge))
            },
        )
    }

    /// A histogram with upper bounds in the unit of its family, or in seconds if it is not exported.
    pub(crate) fn histogram(&self, request: HandleRequest<'_>, buckets: &[f64]) -> Result<Histogram, FamilyError> {
        request.must_be(MetricKind::Histogram)?;
        self.get_or_add(
            request,
            |handle| match handle {
                Handle::Histogram(histogram) => Some(histogram.clone()),
                Handle::Counter(_) | Handle::Gauge(_) => None,
            },
            || {
                let unit = request.family.map_or(Unit::Seconds, |family| family.unit);
                let histogram = Histogram::new(unit, buckets);
                (histogram.clone(), Handle::Histogram(histogram))
            },
        )
    }

    fn get_or_add<H>(
        &self,
        request: HandleRequest<'_>,
        find: impl Fn(&Handle) -> Option<H>,
        make: impl FnOnce() -> (H, Handle),
    ) -> Result<H, FamilyError> {
        let labels = request.text()?;
        let mut metrics = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let metric = match metrics.iter_mut().position(|metric| metric.key == request.key) {
            Some(position) => metrics.get_mut(position),
            None => {
                if !request.family.is_none_or(request.reserve) {
                    return Err(FamilyError::NameTaken { what: request.key });
                }
                metrics.push(MetricHandles {
                    key: request.key,
                    family: request.family,
                    conversion: request.conversion(),
                    series: Vec::new(),
                });
                metrics.last_mut()
            }
        };
        let full = FamilyError::Full { what: request.key };
        let Some(metric) = metric else { return Err(full) };
        let known = metric.series.iter().find(|series| *series.labels == *labels);
        if let Some(given) = known.and_then(|series| find(&series.handle)) {
            return Ok(given);
        }
        let (given, handle) = make();
        if !(request.take_room)(handle.series()) {
            return Err(full);
        }
        metric.series.push(LabelledHandle {
            labels: labels.into_boxed_str(),
            handle,
        });
        Ok(given)
    }

    /// The sum over the counters and gauges of one metric, or over those of them that have this label value. `None` if
    /// there are none.
    pub(crate) fn sum(&self, key: MetricKey, with: Option<&str>) -> Option<f64> {
        let mut label = String::new();
        if let Some(value) = with {
            text::push_label(&mut label, "_", value);
        }
        // The value with its quotes and the equals sign, whatever the label is called.
        let wanted = label.trim_start_matches('_');
        let metrics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.iter().find(|metric| metric.key == key)?;
        let values = metric
            .series
            .iter()
            .filter(|series| series.labels.contains(wanted))
            .filter_map(|series| match &series.handle {
                Handle::Counter(counter) => Some(counter.value() as f64),
                Handle::Gauge(gauge) => Some(gauge.value()),
                Handle::Histogram(_) => None,
            });
        values.reduce(|sum, value| sum + value)
    }

    /// Calls `visit` with each family that the service defines and has a handle of.
    pub(crate) fn each_own(&self, mut visit: impl FnMut(&'static Family)) {
        for metric in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            match metric.key {
                MetricKey::Family(family) => visit(family),
                MetricKey::Metric(_) => {}
            }
        }
    }

    /// Prints the family of a metric and the series of its handles; nothing if it has none or is not exported.
    pub(crate) fn write(&self, out: &mut String, format: Format, key: MetricKey) {
        let metrics = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.iter().find(|metric| metric.key == key);
        if let Some((metric, family)) = metric.and_then(|metric| Some((metric, metric.family?))) {
            text::push_family_head(out, format, family);
            for series in &metric.series {
                series.handle.write(out, family.name, &series.labels, metric.conversion);
            }
        }
    }
}

//! A request for a handle: which labels its series has, and whether there may be a handle at all.

use metric_contract::{Attribute, Conversion, Dialect, DialectRow, Family, MetricKind};

use crate::{
    metric_key::{FamilyError, MetricKey},
    text,
};

/// A request for the handle of one series.
#[derive(Clone, Copy)]
pub(crate) struct HandleRequest<'a> {
    pub(crate) key: MetricKey,
    pub(crate) family: Option<&'static Family>,
    row: Option<&'static DialectRow>,
    values: &'a [&'a str],
    /// Counts that many series towards the cap; `false` if the cap leaves no room for them.
    pub(crate) take_room: &'a dyn Fn(usize) -> bool,
    /// Takes the name of a family; `false` if another metric has it.
    pub(crate) reserve: &'a dyn Fn(&Family) -> bool,
}

impl<'a> HandleRequest<'a> {
    pub(crate) fn new(
        dialect: &Dialect,
        key: MetricKey,
        values: &'a [&'a str],
        take_room: &'a dyn Fn(usize) -> bool,
        reserve: &'a dyn Fn(&Family) -> bool,
    ) -> Self {
        let row = match key {
            MetricKey::Metric(metric) => dialect.row(metric),
            MetricKey::Family(_) => None,
        };
        let family = match key {
            MetricKey::Metric(_) => row.map(|row| row.family),
            MetricKey::Family(family) => Some(family),
        };
        Self {
            key,
            family,
            row,
            values,
            // A metric that is not exported does not count towards the cap.
            take_room: if family.is_some() { take_room } else { &|_| true },
            reserve,
        }
    }

    /// The upper bounds that the dialect gives to a histogram of this metric.
    pub(crate) fn own_buckets(&self) -> Option<&'static [f64]> {
        self.row.map(|row| row.buckets).filter(|buckets| !buckets.is_empty())
    }

    /// From the unit in which the metric's values are given to the unit of the family on the page.
    pub(crate) fn conversion(&self) -> Conversion {
        self.row.map_or(Conversion::Unchanged, DialectRow::conversion)
    }

    /// # Errors
    /// The family is of another type than `wanted`.
    pub(crate) fn must_be(&self, wanted: MetricKind) -> Result<(), FamilyError> {
        match self.family {
            Some(family) if family.kind != wanted => Err(FamilyError::Kind {
                what: self.key,
                is: family.kind,
                wanted,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// The label pairs as they are printed; or, for a metric that the dialect does not export, a text that is different
    /// for each set of label values.
    pub(crate) fn text(&self) -> Result<String, FamilyError> {
        match self.key {
            MetricKey::Metric(metric) if metric.recorded_by_layer() => {
                Err(FamilyError::RecordedByLayer { what: self.key })
            }
            MetricKey::Metric(metric) => {
                let attributes = metric.attributes();
                self.must_take(attributes.len())?;
                let value = |wanted: Attribute| {
                    let place = attributes.iter().position(|attribute| *attribute == wanted);
                    place.and_then(|place| self.values.get(place)).copied()
                };
                Ok(self.row.map_or_else(
                    || pairs(attributes.iter().map(|_| "").zip(self.values.iter().copied())),
                    |row| {
                        pairs(
                            row.labels()
                                .filter_map(|(label, attribute)| Some((label, label_value(attribute, value)?))),
                        )
                    },
                ))
            }
            MetricKey::Family(family) => {
                self.must_take(family.labels.len())?;
                Ok(pairs(family.labels.iter().copied().zip(self.values.iter().copied())))
            }
        }
    }

    fn must_take(&self, wanted: usize) -> Result<(), FamilyError> {
        let given = self.values.len();
        if wanted == given {
            return Ok(());
        }
        Err(FamilyError::Labels {
            what: self.key,
            wanted,
            given,
        })
    }
}

fn label_value<'v>(attribute: Attribute, value: impl Fn(Attribute) -> Option<&'v str>) -> Option<&'v str> {
    if let Attribute::Constant(constant) = attribute {
        return Some(constant);
    }
    value(attribute)
}

fn pairs<'v>(pairs: impl Iterator<Item = (&'v str, &'v str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        text::push_label(&mut out, name, value);
    }
    out
}

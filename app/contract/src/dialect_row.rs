//! One row of a dialect's table: a metric, and the family that spells it.

use crate::{Attribute, Family, MetricId};

/// How a dialect spells a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DialectRow {
    /// What is told.
    pub metric: MetricId,
    /// The family that tells it.
    pub family: &'static Family,
    /// What each of the family's labels tells, in their order.
    pub attributes: &'static [Attribute],
    /// Upper bounds of a histogram in the family's unit, ascending, without `+Inf`. Empty for anything else.
    pub buckets: &'static [f64],
}

impl DialectRow {
    /// The label that tells something, if one does.
    #[must_use]
    pub fn label(&self, wanted: Attribute) -> Option<&'static str> {
        self.labels()
            .find(|(_, attribute)| *attribute == wanted)
            .map(|(label, _)| label)
    }

    /// The labels, each with what it tells.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, Attribute)> {
        self.family.labels.iter().copied().zip(self.attributes.iter().copied())
    }
}

/// Rows of a dialect's table. `ID: MetricId "name" Kind Unit {"label": Attribute, …} [bounds] "help";`
///
/// Makes one constant for each row, so that dialects can share rows.
macro_rules! rows {
    ($($id:ident: $metric:ident $name:literal $kind:ident $unit:ident
        {$($label:literal: $attribute:ident $(($constant:literal))?),*} $([$buckets:expr])? $help:literal;)*) => {
        $(#[doc = concat!("`", $name, "`: ", $help)]
        pub const $id: $crate::DialectRow = $crate::DialectRow {
            metric: $crate::MetricId::$metric,
            family: &$crate::Family {
                name: $name,
                kind: $crate::MetricKind::$kind,
                unit: $crate::Unit::$unit,
                labels: &[$($label),*],
                help: $help,
                signal: $crate::MetricId::$metric.signal(),
            },
            attributes: &[$($crate::Attribute::$attribute $(($constant))?),*],
            buckets: rows!(@buckets $($buckets)?),
        };)*
    };
    (@buckets) => { &[] };
    (@buckets $buckets:expr) => { $buckets };
}
pub(crate) use rows;

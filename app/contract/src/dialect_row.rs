//! One row of a dialect's table: a metric, and the family under which it is exported.

use crate::{Attribute, Conversion, Family, MetricId};

/// A metric, and the family under which a dialect exports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DialectRow {
    /// The metric.
    pub metric: MetricId,
    /// The family on the page.
    pub family: &'static Family,
    /// What each of the family's labels stands for, in their order.
    pub attributes: &'static [Attribute],
    /// Upper bounds of a histogram in the family's unit, ascending, without `+Inf`. Empty for anything else.
    pub buckets: &'static [f64],
}

impl DialectRow {
    /// The name of the label for an attribute, if the family has one.
    #[must_use]
    pub fn label(&self, wanted: Attribute) -> Option<&'static str> {
        self.labels()
            .find(|(_, attribute)| *attribute == wanted)
            .map(|(label, _)| label)
    }

    /// From the unit in which the metric's values are given to the unit of this family.
    #[must_use]
    pub fn conversion(&self) -> Conversion {
        let between = |from| Conversion::between(from, self.family.unit);
        self.metric.unit().and_then(between).unwrap_or(Conversion::Unchanged)
    }

    /// The names of the labels, each with its attribute.
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
            },
            attributes: &[$($crate::Attribute::$attribute $(($constant))?),*],
            buckets: rows!(@buckets $($buckets)?),
        };)*
    };
    (@buckets) => { &[] };
    (@buckets $buckets:expr) => { $buckets };
}
pub(crate) use rows;

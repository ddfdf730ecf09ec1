//! How the author says that the metrics are spelled.

use std::{fmt, sync::Arc};

use metric_contract::{DialectId, Spelling};

/// The dialect that the spec or the preset names.
#[derive(Debug, Clone, PartialEq)]
pub enum DialectChoice {
    /// One that has a table.
    Table(DialectId),
    /// `custom`: the names of `spec.metrics.custom`. Of a histogram the bounds are not known.
    Custom(Arc<Spelling>),
}

impl DialectChoice {
    /// The name in `spec.metrics.dialect`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Table(id) => id.as_str(),
            Self::Custom(_) => Spelling::CUSTOM,
        }
    }

    /// Which table it names. `None`: it is spelled by hand.
    #[must_use]
    pub const fn table(&self) -> Option<DialectId> {
        match self {
            Self::Table(id) => Some(*id),
            Self::Custom(_) => None,
        }
    }

    /// How the metrics are spelled, as far as the author says.
    #[must_use]
    pub fn spelling(&self) -> &Spelling {
        match self {
            Self::Table(id) => id.spelling(),
            Self::Custom(spelling) => spelling,
        }
    }

    /// Whether a spelling that was read from a page is one of this dialect. One by hand has its very names: a page that was read
    /// for other names says nothing of these.
    #[must_use]
    pub fn is_of(&self, page: &Spelling) -> bool {
        if page.dialect != self.name() {
            return false;
        }
        match self {
            Self::Table(_) => true,
            Self::Custom(custom) => {
                let named = |spelling: &Spelling| -> Vec<_> {
                    let metrics = spelling.metrics.iter();
                    let named =
                        metrics.map(|metric| (metric.metric, metric.name.clone(), metric.unit, metric.labels.clone()));
                    named.collect()
                };
                named(custom) == named(page)
            }
        }
    }
}

impl fmt::Display for DialectChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! How the pods of an API spell their metrics, as far as the operator keeps it.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use metric_contract::{Attribute, DialectId, MetricId, MetricSpelling, Signal, Spelling};

use crate::{
    detect::{Confidence, Found, missing_signals},
    dialect_choice::DialectChoice,
};

/// What rules read of a family's labels, and the name of each in the status.
pub(super) const ROLES: [(&str, Attribute); 8] = [
    ("method", Attribute::Method),
    ("route", Attribute::Route),
    ("rawPath", Attribute::RawPath),
    ("handler", Attribute::Handler),
    ("status", Attribute::Status),
    ("errorType", Attribute::ErrorType),
    ("result", Attribute::OperationResult),
    ("taskStatus", Attribute::TaskStatus),
];

/// Most characters of the name of a metric that is kept, and of a label or a prefix: as many as the CRD takes in the spec and in the
/// status, so that names by hand are recorded too. No library comes near.
const MAX_METRIC: usize = 256;
const MAX_LABEL: usize = 128;
/// Most bounds of a histogram that are kept.
const MAX_BOUNDS: usize = 256;

/// How the pods of an API spell the families of their dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPage {
    /// The dialect. `None`: the names are those of `spec.metrics.custom`.
    pub dialect: Option<DialectId>,
    /// Names, labels that rules read, units and bounds.
    pub spelling: Arc<Spelling>,
    /// What stands before the dialect's own names, where the program chose another beginning.
    pub prefix: Option<String>,
    /// How closely it agrees with the dialect's table. `None`: the spec or the preset names the dialect.
    pub confidence: Option<Confidence>,
}

impl KnownPage {
    /// What is kept of a page of which the dialect was found: families with names that PromQL reads as they are, and of their
    /// labels those that rules read.
    #[must_use]
    pub fn of(found: &Found) -> Self {
        let metrics = found
            .spelling
            .metrics
            .iter()
            .filter(|metric| is_plain(&metric.name, true));
        let mut spelling = Spelling {
            metrics: sorted(metrics.map(kept).collect()),
            ..found.spelling.clone()
        };
        // Statuses in a label that is not kept are written in no way.
        if spelling.requests().is_none_or(|requests| requests.status.is_none()) {
            spelling.status_style = found.dialect.spelling().status_style;
        }
        let prefix = found.prefix.as_ref();
        Self {
            dialect: Some(found.dialect),
            spelling: Arc::new(spelling),
            prefix: prefix
                .filter(|prefix| prefix.len() <= MAX_LABEL && is_plain(prefix, true))
                .cloned(),
            confidence: Some(found.confidence),
        }
    }

    /// As the dialect's table has it, because the spec or the preset names the dialect and no page differs.
    #[must_use]
    pub fn of_table(dialect: DialectId) -> Self {
        static TABLES: LazyLock<Vec<Arc<Spelling>>> = LazyLock::new(|| {
            let table = |dialect: &DialectId| {
                let table = dialect.spelling();
                Arc::new(Spelling {
                    metrics: sorted(table.metrics.iter().map(kept).collect()),
                    ..table.clone()
                })
            };
            DialectId::ALL.iter().map(table).collect()
        });
        let tables = DialectId::ALL.iter().zip(&*TABLES);
        let mut of_dialect = tables.filter(|(known, _)| **known == dialect);
        let spelling = of_dialect.next().map(|(_, table)| Arc::clone(table));
        Self {
            dialect: Some(dialect),
            spelling: spelling.unwrap_or_else(|| Arc::new(dialect.spelling().clone())),
            prefix: None,
            confidence: None,
        }
    }

    /// Whether it is what the dialect's table has, because the spec or the preset named the dialect and no page differs.
    #[must_use]
    pub fn is_table(&self) -> bool {
        let is_of = |dialect| Arc::ptr_eq(&self.spelling, &Self::of_table(dialect).spelling);
        self.confidence.is_none() && self.dialect.is_some_and(is_of)
    }

    /// The names of `spec.metrics.custom`, with the types and bounds that a page shows of them.
    #[must_use]
    pub fn by_hand(spelling: &Spelling) -> Self {
        Self {
            dialect: None,
            spelling: Arc::new(Spelling {
                metrics: sorted(spelling.metrics.iter().map(kept).collect()),
                ..spelling.clone()
            }),
            prefix: None,
            confidence: None,
        }
    }

    /// Whether it is of the dialect that the spec or the preset names; `None`: it names none, so it is of any
    /// that has a table and is not of a proxy, which only an author can name.
    #[must_use]
    pub fn is_of(&self, declared: Option<&DialectChoice>) -> bool {
        match declared {
            Some(declared) => declared.is_of(&self.spelling),
            None => self.dialect.is_some_and(|dialect| dialect.proxy().is_none()),
        }
    }

    /// The signals that such pages usually answer and this one does not.
    #[must_use]
    pub fn missing(&self) -> Vec<Signal> {
        let of_dialect = self.dialect.map(|dialect| missing_signals(dialect, &self.spelling));
        of_dialect.unwrap_or_default()
    }

    /// Whether both can be what one program exports at different times: no family has another name, type, unit, label or bound.
    #[must_use]
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let same_statuses = self.spelling.status_style == other.spelling.status_style
            || !has_status(&self.spelling)
            || !has_status(&other.spelling);
        let mut both = self
            .spelling
            .metrics
            .iter()
            .filter_map(|own| Some((own, other.spelling.metric(own.metric)?)));
        self.dialect == other.dialect && same_statuses && both.all(|(own, other)| agree(own, other))
    }

    /// This and what the other shows more: a page before the first request lacks families and labels.
    #[must_use]
    pub(super) fn grown_by(&self, newer: &Self) -> Self {
        self.merged(newer, |known, newer| {
            let is_new = |label: &str| newer.labels.iter().all(|(name, _)| name != label);
            let own = known.labels.iter();
            let own = own.filter(|(label, role)| is_new(label) && newer.label(*role).is_none());
            let told = newer.labels.iter().map(|(label, role)| {
                let mut before = known.labels.iter().filter(|(name, _)| name == label);
                let before = before.next().map_or(*role, |(_, role)| *role);
                (label.clone(), self.shown(newer.metric, label, before, *role))
            });
            MetricSpelling {
                labels: own.cloned().chain(told).collect(),
                buckets: match newer.buckets.is_empty() {
                    true => known.buckets.clone(),
                    false => newer.buckets.clone(),
                },
                ..newer.clone()
            }
        })
    }

    /// What a label stands for of which two pages say different things, the template of the route and the raw path: what differs
    /// from the library's default, because only values that a page showed can tell that.
    fn shown(&self, metric: MetricId, label: &str, before: Attribute, newer: Attribute) -> Attribute {
        let signature = self.dialect.and_then(|dialect| dialect.dialect().signature);
        let mut forms = signature.into_iter().flat_map(|signature| signature.forms);
        let usual = forms.find_map(|form| form.attribute(label).filter(|_| form.row.metric == metric));
        match newer == usual.unwrap_or(Attribute::Route) {
            true => before,
            false => newer,
        }
    }

    /// The families of a page in the place of those of a table.
    #[must_use]
    pub(super) fn with_families_of(&self, page: &Self) -> Self {
        self.merged(page, |_, of_page| of_page.clone())
    }

    fn merged(&self, newer: &Self, merge: impl Fn(&MetricSpelling, &MetricSpelling) -> MetricSpelling) -> Self {
        let mut spelling = (*self.spelling).clone();
        let mut metrics = std::mem::take(&mut spelling.metrics);
        for metric in &newer.spelling.metrics {
            match metrics.iter_mut().find(|known| known.metric == metric.metric) {
                Some(known) => *known = merge(known, metric),
                None => metrics.push(metric.clone()),
            }
        }
        spelling.metrics = sorted(metrics);
        if has_status(&newer.spelling) {
            spelling.status_style = newer.spelling.status_style;
        }
        Self {
            dialect: self.dialect,
            spelling: Arc::new(spelling),
            prefix: newer.prefix.clone(),
            confidence: newer.confidence,
        }
    }
}

/// In one order, so that pages that say the same are equal.
fn sorted(mut metrics: Vec<MetricSpelling>) -> Vec<MetricSpelling> {
    metrics.sort_by_key(|metric| metric.metric);
    for metric in &mut metrics {
        metric
            .labels
            .sort_by_key(|(_, role)| ROLES.iter().position(|(_, known)| known == role));
    }
    metrics
}

fn has_status(spelling: &Spelling) -> bool {
    let mut metrics = spelling.metrics.iter();
    metrics.any(|metric| metric.label(Attribute::Status).is_some())
}

fn agree(one: &MetricSpelling, other: &MetricSpelling) -> bool {
    let label = |attribute| {
        let (one, other) = (one.label(attribute), other.label(attribute));
        one.is_none() || other.is_none() || one == other
    };
    let same_bounds = one.buckets.is_empty() || other.buckets.is_empty() || one.buckets == other.buckets;
    one.name == other.name
        && one.kind == other.kind
        && one.unit == other.unit
        && same_bounds
        && ROLES.iter().all(|(_, attribute)| label(*attribute))
}

/// A family with the labels that rules read. Of a label's several readings the first counts.
fn kept(metric: &MetricSpelling) -> MetricSpelling {
    let labels = ROLES.iter().filter_map(|(_, role)| {
        let mut of_role = metric.labels.iter().filter(|(_, attribute)| attribute == role);
        of_role.find(|(label, _)| is_plain(label, false)).cloned()
    });
    let mut buckets = metric.buckets.to_vec();
    buckets.truncate(MAX_BOUNDS);
    MetricSpelling {
        labels: labels.collect(),
        buckets: Cow::Owned(buckets),
        ..metric.clone()
    }
}

/// Whether a name is one that every version of Prometheus reads without quotes. Only names of metrics may have colons.
pub(super) fn is_plain(name: &str, of_metric: bool) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || (of_metric && c == ':');
    let most = if of_metric { MAX_METRIC } else { MAX_LABEL };
    name.len() <= most
        && name.starts_with(is_first)
        && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
        && (of_metric || !name.starts_with("__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_promql_would_have_to_quote_are_not_kept() {
        for name in ["http_requests_total", "_a", "shop:requests"] {
            assert!(is_plain(name, true), "{name}");
        }
        for name in ["", "http.requests", "1a", "a b", "a\"}", "é", &"a".repeat(257)] {
            assert!(!is_plain(name, true) && !is_plain(name, false), "{name}");
        }
        assert!(is_plain(&"a".repeat(256), true) && is_plain(&"a".repeat(128), false));
        for label in ["a:b", "__name__", &"a".repeat(129)] {
            assert!(!is_plain(label, false), "{label}");
        }
    }

    /// A page of a dialect whose label of the path, under whatever role, has this one.
    fn with_role(dialect: DialectId, role: Attribute) -> KnownPage {
        let table = KnownPage::of_table(dialect);
        let mut spelling = (*table.spelling).clone();
        for (_, known) in spelling.metrics.iter_mut().flat_map(|metric| &mut metric.labels) {
            if matches!(known, Attribute::Route | Attribute::RawPath) {
                *known = role;
            }
        }
        KnownPage {
            spelling: Arc::new(spelling),
            ..table
        }
    }

    #[test]
    fn a_path_that_values_showed_stays_whatever_later_pages_do_not_show() {
        let roles = [Attribute::Route, Attribute::RawPath];
        for (dialect, shown) in [
            (DialectId::Gin, Attribute::Route),
            (DialectId::StarletteExporter, Attribute::RawPath),
        ] {
            let pages = roles.map(|role| with_role(dialect, role));
            for (known, newer) in [(&pages[0], &pages[1]), (&pages[1], &pages[0])] {
                assert!(known.agrees_with(newer), "{dialect}");
                assert_eq!(known.grown_by(newer), with_role(dialect, shown), "{dialect}");
            }
        }
    }

    #[test]
    fn the_table_of_a_dialect_agrees_with_itself_and_lacks_nothing_that_rules_read() {
        for dialect in DialectId::ALL {
            let table = KnownPage::of_table(*dialect);
            assert!(table.agrees_with(&table), "{dialect}");
            assert_eq!(table.grown_by(&table), table, "{dialect}");
            assert_eq!(table.with_families_of(&table), table, "{dialect}");
            for metric in &table.spelling.metrics {
                let full = dialect.spelling().metric(metric.metric).unwrap();
                for (_, role) in ROLES {
                    assert_eq!(
                        metric.label(role),
                        full.label(role),
                        "{dialect} {:?} {role:?}",
                        metric.metric
                    );
                }
            }
        }
    }
}

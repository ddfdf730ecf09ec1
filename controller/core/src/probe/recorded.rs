//! What is known of the pods' metrics, as `status.metrics` records it: a restart builds the same rules from it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use controller_api::{FamilyStatus, MetricsStatus};
use metric_contract::{Attribute, DialectId, MetricId, MetricKind, MetricSpelling, Spelling, StatusStyle, Unit};

use super::known_page::{KnownPage, ROLES, is_plain};
use super::memory::PageFinding;
use crate::detect::Confidence;

const KINDS: [(&str, MetricKind); 4] = [
    ("Counter", MetricKind::Counter),
    ("Gauge", MetricKind::Gauge),
    ("Histogram", MetricKind::Histogram),
    ("Summary", MetricKind::Summary),
];

const UNITS: [(&str, Unit); 7] = [
    ("Count", Unit::Count),
    ("Seconds", Unit::Seconds),
    ("Milliseconds", Unit::Milliseconds),
    ("Nanoseconds", Unit::Nanoseconds),
    ("Bytes", Unit::Bytes),
    ("Ratio", Unit::Ratio),
    ("Percent", Unit::Percent),
];

const STYLES: [(&str, StatusStyle); 3] = [
    ("Exact", StatusStyle::Exact),
    ("Class", StatusStyle::Class),
    ("ClassDigit", StatusStyle::ClassDigit),
];

fn name_of<T: PartialEq + Copy>(names: &[(&'static str, T)], value: T) -> String {
    let mut names = names.iter().filter(|(_, known)| *known == value);
    names.next().map_or_else(String::new, |(name, _)| (*name).to_owned())
}

fn named<T: Copy>(names: &[(&'static str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// What a status says of the pods' metrics. `None`: nothing, or nothing that this release understands; whoever wrote there what
/// no operator writes gets it ignored.
#[must_use]
pub fn from_status(status: &MetricsStatus) -> Option<KnownPage> {
    let name = status.dialect.as_deref()?;
    let dialect: Option<DialectId> = match name {
        Spelling::CUSTOM => None,
        table => Some(table.parse().ok()?),
    };
    let table = dialect.map(DialectId::spelling);
    let families = status.families.iter().map(metric);
    let metrics: Vec<MetricSpelling> = families.collect::<Option<_>>()?;
    let confidence = status.confidence.as_deref().map(Confidence::from_name);
    let page = KnownPage {
        dialect,
        spelling: Arc::new(Spelling {
            dialect: table.map_or(Cow::Borrowed(Spelling::CUSTOM), |table| table.dialect.clone()),
            metrics,
            status_style: named(&STYLES, status.status_style.as_deref().unwrap_or_default())
                .unwrap_or_else(|| table.map_or(StatusStyle::Exact, |table| table.status_style)),
            abandoned_status: table.and_then(|table| table.abandoned_status.clone()),
        }),
        prefix: status.prefix.clone(),
        confidence: match confidence {
            Some(known) => Some(known?),
            None => None,
        },
    };
    match (page.confidence, dialect) {
        (Some(_), Some(_)) => Some(page),
        (None, Some(dialect)) => Some(on_table(dialect, &page)),
        (None, None) => Some(page).filter(|page| !page.spelling.metrics.is_empty()),
        (Some(_), None) => None,
    }
}

/// What differs from a dialect's table, in the place of what the table has. The family whose label has the statuses may be as in the
/// table, and not be recorded, though the statuses are written otherwise.
fn on_table(dialect: DialectId, page: &KnownPage) -> KnownPage {
    let table = KnownPage::of_table(dialect);
    let status_style = page.spelling.status_style;
    if page.spelling.metrics.is_empty() && status_style == table.spelling.status_style {
        return table;
    }
    let known = table.with_families_of(page);
    KnownPage {
        spelling: Arc::new(Spelling {
            status_style,
            ..(*known.spelling).clone()
        }),
        ..known
    }
}

/// What is known of the pods' metrics by a status alone.
#[must_use]
pub fn recorded_page(status: &MetricsStatus) -> PageFinding {
    PageFinding {
        known: from_status(status).map(Arc::new),
        template: status.pod_template_hash.as_deref().map(Into::into),
        trouble: None,
    }
}

fn metric(family: &FamilyStatus) -> Option<MetricSpelling> {
    let labels = family.labels.iter().map(|(role, label)| {
        let plain = Some(label).filter(|label| is_plain(label, false))?;
        Some((Cow::Owned(plain.clone()), named(&ROLES, role)?))
    });
    let mut labels: Vec<(Cow<'static, str>, Attribute)> = labels.collect::<Option<_>>()?;
    labels.sort_by_key(|(_, role)| ROLES.iter().position(|(_, known)| known == role));
    let buckets = family.buckets.iter().map(|bound| bound.parse::<f64>().ok());
    let buckets: Vec<f64> = buckets.collect::<Option<_>>()?;
    let is_ascending = buckets.iter().all(|bound| bound.is_finite()) && buckets.is_sorted_by(|one, next| one < next);
    let name = Some(&family.name).filter(|name| is_plain(name, true) && is_ascending)?;
    Some(MetricSpelling {
        metric: MetricId::ALL
            .iter()
            .copied()
            .find(|metric| metric.as_str() == family.metric)?,
        name: Cow::Owned(name.clone()),
        kind: named(&KINDS, &family.type_)?,
        unit: named(&UNITS, &family.unit)?,
        labels,
        buckets: Cow::Owned(buckets),
    })
}

/// The status that says it, without what is left out of the rules. `template`: the pods whose page it is of.
#[must_use]
pub fn to_status(page: &KnownPage, template: Option<&str>) -> MetricsStatus {
    let table = page.dialect.map(KnownPage::of_table);
    let of_table = |metric: &MetricSpelling| table.as_ref()?.spelling.metric(metric.metric);
    let metrics = page.spelling.metrics.iter();
    let differing = metrics.filter(|metric| page.confidence.is_some() || of_table(metric) != Some(*metric));
    let requests = page.spelling.requests();
    let has_status = requests.as_ref().is_some_and(|requests| requests.status.is_some());
    let differs = page.confidence.is_some() || table.as_ref().is_none_or(|table| page.spelling != table.spelling);
    let told = |text: Option<String>| text.filter(|_| differs);
    MetricsStatus {
        dialect: Some(page.spelling.dialect.clone().into_owned()),
        prefix: page.prefix.clone(),
        renamed: table.as_ref().map(|table| renamed(page, table)).unwrap_or_default(),
        confidence: page.confidence.map(|confidence| confidence.as_str().to_owned()),
        route_label: told(requests.and_then(|requests| requests.route.map(str::to_owned))),
        status_style: told(has_status.then(|| name_of(&STYLES, page.spelling.status_style))),
        buckets_seconds: if differs { seconds(&page.spelling) } else { Vec::new() },
        families: differing.map(family).collect(),
        pod_template_hash: template.map(str::to_owned),
        missing: Vec::new(),
        overall: false,
    }
}

fn family(metric: &MetricSpelling) -> FamilyStatus {
    let roles = ROLES.iter().filter_map(|(name, role)| {
        let label = metric.label(*role)?;
        Some(((*name).to_owned(), label.to_owned()))
    });
    FamilyStatus {
        metric: metric.metric.as_str().to_owned(),
        name: metric.name.clone().into_owned(),
        type_: name_of(&KINDS, metric.kind),
        unit: name_of(&UNITS, metric.unit),
        labels: roles.collect(),
        buckets: metric.buckets.iter().map(|bound| number(*bound)).collect(),
    }
}

/// What the table calls otherwise. A name that only has another prefix is not another one.
fn renamed(page: &KnownPage, table: &KnownPage) -> BTreeMap<String, String> {
    let signature = page.dialect.and_then(|dialect| dialect.dialect().signature);
    let usual = signature.map_or("", |signature| signature.prefix.usual());
    let mut renamed = BTreeMap::new();
    for metric in &page.spelling.metrics {
        let Some(known) = table.spelling.metric(metric.metric) else {
            continue;
        };
        let stem = known.name.strip_prefix(usual).unwrap_or(&known.name);
        let is_prefixed = page
            .prefix
            .as_ref()
            .is_some_and(|prefix| metric.name == format!("{prefix}{stem}"));
        if metric.name != known.name && !is_prefixed {
            renamed.insert(known.name.clone().into_owned(), metric.name.clone().into_owned());
        }
        for (_, role) in ROLES {
            if let (Some(own), Some(of_table)) = (metric.label(role), known.label(role))
                && own != of_table
            {
                renamed.insert(format!("{}{{{of_table}}}", known.name), own.to_owned());
            }
        }
    }
    renamed
}

/// The bounds of the durations' histogram in seconds.
fn seconds(spelling: &Spelling) -> Vec<String> {
    let Some(duration) = spelling.duration() else {
        return Vec::new();
    };
    let conversion = duration.histogram.conversion();
    let bounds = duration.histogram.buckets.iter();
    bounds.map(|bound| number(conversion.undo(*bound))).collect()
}

/// Most characters of a number, as the CRD has it.
const MAX_NUMBER: usize = 32;

/// A number in the digits that are read as this number, with an exponent where they would be too many: `1e-40`.
fn number(value: f64) -> String {
    let digits = value.to_string();
    match digits.len() > MAX_NUMBER {
        true => format!("{value:e}"),
        false => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Found;

    #[test]
    fn the_status_of_a_table_has_no_family_and_gives_the_table_back() {
        for dialect in DialectId::ALL {
            let table = KnownPage::of_table(*dialect);
            let status = to_status(&table, None);
            assert_eq!(status.families, [], "{dialect}");
            assert!(status.renamed.is_empty() && status.buckets_seconds.is_empty() && status.confidence.is_none());
            let again = from_status(&status).unwrap();
            assert_eq!(again, table, "{dialect}");
            assert!(again.is_table());
        }
    }

    /// A page as it is read back from its status, after a restart.
    fn restarted(page: &KnownPage) -> Option<KnownPage> {
        from_status(&to_status(page, None))
    }

    #[test]
    fn statuses_that_are_written_otherwise_than_in_the_named_table_are_recorded() {
        for dialect in DialectId::ALL {
            let table = KnownPage::of_table(*dialect);
            for (_, status_style) in STYLES {
                let spelling = Spelling {
                    status_style,
                    ..(*table.spelling).clone()
                };
                let mut page = KnownPage {
                    spelling: Arc::new(spelling.clone()),
                    ..table.clone()
                };
                let has_status = spelling.requests().is_some_and(|requests| requests.status.is_some());
                if !has_status && status_style != table.spelling.status_style {
                    continue;
                }
                assert_eq!(restarted(&page).as_ref(), Some(&page), "{dialect}");
                // And beside another family than the one that has the statuses.
                let mut other = spelling;
                if let Some(last) = other
                    .metrics
                    .last_mut()
                    .filter(|last| last.metric != MetricId::Requests)
                {
                    last.name = Cow::Borrowed("another_name");
                }
                page.spelling = Arc::new(other);
                assert_eq!(restarted(&page).as_ref(), Some(&page), "{dialect}");
            }
        }
    }

    #[test]
    fn a_page_whose_label_of_statuses_is_not_kept_is_the_same_after_a_restart() {
        for dialect in DialectId::ALL {
            let mut spelling = dialect.spelling().clone();
            for (label, attribute) in spelling.metrics.iter_mut().flat_map(|metric| &mut metric.labels) {
                if *attribute == Attribute::Status {
                    *label = Cow::Borrowed("http.status");
                }
            }
            for (_, status_style) in STYLES {
                let page = KnownPage::of(&Found {
                    dialect: *dialect,
                    prefix: None,
                    confidence: Confidence::Renamed,
                    spelling: Spelling {
                        status_style,
                        ..spelling.clone()
                    },
                    missing: Vec::new(),
                    client_labels: Vec::new(),
                });
                assert_eq!(restarted(&page), Some(page), "{dialect}");
            }
        }
    }

    #[test]
    fn names_by_hand_are_recorded_in_any_length_that_the_spec_takes() {
        let named = |length: usize| {
            KnownPage::by_hand(&Spelling::custom(vec![MetricSpelling {
                metric: MetricId::Requests,
                name: Cow::Owned("a".repeat(length)),
                kind: MetricKind::Counter,
                unit: Unit::Count,
                labels: vec![(Cow::Owned("b".repeat(128)), Attribute::Status)],
                buckets: Cow::Borrowed(&[]),
            }]))
        };
        assert_eq!(restarted(&named(256)), Some(named(256)));
        assert_eq!(restarted(&named(257)), None);
    }

    #[test]
    fn bounds_of_any_size_are_as_short_as_the_crd_takes_them_and_stay_the_same() {
        for bound in [
            0.1,
            1.0,
            1e-300,
            -1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            1e-7,
            -0.0,
            1.0 / 3.0,
        ] {
            let written = number(bound);
            assert!(written.len() <= MAX_NUMBER, "{written}");
            assert_eq!(written.parse::<f64>().map(f64::to_bits), Ok(bound.to_bits()));
        }
        assert_eq!((number(0.005), number(10.0)), ("0.005".to_owned(), "10".to_owned()));
    }

    #[test]
    fn a_status_that_no_operator_writes_is_ignored() {
        let good = to_status(
            &KnownPage {
                confidence: Some(Confidence::Exact),
                ..KnownPage::of_table(DialectId::Native)
            },
            Some("6d4b75cb6d"),
        );
        assert!(from_status(&good).is_some());
        type Spoil = fn(&mut MetricsStatus);
        let spoilt: [(&str, Spoil); 9] = [
            ("no dialect", |status| status.dialect = None),
            ("another dialect", |status| status.dialect = Some("cobol".to_owned())),
            ("another confidence", |status| {
                status.confidence = Some("Sure".to_owned())
            }),
            ("a name that is PromQL", |status| {
                status.families[0].name = "x or up".to_owned()
            }),
            ("a label that is PromQL", |status| {
                status.families[0].labels.insert("route".to_owned(), "a\"}".to_owned());
            }),
            ("another role", |status| {
                status.families[0]
                    .labels
                    .insert("tenant".to_owned(), "tenant".to_owned());
            }),
            ("another metric", |status| {
                status.families[0].metric = "Weather".to_owned()
            }),
            ("no bound", |status| status.families[0].buckets = vec!["NaN".to_owned()]),
            ("bounds that fall", |status| {
                status.families[0].buckets = vec!["2".to_owned(), "1".to_owned()];
            }),
        ];
        for (name, spoil) in spoilt {
            let mut status = good.clone();
            spoil(&mut status);
            assert_eq!(from_status(&status), None, "{name}");
        }
    }
}

//! A spelling by hand held against a page of the API's metrics.

use std::{borrow::Cow, fmt};

use metric_contract::{Attribute, DialectId, MetricId, MetricKind, MetricSpelling, Signal, Spelling};

use super::{
    page::{Page, PageFamily},
    spelling::kind,
};

/// What a page says of a spelling by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomOnPage {
    /// The spelling by hand: with the bounds of its histogram, where the page shows them, and with the page's types where these
    /// differ. Names, labels and units are the author's, also of what the page does not have.
    pub spelling: Spelling,
    /// Families and labels that the author names and the page does not have, in the order of the spec. Rules on them would
    /// never fire, unless the application writes them only after its first requests.
    pub absent: Vec<NotOnPage>,
}

/// A name of the spec that is not on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOnPage {
    /// The field, such as `spec.metrics.custom.requests.name`.
    pub field: String,
    /// Its value.
    pub name: String,
    /// What is not there: `metric` or `label`.
    what: &'static str,
    /// A name that is there and that may be meant.
    similar: Option<String>,
}

impl fmt::Display for NotOnPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            name,
            what,
            similar,
        } = self;
        write!(f, "{field}: the page has no {what} {name}: ")?;
        match similar {
            Some(similar) => write!(f, "use {similar}, which it has"),
            None => f.write_str("use a name that is on the page, or send the application a request first"),
        }
    }
}

/// Takes the bounds of the histogram of a spelling by hand from a page, and names what the page does not have.
///
/// `custom` is the spelling of [`crate::dialect_choice::DialectChoice::Custom`]. The result's spelling is one for
/// [`crate::facts::Facts::page`], which [`crate::ValidApi::spelling`] prefers as long as the spec has the same names. A family
/// without samples yet keeps its bounds unknown; a histogram with no other bucket than `+Inf` counts as a summary.
#[must_use]
pub fn custom_on_page(custom: &Spelling, page: &Page) -> CustomOnPage {
    let mut absent = Vec::new();
    let read = |metric: &MetricSpelling| {
        let field = format!("spec.metrics.custom.{}", field(metric.metric));
        match Seen::on(page, metric) {
            Some(seen) => {
                absent.extend(seen.absent_labels(metric, &field));
                seen.spelling(metric)
            }
            None => {
                absent.push(NotOnPage {
                    field: format!("{field}.name"),
                    name: metric.name.to_string(),
                    what: "metric",
                    similar: similar(page, &metric.name),
                });
                metric.clone()
            }
        }
    };
    let metrics = custom.metrics.iter().map(read).collect();
    CustomOnPage {
        spelling: Spelling {
            metrics,
            ..custom.clone()
        },
        absent,
    }
}

/// The field of `spec.metrics.custom` that names a metric. It has no others than these three.
const fn field(metric: MetricId) -> &'static str {
    match metric {
        MetricId::Duration => "duration",
        MetricId::InFlight => "inFlight",
        _ => "requests",
    }
}

/// The field of a label of a metric.
fn label_field(metric: &str, attribute: Attribute) -> String {
    let label = match attribute {
        Attribute::Method => "method",
        Attribute::Route => "route",
        _ => "status",
    };
    format!("{metric}.labels.{label}")
}

/// A label of a spelling by hand that has what clients wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLabelByHand {
    /// The field, such as `spec.metrics.custom.requests.labels.route`.
    pub field: String,
    /// Its value.
    label: String,
    /// The dialect whose library writes it so. `None`: the page shows it.
    dialect: Option<DialectId>,
}

impl fmt::Display for ClientLabelByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, label, dialect } = self;
        let advice = "leave the label out, or have the library write the template of the route";
        match dialect {
            None => write!(
                f,
                "{field}: on the page, {label} has paths as clients wrote them, so each new one adds a row to panels: {advice}"
            ),
            Some(dialect) => {
                let hint = dialect.dialect().hint(Signal::Routes);
                let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
                write!(
                    f,
                    "{field}: the library of the dialect {dialect} writes into {label} what clients wrote, so each new value adds a row \
                     to panels: {advice}{hint}"
                )
            }
        }
    }
}

/// The labels of a spelling by hand that have what clients wrote: as a page shows, and where it does not tell, as the table of the
/// library has it that gives the family this name.
#[must_use]
pub fn client_labels_by_hand(custom: &Spelling, page: Option<&Page>) -> Vec<ClientLabelByHand> {
    let mut found = Vec::new();
    for metric in &custom.metrics {
        let family = page.and_then(|page| page.families.iter().find(|family| family.name == metric.name));
        for (label, attribute) in &metric.labels {
            let values = family.and_then(|family| family.labels.get(&**label));
            let paths = values.map(|values| values.paths).unwrap_or_default();
            let dialect = library_of_client_label(&metric.name, label).filter(|_| !paths.are_templates());
            if dialect.is_some() || paths.are_raw() {
                found.push(ClientLabelByHand {
                    field: label_field(&format!("spec.metrics.custom.{}", field(metric.metric)), *attribute),
                    label: label.to_string(),
                    dialect: dialect.filter(|_| !paths.are_raw()),
                });
            }
        }
    }
    found
}

/// The dialect in whose table a family has this label with what clients wrote.
fn library_of_client_label(family: &str, label: &str) -> Option<DialectId> {
    let writes = |id: &&DialectId| {
        let signature = id.dialect().signature.into_iter();
        let mut forms = signature
            .flat_map(|signature| signature.forms)
            .filter(|form| form.row.family.name == family);
        forms.any(|form| form.attribute(label).is_some_and(Attribute::is_of_client))
    };
    DialectId::ALL.iter().find(writes).copied()
}

/// A name on the page that differs in what a counter's, or a histogram's series end in.
fn similar(page: &Page, name: &str) -> Option<String> {
    let stem = |name: &str| {
        let endings = ["_total", "_bucket", "_count", "_sum"];
        let stem = endings.iter().find_map(|ending| name.strip_suffix(ending));
        stem.unwrap_or(name).to_owned()
    };
    let mut families = page.families.iter();
    let found = families.find(|family| stem(&family.name) == stem(name));
    found.map(|family| family.name.clone())
}

/// A metric as it stands on a page.
enum Seen<'p> {
    /// Under its name.
    Family(&'p PageFamily),
    /// A counter by hand that is the count of a histogram or a summary.
    CountOf(&'p PageFamily),
    /// A histogram of a page that tells no types: its buckets.
    Buckets(&'p PageFamily),
    /// A summary of a page that tells no types: its count.
    Count(&'p PageFamily),
}

impl<'p> Seen<'p> {
    fn on(page: &'p Page, metric: &MetricSpelling) -> Option<Self> {
        let named = |name: &str| page.families.iter().find(|family| family.name == name);
        if let Some(family) = named(&metric.name) {
            return Some(Self::Family(family));
        }
        if metric.metric == MetricId::Duration {
            let untyped = |name: String| named(&name).filter(|family| family.kind.is_none());
            let buckets = untyped(metric.bucket_series()).map(Self::Buckets);
            return buckets.or_else(|| untyped(metric.count_series()).map(Self::Count));
        }
        let has_count = |family: &&PageFamily| matches!(family.kind, Some(MetricKind::Histogram | MetricKind::Summary));
        let of = metric.name.strip_suffix("_count").and_then(named);
        of.filter(has_count).map(Self::CountOf)
    }

    const fn family(&self) -> &'p PageFamily {
        match self {
            Self::Family(family) | Self::CountOf(family) | Self::Buckets(family) | Self::Count(family) => family,
        }
    }

    /// The metric with the type and the bounds that are seen.
    fn spelling(&self, metric: &MetricSpelling) -> MetricSpelling {
        let seen = match self {
            Self::Family(family) if family.samples > 0 => kind(family),
            Self::Family(family) => family.kind,
            Self::Buckets(_) => Some(MetricKind::Histogram),
            Self::Count(_) => Some(MetricKind::Summary),
            Self::CountOf(_) => None,
        };
        // A type that cannot be what the author says is none to count or to time by: a gauge of durations, for example.
        let fits = |seen: &MetricKind| match (metric.metric, seen) {
            (MetricId::Duration, MetricKind::Histogram | MetricKind::Summary) => true,
            (MetricId::Requests, MetricKind::Histogram | MetricKind::Summary) => true,
            (_, seen) => *seen == metric.kind,
        };
        let kind = seen.filter(fits).unwrap_or(metric.kind);
        MetricSpelling {
            kind,
            buckets: match kind {
                MetricKind::Histogram => Cow::Owned(self.family().bounds.clone()),
                MetricKind::Counter | MetricKind::Gauge | MetricKind::Summary => Cow::Borrowed(&[]),
            },
            ..metric.clone()
        }
    }

    /// Labels that the author names and no sample has. Nothing is known of them without a sample.
    fn absent_labels(&self, metric: &MetricSpelling, field: &str) -> Vec<NotOnPage> {
        let family = self.family();
        let labels = metric
            .labels
            .iter()
            .filter(|(label, _)| family.samples > 0 && !family.labels.contains_key(&**label));
        let absent = labels.map(|(label, attribute)| NotOnPage {
            field: label_field(field, *attribute),
            name: label.to_string(),
            what: "label",
            similar: None,
        });
        absent.collect()
    }
}

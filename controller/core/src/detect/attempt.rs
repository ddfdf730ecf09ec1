//! One dialect held against a page: which of its forms stand there, and what of them shows that it is this dialect.

use std::collections::BTreeSet;

use metric_contract::{Attribute, DialectId, Form, Mark, MetricId, MetricKind, Prefix, Signature, Unit};

use super::page::{Page, PageFamily};

/// How the labels of a family agree with those of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LabelFit {
    /// Some that it always has are not there.
    Less,
    /// There is no sample yet, so no label is known.
    Unknown,
    /// There are others too.
    More,
    /// All that it always has, and no other than it may have.
    Exact,
}

/// How a family was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FoundBy {
    /// By its labels; its name is another.
    Labels,
    /// By the text that describes it; its name is another.
    Help,
    /// By its name.
    Name,
}

/// A form of the dialect that stands on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match<'p> {
    pub(super) form: &'static Form,
    pub(super) family: &'p PageFamily,
    pub(super) labels: LabelFit,
    pub(super) found_by: FoundBy,
}

impl Match<'_> {
    fn is_described(&self) -> bool {
        self.form.is_described_by(&self.family.help)
    }

    /// Whether the family is described by a text that the library never writes.
    fn is_contradicted(&self) -> bool {
        !self.form.helps.is_empty() && !self.is_described() && !self.family.help.is_empty()
    }

    /// Whether a mark of the form is there. A family without samples shows no label, and its name alone is not enough.
    fn shows(&self, mark: Mark, prefix: &str, of_library: Prefix) -> bool {
        let usual = of_library.usual();
        let has_labels = self.labels >= LabelFit::More;
        match mark {
            Mark::OwnName => self.found_by == FoundBy::Name && prefix == usual && has_labels,
            Mark::Name => self.found_by == FoundBy::Name && has_labels,
            Mark::Labels => has_labels && self.form.required().next().is_some(),
            Mark::Help => self.has_own_help(),
            Mark::HelpAndLabels => {
                // Where a prefix is what a library lets its users choose, another name is another library's.
                let has_name = self.found_by == FoundBy::Name || of_library == Prefix::Fixed;
                let has_labels = match self.form.required().next() {
                    Some(_) => has_labels,
                    None => self.labels == LabelFit::Exact,
                };
                has_name && has_labels && self.has_own_help()
            }
        }
    }

    /// Whether the family is described, and as the library does.
    fn has_own_help(&self) -> bool {
        self.is_described() && !self.family.help.is_empty()
    }

    /// Whether the form stands there as the library writes it: name, labels, and the text if it is known.
    fn is_exact(&self) -> bool {
        let described = self.form.helps.is_empty() || self.is_described();
        self.found_by == FoundBy::Name && self.labels == LabelFit::Exact && described
    }
}

/// What shows that a page is of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// Its families could also be those of another.
    None,
    /// No one family shows it, but all of them together.
    Together,
    /// A family that no other library has.
    Mark,
}

/// A dialect held against a page.
#[derive(Debug, Clone)]
pub(super) struct Attempt<'p> {
    pub(super) dialect: DialectId,
    /// What stands before the library's names.
    pub(super) prefix: String,
    /// The best for each metric.
    pub(super) matches: Vec<Match<'p>>,
    pub(super) proof: Proof,
    /// Marks that are there.
    marks: usize,
}

impl<'p> Attempt<'p> {
    /// Every way in which a dialect may stand on a page: one for each prefix.
    pub(super) fn all(dialect: DialectId, page: &'p Page) -> Vec<Self> {
        let Some(signature) = dialect.dialect().signature else {
            return Vec::new();
        };
        let prefixes = prefixes(signature, page);
        prefixes
            .iter()
            .map(|prefix| Self::new(dialect, signature, prefix, page))
            .collect()
    }

    fn new(dialect: DialectId, signature: &'static Signature, prefix: &str, page: &'p Page) -> Self {
        let found = matches(signature, prefix, page);
        let usual = signature.prefix.usual();
        // A mark in the prefix is one only if the library has a prefix of its own.
        let own = |mark: &Mark| *mark != Mark::OwnName || !usual.is_empty();
        let marks = found.iter().map(|found| {
            let shown = found.form.marks.iter().filter(|mark| own(mark));
            shown
                .filter(|mark| found.shows(**mark, prefix, signature.prefix))
                .count()
        });
        let marks = marks.sum();
        let proof = match marks {
            0 if is_together(signature, &found, prefix, page) => Proof::Together,
            0 => Proof::None,
            _ => Proof::Mark,
        };
        Self {
            dialect,
            prefix: prefix.to_owned(),
            matches: best_of_each_metric(found),
            proof,
            marks,
        }
    }

    /// How much shows this dialect: marks, then families that are found by their names.
    pub(super) fn strength(&self) -> (usize, usize) {
        let named = self.matches.iter().filter(|found| found.found_by == FoundBy::Name);
        (self.marks, named.count())
    }

    /// The match of a metric.
    pub(super) fn of(&self, metric: MetricId) -> Option<&Match<'p>> {
        self.matches.iter().find(|found| found.form.row.metric == metric)
    }

    /// The families that count or time requests and have samples.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Match<'p>> {
        let keys = [MetricId::Requests, MetricId::Duration];
        let keys = keys.into_iter().filter_map(|metric| self.of(metric));
        keys.filter(|found| found.labels != LabelFit::Unknown)
    }

    /// Whether nothing on the page speaks against the dialect, though nothing proves it.
    pub(super) fn is_possible(&self) -> bool {
        let mut keys = self.keys().peekable();
        keys.peek().is_some() && keys.all(|key| key.labels == LabelFit::Exact && !key.is_contradicted())
    }

    /// Whether the library is there, and only has not counted anything.
    pub(super) fn waits_for_samples(&self) -> bool {
        self.keys().next().is_none()
            && self.matches.iter().any(|found| {
                let is_own = |mark: &Mark| match mark {
                    Mark::Help | Mark::HelpAndLabels => found.has_own_help(),
                    Mark::OwnName | Mark::Name => {
                        found.found_by == FoundBy::Name && found.form.required().next().is_some()
                    }
                    Mark::Labels => false,
                };
                found.labels == LabelFit::Unknown && !found.is_contradicted() && found.form.marks.iter().any(is_own)
            })
    }
}

/// Whether what together tells the dialect is there, and nothing on the page contradicts it.
fn is_together(signature: &Signature, found: &[Match<'_>], prefix: &str, page: &Page) -> bool {
    let is_exact = |metric: &MetricId| {
        let mut of_metric = found.iter().filter(|found| found.form.row.metric == *metric);
        of_metric.any(Match::is_exact)
    };
    // A family of the library's name and another type is some other program's.
    let contradicts = |form: &Form| {
        let name = format!("{prefix}{}", signature.stem(form));
        let mut families = page.families.iter().filter(|family| family.name == name);
        let forms = || {
            signature
                .forms
                .iter()
                .filter(|other| other.row.family.name == form.row.family.name)
        };
        families.any(|family| !family.kind.is_some_and(|kind| forms().any(|form| form.is_of(kind))))
    };
    let beside = |name: &str| page.families.iter().any(|family| family.name == name);
    let other = |beginning: &str| page.families.iter().any(|family| family.name.starts_with(beginning));
    !signature.together.is_empty()
        && signature.together.iter().all(is_exact)
        && signature.beside.is_none_or(beside)
        && !signature.not_beside.is_some_and(other)
        && !signature.forms.iter().any(contradicts)
}

/// What may stand before the names of the library on this page.
fn prefixes(signature: &Signature, page: &Page) -> BTreeSet<String> {
    let usual = signature.prefix.usual();
    let mut prefixes = BTreeSet::from([usual.to_owned()]);
    if signature.prefix == Prefix::Fixed {
        return prefixes;
    }
    for form in signature.forms {
        let stem = signature.stem(form);
        let of_form = page
            .families
            .iter()
            .filter(|family| family.kind.is_some_and(|kind| form.is_of(kind)));
        let before = of_form.filter_map(|family| family.name.strip_suffix(stem));
        prefixes.extend(
            before
                .filter(|before| before.is_empty() || before.ends_with('_'))
                .map(str::to_owned),
        );
    }
    prefixes.retain(|prefix| !signature.not_behind.contains(&prefix.as_str()));
    prefixes
}

/// Each form that stands on the page under a prefix.
fn matches<'p>(signature: &'static Signature, prefix: &str, page: &'p Page) -> Vec<Match<'p>> {
    let mut found: Vec<Match<'p>> = Vec::new();
    for form in signature.forms {
        let name = format!("{prefix}{}", signature.stem(form));
        let is_it = |family: &&PageFamily| family.name == name && family.kind.is_some_and(|kind| form.is_of(kind));
        if let Some(family) = page.families.iter().find(is_it) {
            found.push(matched(form, family, FoundBy::Name));
        }
    }
    // What was given another name.
    let named: BTreeSet<MetricId> = found.iter().map(|found| found.form.row.metric).collect();
    let is_renamed = |form: &&Form| !named.contains(&form.row.metric);
    for form in signature.forms.iter().filter(is_renamed) {
        let free: Vec<&PageFamily> = page
            .families
            .iter()
            .filter(|family| family.kind.is_some_and(|kind| form.is_of(kind)) && has_unit(family, form.row.family.unit))
            .filter(|family| !found.iter().any(|found| std::ptr::eq(found.family, *family)))
            .collect();
        let renamed = by_help(form, &free).or_else(|| by_labels(form, &free));
        found.extend(renamed);
    }
    found
}

/// The one family that is described as the form.
fn by_help<'p>(form: &'static Form, families: &[&'p PageFamily]) -> Option<Match<'p>> {
    let described = |family: &&&PageFamily| !family.help.is_empty() && form.is_described_by(&family.help);
    let mut described = families.iter().filter(described);
    match (described.next(), described.next()) {
        (Some(family), None) => Some(matched(form, family, FoundBy::Help)),
        _ => None,
    }
}

/// The one family that has the labels of a form that is marked by them, and most of those that the form may have.
fn by_labels<'p>(form: &'static Form, families: &[&'p PageFamily]) -> Option<Match<'p>> {
    if !form.marks.contains(&Mark::Labels) {
        return None;
    }
    let known = |family: &PageFamily| {
        family
            .labels
            .keys()
            .filter(|label| form.attribute(label).is_some())
            .count()
    };
    // What a program asks of other servers, and what it is still answering, may have the same labels.
    let counts_answers = |family: &&PageFamily| !["client", "active"].iter().any(|other| family.name.contains(other));
    let fitting = families.iter().copied().filter(counts_answers);
    let fitting = fitting.map(|family| matched(form, family, FoundBy::Labels));
    let fitting: Vec<Match<'p>> = fitting.filter(|found| found.labels >= LabelFit::More).collect();
    let most = fitting.iter().map(|found| known(found.family)).max()?;
    let mut fitting = fitting.into_iter().filter(|found| known(found.family) == most);
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Some(found),
        _ => None,
    }
}

fn matched<'p>(form: &'static Form, family: &'p PageFamily, found_by: FoundBy) -> Match<'p> {
    Match {
        form,
        family,
        labels: label_fit(form, family),
        found_by,
    }
}

fn label_fit(form: &Form, family: &PageFamily) -> LabelFit {
    if family.samples == 0 {
        return LabelFit::Unknown;
    }
    if !form.required().all(|(label, _)| family.labels.contains_key(label)) {
        return LabelFit::Less;
    }
    let is_known = |label: &String| form.attribute(label).is_some() || is_of_exporter(label);
    match family.labels.keys().all(is_known) {
        true => LabelFit::Exact,
        false => LabelFit::More,
    }
}

/// Labels that an exporter adds to every series, whatever the library.
pub(super) fn is_of_exporter(label: &str) -> bool {
    label.starts_with("otel_scope_")
}

/// Whether the name of a family that was renamed still ends with its unit.
fn has_unit(family: &PageFamily, unit: Unit) -> bool {
    let is_counter = family.kind == Some(MetricKind::Counter);
    let name = if is_counter {
        family.name.trim_end_matches("_total")
    } else {
        &family.name
    };
    match unit {
        Unit::Seconds => name.ends_with("seconds"),
        Unit::Milliseconds => name.ends_with("milliseconds") || name.ends_with("_ms"),
        Unit::Bytes => name.ends_with("bytes"),
        Unit::Count | Unit::Nanoseconds | Unit::Ratio | Unit::Percent => true,
    }
}

/// Of the forms of one metric the one that fits best: described as the library does, then by labels, then the first.
fn best_of_each_metric(found: Vec<Match<'_>>) -> Vec<Match<'_>> {
    let mut best: Vec<Match<'_>> = Vec::new();
    for candidate in found {
        let rank = |found: &Match<'_>| {
            (
                found.labels != LabelFit::Unknown,
                !found.is_contradicted(),
                found.found_by,
                found.labels,
            )
        };
        match best
            .iter_mut()
            .find(|known| known.form.row.metric == candidate.form.row.metric)
        {
            Some(known) if rank(&candidate) > rank(known) => *known = candidate,
            Some(_) => {}
            None => best.push(candidate),
        }
    }
    best
}

/// What a label of a matched family stands for: as the form has it, or else what its values show, or a name that only routes
/// have.
pub(super) fn attributes(found: &Match<'_>) -> Vec<(String, Attribute)> {
    let family = found.family;
    let known: Vec<(&String, Option<Attribute>)> = family
        .labels
        .keys()
        .map(|label| (label, found.form.attribute(label)))
        .collect();
    let has = |wanted: Attribute| known.iter().any(|(_, attribute)| *attribute == Some(wanted));
    let expects = |wanted: Attribute| {
        let mut own = found.form.row.labels().chain(found.form.optional.iter().copied());
        own.any(|(_, attribute)| attribute == wanted)
    };
    let lacks = |wanted| expects(wanted) && !has(wanted);
    let only = |is_it: &dyn Fn(&str) -> bool| {
        let mut fitting = known
            .iter()
            .filter(|(label, attribute)| attribute.is_none() && is_it(label));
        match (fitting.next(), fitting.next()) {
            (Some((label, _)), None) => Some((*label).clone()),
            _ => None,
        }
    };
    let values = |label: &str| family.labels.get(label).copied().unwrap_or_default();
    let renamed = [
        (Attribute::Status, only(&|label| values(label).are_statuses())),
        (Attribute::Method, only(&|label| values(label).are_methods())),
        (Attribute::Route, only(&|label| ROUTE_NAMES.contains(&label))),
    ];
    let attribute = |label: &String, attribute: Option<Attribute>| {
        let by_values = renamed
            .iter()
            .find(|(wanted, renamed)| lacks(*wanted) && renamed.as_ref() == Some(label));
        match (attribute, by_values) {
            // A status that is written as a text, such as `Not Found`, cannot be compared with 5xx.
            (Some(Attribute::Status), _) if !values(label).has_statuses() => Attribute::Other,
            (Some(attribute), _) => attribute,
            (None, Some((attribute, _))) => *attribute,
            (None, None) => Attribute::Other,
        }
    };
    known
        .iter()
        .map(|(label, known)| ((*label).clone(), attribute(label, *known)))
        .collect()
}

/// Names that instrumentations give to the label of the matched route.
const ROUTE_NAMES: &[&str] = &[
    "route",
    "path",
    "endpoint",
    "handler",
    "url_rule",
    "uri",
    "url",
    "http_route",
];

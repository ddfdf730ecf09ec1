//! The forms of a library that stand on a page, found by name, by text or by labels, and how closely each agrees.

use std::collections::BTreeSet;

use metric_contract::{Form, Mark, MetricId, MetricKind, Prefix, Signature, Unit};

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
    pub(super) fn is_described(&self) -> bool {
        self.form.is_described_by(&self.family.help)
    }

    /// Whether the family is described by a text that the library never writes.
    pub(super) fn is_contradicted(&self) -> bool {
        !self.form.helps.is_empty() && !self.is_described() && !self.family.help.is_empty()
    }

    /// Whether a mark of the form is there. A family without samples shows no label, and its name alone is not enough.
    pub(super) fn shows(&self, mark: Mark, prefix: &str, of_library: Prefix) -> bool {
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
    pub(super) fn has_own_help(&self) -> bool {
        self.is_described() && !self.family.help.is_empty()
    }

    /// Whether the form stands there as the library writes it: name, labels, and the text if it is known.
    pub(super) fn is_exact(&self) -> bool {
        let described = self.form.helps.is_empty() || self.is_described();
        self.found_by == FoundBy::Name && self.labels == LabelFit::Exact && described
    }
}

/// Each form that stands on the page under a prefix.
pub(super) fn matches<'p>(signature: &'static Signature, prefix: &str, page: &'p Page) -> Vec<Match<'p>> {
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
fn is_of_exporter(label: &str) -> bool {
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
pub(super) fn best_of_each_metric(found: Vec<Match<'_>>) -> Vec<Match<'_>> {
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

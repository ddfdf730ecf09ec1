//! One dialect held against a page: which of its forms stand there, and what of them shows that it is this dialect.

use std::collections::BTreeSet;

use metric_contract::{DialectId, Form, Mark, MetricId, Prefix, Signature};

use super::{
    form_match::{FoundBy, LabelFit, Match, best_of_each_metric, matches},
    page::Page,
};

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
            .take(MAX_PREFIXES)
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

/// Most prefixes of one library that are tried: a page of anybody's may have one for each of its families.
const MAX_PREFIXES: usize = 16;

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
                .map(str::to_owned)
                .take(MAX_PREFIXES),
        );
    }
    prefixes.retain(|prefix| !signature.not_behind.contains(&prefix.as_str()));
    prefixes
}

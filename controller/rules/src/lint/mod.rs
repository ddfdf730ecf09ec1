//! The lint: mistakes that make an alert, a recording rule or a panel useless although Prometheus accepts them, and those
//! for which it refuses a file.
//!
//! Our own rules and panels are checked as syntax trees before they are written; the files of others are parsed. The
//! checks are the rows of [`Check`], one file each.

mod alert_fields;
mod check;
mod client_label;
mod comparison;
mod dashboard_file;
mod expression;
mod finding;
mod inference;
mod label_set;
mod matching;
mod names;
mod object_size;
mod own;
mod parsed;
mod query;
mod rule_file;
mod rules;
mod value_range;
mod variables;
mod vocabulary;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

pub use check::{Check, Level, reference_page};
pub use dashboard_file::lint_dashboard_file;
pub use finding::{Finding, FindingPlace};
use inference::KnownSeries;
use metric_contract::{Spelling, TargetKind, recorded_series::OBJECTIVE_RATE};
pub use rule_file::lint_rule_file;
pub use vocabulary::Vocabulary;

use crate::{ApiFacts, Dashboard, Rule, RuleSet, promql::metrics};

/// What is wrong with the rules of an API. `bytes`: their size as JSON.
#[must_use]
pub fn lint_rules(rules: &RuleSet, api: &ApiFacts<'_>, bytes: usize) -> Vec<Finding> {
    let mut vocabulary = vocabulary_of(api);
    for metric in own_counters(rules) {
        if vocabulary.labels(&metric).is_none() {
            vocabulary.add_unlabelled(&metric);
        }
    }
    let mut findings = rules::check_own(rules, &vocabulary);
    findings.extend(object_size::check_rules(bytes).map(|mistake| mistake.at(FindingPlace::default())));
    findings
}

/// The metrics that objectives count and no rule records: an objective may count what the API itself exports, of which no
/// dialect knows.
fn own_counters(rules: &RuleSet) -> BTreeSet<String> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    let counted = all.filter_map(|rule| match rule {
        Rule::Recording(rule) if rule.record.starts_with(&OBJECTIVE_RATE.name("")) => Some(metrics(&rule.expr)),
        Rule::Recording(_) | Rule::Alerting(_) => None,
    });
    let names = counted.flatten().map(|metric| metric.as_str().to_owned());
    // The names of recorded series, and only theirs, have colons.
    names.filter(|metric| !metric.contains(':')).collect()
}

/// What is wrong with the dashboard of an API. `bytes`: its size as JSON.
#[must_use]
pub fn lint_dashboard(dashboard: &Dashboard, api: &ApiFacts<'_>, bytes: usize) -> Vec<Finding> {
    check_dashboard(dashboard, &vocabulary_of(api).with_recorded_series(), bytes)
}

/// What is wrong with a dashboard that the chart installs. `bytes`: its size as JSON.
#[must_use]
pub fn lint_installed_dashboard(dashboard: &Dashboard, bytes: usize) -> Vec<Finding> {
    let vocabulary = Vocabulary::of_the_platform(TargetKind::ServiceMonitor)
        .with_operators_process()
        .with_recorded_series()
        .complete();
    check_dashboard(dashboard, &vocabulary, bytes)
}

fn check_dashboard(dashboard: &Dashboard, vocabulary: &Vocabulary, bytes: usize) -> Vec<Finding> {
    let known = KnownSeries {
        vocabulary,
        recorded: BTreeMap::new(),
    };
    let mut findings = Vec::new();
    for (path, title, expr) in dashboard.queries() {
        let mistakes = expression::check(&own::query(expr), &known);
        findings.extend(mistakes.into_iter().map(|mistake| {
            mistake.at(FindingPlace {
                path: path.clone(),
                title: title.clone(),
            })
        }));
    }
    findings.extend(object_size::check_dashboard(bytes).map(|mistake| mistake.at(FindingPlace::default())));
    findings
}

/// The first error, and how many more there are. `None`: it may be written.
#[must_use]
pub fn sentence(findings: &[Finding]) -> Option<String> {
    let mut errors = findings.iter().filter(|finding| finding.check.level() == Level::Error);
    let first = errors.next()?;
    Some(match errors.count() {
        0 => first.to_string(),
        more => format!("{first} (and {more} more)"),
    })
}

/// The metrics that rules and panels of an API may read, without those that its rules record.
#[must_use]
pub fn vocabulary_of(api: &ApiFacts<'_>) -> Vocabulary {
    let mut vocabulary = vocabulary_of_spelling(api);
    // What names the workload may be a label that Prometheus gives the proxy's targets, of which the spelling knows nothing.
    for condition in api.proxy.unwrap_or_default().iter().flatten() {
        vocabulary.add_target_label(&condition.label);
    }
    vocabulary
}

fn vocabulary_of_spelling(api: &ApiFacts<'_>) -> Vocabulary {
    /// How many are remembered; the APIs of a cluster share a few spellings.
    const REMEMBERED: usize = 16;
    /// The newest comes first.
    static KNOWN: Mutex<Vec<(TargetKind, Option<Spelling>, Vocabulary)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let of_api = known
        .iter()
        .find(|(target, spelling, _)| *target == api.target && spelling.as_ref() == api.spelling);
    if let Some((.., vocabulary)) = of_api {
        return vocabulary.clone();
    }
    let vocabulary = Vocabulary::of_the_platform(api.target);
    let vocabulary = match api.spelling {
        Some(spelling) => vocabulary.with_spelling(spelling),
        None => vocabulary.complete(),
    };
    known.truncate(REMEMBERED - 1);
    known.insert(0, (api.target, api.spelling.cloned(), vocabulary.clone()));
    vocabulary
}

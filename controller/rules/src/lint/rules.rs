//! All checks of a set of rules.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alert_fields, comparison, expression,
    finding::{Finding, FindingPlace},
    inference::KnownSeries,
    own,
    query::Query,
    vocabulary::Vocabulary,
};
use crate::{Rule, RuleSet};

/// One rule as the checks read it.
#[derive(Debug)]
pub(super) struct LintedRule<'a> {
    /// Path of the rule.
    pub(super) path: String,
    /// For people.
    pub(super) title: String,
    /// The name of the series that it records; `None`: it is an alert.
    pub(super) record: Option<&'a str>,
    /// The field is missing or cannot be read: `None`.
    pub(super) query: Option<Query>,
    pub(super) labels: &'a BTreeMap<String, String>,
    pub(super) annotations: &'a BTreeMap<String, String>,
}

/// What is wrong with rules that can be read.
pub(super) fn check(rules: &[LintedRule<'_>], vocabulary: &Vocabulary) -> Vec<Finding> {
    let known = known_series(rules, vocabulary);
    let mut findings = Vec::new();
    for rule in rules {
        let mut of_expr = Vec::new();
        let mut of_rule = Vec::new();
        if let Some(query) = &rule.query {
            of_expr = expression::check(query, &known);
            if rule.record.is_none() {
                comparison::check_alert(query, &mut of_expr);
            }
        }
        if rule.record.is_none() {
            alert_fields::check(rule.labels, rule.annotations, &mut of_rule);
        }
        let place = |field: &str| FindingPlace {
            path: format!("{}{field}", rule.path),
            title: rule.title.clone(),
        };
        findings.extend(of_expr.into_iter().map(|mistake| mistake.at(place(".expr"))));
        findings.extend(of_rule.into_iter().map(|mistake| mistake.at(place(""))));
    }
    findings
}

/// The series that exist, with the labels of those that the rules record. A rule that reads what a later one records is
/// rare: of such a series the labels are not known.
fn known_series<'a>(rules: &[LintedRule<'_>], vocabulary: &'a Vocabulary) -> KnownSeries<'a> {
    let mut known = KnownSeries {
        vocabulary,
        recorded: BTreeMap::new(),
    };
    for rule in rules {
        let Some((record, query)) = rule.record.zip(rule.query.as_ref()) else {
            continue;
        };
        let mut labels = expression::labels(query, &known);
        for (label, value) in rule.labels {
            if value.is_empty() {
                labels.remove(label);
            } else {
                labels.add(label);
            }
        }
        let all = match known.recorded.get(record) {
            Some(others) => others.or(&labels),
            None => labels,
        };
        known.recorded.insert(record.to_owned(), all);
    }
    known
}

/// What is wrong with rules of ours.
pub(super) fn check_own(rules: &RuleSet, vocabulary: &Vocabulary) -> Vec<Finding> {
    let none = BTreeMap::new();
    let groups = rules.groups.iter().enumerate();
    let linted: Vec<_> = groups
        .flat_map(|(at, group)| {
            group
                .rules
                .iter()
                .enumerate()
                .map(move |(index, rule)| (at, index, rule))
        })
        .map(|(at, index, rule)| {
            let path = format!("groups[{at}].rules[{index}]");
            match rule {
                Rule::Recording(rule) => LintedRule {
                    path,
                    title: format!("recording rule {}", rule.record),
                    record: Some(&rule.record),
                    query: Some(own::query(&rule.expr)),
                    labels: &rule.labels,
                    annotations: &none,
                },
                Rule::Alerting(rule) => LintedRule {
                    path,
                    title: format!("alert {}", rule.alert),
                    record: None,
                    query: Some(own::query(&rule.expr)),
                    labels: &rule.labels,
                    annotations: &rule.annotations,
                },
            }
        })
        .collect();
    check(&linted, vocabulary)
}

/// Names that are there more than once.
pub(super) fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}

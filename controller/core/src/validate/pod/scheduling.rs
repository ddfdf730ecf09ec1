//! Rules of scheduling: tolerations, affinity, spread.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    forms::{DNS_LABEL, HOST_NAME, LABEL_KEY, LABEL_VALUE},
    rule::{Must, Rule, given, items_of, rule, text, text_map, texts},
};
use crate::{validate::syntax, violation::Violations};

/// Weights of preferences.
const WEIGHT: std::ops::RangeInclusive<i64> = 1..=100;
const COUNT: std::ops::RangeInclusive<i64> = 1..=i32::MAX as i64;

pub(super) const TOLERATION: &[Rule] = &[
    rule("key", Must::BeText(&LABEL_KEY)),
    rule("operator", Must::BeOneOf(&["Equal", "Exists"])),
    rule(
        "effect",
        Must::BeOneOf(&["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ),
    rule("", Must::Satisfy(toleration)),
];

pub(super) const AFFINITY: &[Rule] = &[
    rule("nodeAffinity", Must::Meet(NODE_AFFINITY)),
    rule("podAffinity", Must::Meet(POD_AFFINITY)),
    rule("podAntiAffinity", Must::Meet(POD_AFFINITY)),
];

const NODE_AFFINITY: &[Rule] = &[
    rule(
        "requiredDuringSchedulingIgnoredDuringExecution",
        Must::Meet(REQUIRED_NODES),
    ),
    rule(
        "preferredDuringSchedulingIgnoredDuringExecution",
        Must::EachMeet(PREFERRED_NODES),
    ),
];

const REQUIRED_NODES: &[Rule] = &[
    rule(
        "nodeSelectorTerms",
        Must::BeGiven("[{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [arm64]}]}]"),
    ),
    rule("nodeSelectorTerms", Must::EachMeet(REQUIRED_TERM)),
];

const REQUIRED_TERM: &[Rule] = &[
    rule("matchExpressions", Must::EachMeet(NODE_EXPRESSION)),
    rule(
        "matchExpressions",
        Must::EachMeet(&[rule("values", Must::BeTexts(&LABEL_VALUE))]),
    ),
    rule("matchFields", Must::EachMeet(NODE_FIELD)),
];

const PREFERRED_NODES: &[Rule] = &[
    rule("weight", Must::BeGiven("1")),
    rule("weight", Must::BeWithin(WEIGHT)),
    rule("preference", Must::Meet(PREFERRED_TERM)),
];

/// The API server does not judge the values of a preference.
const PREFERRED_TERM: &[Rule] = &[
    rule("matchExpressions", Must::EachMeet(NODE_EXPRESSION)),
    rule("matchFields", Must::EachMeet(NODE_FIELD)),
];

const NODE_EXPRESSION: &[Rule] = &[
    rule("key", Must::BeGiven("kubernetes.io/arch")),
    rule("key", Must::BeText(&LABEL_KEY)),
    rule("operator", Must::BeGiven("In")),
    rule(
        "operator",
        Must::BeOneOf(&["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
    ),
    rule("", Must::Satisfy(values_of_operator)),
];

const NODE_FIELD: &[Rule] = &[
    rule("key", Must::BeGivenAsOneOf(&["metadata.name"])),
    rule("key", Must::BeGiven("metadata.name")),
    rule("operator", Must::BeGiven("In")),
    rule("operator", Must::BeOneOf(&["In", "NotIn"])),
    rule("", Must::Satisfy(one_node)),
    rule("values", Must::BeTexts(&HOST_NAME)),
];

const POD_AFFINITY: &[Rule] = &[
    rule(
        "requiredDuringSchedulingIgnoredDuringExecution",
        Must::EachMeet(POD_TERM),
    ),
    rule(
        "preferredDuringSchedulingIgnoredDuringExecution",
        Must::EachMeet(PREFERRED_PODS),
    ),
];

const PREFERRED_PODS: &[Rule] = &[
    rule("weight", Must::BeGiven("1")),
    rule("weight", Must::BeWithin(WEIGHT)),
    rule(
        "podAffinityTerm",
        Must::BeGiven("{topologyKey: kubernetes.io/hostname}"),
    ),
    rule("podAffinityTerm", Must::Meet(POD_TERM)),
];

const POD_TERM: &[Rule] = &[
    rule("topologyKey", Must::BeGiven("kubernetes.io/hostname")),
    rule("topologyKey", Must::BeText(&LABEL_KEY)),
    rule("namespaces", Must::BeTexts(&DNS_LABEL)),
    rule("labelSelector", Must::Satisfy(selector)),
    rule("namespaceSelector", Must::Satisfy(selector)),
    rule("", Must::Satisfy(match_label_keys)),
];

pub(super) const SPREAD: &[Rule] = &[
    rule("maxSkew", Must::BeGiven("1")),
    rule("maxSkew", Must::BeWithin(COUNT)),
    rule("topologyKey", Must::BeGiven("kubernetes.io/hostname")),
    rule("whenUnsatisfiable", Must::BeGiven("ScheduleAnyway")),
    rule("whenUnsatisfiable", Must::BeOneOf(&["DoNotSchedule", "ScheduleAnyway"])),
    rule("minDomains", Must::BeWithin(COUNT)),
    rule("", Must::Satisfy(min_domains)),
    rule("nodeAffinityPolicy", Must::BeGivenAsOneOf(&["Honor", "Ignore"])),
    rule("nodeTaintsPolicy", Must::BeGivenAsOneOf(&["Honor", "Ignore"])),
    rule("labelSelector", Must::Satisfy(selector)),
    rule("", Must::Satisfy(match_label_keys)),
];

fn toleration(toleration: &Value, path: &str, out: &mut Violations) {
    let operator = text(toleration, "operator").unwrap_or("Equal");
    let value = text(toleration, "value").unwrap_or_default();
    if text(toleration, "key").is_none() && operator != "Exists" {
        out.add(
            format!("{path}.operator"),
            "a toleration without key must have the operator Exists: add it, or a key",
        );
    }
    if given(toleration, "tolerationSeconds").is_some() && text(toleration, "effect") != Some("NoExecute") {
        out.add(
            format!("{path}.effect"),
            "tolerationSeconds needs the effect NoExecute: use it, or remove tolerationSeconds",
        );
    }
    if operator == "Exists" && !value.is_empty() {
        out.add(format!("{path}.value"), "the operator Exists takes no value: remove it");
    } else if operator == "Equal" && !value.is_empty() {
        LABEL_VALUE.check(value, &format!("{path}.value"), out);
    }
}

/// The number of values that an operator takes.
fn values_of_operator(expression: &Value, path: &str, out: &mut Violations) {
    let count = items_of(expression, "values").count();
    let path = format!("{path}.values");
    match text(expression, "operator") {
        Some(operator @ ("In" | "NotIn")) if count == 0 => {
            out.add(
                path,
                format!("values is missing, and {operator} needs at least one: add it"),
            );
        }
        Some(operator @ ("Exists" | "DoesNotExist")) if count > 0 => {
            out.add(path, format!("{operator} takes no values: remove them"));
        }
        Some(operator @ ("Gt" | "Lt")) if count != 1 => {
            out.add(
                path,
                format!("{operator} takes one value, and {count} are given: use one number"),
            );
        }
        Some(_) | None => {}
    }
}

fn one_node(field: &Value, path: &str, out: &mut Violations) {
    let count = items_of(field, "values").count();
    if count != 1 {
        out.add(
            format!("{path}.values"),
            format!("a node's name is one value, and {count} are given: use one"),
        );
    }
}

/// A label selector.
pub(super) fn selector(selector: &Value, path: &str, out: &mut Violations) {
    const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];
    if let Some(labels) = given(selector, "matchLabels") {
        syntax::label_map(&text_map(labels), &format!("{path}.matchLabels"), out);
    }
    for (index, expression) in items_of(selector, "matchExpressions") {
        let path = format!("{path}.matchExpressions[{index}]");
        LABEL_KEY.check(text(expression, "key").unwrap_or_default(), &format!("{path}.key"), out);
        let operator = text(expression, "operator").unwrap_or_default();
        if !OPERATORS.contains(&operator) {
            out.add(
                format!("{path}.operator"),
                format!("{operator:?} is not a valid operator: use In, NotIn, Exists or DoesNotExist"),
            );
        }
        values_of_operator(expression, &path, out);
        for (index, value) in given(expression, "values").into_iter().flat_map(texts) {
            if !value.is_empty() {
                LABEL_VALUE.check(value, &format!("{path}.values[{index}]"), out);
            }
        }
    }
}

/// Labels whose values a term takes from the pod: they need a selector, which must not name them too.
fn match_label_keys(term: &Value, path: &str, out: &mut Violations) {
    let selector = given(term, "labelSelector");
    let mut named = BTreeSet::new();
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        for (index, key) in given(term, field).into_iter().flat_map(texts) {
            let path = format!("{path}.{field}[{index}]");
            LABEL_KEY.check(key, &path, out);
            if selector.is_none() {
                out.add(&path, "labelSelector is missing, which this narrows: add it");
            } else if field == "matchLabelKeys" && selector.is_some_and(|selector| is_named(selector, key)) {
                out.add(&path, format!("{key} stands in labelSelector too: remove one"));
            }
            if !named.insert(key) && field == "mismatchLabelKeys" {
                out.add(path, format!("{key} stands in matchLabelKeys too: remove one"));
            }
        }
    }
}

/// Whether a selector has a condition on the label.
fn is_named(selector: &Value, key: &str) -> bool {
    given(selector, "matchLabels").is_some_and(|labels| labels.get(key).is_some())
        || items_of(selector, "matchExpressions").any(|(_, expression)| text(expression, "key") == Some(key))
}

fn min_domains(constraint: &Value, path: &str, out: &mut Violations) {
    if given(constraint, "minDomains").is_some() && text(constraint, "whenUnsatisfiable") != Some("DoNotSchedule") {
        out.add(
            format!("{path}.minDomains"),
            "minDomains needs whenUnsatisfiable: DoNotSchedule: use that, or remove it",
        );
    }
}

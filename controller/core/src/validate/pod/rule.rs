//! Rules about values as data, and the walk that applies them. What is absent, or null, breaks no rule but
//! [`Must::BeGiven`]; a value of a wrong type is told by the decoder.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use serde_json::Value;

use crate::violation::Violations;

/// What the value of a field must be.
pub(super) struct Rule {
    /// The field; empty for the object that the rules are about.
    field: &'static str,
    must: Must,
}

/// The row of a table.
pub(super) const fn rule(field: &'static str, must: Must) -> Rule {
    Rule { field, must }
}

/// A condition.
pub(super) enum Must {
    /// Given, and neither empty text nor an empty list; with an example.
    BeGiven(&'static str),
    /// Absent: the field cannot be used here, and why.
    BeAbsent(&'static str),
    /// One of these texts; empty text counts as absent.
    BeOneOf(&'static [&'static str]),
    /// One of these texts; empty text is none of them.
    BeGivenAsOneOf(&'static [&'static str]),
    /// A whole number within these bounds.
    BeWithin(RangeInclusive<i64>),
    /// Text of this form; empty text counts as absent.
    BeText(&'static Form),
    /// Text of this form, and not empty.
    BeNonEmptyText(&'static Form),
    /// A list of texts of this form.
    BeTexts(&'static Form),
    /// A list of whole numbers within these bounds.
    BeNumbers(RangeInclusive<i64>),
    /// An object that meets these rules.
    Meet(&'static [Rule]),
    /// A list of objects, each of which meets these rules.
    EachMeet(&'static [Rule]),
    /// A list of objects that this field tells apart.
    DifferBy(&'static str),
    /// A list of objects that these two fields tell apart; the second has a default.
    DifferByBoth(&'static str, &'static str, &'static str),
    /// An object that has exactly one of these fields.
    HaveOneOf(&'static [&'static str]),
    /// An object that has at most one of these fields.
    HaveAtMostOneOf(&'static [&'static str]),
    /// What a function says that knows more than one field.
    Satisfy(Check),
}

/// Adds what is wrong with a value at a path.
pub(super) type Check = fn(&Value, &str, &mut Violations);

/// A form of text.
pub(super) struct Form {
    /// What it is called.
    pub(super) noun: &'static str,
    pub(super) is: fn(&str) -> bool,
    /// What to write, with an example.
    pub(super) instead: &'static str,
}

impl Form {
    pub(super) fn check(&self, text: &str, path: &str, out: &mut Violations) {
        if !(self.is)(text) {
            out.add(
                path,
                format!("{text:?} is not a valid {}: use {}", self.noun, self.instead),
            );
        }
    }
}

/// Applies rules to an object at a path.
pub(super) fn meet(object: &Value, rules: &[Rule], path: &str, out: &mut Violations) {
    for Rule { field, must } in rules {
        let (value, path) = match *field {
            "" => (Some(object), path.to_owned()),
            field => (given(object, field), format!("{path}.{field}")),
        };
        if let Must::BeGiven(example) = must {
            if value.is_none_or(is_empty) {
                out.add(path, format!("{field} is missing: add it, for example {example}"));
            }
        } else if let Some(value) = value {
            check(field, must, value, &path, out);
        }
    }
}

/// Applies rules to each item of a list at a path.
fn each_meet(list: &Value, rules: &[Rule], path: &str, out: &mut Violations) {
    for (index, item) in items(list) {
        meet(item, rules, &format!("{path}[{index}]"), out);
    }
}

fn check(field: &str, must: &Must, value: &Value, path: &str, out: &mut Violations) {
    match must {
        Must::BeGiven(_) => {}
        Must::BeAbsent(why) => out.add(path, *why),
        Must::BeOneOf(known) => {
            if value != "" {
                one_of(field, value, known, path, out);
            }
        }
        Must::BeGivenAsOneOf(known) => one_of(field, value, known, path, out),
        Must::BeWithin(range) => within(value, range, path, out),
        Must::BeText(form) => {
            if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
                form.check(text, path, out);
            }
        }
        Must::BeNonEmptyText(form) => {
            if let Some(text) = value.as_str() {
                form.check(text, path, out);
            }
        }
        Must::BeTexts(form) => {
            for (index, text) in texts(value) {
                form.check(text, &format!("{path}[{index}]"), out);
            }
        }
        Must::BeNumbers(range) => {
            for (index, number) in items(value) {
                within(number, range, &format!("{path}[{index}]"), out);
            }
        }
        Must::Meet(rules) => meet(value, rules, path, out),
        Must::EachMeet(rules) => each_meet(value, rules, path, out),
        Must::DifferBy(key) => differ(list(value), key, None, path, out),
        Must::DifferByBoth(key, second, default) => differ(list(value), key, Some((second, default)), path, out),
        Must::HaveOneOf(known) => have_one_of(value, known, true, path, out),
        Must::HaveAtMostOneOf(known) => have_one_of(value, known, false, path, out),
        Must::Satisfy(check) => check(value, path, out),
    }
}

fn is_empty(value: &Value) -> bool {
    value == "" || value.as_array().is_some_and(Vec::is_empty)
}

fn one_of(field: &str, value: &Value, known: &[&str], path: &str, out: &mut Violations) {
    if let Some(text) = value.as_str().filter(|text| !known.contains(text)) {
        out.add(
            path,
            format!("{text:?} is not a valid {field}: use {}", alternatives(known)),
        );
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(in crate::validate) fn alternatives(known: &[&str]) -> String {
    match known {
        [] => String::new(),
        [last] => (*last).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn within(value: &Value, range: &RangeInclusive<i64>, path: &str, out: &mut Violations) {
    if let Some(number) = value.as_i64().filter(|number| !range.contains(number)) {
        let (min, max) = (range.start(), range.end());
        out.add(path, format!("{number} is out of range: use {min} to {max}"));
    }
}

/// Checks that a field, or two of them, tell the items of a list apart. `second`: the second field and its default.
pub(super) fn differ(list: &[Value], key: &str, second: Option<(&str, &str)>, path: &str, out: &mut Violations) {
    let mut seen = BTreeSet::new();
    for (index, item) in list.iter().enumerate() {
        let Some(given) = item.get(key).and_then(scalar) else {
            continue;
        };
        let rest = second.map(|(field, default)| item.get(field).and_then(Value::as_str).unwrap_or(default));
        if !seen.insert((given.clone(), rest)) {
            out.add(
                format!("{path}[{index}].{key}"),
                format!("{given} is given twice: remove one"),
            );
        }
    }
}

fn have_one_of(object: &Value, known: &[&str], is_needed: bool, path: &str, out: &mut Violations) {
    let present: Vec<_> = known
        .iter()
        .filter(|field| given(object, field).is_some())
        .copied()
        .collect();
    match *present {
        [_] => {}
        [] if is_needed => out.add(path, format!("one of {} is needed: use one", known.join(", "))),
        [] => {}
        _ => out.add(
            path,
            format!("{} are given together: use one of them", present.join(" and ")),
        ),
    }
}

/// A field that is there; null counts as absent.
pub(super) fn given<'a>(object: &'a Value, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

/// The text of a field that is there and not empty.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object
        .get(field)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Whether a field is there and true.
pub(super) fn is_true(object: &Value, field: &str) -> bool {
    object.get(field).and_then(Value::as_bool) == Some(true)
}

/// The items of a list with their places.
fn items(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list(value).iter().enumerate()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The items of the list in a field, with their places.
pub(super) fn items_of<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    object
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
}

/// The texts of a list with their places.
pub(super) fn texts(value: &Value) -> impl Iterator<Item = (usize, &str)> {
    items(value).filter_map(|(index, item)| Some((index, item.as_str()?)))
}

/// The entries of a map whose values are text.
pub(super) fn text_map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Text, or a number as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

//! Rule files and the specs of PrometheusRules that others wrote: from JSON to rules, and what Prometheus refuses in their
//! form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    check::Check,
    finding::{Finding, FindingPlace, Mistake},
    object_size, parsed,
    rules::{self, LintedRule},
    vocabulary::Vocabulary,
};
use crate::promql::{LabelName, MetricName, PromDuration};

/// Fields of a group; the last two are known to the Prometheus Operator and to Mimir.
const GROUP_FIELDS: &[&str] = &[
    "name",
    "interval",
    "rules",
    "limit",
    "query_offset",
    "labels",
    "partial_response_strategy",
    "source_tenants",
];
const RECORDING_FIELDS: &[&str] = &["record", "expr", "labels"];
const ALERTING_FIELDS: &[&str] = &["alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/// What is wrong with a rule file, or with the spec of a PrometheusRule: `{groups: …}`.
#[must_use]
pub fn lint_rule_file(file: &Value, vocabulary: &Vocabulary) -> Vec<Finding> {
    let mut reader = RuleReader::default();
    let rules = reader.file(file);
    let mut findings = reader.findings;
    let linted: Vec<_> = rules.iter().map(OwnedRule::linted).collect();
    findings.extend(rules::check(&linted, vocabulary));
    let size = object_size::check_rules(file.to_string().len());
    findings.extend(size.map(|mistake| mistake.at(FindingPlace::default())));
    findings.sort();
    findings
}

/// A rule that was read.
#[derive(Debug)]
struct OwnedRule {
    path: String,
    title: String,
    record: Option<String>,
    query: Option<super::query::Query>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl OwnedRule {
    fn linted(&self) -> LintedRule<'_> {
        LintedRule {
            path: self.path.clone(),
            title: self.title.clone(),
            record: self.record.as_deref(),
            query: self.query.clone(),
            labels: &self.labels,
            annotations: &self.annotations,
        }
    }
}

#[derive(Debug, Default)]
struct RuleReader {
    findings: Vec<Finding>,
}

impl RuleReader {
    fn add(&mut self, path: impl Into<String>, title: &str, mistake: Mistake) {
        self.findings.push(mistake.at(FindingPlace {
            path: path.into(),
            title: title.to_owned(),
        }));
    }

    fn form(&mut self, path: impl Into<String>, title: &str, sentence: impl Into<String>, hint: &str) {
        self.add(path, title, Mistake::new(Check::Form, sentence, hint));
    }

    fn file(&mut self, file: &Value) -> Vec<OwnedRule> {
        let Some(groups) = file.get("groups").and_then(Value::as_array) else {
            self.form(
                "",
                "",
                "groups is missing or no list",
                "write groups: [{name: …, rules: […]}]",
            );
            return Vec::new();
        };
        let names = groups.iter().filter_map(|group| group.get("name")?.as_str());
        let repeated = rules::repeated(names);
        let mut rules = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let path = format!("groups[{at}]");
            let name = group.get("name").and_then(Value::as_str).unwrap_or_default();
            let title = format!("group {name}");
            if name.is_empty() {
                self.form(
                    &path,
                    "",
                    "the group has no name",
                    "give it one, for example name: orders.alerts",
                );
            } else if repeated.contains(name) {
                let sentence = format!("{name} is the name of several groups");
                self.form(format!("{path}.name"), "", sentence, "give each group another name");
            }
            self.fields(&path, &title, group, GROUP_FIELDS);
            self.durations(&path, &title, group, &["interval", "query_offset"]);
            match group.get("rules") {
                Some(Value::Array(list)) => {
                    for (index, rule) in list.iter().enumerate() {
                        rules.extend(self.rule(&format!("{path}.rules[{index}]"), &title, rule));
                    }
                }
                None | Some(Value::Null) => {}
                Some(_) => self.form(
                    format!("{path}.rules"),
                    &title,
                    "rules is no list",
                    "write a list of rules",
                ),
            }
        }
        rules
    }

    fn rule(&mut self, path: &str, group: &str, rule: &Value) -> Option<OwnedRule> {
        let name = |key: &str| rule.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
        let (title, fields, record) = match (name("record"), name("alert")) {
            (Some(record), None) => (
                format!("{group}, recording rule {record}"),
                RECORDING_FIELDS,
                Some(record),
            ),
            (None, Some(alert)) => (format!("{group}, alert {alert}"), ALERTING_FIELDS, None),
            (Some(_), Some(_)) | (None, None) => {
                self.form(
                    path,
                    group,
                    "a rule needs either record or alert",
                    "name one of the two",
                );
                return None;
            }
        };
        if let Some(record) = record.filter(|record| MetricName::new(record).as_str() != *record) {
            let sentence = format!("{record:?} is not a valid name of a series");
            self.form(
                format!("{path}.record"),
                &title,
                sentence,
                "use letters, digits, _ and :, for example job:errors:rate5m",
            );
        }
        self.fields(path, &title, rule, fields);
        self.durations(path, &title, rule, &["for", "keep_firing_for"]);
        let labels = self.texts(path, &title, rule, "labels");
        for label in labels
            .keys()
            .filter(|label| LabelName::new(label).as_str() != *label || *label == "__name__")
        {
            let sentence = format!("{label:?} is not a valid label");
            self.form(
                format!("{path}.labels"),
                &title,
                sentence,
                "use letters, digits and _, for example team",
            );
        }
        Some(OwnedRule {
            query: self.expr(path, &title, rule),
            annotations: self.texts(path, &title, rule, "annotations"),
            path: path.to_owned(),
            title,
            record: record.map(str::to_owned),
            labels,
        })
    }

    fn expr(&mut self, path: &str, title: &str, rule: &Value) -> Option<super::query::Query> {
        let text = match rule.get("expr") {
            Some(Value::String(text)) if !text.trim().is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) | None => {
                self.form(
                    path,
                    title,
                    "the rule has no expr",
                    "write its PromQL, for example expr: up == 0",
                );
                return None;
            }
        };
        match parsed::query(&text) {
            Ok(query) => query,
            Err(error) => {
                self.add(format!("{path}.expr"), title, syntax(&error));
                None
            }
        }
    }

    /// Fields that Prometheus does not know, for which it refuses the file.
    fn fields(&mut self, path: &str, title: &str, value: &Value, known: &[&str]) {
        let fields = value.as_object().into_iter().flat_map(Map::keys);
        let unknown: Vec<_> = fields.filter(|field| !known.contains(&field.as_str())).collect();
        for field in unknown {
            let sentence = format!("{field} is not a field that belongs here");
            self.form(
                format!("{path}.{field}"),
                title,
                sentence,
                &format!("use one of {}", known.join(", ")),
            );
        }
    }

    fn durations(&mut self, path: &str, title: &str, value: &Value, fields: &[&str]) {
        for field in fields {
            let valid = match value.get(field) {
                None | Some(Value::Null) => true,
                Some(Value::String(text)) => text == "0" || PromDuration::parse(text).is_ok(),
                Some(Value::Number(number)) => number.as_u64() == Some(0),
                Some(_) => false,
            };
            if !valid {
                let sentence = format!("{field} is not a valid duration");
                self.form(
                    format!("{path}.{field}"),
                    title,
                    sentence,
                    "use a number and a unit, for example 5m",
                );
            }
        }
    }

    /// A map of texts.
    fn texts(&mut self, path: &str, title: &str, rule: &Value, field: &str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let entries = match rule.get(field) {
            None | Some(Value::Null) => return texts,
            Some(Value::Object(entries)) => entries,
            Some(_) => {
                self.form(
                    format!("{path}.{field}"),
                    title,
                    format!("{field} is no map"),
                    "write name: text",
                );
                return texts;
            }
        };
        for (name, value) in entries {
            match value {
                Value::String(text) => {
                    texts.insert(name.clone(), text.clone());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    let sentence = format!("{name} is no text");
                    self.form(format!("{path}.{field}.{name}"), title, sentence, "quote it");
                }
            }
        }
        texts
    }
}

/// The mistake of an expression that the parser refuses.
pub(super) fn syntax(error: &str) -> Mistake {
    let told = error.trim().trim_end_matches('.');
    Mistake::new(
        Check::Syntax,
        format!("the expression is not PromQL ({told})"),
        "correct it; promtool check rules shows where Prometheus stumbles",
    )
}

//! The check `alert-fields`: what every alert must tell a person and Alertmanager.

use std::collections::BTreeMap;

use metric_contract::labels::SEVERITY;

use super::{check::Check, finding::Mistake};

/// Annotations under which the link to a runbook stands.
const RUNBOOK_ANNOTATIONS: [&str; 2] = ["runbook_url", "runbook"];
/// Begins the name of a runbook in a description.
const RUNBOOK: &str = "Runbook: ";

/// Checks one alert.
pub(super) fn check(
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    found: &mut Vec<Mistake>,
) {
    let has = |annotation: &str| annotations.get(annotation).is_some_and(|text| !text.trim().is_empty());
    let mut lacks = |what: &str, hint: &str| {
        found.push(Mistake::new(
            Check::AlertFields,
            format!("the alert has no {what}"),
            hint,
        ));
    };
    if !has("summary") {
        lacks("annotation summary", "say in one sentence what is wrong");
    }
    if !has("description") {
        lacks(
            "annotation description",
            "say what happens, with the value: {{ $value }}",
        );
    }
    let described = annotations
        .get("description")
        .is_some_and(|text| text.contains(RUNBOOK));
    if !described && !RUNBOOK_ANNOTATIONS.into_iter().any(has) {
        lacks("runbook", "link one in the annotation runbook_url");
    }
    if labels.get(SEVERITY).is_none_or(|severity| severity.trim().is_empty()) {
        lacks("label severity", "set it, for example severity: warning");
    }
}

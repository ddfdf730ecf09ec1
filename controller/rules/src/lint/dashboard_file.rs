//! Dashboards that others wrote, as Grafana's classic JSON: the queries of their panels.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    expression,
    finding::{Finding, FindingPlace},
    inference::KnownSeries,
    object_size, parsed, rule_file, variables,
    vocabulary::Vocabulary,
};

/// What is wrong with a dashboard. Queries of other data sources than Prometheus are left out.
#[must_use]
pub fn lint_dashboard_file(dashboard: &Value, vocabulary: &Vocabulary) -> Vec<Finding> {
    let known = KnownSeries {
        vocabulary,
        recorded: BTreeMap::new(),
    };
    let mut findings = Vec::new();
    panels(dashboard, "", &known, &mut findings);
    // Dashboards of old schemas keep their panels in rows.
    for (at, row) in list(dashboard, "rows").enumerate() {
        panels(row, &format!("rows[{at}]."), &known, &mut findings);
    }
    let size = object_size::check_dashboard(dashboard.to_string().len());
    findings.extend(size.map(|mistake| mistake.at(FindingPlace::default())));
    findings
}

fn panels(parent: &Value, path: &str, known: &KnownSeries<'_>, findings: &mut Vec<Finding>) {
    for (at, panel) in list(parent, "panels").enumerate() {
        let path = format!("{path}panels[{at}]");
        let title = format!("panel {}", text(panel, "title").unwrap_or("without a title"));
        for (index, target) in list(panel, "targets").enumerate() {
            let place = FindingPlace {
                path: format!("{path}.targets[{index}].expr"),
                title: format!("{title}, query {}", text(target, "refId").unwrap_or("A")),
            };
            if of_prometheus(target).unwrap_or_else(|| of_prometheus(panel).unwrap_or(true))
                && let Some(expr) = text(target, "expr").filter(|expr| !expr.trim().is_empty())
            {
                check(expr, &place, known, findings);
            }
        }
        panels(panel, &format!("{path}."), known, findings);
    }
}

fn check(expr: &str, place: &FindingPlace, known: &KnownSeries<'_>, findings: &mut Vec<Finding>) {
    let mistakes = match parsed::query(&variables::replaced(expr)) {
        Ok(query) => query.map(|query| expression::check(&query, known)).unwrap_or_default(),
        Err(error) => vec![rule_file::syntax(&error)],
    };
    findings.extend(mistakes.into_iter().map(|mistake| mistake.at(place.clone())));
}

/// Whether the data source that a panel or a query names is a Prometheus; `None`: it names none, or by a variable.
fn of_prometheus(named: &Value) -> Option<bool> {
    text(named.get("datasource")?, "type").map(|kind| kind.contains("prometheus"))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

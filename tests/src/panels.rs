//! The queries of a dashboard, asked as Grafana asks them.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{eventually, prometheus::Prometheus};

/// The result of one query of one panel.
#[derive(Debug, Clone)]
pub struct PanelValue {
    /// The panel's title.
    pub title: String,
    /// Number of series.
    pub series: usize,
    /// The first series' value.
    pub first: Option<f64>,
    /// The query as it was asked.
    pub expr: String,
}

/// Every query of a dashboard with the values that Prometheus has for it now. `variables`: names and what is chosen.
///
/// # Errors
/// When Prometheus refuses a query.
pub fn values(prometheus: &Prometheus, dashboard: &Value, variables: &[(&str, &str)]) -> Result<Vec<PanelValue>> {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut values = Vec::new();
    for panel in list(dashboard, "panels") {
        for target in list(&panel, "targets") {
            let expr = text(&target, "expr")
                .replace("$__rate_interval", "1m")
                .replace("$__range", "1h");
            let expr = variables
                .iter()
                .fold(expr, |expr, (name, value)| expr.replace(&format!("${name}"), value));
            let title = text(&panel, "title");
            let samples = prometheus.query(&expr).with_context(|| format!("panel {title:?}"))?;
            values.push(PanelValue {
                title,
                series: samples.len(),
                first: samples.first().map(|(_, value)| *value),
                expr,
            });
        }
    }
    Ok(values)
}

/// Wait until every query of a dashboard has a result. Queries about error budgets, which take hours to have one, and those
/// that have one of `quiet` as their panel's title or in their text must only be taken by Prometheus.
///
/// # Errors
/// When the time is over, with the queries without a result.
pub fn wait_for_data(
    prometheus: &Prometheus,
    dashboard: &Value,
    variables: &[(&str, &str)],
    quiet: &[&str],
    timeout: Duration,
) -> Result<()> {
    eventually("data in every panel", timeout, || {
        let values = values(prometheus, dashboard, variables)?;
        let may_be_empty = |value: &PanelValue| {
            let quiet = quiet
                .iter()
                .any(|part| value.title == *part || value.expr.contains(part));
            quiet || value.expr.contains("error_budget")
        };
        let empty: Vec<_> = values
            .iter()
            .filter(|value| value.series == 0 && !may_be_empty(value))
            .map(|value| format!("{}: {}", value.title, value.expr))
            .collect();
        Ok(if values.len() > 10 && empty.is_empty() {
            Ok(())
        } else {
            Err(format!("no data in {empty:#?}"))
        })
    })
}

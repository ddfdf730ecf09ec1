//! A small client of Prometheus's and Alertmanager's HTTP API, on 127.0.0.1.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value by key gives null, never a panic"
)]

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// GET a JSON document.
///
/// # Errors
/// When the server can't be reached, answers with an error, or not with JSON.
pub fn get_json(url: &str) -> Result<Value> {
    let mut answer = ureq::get(url).call().with_context(|| format!("GET {url}"))?;
    let text = answer
        .body_mut()
        .read_to_string()
        .with_context(|| format!("read {url}"))?;
    serde_json::from_str(&text).with_context(|| format!("{url} does not answer with JSON"))
}

/// A Prometheus server.
#[derive(Debug, Clone)]
pub struct Prometheus {
    /// For example `http://127.0.0.1:9090`.
    pub url: String,
}

/// One rule as Prometheus evaluates it.
#[derive(Debug, Clone)]
pub struct LoadedRule {
    /// Alert or record name.
    pub name: String,
    /// `ok`, `err` or `unknown`.
    pub health: String,
    /// `inactive`, `pending` or `firing`; empty for a recording rule.
    pub state: String,
    /// The evaluation's error, if any.
    pub error: String,
}

impl Prometheus {
    /// The samples of an instant query: labels and value.
    ///
    /// # Errors
    /// When Prometheus refuses the expression or can't be reached.
    pub fn query(&self, expr: &str) -> Result<Vec<(Value, f64)>> {
        let mut answer = ureq::get(format!("{}/api/v1/query", self.url))
            .query("query", expr)
            .call()
            .with_context(|| format!("query {expr}"))?;
        let body: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        if body["status"] != "success" {
            bail!("query {expr}: {body}");
        }
        let rows = body["data"]["result"].as_array().cloned().unwrap_or_default();
        rows.into_iter()
            .map(|row| {
                let value = row["value"][1].as_str().context("a sample has a value")?.parse()?;
                Ok((row["metric"].clone(), value))
            })
            .collect()
    }

    /// The share of an API's requests that failed, by the recordings that the alerts read; `None` while there are none.
    ///
    /// # Errors
    /// When Prometheus can't be reached.
    pub fn error_share(&self, namespace: &str, name: &str) -> Result<Option<f64>> {
        let of = |what: &str| {
            format!(
                "sum({{__name__=~\"namespace_job:{what}:rate[0-9a-z]+\", namespace=\"{namespace}\", job=\"{name}\"}})"
            )
        };
        let samples = self.query(&format!("{} / {}", of("api_errors"), of("api_requests")))?;
        Ok(samples.first().map(|(_, value)| *value))
    }

    /// Active targets of a job: health and last error, one a target.
    ///
    /// # Errors
    /// When Prometheus can't be reached.
    pub fn targets(&self, namespace: &str, job: &str) -> Result<Vec<(String, String)>> {
        let body = get_json(&format!("{}/api/v1/targets?state=active", self.url))?;
        let targets = body["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        Ok(targets
            .iter()
            .filter(|target| target["labels"]["job"] == job && target["labels"]["namespace"] == namespace)
            .map(|target| (text(&target["health"]), text(&target["lastError"])))
            .collect())
    }

    /// The rules of the groups whose rule file has `file_part` in its name (the operator names files `<namespace>-<name>-<uid>`).
    ///
    /// # Errors
    /// When Prometheus can't be reached.
    pub fn rules(&self, file_part: &str) -> Result<Vec<LoadedRule>> {
        let body = get_json(&format!("{}/api/v1/rules", self.url))?;
        let groups = body["data"]["groups"].as_array().cloned().unwrap_or_default();
        Ok(groups
            .iter()
            .filter(|group| text(&group["file"]).contains(file_part))
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default())
            .map(|rule| LoadedRule {
                name: text(&rule["name"]),
                health: text(&rule["health"]),
                state: text(&rule["state"]),
                error: text(&rule["lastError"]),
            })
            .collect())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

//! `cargo xtask demo --postgres`: shows that every pod reads the data that another pod wrote, and that new pods still have
//! the data after all pods were deleted.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use integration_tests::{chain::Chain, eventually, prometheus::get_json};
use serde_json::{Value, json};

use super::{say, step};

const PATIENCE: Duration = Duration::from_secs(90);
const ITEMS: &str = "/api/v1/data";

pub(super) fn check(chain: &Chain, namespace: &str, api: &str) -> Result<()> {
    step("one database behind all pods");
    let before = pods(chain, namespace, api)?;
    ensure!(before.len() == 2, "there are {} pods instead of two", before.len());
    for (index, pod) in before.iter().enumerate() {
        let name = format!("written-by-pod-{index}");
        write(&url(chain, pod)?, &name)?;
        for other in &before {
            read(&url(chain, other)?, &name)?;
        }
        say(&format!("  {name}: read by {} of {} pods", before.len(), before.len()));
    }
    step("kubectl delete pods: all of the API's");
    let selector = format!("--selector=monitoredapi.io/name={api}");
    chain
        .bed
        .kubectl(&["--namespace", namespace, "delete", "pods", &selector])?;
    chain.wait_condition(namespace, api, "Ready", "True", PATIENCE)?;
    let after = eventually("two new pods", PATIENCE, || {
        let after = pods(chain, namespace, api)?;
        let new = after.len() == 2 && after.iter().all(|pod| !before.iter().any(|old| old.name == pod.name));
        Ok(if new { Ok(after) } else { Err(format!("{after:?}")) })
    })?;
    for pod in &after {
        for index in 0..before.len() {
            read(&url(chain, pod)?, &format!("written-by-pod-{index}"))?;
        }
        say("  a new pod has all the data");
    }
    Ok(())
}

#[derive(Debug)]
struct Pod {
    name: String,
    ip: String,
}

/// The ready pods.
fn pods(chain: &Chain, namespace: &str, api: &str) -> Result<Vec<Pod>> {
    let selector = format!("--selector=monitoredapi.io/name={api}");
    let text = chain
        .bed
        .kubectl(&["--namespace", namespace, "get", "pods", &selector, "--output=json"])?;
    let list: Value = serde_json::from_str(&text)?;
    let text = |pod: &Value, pointer: &str| {
        pod.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let ready = |pod: &&Value| {
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        let ready = json!("Ready");
        let mut ready = conditions
            .into_iter()
            .flatten()
            .filter(|row| row.get("type") == Some(&ready));
        let ready = ready.any(|row| row.get("status") == Some(&json!("True")));
        ready && pod.pointer("/metadata/deletionTimestamp").is_none()
    };
    let items = list
        .get("items")
        .and_then(Value::as_array)
        .context("kubectl lists pods")?;
    Ok(items
        .iter()
        .filter(ready)
        .map(|pod| Pod {
            name: text(pod, "/metadata/name"),
            ip: text(pod, "/status/podIP"),
        })
        .collect())
}

fn url(chain: &Chain, pod: &Pod) -> Result<String> {
    let port = chain.bed.forward(None, &format!("{}:8000", pod.ip))?;
    Ok(format!("http://127.0.0.1:{port}{ITEMS}"))
}

fn write(url: &str, name: &str) -> Result<()> {
    let item = json!({"name": name, "category": "demo", "value": 1.0}).to_string();
    let answer = ureq::post(url).content_type("application/json").send(item);
    let answer = answer.with_context(|| format!("POST {url}"))?;
    ensure!(answer.status() == 201, "POST {url}: {}", answer.status());
    Ok(())
}

fn read(url: &str, name: &str) -> Result<()> {
    let found = get_json(&format!("{url}?q={name}"))?;
    let items = found
        .get("items")
        .and_then(Value::as_array)
        .context("the answer has no list of items")?;
    let names: BTreeSet<_> = items.iter().filter_map(|item| item.get("name")?.as_str()).collect();
    ensure!(names.contains(name), "{name} is not in {names:?} of {url}");
    Ok(())
}

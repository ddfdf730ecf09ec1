//! `cargo xtask capture`: records what a real API server answers, for tests that need no cluster.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use controller_api::{MonitoredApi, names::FIELD_MANAGER};
use controller_core::{
    ChildKind, compile,
    facts::{Facts, Settings},
    owner::ApiRef,
    referenced,
};
use serde_json::{Value, json};
use testbed::Testbed;

use crate::{install::prometheus_operator_crds, workspace};

/// The golden cases: a folder each, with `in.yaml`.
const CASES: &str = "controller/core/tests/cases";
/// The recorded answers: a file for each golden case.
const APPLIED: &str = "controller/core/tests/applied";
/// uid of the MonitoredApi that the objects belong to, the same as in `controller/core/tests/applied.rs`.
const OWNER_UID: &str = "0b1e2d3c-4f5a-4b6c-8d7e-9f0a1b2c3d4e";
/// Not recorded: their text is made by the rules engine, so each changed rule would make the record stale.
const FROM_RULES: [ChildKind; 2] = [ChildKind::PROMETHEUS_RULE, ChildKind::CONFIG_MAP];
/// Written in place of every time of the record, so that a new record differs only in what the API server did.
const TIME: &str = "2026-01-01T00:00:00Z";

/// Applies the objects of every golden case to a new test bed and writes the API server's answers to
/// `controller/core/tests/applied/<case>.json`. Gives back the paths below the checkout's root.
///
/// # Errors
/// When a case is invalid, or the API server refuses an object.
pub fn applied() -> Result<Vec<String>> {
    let bed = Testbed::builder("capture").start()?;
    prometheus_operator_crds(&bed)?;
    let root = workspace::root()?;
    let mut written = Vec::new();
    for case in cases(&root)? {
        let answers = apply_case(&bed, &root.join(CASES).join(&case)).with_context(|| format!("case {case}"))?;
        let path = format!("{APPLIED}/{case}.json");
        let text = serde_json::to_string_pretty(&answers)? + "\n";
        fs::write(root.join(&path), text).with_context(|| format!("write {path}"))?;
        written.push(path);
    }
    bed.shutdown()?;
    Ok(written)
}

/// The names of the golden cases, sorted.
fn cases(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(CASES);
    let entries = fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
    let mut cases = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    cases.sort();
    Ok(cases)
}

/// Applies a case's objects as the operator does, and deletes them again.
fn apply_case(bed: &Testbed, case: &Path) -> Result<Vec<Value>> {
    let objects = planned(case)?;
    let namespace = objects
        .first()
        .and_then(|object| object.pointer("/metadata/namespace")?.as_str())
        .context("the case names no namespace")?;
    bed.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).to_string())?;
    let file = bed.state_dir().join("capture.json");
    fs::write(
        &file,
        json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string(),
    )?;
    let file = file.to_string_lossy();
    let manager = format!("--field-manager={FIELD_MANAGER}");
    let printed = bed.kubectl(&[
        "apply",
        "--server-side",
        &manager,
        "--show-managed-fields",
        "--output=json",
        "--filename",
        &file,
    ])?;
    let mut list: Value = serde_json::from_str(&printed).context("kubectl prints JSON")?;
    bed.kubectl(&["delete", "--wait", "--filename", &file])?;
    let answers = list.pointer_mut("/items").and_then(Value::as_array_mut);
    let mut answers = std::mem::take(answers.context("kubectl prints a list")?);
    for (number, answer) in (1..).zip(&mut answers) {
        settle(answer, number);
    }
    Ok(answers)
}

/// The objects that the operator creates for a case, without those of the rules engine.
fn planned(case: &Path) -> Result<Vec<Value>> {
    let path: PathBuf = case.join("in.yaml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let api: MonitoredApi = serde_yaml::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
    let owner = ApiRef {
        uid: OWNER_UID.to_owned(),
        ..ApiRef::of(&api)
    };
    // The workload that the spec refers to, where the case has one.
    let workload = fs::read_to_string(case.join("workload.yaml")).ok();
    let workload = workload.map(|text| serde_yaml::from_str::<Value>(&text)).transpose()?;
    let workload = workload.as_ref().and_then(referenced::of_manifest);
    let facts = Facts {
        workload: workload.and_then(|workload| workload.outline()).map(Arc::new),
        ..Facts::default()
    };
    let plan = compile(&api, &Settings::default(), &facts, &owner)
        .map_err(|violations| anyhow::anyhow!("the case is invalid: {violations:?}"))?;
    let children = plan.children.into_iter();
    Ok(children
        .filter(|child| !FROM_RULES.contains(&child.kind))
        .map(|child| child.object().clone())
        .collect())
}

/// Replaces what differs from one capture to the next: times, uid, version and addresses.
fn settle(answer: &mut Value, number: u32) {
    let mut set = |pointer: &str, value: Value| {
        if let Some(found) = answer.pointer_mut(pointer) {
            *found = value;
        }
    };
    set("/metadata/creationTimestamp", json!(TIME));
    set("/metadata/uid", json!(format!("00000000-0000-4000-8000-{number:012}")));
    set("/metadata/resourceVersion", json!(number.to_string()));
    let address = answer.pointer("/spec/clusterIP").and_then(Value::as_str);
    if address.is_some_and(|address| address != "None") {
        let address = format!("10.96.0.{}", 10 + number);
        if let Some(found) = answer.pointer_mut("/spec/clusterIPs/0") {
            *found = json!(address);
        }
        if let Some(found) = answer.pointer_mut("/spec/clusterIP") {
            *found = json!(address);
        }
    }
    let entries = answer
        .pointer_mut("/metadata/managedFields")
        .and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        if let Some(time) = entry.get_mut("time") {
            *time = json!(TIME);
        }
    }
}

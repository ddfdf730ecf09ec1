//! The write record against what a real API server (1.36) answered to the apply of the golden cases, with its defaults
//! and managed fields: `applied/<case>.json`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads its cases; the crate itself does neither"
)]

use std::{fs, path::Path};

use controller_api::MonitoredApi;
use controller_core::{
    build,
    children::ChildKind,
    facts::{Facts, Settings},
    plan::{ApiRef, Decision, PlannedChild},
    validate,
    write_record::{Confirmed, confirm, created_by_us, decide, observe, record_of},
};
use serde_json::Value;

const OWNER: &str = "0b1e2d3c-4f5a-4b6c-8d7e-9f0a1b2c3d4e";
const CASES: [&str; 3] = ["native", "everything", "metrics-port"];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)).unwrap()
}

/// For whom something is planned, what, and what the API server made of it.
fn applied(case: &str) -> Vec<(ApiRef, PlannedChild, Value)> {
    let api: MonitoredApi = serde_yaml::from_str(&read(&format!("cases/{case}/in.yaml"))).unwrap();
    let valid = validate(&api, &Settings::default()).unwrap();
    let owner = ApiRef {
        uid: OWNER.to_owned(),
        ..valid.owner.clone()
    };
    let plan = build(&valid, &Settings::default(), &Facts::default(), &owner);
    let live: Vec<Value> = serde_json::from_str(&read(&format!("applied/{case}.json"))).unwrap();
    let find = |planned: &PlannedChild| {
        live.iter()
            .find(|live| live["kind"] == planned.kind.as_str() && live["metadata"]["name"] == planned.name.as_str())
            .cloned()
    };
    let pairs: Vec<_> = plan
        .children
        .into_iter()
        .filter_map(|planned| find(&planned).map(|live| (owner.clone(), planned, live)))
        .collect();
    assert_eq!(pairs.len(), live.len(), "{case}");
    pairs
}

fn meta(live: &Value) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
    serde_json::from_value(live["metadata"].clone()).unwrap()
}

#[test]
fn what_was_just_applied_needs_no_request() {
    for (owner, planned, live) in CASES.into_iter().flat_map(applied) {
        assert!(created_by_us(&live, OWNER));
        let record = record_of(&planned, &live).unwrap();
        let decision = decide(&planned, Some(&record), Some(&observe(&meta(&live))), &owner);
        assert_eq!(decision, Decision::Skip, "{} {}", planned.kind.as_str(), planned.name);
    }
}

#[test]
fn a_lost_record_costs_no_write() {
    for (owner, planned, live) in CASES.into_iter().flat_map(applied) {
        let kept = Confirmed::Keep(record_of(&planned, &live).unwrap());
        assert_eq!(
            confirm(&planned, None, Some(&live), &owner),
            kept,
            "{} {}",
            planned.kind.as_str(),
            planned.name
        );
    }
}

#[test]
fn a_lost_record_of_a_changed_object_costs_one_write() {
    let (owner, planned, mut live) = applied("native")
        .into_iter()
        .find(|(_, planned, _)| planned.kind == ChildKind::Deployment)
        .unwrap();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into();
    assert!(matches!(
        confirm(&planned, None, Some(&live), &owner),
        Confirmed::Update { .. }
    ));
}

//! The write record against what a real API server answers to the apply of the golden cases, with its defaults and
//! managed fields: `applied/<case>.json`, recorded by `cargo xtask capture applied`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads its cases; the crate itself does neither"
)]

use std::{fs, path::Path, sync::Arc};

use controller_api::MonitoredApi;
use controller_core::{
    ChildKind, compile,
    facts::{Facts, Settings},
    metadata::fields_hash,
    owner::ApiRef,
    plan::{Decision, PlannedChild},
    referenced,
    write_record::{Confirmation, LiveObject, confirm, created_by_us, decide, record_of},
};
use serde_json::Value;

const OWNER: &str = "0b1e2d3c-4f5a-4b6c-8d7e-9f0a1b2c3d4e";
/// Not recorded: their text is made by the rules engine, so each changed rule would make the record stale.
const FROM_RULES: [ChildKind; 2] = [ChildKind::PROMETHEUS_RULE, ChildKind::CONFIG_MAP];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask capture applied` writes it", path.display()))
}

/// The names in a folder of this crate's tests, without their endings, sorted.
fn names_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder)).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().path().file_stem().unwrap().to_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().unwrap()).collect();
    names.sort();
    names
}

/// Of every golden case each planned object, its owner, and what the API server answered.
fn all_applied() -> impl Iterator<Item = (ApiRef, PlannedChild, Value)> {
    names_in("cases").into_iter().flat_map(|case| applied(&case))
}

/// Of one golden case each planned object, its owner, and what the API server answered.
fn applied(case: &str) -> Vec<(ApiRef, PlannedChild, Value)> {
    let api: MonitoredApi = serde_yaml::from_str(&read(&format!("cases/{case}/in.yaml"))).unwrap();
    let owner = ApiRef {
        uid: OWNER.to_owned(),
        ..ApiRef::of(&api)
    };
    let workload = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/{case}/workload.yaml"));
    let workload = fs::read_to_string(workload).ok();
    let workload = workload.and_then(|text| referenced::of_manifest(&serde_yaml::from_str(&text).unwrap())?.outline());
    let facts = Facts {
        workload: workload.map(Arc::new),
        ..Facts::default()
    };
    let plan = compile(&api, &Settings::default(), &facts, &owner).unwrap();
    let live: Vec<Value> = serde_json::from_str(&read(&format!("applied/{case}.json"))).unwrap();
    let find = |planned: &PlannedChild| {
        live.iter()
            .find(|live| live["kind"] == planned.kind.as_str() && live["metadata"]["name"] == planned.name.as_str())
            .cloned()
    };
    let planned = plan
        .children
        .into_iter()
        .filter(|planned| !FROM_RULES.contains(&planned.kind));
    let pairs: Vec<_> = planned
        .map(|planned| {
            let answer = find(&planned)
                .unwrap_or_else(|| panic!("applied/{case}.json has no {planned}: run `cargo xtask capture applied`"));
            (owner.clone(), planned, answer)
        })
        .collect();
    assert_eq!(
        pairs.len(),
        live.len(),
        "applied/{case}.json has objects that are not planned"
    );
    pairs
}

fn read_live(live: &Value) -> LiveObject {
    LiveObject::from_json(&live.to_string(), fields_hash).unwrap()
}

#[test]
fn every_golden_case_is_recorded_and_nothing_else() {
    assert_eq!(
        names_in("applied"),
        names_in("cases"),
        "applied/<case>.json for each folder cases/<case>: run `cargo xtask capture applied`, and remove files of old cases"
    );
}

#[test]
fn a_child_that_was_just_applied_needs_no_request() {
    for (owner, planned, live) in all_applied() {
        let live = read_live(&live);
        assert!(created_by_us(&live.metadata, OWNER));
        let record = record_of(&planned, &live.observed).unwrap();
        let decision = decide(&planned, Some(&record), Some(&live.observed), &owner);
        assert_eq!(decision, Decision::Skip, "{} {}", planned.kind.as_str(), planned.name);
    }
}

#[test]
fn a_lost_record_costs_no_write() {
    for (owner, planned, live) in all_applied() {
        let live = read_live(&live);
        let kept = Confirmation::Keep(record_of(&planned, &live.observed).unwrap());
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
        .find(|(_, planned, _)| planned.kind == ChildKind::DEPLOYMENT)
        .unwrap();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into();
    assert!(matches!(
        confirm(&planned, None, Some(&read_live(&live)), &owner),
        Confirmation::Update { .. }
    ));
}

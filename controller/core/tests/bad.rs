//! The resources of `tests/cases/bad`: each is refused, by the API server (`# refused: <field>`) or by `validate`
//! (`# violation: <field>`). The ones for the API server are proved against a real one in the integration tests; here,
//! that the same mistake is found offline.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and reads its cases; the crate itself does neither"
)]

use std::{fs, path::Path};

use controller_api::MonitoredApi;
use controller_core::{Violation, facts::Settings, manifest, render};

struct Case {
    file: String,
    verdict: String,
    field: String,
    text: String,
}

fn cases() -> Vec<Case> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/bad");
    let mut cases: Vec<Case> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap();
            let (verdict, field) = first.strip_prefix("# ").and_then(|line| line.split_once(": ")).unwrap();
            Case {
                file: path.file_name().unwrap().to_str().unwrap().to_owned(),
                verdict: verdict.to_owned(),
                field: field.to_owned(),
                text: text.clone(),
            }
        })
        .collect();
    cases.sort_by(|one, other| one.file.cmp(&other.file));
    cases
}

/// As `render` reads it.
fn decode(text: &str) -> Result<MonitoredApi, String> {
    let manifests = manifest::read(text).map_err(|error| error.to_string())?;
    let decoded = manifest::decode(&manifests[0]).map_err(|errors| format!("{errors:?}"))?;
    Ok(decoded.api)
}

fn violations(api: &MonitoredApi) -> Vec<Violation> {
    render(api, &Settings::default()).err().unwrap_or_default()
}

#[test]
fn there_are_enough_cases_of_both_kinds() {
    let cases = cases();
    assert!(cases.len() >= 45, "{}", cases.len());
    for verdict in ["refused", "violation"] {
        assert!(
            cases.iter().filter(|case| case.verdict == verdict).count() >= 20,
            "{verdict}"
        );
    }
}

#[test]
fn every_violation_names_its_field() {
    for case in cases().iter().filter(|case| case.verdict == "violation") {
        let api = decode(&case.text)
            .unwrap_or_else(|error| panic!("{}: the schema accepts it, so it must decode: {error}", case.file));
        let violations = violations(&api);
        assert!(
            violations
                .iter()
                .any(|violation| violation.path.starts_with(&case.field)),
            "{}: {violations:#?}",
            case.file
        );
        assert!(
            violations.iter().all(|violation| !violation.message.is_empty()),
            "{}",
            case.file
        );
    }
}

/// Whether `render` finds nothing.
fn is_taken(text: &str) -> bool {
    let manifests = manifest::read(text).unwrap();
    manifest::decode(&manifests[0])
        .is_ok_and(|decoded| decoded.unknown.is_empty() && violations(&decoded.api).is_empty())
}

#[test]
fn resources_that_the_api_server_refuses_are_refused_offline_too() {
    let taken: Vec<_> = cases()
        .into_iter()
        .filter(|case| case.verdict == "refused" && is_taken(&case.text))
        .map(|case| case.file)
        .collect();
    assert!(taken.is_empty(), "taken for valid: {taken:#?}");
}

#[test]
fn odd_but_good_resources_have_no_violation() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/good");
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let api = decode(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(violations(&api), [], "{}", path.display());
    }
}

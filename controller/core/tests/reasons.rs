//! The table of reasons against the sources that give them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may panic, and reads the sources; the crate itself does neither"
)]

use std::{fs, path::Path};

use controller_api::Reason;

/// The sources that decide on conditions, tests left out.
fn sources() -> String {
    let status = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/status");
    fs::read_dir(status)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn every_reason_is_given_by_some_condition() {
    let sources = sources();
    for reason in Reason::ALL {
        let variant = format!("Reason::{}", reason.as_str());
        let given = sources
            .match_indices(&variant)
            .any(|(at, _)| !sources[at + variant.len()..].starts_with(char::is_alphanumeric));
        assert!(
            given,
            "no condition gives {}: remove its row in controller/api/src/reason.rs",
            reason.as_str()
        );
    }
}

//! The runbooks of `docs/runbooks`, which are compiled into the program.

/// Name and text of every page, sorted by name.
pub const RUNBOOKS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// The page of an alert.
#[must_use]
pub fn runbook(alert: &str) -> Option<&'static str> {
    RUNBOOKS.iter().find(|(name, _)| *name == alert).map(|(_, text)| *text)
}

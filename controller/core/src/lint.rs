//! What the lint finds in the objects of a MonitoredApi, without a cluster.

use controller_api::MonitoredApi;
use controller_rules::lint::Finding;

use crate::{
    compile::compile,
    facts::{Facts, Settings},
    owner::ApiRef,
    plan::PlannedChild,
    violation::Violation,
};

/// An object with its findings.
#[derive(Debug, Clone)]
pub struct LintedChild {
    /// Kind and name.
    pub title: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// The objects of a MonitoredApi in which something is found.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn lint(api: &MonitoredApi, settings: &Settings) -> Result<Vec<LintedChild>, Vec<Violation>> {
    let plan = compile(api, settings, &Facts::default(), &ApiRef::of(api).without_uid())?;
    let found = plan.children.into_iter().filter(|child| !child.findings.is_empty());
    let linted = |child: PlannedChild| LintedChild {
        title: child.to_string(),
        findings: child.findings,
    };
    Ok(found.map(linted).collect())
}

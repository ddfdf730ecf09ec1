//! What the lint finds in the objects of a MonitoredApi, without a cluster.

use controller_api::MonitoredApi;
use controller_rules::lint::Finding;

use crate::{
    facts::{ReferencedWorkload, Settings},
    plan::PlannedChild,
    render::offline_plan,
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

/// The objects of a MonitoredApi in which something is found. `workload`: the one that the spec refers to, as its manifest has it.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn lint(
    api: &MonitoredApi,
    settings: &Settings,
    workload: Option<&ReferencedWorkload>,
) -> Result<Vec<LintedChild>, Vec<Violation>> {
    let plan = offline_plan(api, settings, None, workload)?;
    let found = plan.children.into_iter().filter(|child| !child.findings.is_empty());
    let linted = |child: PlannedChild| LintedChild {
        title: child.to_string(),
        findings: child.findings,
    };
    Ok(found.map(linted).collect())
}

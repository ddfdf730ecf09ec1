//! The objects of a MonitoredApi without a cluster, for a person to read or a pipeline to check: the operator's plan
//! without owner references.

use controller_api::MonitoredApi;
use controller_rules::lint;

use crate::{
    compile::compile,
    facts::{Facts, Settings},
    intent::Intent,
    omission::Omission,
    owner::ApiRef,
    plan::PlannedChild,
    valid::ValidApi,
    violation::Violation,
};

/// What a MonitoredApi leads to.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The valid spec.
    pub api: ValidApi,
    /// Every object that the operator would write, in apply order.
    pub objects: Vec<Intent>,
    /// Alerts, objectives and panels that are left out.
    pub omissions: Vec<Omission>,
}

/// Builds every object that the operator would write.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn render(api: &MonitoredApi, settings: &Settings) -> Result<Rendered, Vec<Violation>> {
    // A uid that was copied with a manifest would name an owner that does not exist.
    let owner = ApiRef::of(api).without_uid();
    let plan = compile(api, settings, &Facts::default(), &owner)?;
    let failed: Vec<Violation> = plan.children.iter().filter_map(not_to_be_written).collect();
    if !failed.is_empty() {
        return Err(failed);
    }
    Ok(Rendered {
        api: plan.api,
        objects: plan.children.into_iter().map(|child| child.intent).collect(),
        omissions: plan.omissions,
    })
}

/// What keeps the operator from writing a child.
fn not_to_be_written(child: &PlannedChild) -> Option<Violation> {
    let finding = lint::sentence(&child.findings)?;
    Some(Violation {
        path: "spec".to_owned(),
        message: format!("the {child} is not written, because the lint found a mistake in it: {finding}"),
    })
}

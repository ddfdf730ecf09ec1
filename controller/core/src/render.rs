//! The objects of a MonitoredApi without a cluster: the same plan, without owner references, for a person to read or a
//! pipeline to check.

use controller_api::MonitoredApi;
use serde_json::Value;

use crate::{
    children::build,
    facts::{Facts, Settings},
    plan::ApiRef,
    validate::{Violation, validate},
};

/// Every object that the operator would write, in apply order.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn render(api: &MonitoredApi, settings: &Settings) -> Result<Vec<Value>, Vec<Violation>> {
    let valid = validate(api, settings)?;
    // A uid that was copied with a manifest would name an owner that is not there.
    let owner = ApiRef {
        uid: String::new(),
        ..valid.owner.clone()
    };
    let plan = build(&valid, settings, &Facts::default(), &owner);
    Ok(plan.children.into_iter().map(|child| child.object).collect())
}

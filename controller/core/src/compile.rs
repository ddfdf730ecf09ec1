//! From a MonitoredApi and what was read from the cluster to a plan, or to everything that is wrong with it.

use controller_api::MonitoredApi;
use controller_rules::{GeneratedRules, check_thresholds, generate_rules};

use crate::{
    children::{self, BuildInput},
    facts::{Facts, Settings},
    owner::ApiRef,
    plan::Plan,
    valid::ValidApi,
    validate::validate,
    violation::{Violation, Violations},
};

/// Validates the spec, builds every object of it, and checks what was built. The operator, `render` and the golden
/// tests all go through here.
///
/// # Errors
///
/// All violations, each with its field and its fix, sorted by field.
pub fn compile(api: &MonitoredApi, settings: &Settings, facts: &Facts, owner: &ApiRef) -> Result<Plan, Vec<Violation>> {
    let mut violations = Violations::default();
    let mut valid = validate(api, settings, owner, &mut violations);
    valid.set_workload(facts.workload.as_deref());
    for error in check_thresholds(&valid.rule_facts(), &valid.alerts) {
        violations.add(format!("spec.alerts.{}", error.path), error.message);
    }
    valid.set_page(facts.page.as_ref());
    let rules = rules(&valid, facts, &mut violations);
    // The objects of a spec that is wrong would only repeat its mistakes.
    let valid = violations.or(valid)?;
    let live = children::from_live(&valid, facts);
    if valid.workload_ref.is_some() && live.workload.is_none() {
        // Neither the pods nor their port are known.
        return Ok(Plan {
            api: valid,
            children: Vec::new(),
            omissions: Vec::new(),
            live,
        });
    }
    let mut violations = Violations::default();
    let built = children::build(
        &BuildInput {
            api: &valid,
            rules: rules.as_ref(),
            live: &live,
        },
        &mut violations,
    );
    let children::BuildOutput { children, omissions } = violations.or(built)?;
    Ok(Plan {
        api: valid,
        children,
        omissions,
        live,
    })
}

/// The alerts and recording rules. Built even while monitoring is off, so that turning it on brings no old mistake to
/// light. `None`: they have violations.
fn rules(api: &ValidApi, facts: &Facts, violations: &mut Violations) -> Option<GeneratedRules> {
    let generated = generate_rules(&api.rule_facts_with(api.reads_overall(facts)), &api.alerts);
    generated
        .map_err(|errors| {
            for error in errors {
                violations.add(format!("spec.alerts.{}", error.path), error.message);
            }
        })
        .ok()
}

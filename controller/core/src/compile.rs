//! From a MonitoredApi and what was read from the cluster to a plan, or to everything that is wrong with it.

use controller_api::MonitoredApi;
use controller_rules::{ApiFacts, GeneratedRules, check_thresholds, generate_rules};
use metric_contract::TargetKind;

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
    // The objects of a spec that is wrong would only repeat its mistakes.
    let Checked { api: valid, rules } = check(api, settings, facts, owner, TargetKind::ServiceMonitor)?;
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
            rules: &rules,
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

/// A spec without mistakes, and its rules.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The spec.
    pub(crate) api: ValidApi,
    /// Alerts and recording rules. Built even while monitoring is off, so that turning it on brings no old mistake to light.
    pub(crate) rules: GeneratedRules,
}

/// Validates the spec and builds its rules, for targets that Prometheus finds in this way.
///
/// # Errors
///
/// All violations, each with its field and its fix, sorted by field.
pub(crate) fn check(
    api: &MonitoredApi,
    settings: &Settings,
    facts: &Facts,
    owner: &ApiRef,
    target: TargetKind,
) -> Result<Checked, Vec<Violation>> {
    let mut violations = Violations::default();
    let mut valid = validate(api, settings, owner, &mut violations);
    valid.set_workload(facts.workload.as_deref());
    for error in check_thresholds(&valid.rule_facts(), &valid.alerts) {
        violations.add(format!("spec.alerts.{}", error.path), error.message);
    }
    valid.set_page(facts.page.as_ref());
    let rule_facts = ApiFacts {
        target,
        ..valid.rule_facts_with(valid.reads_overall(facts))
    };
    match generate_rules(&rule_facts, &valid.alerts) {
        Ok(rules) => violations.or(Checked { api: valid, rules }),
        Err(errors) => {
            for error in errors {
                violations.add(format!("spec.alerts.{}", error.path), error.message);
            }
            Err(violations.all())
        }
    }
}

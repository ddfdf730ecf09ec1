//! From objectives to rules: what is counted, and the alerts.

use std::collections::BTreeMap;

use metric_contract::labels::{BURN_TIER, OBJECTIVE};

use super::{
    BurnTier,
    sloth::{SlothRules, build_sloth, sloth_identity, sloth_severity},
};
use crate::{
    ApiFacts, Compat, Objective, OmittedObjective, RecordingRule,
    promql::{Decimal, Expr},
    queries::{ApiQueries, EventResult},
};

/// More failures than this must have been counted within the long window: half way between one and two, because counts are
/// extrapolated. One failed request alone never wakes anybody.
const MORE_THAN_ONE: Decimal = Decimal::hundredths(150);

const MILLIS_PER_HUNDREDTH_HOUR: u64 = 36_000;

/// The rules of all objectives.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectiveRules {
    /// Counts, evaluated as often as the alerts.
    pub(crate) counts: Vec<RecordingRule>,
    /// The figures under names of another generator, evaluated as often as the alerts.
    pub(crate) compat: Vec<RecordingRule>,
    /// What is left of the budgets, evaluated less often.
    pub(crate) budgets: Vec<RecordingRule>,
    /// The alerts' conditions.
    pub(crate) burns: Vec<Burn>,
    /// The objectives for which no rules can be made.
    pub(crate) omitted: Vec<OmittedObjective>,
}

/// The condition of an alert of one objective, with what its texts say.
#[derive(Debug, Clone)]
pub(crate) struct Burn {
    pub(crate) tier: BurnTier,
    pub(crate) expr: Expr,
    pub(crate) labels: BTreeMap<String, String>,
    /// Placeholders of the alert's texts, without braces, and what they stand for.
    pub(crate) texts: Vec<(&'static str, String)>,
}

/// Builds the rules of every objective for which the API has metrics.
pub(crate) fn build_objectives(api: &ApiFacts<'_>, queries: &ApiQueries<'_>) -> ObjectiveRules {
    let mut built = ObjectiveRules::default();
    for objective in api.objectives {
        match queries.objective_rate(objective) {
            Ok(rate) => add(&mut built, queries, api.compat, objective, rate),
            Err(gap) => built.omitted.push(OmittedObjective {
                objective: objective.name.clone(),
                gap,
            }),
        }
    }
    built
}

fn add(
    built: &mut ObjectiveRules,
    queries: &ApiQueries<'_>,
    compat: Option<Compat>,
    objective: &Objective,
    rate: Expr,
) {
    // The label also on rules whose result has it: without it, the same rule of two objectives would look like a duplicate.
    let recording = |record: String, expr: Expr| RecordingRule {
        record,
        expr,
        labels: [(OBJECTIVE.to_owned(), objective.name.clone())].into(),
    };
    let hour = queries.objective_hour(&objective.name);
    built.counts.extend([
        recording(queries.objective_rate_name(), rate),
        recording(ApiQueries::objective_hour_name(), hour),
    ]);
    let whole = queries.objective_whole(objective);
    built
        .budgets
        .push(recording(ApiQueries::objective_whole_name(objective), whole));
    match compat {
        None => {
            let left = queries.objective_budget(objective);
            built
                .budgets
                .push(recording(ApiQueries::objective_budget_name(objective), left));
        }
        Some(Compat::Sloth) => {
            let SlothRules { often, budgets } = build_sloth(queries, objective);
            built.compat.extend(often);
            built.budgets.extend(budgets);
        }
    }
    let tiers = objective.window.tiers(queries.rule_window());
    let burns = tiers.iter().filter_map(|tier| burn(queries, compat, objective, *tier));
    built.burns.extend(burns);
}

/// `None`: not even a failure of every event would spend the budget that fast.
fn burn(queries: &ApiQueries<'_>, compat: Option<Compat>, objective: &Objective, tier: BurnTier) -> Option<Burn> {
    let limit = tier.factor.times(objective.budget())?;
    Decimal::whole(1).minus(limit).filter(|rest| *rest != Decimal::ZERO)?;
    let name = &objective.name;
    let hours = Decimal::hundredths(tier.long.millis() / MILLIS_PER_HUNDREDTH_HOUR);
    let least = hours.times(Decimal::whole(u64::from(objective.min_events_per_hour)))?;
    let enough = queries
        .objective_count(name, tier.long, EventResult::Total)
        .where_at_least(least);
    let more_than_one = queries
        .objective_count(name, tier.long, EventResult::Error)
        .where_above(MORE_THAN_ONE);
    let expr = queries
        .objective_ratio(name, tier.long)
        .where_above(limit)
        .and(queries.objective_ratio(name, tier.short).where_above(limit))
        .and(enough)
        .and(more_than_one);
    let mut labels = BTreeMap::from([
        (OBJECTIVE.to_owned(), name.clone()),
        (BURN_TIER.to_owned(), format!("{}x", tier.factor)),
    ]);
    if compat == Some(Compat::Sloth) {
        labels.extend(sloth_identity(queries, objective));
        labels.extend([sloth_severity(tier.severity)]);
    }
    Some(Burn {
        tier,
        expr,
        labels,
        texts: vec![
            ("objective", name.clone()),
            ("target", objective.target.to_string()),
            ("window", objective.window.as_str().to_owned()),
            ("burn", tier.factor.to_string()),
            ("long", tier.long.to_string()),
            ("short", tier.short.to_string()),
        ],
    })
}

/// The objectives for which no rules can be made, and why.
#[must_use]
pub fn omitted_objectives(api: &ApiFacts<'_>) -> Vec<OmittedObjective> {
    let queries = ApiQueries::for_rules(api);
    let gaps = api.objectives.iter().filter_map(|objective| {
        let gap = queries.objective_rate(objective).err()?;
        Some(OmittedObjective {
            objective: objective.name.clone(),
            gap,
        })
    });
    gaps.collect()
}

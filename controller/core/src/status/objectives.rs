//! `ObjectivesEvaluated`, and what is left of the error budgets.
//!
//! Of Prometheus's answers only numbers reach the status, each rounded, under the names that the spec has.

use std::collections::BTreeSet;

use controller_api::{ConditionType, ObjectiveStatus, Reason};
use controller_rules::{Objective, ObjectiveGap, OmittedObjective, omitted_objectives, promql::PromDuration};

use super::{FoldInput, monitoring, unanswered, verdict::Verdict};
use crate::{
    facts::PrometheusFacts,
    kind::ChildKind,
    prometheus::{Answer, ObjectiveFigures, WindowFigures},
    valid::ValidApi,
};

/// Whether every objective has rules and figures. `None` without objectives or monitoring: the condition is then not
/// reported.
pub(super) fn verdict(input: &FoldInput<'_>) -> Option<Verdict> {
    let api = monitoring::monitored_spec(input).filter(|api| !api.objectives.is_empty())?;
    let omitted = omitted_objectives(&api.rule_facts());
    if let Some(first) = omitted.first() {
        return Some(without_rules(api, first, &omitted));
    }
    if let Some(verdict) = monitoring::not_written(input, ChildKind::PROMETHEUS_RULE) {
        return Some(verdict);
    }
    let what = "what is left of the error budgets";
    let type_ = ConditionType::ObjectivesEvaluated;
    Some(match &input.finding.objectives {
        Answer::Known(figures) => {
            too_short(&api.objectives, input.finding.retention).unwrap_or_else(|| of_figures(&api.objectives, figures))
        }
        Answer::NotYet => unanswered::before(input, type_),
        Answer::NoAddress if *input.prometheus == PrometheusFacts::NotReadYet => unanswered::before(input, type_),
        Answer::NoAddress => unanswered::no_address(input, what),
        Answer::Failed(error) => unanswered::failed(*error, what),
    })
}

fn without_rules(api: &ValidApi, first: &OmittedObjective, omitted: &[OmittedObjective]) -> Verdict {
    if api.spelling().is_none() {
        return Verdict::unknown(
            Reason::NotDetectedYet,
            "the dialect of the metrics is not known, so there are no rules for the objectives: see DialectKnown",
        );
    }
    let unknown = |omitted: &OmittedObjective| omitted.gap == ObjectiveGap::BoundsUnknown;
    // What is known to be wrong comes before what is not known yet.
    let first = omitted.iter().find(|omitted| !unknown(omitted)).unwrap_or(first);
    let reason = match first.gap {
        ObjectiveGap::BoundsUnknown => Reason::BoundsUnknown,
        ObjectiveGap::NotABucketBound { .. } => Reason::NotABucketBound,
        ObjectiveGap::MissingSignal(_) | ObjectiveGap::NoMethodLabel | ObjectiveGap::NoRouteLabel => {
            Reason::ObjectiveWithoutMetric
        }
    };
    let mut sentences: Vec<_> = omitted
        .iter()
        .map(|omitted| format!("objective {}: {}", omitted.objective, omitted.gap))
        .collect();
    sentences.sort();
    let message = sentences.join("; ");
    match unknown(first) {
        true => Verdict::unknown(reason, message),
        false => Verdict::no(reason, message),
    }
}

/// The verdict where the Prometheus does not keep its data for as long as an objective looks back.
fn too_short(objectives: &[Objective], retention: Option<PromDuration>) -> Option<Verdict> {
    let retention = retention?;
    let longer: Vec<_> = objectives
        .iter()
        .filter(|objective| objective.window.length() > retention)
        .collect();
    let longest = longer.iter().map(|objective| objective.window);
    let window = longest.max_by_key(|window| window.length())?.as_str();
    Some(Verdict::no(
        Reason::RetentionTooShort,
        format!(
            "the Prometheus keeps its data for {retention}, less than the window of {}, so their budgets are those of a shorter time: set spec.retention of the Prometheus (or --storage.tsdb.retention.time) to {window} or more, or spec.objectives[].window to less",
            names(&longer)
        ),
    ))
}

fn of_figures(objectives: &[Objective], figures: &[ObjectiveFigures]) -> Verdict {
    let mut idle = Vec::new();
    let mut unrecorded = Vec::new();
    for objective in objectives {
        match of_objective(objective, figures).and_then(|figures| figures.window.as_ref()) {
            Some(WindowFigures { sli: Some(_), .. }) => {}
            Some(WindowFigures { sli: None, .. }) => idle.push(objective),
            None => unrecorded.push(objective),
        }
    }
    if !idle.is_empty() {
        return Verdict::no(
            Reason::NoTraffic,
            format!(
                "nothing was counted within the whole window of {}: send requests to the API, see whether its selector or its counters match any, or remove the objective",
                names(&idle)
            ),
        );
    }
    if !unrecorded.is_empty() {
        return Verdict::unknown(
            Reason::NotRecordedYet,
            format!(
                "Prometheus has recorded no error budget yet of {}: it does within ten minutes after the first request that the objective counts; if it stays so, see RulesHealthy, and whether its selector or its counters match any",
                names(&unrecorded)
            ),
        );
    }
    Verdict::yes(
        Reason::BudgetsRecorded,
        "Prometheus records what is left of the error budget of every objective",
    )
}

fn names(objectives: &[&Objective]) -> String {
    let names: BTreeSet<_> = objectives.iter().map(|objective| objective.name.as_str()).collect();
    let noun = if names.len() == 1 { "objective" } else { "objectives" };
    format!("{noun} {}", names.into_iter().collect::<Vec<_>>().join(", "))
}

/// The figures of an objective, unless they were computed for another target.
fn of_objective<'a>(objective: &Objective, figures: &'a [ObjectiveFigures]) -> Option<&'a ObjectiveFigures> {
    let target = objective.target.to_string();
    figures
        .iter()
        .find(|figures| figures.name == objective.name && figures.target == target)
}

/// The objectives of an API for which there are rules.
pub(super) fn with_rules(api: &ValidApi) -> Vec<Objective> {
    if api.objectives.is_empty() {
        return Vec::new();
    }
    let omitted = omitted_objectives(&api.rule_facts());
    let has_rules = |objective: &&Objective| omitted.iter().all(|omitted| omitted.objective != objective.name);
    api.objectives.iter().filter(has_rules).cloned().collect()
}

/// Every objective of the spec, with what is known of it.
pub(super) fn figures(input: &FoldInput<'_>) -> Vec<ObjectiveStatus> {
    if input.validated.is_err() {
        return input.previous.objectives.clone();
    }
    let Some(api) = monitoring::monitored_spec(input) else {
        return Vec::new();
    };
    api.objectives
        .iter()
        .map(|objective| {
            let bare = ObjectiveStatus {
                name: objective.name.clone(),
                target: objective.target.to_string(),
                ..ObjectiveStatus::default()
            };
            match &input.finding.objectives {
                Answer::Known(figures) => of_objective(objective, figures).map_or(bare, shown),
                Answer::NotYet => before(input, bare),
                Answer::NoAddress if *input.prometheus == PrometheusFacts::NotReadYet => before(input, bare),
                Answer::NoAddress | Answer::Failed(_) => bare,
            }
        })
        .collect()
}

/// What the status said of this objective before the operator was started.
fn before(input: &FoldInput<'_>, bare: ObjectiveStatus) -> ObjectiveStatus {
    let mut previous = input.previous.objectives.iter();
    let same = previous.find(|before| before.name == bare.name && before.target == bare.target);
    same.cloned().unwrap_or(bare)
}

fn shown(figures: &ObjectiveFigures) -> ObjectiveStatus {
    let window = figures.window.as_ref();
    ObjectiveStatus {
        name: figures.name.clone(),
        target: figures.target.clone(),
        sli: window.and_then(|window| window.sli.clone()),
        budget_remaining: window.map(|window| window.budget_remaining.clone()),
        burn_rate1h: figures.burn_rate_1h.map(str::to_owned),
        burn_rate6h: figures.burn_rate_6h.map(str::to_owned),
    }
}

/// The lowest of the budgets, for the printer column. `None`: none is known.
pub(super) fn lowest_budget(objectives: &[ObjectiveStatus]) -> Option<String> {
    let budgets = objectives
        .iter()
        .filter_map(|objective| objective.budget_remaining.as_ref());
    let percent = |text: &&String| {
        let beyond = text.starts_with('<');
        let number = text.trim_start_matches('<').trim_end_matches('%').parse::<i32>();
        (number.unwrap_or(i32::MAX), !beyond)
    };
    budgets.min_by_key(percent).cloned()
}

//! `DashboardPlaced`: the object that holds the dashboard exists, with the label by which Grafana's sidecar finds it.

use controller_api::Reason;

use super::{FoldInput, monitoring, verdict::Verdict};
use crate::{kind::ChildKind, plan::Outcome, valid::DashboardSettings};

/// `None`: no dashboard is wanted, so the condition is not reported.
pub(super) fn placed(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(monitoring::spec_invalid());
    }
    let settings = monitoring::monitored_spec(input)?.monitoring.as_ref()?;
    let settings = settings.dashboard.as_ref()?;
    match input.applied {
        Some(applied) => {
            let mut children = applied.children.iter();
            let object = children.find(|child| child.kind == ChildKind::CONFIG_MAP)?;
            Some(of_outcome(&object.outcome, &object.name, settings))
        }
        None => monitoring::unwritten(input, ChildKind::CONFIG_MAP).or_else(|| of_record(input, settings)),
    }
}

/// What is said while nothing is written and what was written is what the spec asks for.
fn of_record(input: &FoldInput<'_>, settings: &DashboardSettings) -> Option<Verdict> {
    let mut records = input.previous.children.iter();
    let object = records.find(|record| record.kind == ChildKind::CONFIG_MAP.as_str())?;
    Some(of_outcome(&Outcome::Unchanged, &object.name, settings))
}

fn of_outcome(outcome: &Outcome, name: &str, settings: &DashboardSettings) -> Verdict {
    match outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::Contested(_) => {}
        Outcome::LintFailed(why) => {
            return Verdict::no(
                Reason::LintFailed,
                monitoring::lint_sentence(ChildKind::CONFIG_MAP, why),
            );
        }
        Outcome::Conflict(_)
        | Outcome::CrdMissing
        | Outcome::Forbidden(_)
        | Outcome::Invalid(_)
        | Outcome::Failed(_)
        | Outcome::Waiting(_)
        | Outcome::Pending(_) => {
            return Verdict::no(
                Reason::NotApplied,
                "the ConfigMap with the dashboard could not be written: see ChildrenApplied",
            );
        }
    }
    let labels: Vec<_> = settings
        .object_labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    Verdict::yes(
        Reason::NotVerified,
        format!(
            "the ConfigMap {name} with the dashboard exists and has the label {}; whether Grafana's sidecar reads this label in this namespace cannot be seen from here: if the dashboard is missing in Grafana, compare with the sidecar's settings label and searchNamespace",
            labels.join(", ")
        ),
    )
}

//! `DashboardPlaced`: the object that holds the dashboard exists, where Grafana finds it.

use std::collections::BTreeMap;

use controller_api::Reason;

use super::{FoldInput, monitoring, verdict::Verdict};
use crate::{children::dashboard, facts::GrafanaPlacement, kind::ChildKind, plan::Outcome, valid::DashboardSettings};

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
            let object = children.find(|child| dashboard::is_kind(child.kind))?;
            let written = as_written(object.kind, &object.outcome);
            Some(written.unwrap_or_else(|| where_it_is(input, object.kind, &object.name, settings)))
        }
        None => {
            let kind = dashboard::recorded(input.previous);
            let unwritten = monitoring::unwritten(input, kind.unwrap_or(ChildKind::CONFIG_MAP));
            unwritten.or_else(|| Some(where_it_is(input, kind?, &dashboard::name(&input.owner.name), settings)))
        }
    }
}

/// Why the object is not as the spec wants it. `None`: it is.
fn as_written(kind: ChildKind, outcome: &Outcome) -> Option<Verdict> {
    match outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::Contested(_) => None,
        Outcome::LintFailed(why) => Some(Verdict::no(Reason::LintFailed, monitoring::lint_sentence(kind, why))),
        Outcome::CrdMissing => Some(Verdict::no(
            Reason::CrdMissing,
            format!(
                "the CRD {}.{} is not installed: install the Grafana Operator, or set spec.dashboard.form: Auto, which takes a ConfigMap then",
                kind.plural, kind.group
            ),
        )),
        Outcome::Conflict(_)
        | Outcome::Forbidden(_)
        | Outcome::Invalid(_)
        | Outcome::Failed(_)
        | Outcome::Waiting(_)
        | Outcome::Pending(_) => Some(Verdict::no(
            Reason::NotApplied,
            format!("the {kind} with the dashboard could not be written: see ChildrenApplied"),
        )),
    }
}

/// Where the dashboard is, once its object is as the spec wants it.
fn where_it_is(input: &FoldInput<'_>, kind: ChildKind, name: &str, settings: &DashboardSettings) -> Verdict {
    if kind == ChildKind::GRAFANA_DASHBOARD {
        of_grafana_operator(input.grafana, name, settings)
    } else {
        Verdict::yes(
            Reason::NotVerified,
            format!(
                "the ConfigMap {name} with the dashboard exists and has the label {}; whether Grafana's sidecar reads this label in this namespace cannot be seen from here: if the dashboard is missing in Grafana, compare with the sidecar's settings label and searchNamespace",
                pairs(&settings.object_labels)
            ),
        )
    }
}

fn of_grafana_operator(placement: GrafanaPlacement, name: &str, settings: &DashboardSettings) -> Verdict {
    match placement {
        GrafanaPlacement::Synchronized => Verdict::yes(
            Reason::InGrafana,
            format!("the Grafana Operator has put the dashboard of the GrafanaDashboard {name} into Grafana"),
        ),
        GrafanaPlacement::NotSaid => Verdict::yes(
            Reason::NotVerified,
            format!(
                "the GrafanaDashboard {name} with the dashboard exists; the Grafana Operator has said nothing of it yet: if it stays so, see whether that operator runs and watches this namespace, or set spec.dashboard.form: ConfigMap"
            ),
        ),
        GrafanaPlacement::NoInstance => {
            let which = match pairs(&settings.instance_labels) {
                labels if labels.is_empty() => "is ready".to_owned(),
                labels => format!("has the label {labels} and is ready"),
            };
            Verdict::no(
                Reason::NoGrafana,
                format!(
                    "no Grafana that the Grafana Operator knows {which}, so the dashboard is in none: see kubectl get grafana -A, correct the chart's value defaults.grafanaInstanceLabels, or set spec.dashboard.form: ConfigMap"
                ),
            )
        }
        GrafanaPlacement::Failed => Verdict::no(
            Reason::GrafanaFailed,
            format!(
                "the Grafana Operator could not put the dashboard into Grafana: kubectl describe grafanadashboard {name} says why"
            ),
        ),
    }
}

fn pairs(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(", ")
}

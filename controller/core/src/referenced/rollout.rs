//! When the rollout of each kind is complete: the rules of `kubectl rollout status`, so never while old pods serve that are
//! meant to be replaced.

use controller_api::spec::WorkloadKind;

use super::object::WorkloadObject;
use crate::facts::{DeploymentFacts, ReferencedWorkload, UpdateRule};

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The controller has not seen the latest change.
    Unseen,
    /// No pod is wanted.
    NoPodWanted,
    /// It is complete; the sentence says which pods run.
    Complete(String),
    /// It is not; the sentence says what is missing.
    Incomplete(String),
}

pub(super) fn update_rule(kind: WorkloadKind, object: &WorkloadObject) -> UpdateRule {
    let strategy = &object.spec.update_strategy;
    let on_delete = strategy.type_ == "OnDelete";
    match kind {
        WorkloadKind::Deployment => UpdateRule::Deployment,
        WorkloadKind::StatefulSet => UpdateRule::StatefulSet {
            on_delete,
            partition: strategy.rolling_update.partition,
            is_current: object.status.current_revision == object.status.update_revision,
        },
        WorkloadKind::DaemonSet => UpdateRule::DaemonSet { on_delete },
    }
}

impl ReferencedWorkload {
    /// How far its rollout is.
    pub(crate) fn progress(&self) -> Progress {
        let figures = &self.figures;
        if !figures.is_seen(None) {
            return Progress::Unseen;
        }
        if figures.wanted == 0 {
            return Progress::NoPodWanted;
        }
        match &self.update {
            UpdateRule::Deployment => of_deployment(figures),
            UpdateRule::StatefulSet {
                on_delete,
                partition,
                is_current,
            } => of_stateful_set(figures, *on_delete, *partition, *is_current),
            UpdateRule::DaemonSet { on_delete } => of_daemon_set(figures, *on_delete),
        }
    }

    /// Whether its rollout is complete and its pods are ready.
    pub(crate) fn is_well(&self) -> bool {
        match self.progress() {
            Progress::NoPodWanted | Progress::Complete(_) => self.written_by.is_none() && self.match_labels.is_some(),
            Progress::Unseen | Progress::Incomplete(_) => false,
        }
    }
}

fn all_up_to_date(wanted: i32) -> Progress {
    Progress::Complete(if wanted == 1 {
        "the pod is up to date and available".to_owned()
    } else {
        format!("all {wanted} pods are up to date and available")
    })
}

fn of_deployment(figures: &DeploymentFacts) -> Progress {
    let DeploymentFacts {
        wanted,
        replicas,
        updated,
        available,
        ..
    } = figures;
    if updated < wanted {
        Progress::Incomplete(format!("{updated} of {wanted} pods are up to date"))
    } else if replicas > updated {
        Progress::Incomplete(format!("{} old pods are still running", replicas - updated))
    } else if available < updated {
        Progress::Incomplete(format!("{available} of {wanted} pods are available"))
    } else {
        all_up_to_date(*wanted)
    }
}

fn of_stateful_set(figures: &DeploymentFacts, on_delete: bool, partition: i32, is_current: bool) -> Progress {
    let DeploymentFacts {
        wanted, updated, ready, ..
    } = figures;
    if ready < wanted {
        return Progress::Incomplete(format!("{ready} of {wanted} pods are ready"));
    }
    if on_delete {
        return if is_current || updated >= wanted {
            all_up_to_date(*wanted)
        } else {
            Progress::Incomplete(outdated(*updated, *wanted))
        };
    }
    let to_update = wanted.saturating_sub(partition.max(0)).max(0);
    if *updated < to_update && !is_current {
        return Progress::Incomplete(format!("{updated} of {to_update} pods are up to date"));
    }
    if is_current {
        return all_up_to_date(*wanted);
    }
    if partition > 0 {
        return Progress::Complete(format!(
            "all {wanted} pods are ready; the partition {partition} of its update strategy keeps pods below that ordinal as they were"
        ));
    }
    Progress::Incomplete("the rollout is not finished yet".to_owned())
}

fn of_daemon_set(figures: &DeploymentFacts, on_delete: bool) -> Progress {
    let DeploymentFacts {
        wanted,
        updated,
        available,
        ..
    } = figures;
    if updated < wanted {
        Progress::Incomplete(if on_delete {
            outdated(*updated, *wanted)
        } else {
            format!("{updated} of {wanted} pods are up to date")
        })
    } else if available < wanted {
        Progress::Incomplete(format!("{available} of {wanted} pods are available"))
    } else {
        all_up_to_date(*wanted)
    }
}

fn outdated(updated: i32, wanted: i32) -> String {
    format!(
        "{updated} of {wanted} pods are up to date: its update strategy is OnDelete, so delete the old ones to replace them"
    )
}

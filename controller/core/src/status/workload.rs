//! `WorkloadReady` and `ServiceMatchesPods`: the rollout as `kubectl rollout status` judges it, so never True while old
//! pods serve, with the reason as a plain sentence.

use controller_api::{ChildRecord, Reason};

use super::{
    FoldInput, claim,
    diagnosis::no_progress,
    pods, referenced,
    verdict::{Truth, Verdict},
};
use crate::{
    facts::{DeploymentFacts, Reference},
    kind::{ChildKind, PORT_HTTP, PORT_METRICS},
};

pub(super) fn verdict(input: &FoldInput<'_>) -> Verdict {
    if let Some(verdict) = referenced::verdict(input) {
        return verdict;
    }
    let Some(deployment) = &input.workload.deployment else {
        return no_deployment(input);
    };
    let verdict = rollout(input, deployment);
    if verdict.is(Truth::True) {
        outdated(input).unwrap_or(verdict)
    } else {
        verdict
    }
}

/// Why a complete rollout proves nothing: it may be that of an earlier spec. `None`: it is that of this spec.
fn outdated(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(Verdict::unknown(
            Reason::SpecInvalid,
            "the pods of an earlier spec run; what this spec wants is not known while it is invalid: see Accepted",
        ));
    }
    if input.is_suspended_with_changes() {
        return Some(Verdict::unknown(
            Reason::Suspended,
            "the pods of an earlier spec run, and spec.suspend is true: remove it to roll the changes out",
        ));
    }
    let deployment = input
        .applied?
        .children
        .iter()
        .find(|child| child.kind == ChildKind::DEPLOYMENT)?;
    (!deployment.outcome.is_as_planned()).then(|| {
        Verdict::unknown(
            Reason::NotApplied,
            "the pods that run may be those of an earlier spec, because the Deployment could not be written: see \
             ChildrenApplied",
        )
    })
}

fn rollout(input: &FoldInput<'_>, deployment: &DeploymentFacts) -> Verdict {
    if is_unseen(input, deployment) {
        return Verdict::no(
            Reason::RolloutInProgress,
            "the Deployment's controller has not seen the latest change yet",
        );
    }
    if deployment.wanted == 0 {
        return Verdict::yes(Reason::ScaledToZero, "no pod is wanted (replicas: 0)");
    }
    if let Some(lost) = claim::lost(input) {
        return lost;
    }
    if deployment.is_complete() {
        let wanted = deployment.wanted;
        let pods = if wanted == 1 {
            "the pod is".to_owned()
        } else {
            format!("all {wanted} pods are")
        };
        return Verdict::yes(Reason::RolloutComplete, format!("{pods} up to date and available"));
    }
    incomplete(input, deployment)
}

/// Whether the watch or the Deployment's controller is behind our own write: the write record knows the generation after
/// it.
fn is_unseen(input: &FoldInput<'_>, deployment: &DeploymentFacts) -> bool {
    let written = input
        .applied
        .into_iter()
        .flat_map(|applied| &applied.children)
        .filter(|child| child.kind == ChildKind::DEPLOYMENT)
        .filter_map(|child| child.record.as_ref())
        .filter(|record| record.uid == deployment.uid)
        .find_map(ChildRecord::generation);
    !deployment.is_seen(written)
}

fn no_deployment(input: &FoldInput<'_>) -> Verdict {
    let written = input
        .applied
        .into_iter()
        .flat_map(|applied| &applied.children)
        .find(|child| child.kind == ChildKind::DEPLOYMENT)
        .map(|child| &child.outcome);
    let message = match (input.validated, written) {
        (Err(_), _) => "there is no Deployment, and none is made while the spec is invalid: see Accepted",
        (Ok(_), Some(outcome)) if outcome.is_error() => {
            "there is no Deployment, because it could not be written: see ChildrenApplied"
        }
        (Ok(_), Some(_) | None) => "the Deployment does not exist yet",
    };
    Verdict::no(Reason::NoDeployment, message)
}

fn incomplete(input: &FoldInput<'_>, deployment: &DeploymentFacts) -> Verdict {
    let api = input.validated.ok();
    let of_this_spec = api.filter(|_| outdated(input).is_none());
    let diagnosis = deployment
        .replica_failure
        .as_deref()
        .map(|message| pods::replica_failure(message, input.owner, of_this_spec))
        .or_else(|| claim::pending(input))
        .or_else(|| pods::diagnose(&input.workload.pods, input.owner, api));
    match (diagnosis, &deployment.progress_failed) {
        (Some(diagnosis), _) => diagnosis,
        (None, Some((reason, _))) => {
            Verdict::no(no_progress(reason), "the rollout made no progress within its deadline")
        }
        (None, None) => Verdict::no(Reason::RolloutInProgress, progress(deployment)),
    }
}

fn progress(deployment: &DeploymentFacts) -> String {
    let DeploymentFacts {
        wanted,
        replicas,
        updated,
        available,
        ..
    } = deployment;
    if updated < wanted {
        format!("{updated} of {wanted} pods are up to date")
    } else if replicas > updated {
        format!("{} old pods are still running", replicas - updated)
    } else {
        format!("{available} of {wanted} pods are available")
    }
}

/// `None`: no Service is wanted, because a workload that exists already is not scraped.
pub(super) fn service(input: &FoldInput<'_>) -> Option<Verdict> {
    let is_referenced = input.workload.reference != Reference::None;
    if is_referenced && input.validated.is_ok_and(|api| !api.is_scraped()) {
        return None;
    }
    let port = if is_referenced { PORT_METRICS } else { PORT_HTTP };
    let deployment = input.workload.deployment.as_ref();
    if deployment.is_some_and(|deployment| deployment.wanted == 0) {
        return Some(Verdict::yes(
            Reason::ScaledToZero,
            "no pod is wanted (replicas: 0), so none is behind the Service",
        ));
    }
    Some(match input.workload.ready_endpoints {
        None => Verdict::unknown(Reason::NoEndpointSlice, "no EndpointSlice exists for the Service yet"),
        Some(0) if deployment.is_some_and(|deployment| deployment.ready > 0) => Verdict::no(
            Reason::NoEndpoints,
            format!(
                "pods are ready, but none is behind the Service's port {port}: check that nobody changed its selector or its port"
            ),
        ),
        Some(0) => Verdict::no(
            Reason::NoReadyPods,
            "no ready pod is behind the Service: see WorkloadReady",
        ),
        Some(_) => Verdict::yes(
            Reason::EndpointsReady,
            format!("ready pods are behind the Service's port {port}"),
        ),
    })
}

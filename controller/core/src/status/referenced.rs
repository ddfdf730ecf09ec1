//! `WorkloadReady` of a workload that exists already. It is not written, so no advice names a field of the spec about pods.

use controller_api::Reason;

use super::{
    FoldInput,
    diagnosis::no_progress,
    pods,
    verdict::{Truth, Verdict},
};
use crate::{
    error_class::ErrorClass,
    facts::{Reference, ReferencedWorkload, WorkloadId},
    referenced::Progress,
};

/// `None`: the spec refers to no workload.
pub(super) fn verdict(input: &FoldInput<'_>) -> Option<Verdict> {
    Some(match &input.workload.reference {
        Reference::None => return None,
        Reference::Missing(id) => missing(input, id),
        Reference::Unread(id, class) => unread(input, id, *class),
        Reference::Found(found) => of_found(input, found),
    })
}

/// What becomes of the objects while the workload is not there or not read.
fn written_objects(input: &FoldInput<'_>) -> &'static str {
    if input.previous.children.is_empty() {
        "nothing is written until it can be read"
    } else {
        "the objects that were written stay"
    }
}

fn missing(input: &FoldInput<'_>, id: &WorkloadId) -> Verdict {
    Verdict::no(
        Reason::NoWorkload,
        format!(
            "there is no {id} in the namespace {}, and {}: make it or correct spec.workloadRef; if it is gone for good, delete this \
             MonitoredApi",
            input.owner.namespace,
            written_objects(input)
        ),
    )
}

/// The API server's own words may have times and addresses, and are in the operator's log.
fn unread(input: &FoldInput<'_>, id: &WorkloadId, class: ErrorClass) -> Verdict {
    let stays = written_objects(input);
    let sentence = if class == ErrorClass::Forbidden {
        format!(
            "the operator is not permitted to read the {id}, and {stays}: grant it get on {}.apps in the namespace {}",
            id.kind.plural(),
            input.owner.namespace
        )
    } else {
        format!(
            "the {id} could not be read ({}), and {stays}: it is tried again; if it stays so, see the operator's log",
            class.as_str()
        )
    };
    Verdict::unknown(Reason::WorkloadUnread, sentence)
}

fn of_found(input: &FoldInput<'_>, found: &ReferencedWorkload) -> Verdict {
    if let Some(stalled) = unusable(input, found) {
        return stalled;
    }
    let verdict = rollout(input, found);
    if verdict.is(Truth::True) && input.validated.is_err() {
        return Verdict::unknown(
            Reason::SpecInvalid,
            "the workload runs; whether it is the one that this spec means is not known while it is invalid: see Accepted",
        );
    }
    verdict
}

/// Why the workload cannot be monitored, which only a person can change. `None`: it can.
pub(super) fn unusable(input: &FoldInput<'_>, found: &ReferencedWorkload) -> Option<Verdict> {
    let ReferencedWorkload {
        id,
        written_by,
        match_labels,
        ..
    } = found;
    if let Some(api) = written_by {
        let sentence = if *api == input.owner.name {
            format!(
                "the {id} is the one that this MonitoredApi wrote when it had spec.image, and is not deleted while spec.workloadRef names it: \
                 set spec.image again, or remove the owner reference of the {id} to keep it as one of your own"
            )
        } else {
            format!(
                "the {id} is written by the MonitoredApi {api}, which monitors it already: delete one of the two MonitoredApis, or refer \
                 to another workload"
            )
        };
        return Some(Verdict::no(Reason::MonitoredAlready, sentence));
    }
    match_labels.is_none().then(|| {
        Verdict::no(
            Reason::SelectorNotSupported,
            format!(
                "the selector of the {id} has matchExpressions, which a Service cannot have: make it again with matchLabels alone (a \
                 selector cannot be changed; kubectl delete --cascade=orphan keeps the pods meanwhile)"
            ),
        )
    })
}

fn rollout(input: &FoldInput<'_>, found: &ReferencedWorkload) -> Verdict {
    let id = &found.id;
    let missing = match found.progress() {
        Progress::Unseen => {
            return Verdict::no(
                Reason::RolloutInProgress,
                format!("the controller of the {id} has not seen the latest change yet"),
            );
        }
        Progress::NoPodWanted => return Verdict::yes(Reason::ScaledToZero, format!("the {id} wants no pod")),
        Progress::Complete(sentence) => return Verdict::yes(Reason::RolloutComplete, sentence),
        Progress::Incomplete(sentence) => sentence,
    };
    let refused = found
        .figures
        .replica_failure
        .is_some()
        .then_some(Reason::ReplicaFailure);
    let trouble = refused.or_else(|| {
        let worst = pods::diagnose(&input.workload.pods, input.owner, None)?;
        Some(worst.reason)
    });
    match (trouble, &found.figures.progress_failed) {
        (Some(reason), _) => Verdict::no(reason, explained(input, id, reason)),
        (None, Some((reason, _))) => Verdict::no(
            no_progress(reason),
            format!("the rollout of the {id} made no progress within its deadline: {missing}"),
        ),
        (None, None) => Verdict::no(Reason::RolloutInProgress, missing),
    }
}

/// Where somebody looks for the cause.
#[derive(Debug, Clone, Copy)]
enum Look {
    Pods,
    Workload,
    Logs,
}

/// What is wrong with the pods, by reason.
const TROUBLES: [(Reason, &str, Look); 20] = [
    (Reason::ImagePullBackOff, "the image cannot be pulled", Look::Pods),
    (
        Reason::InvalidImageName,
        "the name of the image is not valid",
        Look::Pods,
    ),
    (
        Reason::ErrImageNeverPull,
        "the node does not have the image, and the pull policy is Never",
        Look::Pods,
    ),
    (
        Reason::ImageRunsAsRoot,
        "the image runs as root, which the pod's security context forbids",
        Look::Pods,
    ),
    (
        Reason::ImageUserNotNumeric,
        "the image's user is a name, which the kubelet cannot verify not to be root",
        Look::Pods,
    ),
    (
        Reason::ReferenceNotFound,
        "a Secret or ConfigMap that the container refers to, or a key in it, does not exist",
        Look::Pods,
    ),
    (Reason::Unschedulable, "no node takes the pod", Look::Pods),
    (
        Reason::ReplicaFailure,
        "a quota or an admission policy refuses the pods",
        Look::Workload,
    ),
    (Reason::ContainerCreating, "the container is being created", Look::Pods),
    (
        Reason::NotReadyYet,
        "the container runs and is not ready yet",
        Look::Pods,
    ),
    (
        Reason::NothingListens,
        "nothing listens on the port of a probe",
        Look::Logs,
    ),
    (Reason::ProbeFailed, "a probe of the container fails", Look::Pods),
    (
        Reason::OOMKilled,
        "the container was killed because it used more memory than it may",
        Look::Pods,
    ),
    (
        Reason::Killed,
        "the container was killed: its liveness probe failed or the node ran out of memory",
        Look::Pods,
    ),
    (
        Reason::Completed,
        "the container ends with code 0 instead of serving",
        Look::Logs,
    ),
    (
        Reason::CommandNotFound,
        "the container's command was not found or is not executable",
        Look::Pods,
    ),
    (
        Reason::CommandNotExecutable,
        "the container's user may not execute its command",
        Look::Pods,
    ),
    (
        Reason::ReadOnlyFileSystem,
        "the container cannot be started on a read-only file system",
        Look::Pods,
    ),
    (
        Reason::WrongArchitecture,
        "the image is built for another processor architecture than the node's",
        Look::Pods,
    ),
    (
        Reason::CrashLoopBackOff,
        "the container ends soon after its start",
        Look::Logs,
    ),
];

/// What is wrong with the pods, and where to look: the fix is in a manifest that we do not know.
fn explained(input: &FoldInput<'_>, id: &WorkloadId, reason: Reason) -> String {
    let mut troubles = TROUBLES.iter();
    let (what, look) = troubles
        .find(|(known, ..)| *known == reason)
        .map_or(("the container cannot be started", Look::Pods), |(_, what, look)| {
            (*what, *look)
        });
    let namespace = &input.owner.namespace;
    let resource = format!("{}/{}", id.kind.as_str().to_ascii_lowercase(), id.name);
    let command = match look {
        Look::Pods => format!("kubectl describe pods -n {namespace}"),
        Look::Workload => format!("kubectl describe -n {namespace} {resource}"),
        Look::Logs => format!("kubectl logs -n {namespace} {resource} --previous"),
    };
    format!("{what}: correct the {id}, which is not written here (see {command})")
}

/// Whether objects are missing because the workload was never read.
pub(super) fn is_waited_for(input: &FoldInput<'_>) -> bool {
    input.applied.is_none() && !input.suspended && input.validated.is_ok_and(|api| api.workload_ref.is_some())
}

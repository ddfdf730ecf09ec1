//! Why pods are not ready, as plain sentences with the fix. The kubelet's texts are read, never quoted: they hold pod names,
//! addresses and times. The words of the scheduler and of policies are quoted without these.

use controller_api::Reason;
use jiff::{SignedDuration, Timestamp};

use super::{
    container,
    diagnosis::{CRASH, Diagnosis, FATAL, PROBE, UNEXPLAINED, diagnosis},
    verdict::Verdict,
};
use crate::{
    facts::{PodFacts, Termination},
    failure::LABEL_FIX,
    foreign_text,
    owner::ApiRef,
    valid::ValidApi,
};

/// The kubelet forgets the crashes of a container that has run for this long.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The pods of the newest revision: the newest pod was made from the newest template.
fn current(pods: &[PodFacts]) -> impl Iterator<Item = &PodFacts> {
    let newest = pods.iter().max_by(|one, other| one.created.cmp(&other.created));
    let newest = newest.map(|pod| &pod.template_hash);
    pods.iter().filter(move |pod| Some(&pod.template_hash) == newest)
}

/// Pods of the newest revision that run and are not ready.
pub fn unready_pods(pods: &[PodFacts]) -> impl Iterator<Item = &PodFacts> {
    current(pods).filter(|pod| !pod.ready && pod.phase == "Running")
}

/// The one pod whose `Unhealthy` event is worth a request: one example is enough for a sentence. `None`: the pods' own
/// status says everything.
#[must_use]
pub fn pod_to_look_up(pods: &[PodFacts]) -> Option<&PodFacts> {
    unready_pods(pods).find(|pod| pod.waiting.is_none())
}

/// The worst that is known of the pods of the newest revision that are not ready.
pub(super) fn diagnose(pods: &[PodFacts], owner: &ApiRef, api: Option<&ValidApi>) -> Option<Verdict> {
    current(pods)
        .filter(|pod| !pod.ready)
        .filter_map(|pod| diagnose_pod(pod, owner, api))
        // Of equals, the first in the alphabet, whatever the order of the pods.
        .max_by(|one, other| one.rank.cmp(&other.rank).then_with(|| other.message.cmp(&one.message)))
        .map(|worst| Verdict::no(worst.reason, worst.message))
}

fn diagnose_pod(pod: &PodFacts, owner: &ApiRef, api: Option<&ValidApi>) -> Option<Diagnosis> {
    if let Some(message) = &pod.unschedulable {
        let sentence = unschedulable(&foreign_text::without_passing_words(message, &owner.name));
        return Some(diagnosis(FATAL, Reason::Unschedulable, sentence));
    }
    let crashed = pod.terminated.as_ref().map(|end| termination(end, owner));
    match &pod.waiting {
        Some((reason, _)) if reason == "CrashLoopBackOff" => Some(crashed.unwrap_or_else(|| {
            diagnosis(
                CRASH,
                Reason::CrashLoopBackOff,
                format!("the container ends soon after its start: see {}", logs(owner)),
            )
        })),
        Some((reason, message)) => Some(container::waiting(reason, message, api)),
        None if pod.phase == "Pending" => Some(container::creating()),
        None => Some(not_ready(pod, crashed, api)),
    }
}

/// Why a container that does not wait for its start is not ready: what explains most. Between two crashes the probes fail
/// too, for the same reason; told instead, it would be the wrong advice and change with each restart.
fn not_ready(pod: &PodFacts, crashed: Option<Diagnosis>, api: Option<&ValidApi>) -> Diagnosis {
    let unexplained = diagnosis(
        UNEXPLAINED,
        Reason::NotReadyYet,
        "the container runs and is not ready yet",
    );
    let crashed = crashed.filter(|_| (pod.restarts > 0 && !has_settled(pod)) || pod.phase == "Failed");
    let probed = pod.unhealthy.as_deref().map(|message| probe(message, api));
    [crashed, probed].into_iter().flatten().fold(
        unexplained,
        |best, other| if other.rank > best.rank { other } else { best },
    )
}

/// Whether the container had run for so long, when its probe last failed, that an earlier crash explains nothing.
fn has_settled(pod: &PodFacts) -> bool {
    let time = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
    match (time(&pod.running_since), time(&pod.unhealthy_at)) {
        (Some(since), Some(at)) => at.duration_since(since) >= SETTLED_AFTER,
        (None, _) | (_, None) => false,
    }
}

fn logs(owner: &ApiRef) -> String {
    format!(
        "kubectl logs -n {} deployment/{} --previous",
        owner.namespace, owner.name
    )
}

fn termination(end: &Termination, owner: &ApiRef) -> Diagnosis {
    let Termination { reason, code, message } = end;
    match (reason.as_str(), *code) {
        ("OOMKilled", _) => diagnosis(
            CRASH,
            Reason::OOMKilled,
            "the container was killed because it used more memory than it may: raise spec.resources.limits.memory, or use a node with more memory",
        ),
        ("StartError" | "ContainerCannotRun", _) => container::cannot_start(message),
        (_, 0) => diagnosis(
            CRASH,
            Reason::Completed,
            format!(
                "the container ends with code 0 instead of serving: check spec.command and spec.args, and see {}",
                logs(owner)
            ),
        ),
        (_, 126 | 127) => diagnosis(
            CRASH,
            Reason::CommandNotFound,
            format!(
                "the container exits with code {code}: its command was not found or is not executable: check spec.command and spec.args, and see {}",
                logs(owner)
            ),
        ),
        (_, 137) => diagnosis(
            CRASH,
            Reason::Killed,
            format!(
                "the container was killed (exit code 137, not reported as OOMKilled): its liveness probe failed or the node ran out of memory: see {}",
                logs(owner)
            ),
        ),
        _ => diagnosis(
            CRASH,
            Reason::CrashLoopBackOff,
            format!("the container exits with code {code}: see {}", logs(owner)),
        ),
    }
}

/// The latest `Unhealthy` event's message: kubelet `prober.go`.
fn probe(message: &str, api: Option<&ValidApi>) -> Diagnosis {
    let which = ["Readiness", "Liveness", "Startup"]
        .into_iter()
        .find(|which| message.starts_with(which))
        .unwrap_or("Readiness");
    let field = format!("spec.probes.{}", which.to_ascii_lowercase());
    let port = api.map_or_else(|| "the port".to_owned(), |api| api.workload.port.to_string());
    if message.contains("connection refused") {
        return diagnosis(
            PROBE,
            Reason::NothingListens,
            format!("nothing listens on {port}: set spec.port to the port on which the image serves"),
        );
    }
    if let Some(code) = message.rsplit_once("statuscode: ").map(|(_, code)| code.trim()) {
        let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
        return diagnosis(
            PROBE,
            Reason::ProbeFailed,
            format!(
                "the {} probe is answered with {digits}: correct {field}.http.path, or find out why the API is not healthy",
                which.to_ascii_lowercase()
            ),
        );
    }
    if ["deadline exceeded", "Client.Timeout", "timeout"]
        .iter()
        .any(|text| message.contains(text))
    {
        return diagnosis(
            PROBE,
            Reason::ProbeFailed,
            format!(
                "the {} probe gets no answer in time: raise {field}.timeoutSeconds, or find out why the API is slow",
                which.to_ascii_lowercase()
            ),
        );
    }
    diagnosis(
        PROBE,
        Reason::ProbeFailed,
        format!(
            "the {} probe fails: check {field} and spec.port",
            which.to_ascii_lowercase()
        ),
    )
}

/// The scheduler's reasons, without what it says about preemption. Counts of nodes are kept: they are the cluster's.
fn unschedulable(message: &str) -> String {
    let reasons = message.split(" preemption:").next().unwrap_or(message);
    let reasons = reasons
        .split_once(": ")
        .map_or(reasons, |(_, reasons)| reasons)
        .trim()
        .trim_end_matches('.');
    if reasons.contains("persistent volume") || reasons.contains("volume node affinity") {
        // The pod can only run where its volume is.
        format!("no node takes the pod ({reasons}): check spec.storage, spec.nodeSelector and spec.affinity")
    } else if reasons.is_empty() {
        "no node takes the pod: check spec.resources, spec.nodeSelector, spec.affinity and spec.tolerations".to_owned()
    } else {
        format!(
            "no node takes the pod ({reasons}): check spec.resources, spec.nodeSelector, spec.affinity and spec.tolerations"
        )
    }
}

/// Why the ReplicaSet cannot create pods: the message of a quota, of an admission policy, or of a webhook that does not answer.
/// `api`: the spec that the pods are made from. `None`: it is not known, and neither are the values of their variables, which
/// a policy's words may repeat.
pub(super) fn replica_failure(message: &str, owner: &ApiRef, api: Option<&ValidApi>) -> Verdict {
    let refused = |sentence: String| Verdict::no(Reason::ReplicaFailure, sentence);
    if let Some(webhook) = foreign_text::silent_webhook(message) {
        return refused(format!("pods cannot be created: {webhook}"));
    }
    let cause = cause_of_refusal(message);
    let fix = if cause.starts_with("exceeded quota") {
        "raise the quota, or lower spec.resources or spec.replicas"
    } else if cause.starts_with("violates PodSecurity") {
        "the namespace demands more security than the pod has: set spec.securityProfile: Restricted, or correct spec.podTemplate"
    } else if foreign_text::demands_a_label(message) {
        LABEL_FIX
    } else {
        "see the events of the ReplicaSet"
    };
    let of_kubernetes = cause.starts_with("exceeded quota") || cause.starts_with("violates PodSecurity");
    let cause = match api {
        Some(api) => foreign_text::refusal(cause, variables(api), &owner.name),
        None if of_kubernetes => foreign_text::refusal(cause, std::iter::empty(), &owner.name),
        None => String::new(),
    };
    let colon = if cause.is_empty() { "" } else { ": " };
    refused(format!("pods are refused{colon}{cause}: {fix}"))
}

/// What the API server says after the name of the pod; of a webhook also its name.
fn cause_of_refusal(message: &str) -> &str {
    if message.starts_with("admission webhook ") {
        return message.trim();
    }
    ["is forbidden: ", "is invalid: ", "denied the request: "]
        .iter()
        .find_map(|mark| message.split_once(mark))
        .map_or("", |(_, cause)| cause)
        .trim()
}

/// Values of the environment variables of every container.
fn variables(api: &ValidApi) -> impl Iterator<Item = &str> {
    let more = api
        .workload
        .pod_template
        .as_ref()
        .and_then(|template| template.spec.as_ref());
    let containers = more.into_iter().flat_map(|spec| {
        let init = spec.init_containers.iter().flatten();
        spec.containers.iter().chain(init)
    });
    let more = containers.filter_map(|container| container.env.as_ref()).flatten();
    let all = api.workload.env.iter().chain(more);
    all.filter_map(|variable| variable.value.as_deref())
}

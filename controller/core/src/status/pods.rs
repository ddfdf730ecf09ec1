//! What keeps pods from being ready, in a person's words and with the fix. The kubelet's texts are read, never quoted:
//! they hold pod names, addresses and times.

use super::verdict::Verdict;
use crate::{facts::PodFacts, plan::ApiRef, validate::ValidApi};

/// What is said of one pod: the higher the rank, the more it explains.
struct Diagnosis {
    rank: u8,
    reason: &'static str,
    message: String,
}

/// Ranks: what a person must fix first.
const FATAL: u8 = 4;
const CRASH: u8 = 3;
const PROBE: u8 = 2;
const PENDING: u8 = 1;

fn diagnosis(rank: u8, reason: &'static str, message: impl Into<String>) -> Diagnosis {
    Diagnosis {
        rank,
        reason,
        message: message.into(),
    }
}

/// The worst that is known of the pods that are not ready; those of the newest revision count, where there are any.
pub(super) fn diagnose(pods: &[PodFacts], owner: &ApiRef, api: Option<&ValidApi>) -> Option<Verdict> {
    let any_current = pods.iter().any(|pod| pod.current);
    pods.iter()
        .filter(|pod| !pod.ready && (pod.current || !any_current))
        .filter_map(|pod| one(pod, owner, api))
        // Of equals, the first in the alphabet, whatever the order of the pods.
        .max_by(|one, other| one.rank.cmp(&other.rank).then_with(|| other.message.cmp(&one.message)))
        .map(|worst| Verdict::no(worst.reason, worst.message))
}

fn one(pod: &PodFacts, owner: &ApiRef, api: Option<&ValidApi>) -> Option<Diagnosis> {
    if let Some(message) = &pod.unschedulable {
        return Some(diagnosis(FATAL, "Unschedulable", unschedulable(message)));
    }
    let crashed = pod
        .terminated
        .as_ref()
        .map(|(reason, code)| termination(reason, *code, owner));
    match &pod.waiting {
        Some((reason, message)) if reason == "CrashLoopBackOff" => {
            let _ = message;
            Some(crashed.unwrap_or_else(|| {
                diagnosis(
                    CRASH,
                    "CrashLoopBackOff",
                    format!("the container ends soon after its start: see {}", logs(owner)),
                )
            }))
        }
        Some((reason, message)) => Some(waiting(reason, message, api)),
        None => pod
            .unhealthy
            .as_deref()
            .map(|message| probe(message, api))
            .or_else(|| crashed.filter(|_| pod.restarts > 0 || pod.phase == "Failed"))
            .or_else(|| Some(diagnosis(0, "NotReadyYet", "the container runs and is not ready yet"))),
    }
}

fn logs(owner: &ApiRef) -> String {
    format!(
        "kubectl logs -n {} deployment/{} --previous",
        owner.namespace, owner.name
    )
}

fn termination(reason: &str, code: i32, owner: &ApiRef) -> Diagnosis {
    match (reason, code) {
        ("OOMKilled", _) => diagnosis(
            CRASH,
            "OOMKilled",
            "the container was killed for using more memory than it may: raise spec.resources.limits.memory, or the node has too little",
        ),
        ("StartError" | "ContainerCannotRun", _) => diagnosis(
            CRASH,
            "CannotStart",
            "the container cannot be started: its command is not in the image or not executable (spec.command), or the image is built for another processor architecture (exec format error)",
        ),
        (_, 0) => diagnosis(
            CRASH,
            "Completed",
            format!(
                "the container ends with code 0 instead of serving: check spec.command and spec.args, and see {}",
                logs(owner)
            ),
        ),
        (_, 126 | 127) => diagnosis(
            CRASH,
            "CommandNotFound",
            format!(
                "the container exits with code {code}: its command was not found or is not executable: check spec.command and spec.args, and see {}",
                logs(owner)
            ),
        ),
        (_, 137) => diagnosis(
            CRASH,
            "Killed",
            format!(
                "the container was killed (code 137): by its liveness probe, or for memory; see {}",
                logs(owner)
            ),
        ),
        _ => diagnosis(
            CRASH,
            "CrashLoopBackOff",
            format!("the container exits with code {code}: see {}", logs(owner)),
        ),
    }
}

fn waiting(reason: &str, message: &str, api: Option<&ValidApi>) -> Diagnosis {
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "SignatureValidationFailed" => pull(message, api),
        "InvalidImageName" => diagnosis(
            FATAL,
            "InvalidImageName",
            "spec.image is no image name: write registry/repository:tag",
        ),
        "ErrImageNeverPull" => diagnosis(
            FATAL,
            "ErrImageNeverPull",
            "the node does not have the image and may not pull it: set spec.imagePullPolicy: IfNotPresent",
        ),
        "CreateContainerConfigError" => config_error(message),
        "CreateContainerError" | "RunContainerError" => start_error(message),
        // Also PodInitializing: what every start goes through.
        _ => diagnosis(
            PENDING,
            "ContainerCreating",
            "the container is being created: its image is pulled, its volumes are mounted",
        ),
    }
}

fn pull(message: &str, api: Option<&ValidApi>) -> Diagnosis {
    let image = api.map_or_else(
        || "the image".to_owned(),
        |api| format!("the image {}", api.workload.image),
    );
    let has = |needles: &[&str]| {
        let message = message.to_ascii_lowercase();
        needles.iter().any(|needle| message.contains(needle))
    };
    let text = if has(&["no match for platform", "no matching manifest"]) {
        format!("{image} has no variant for the node's processor architecture")
    } else if has(&[
        "unauthorized",
        "denied",
        "authentication",
        "authorization failed",
        "403",
        "401",
    ]) {
        format!(
            "the registry does not give {image} to us: name credentials in spec.imagePullSecrets, or correct spec.image"
        )
    } else if has(&["not found", "manifest unknown", "does not exist"]) {
        format!("{image} does not exist: correct spec.image")
    } else if has(&["toomanyrequests", "too many requests", "429"]) {
        format!("the registry limits how often {image} is pulled: name credentials in spec.imagePullSecrets, or wait")
    } else if has(&["no such host", "dial tcp", "timeout", "connection refused", "x509"]) {
        format!(
            "the registry of {image} cannot be reached from the node: check its name, the network and its certificate"
        )
    } else {
        format!("{image} cannot be pulled: check spec.image and spec.imagePullSecrets")
    };
    diagnosis(FATAL, "ImagePullBackOff", text)
}

/// Texts: kubelet `kuberuntime/security_context.go` and `kubelet_pods.go`.
fn config_error(message: &str) -> Diagnosis {
    if message.contains("image will run as root") || message.contains("runAsUser breaks non-root policy") {
        return diagnosis(
            FATAL,
            "ImageRunsAsRoot",
            "the image runs as root, which securityProfile Restricted forbids: set spec.runAsUser: 65532 (if the image works as another user), or spec.securityProfile: Baseline",
        );
    }
    if message.contains("non-numeric user") {
        let user = between(message, "non-numeric user (", ")").unwrap_or("by name");
        return diagnosis(
            FATAL,
            "ImageUserNotNumeric",
            format!(
                "the image names its user ({user}) without a number, so that nobody can tell that it is not root: set spec.runAsUser to its number, or spec.securityProfile: Baseline"
            ),
        );
    }
    for (needle, kind) in [("secret \"", "Secret"), ("configmap \"", "ConfigMap")] {
        if let Some(name) = between(message, needle, "\" not found") {
            return diagnosis(
                FATAL,
                "ReferenceNotFound",
                format!(
                    "the {kind} {name} does not exist in this namespace: create it, or correct spec.env or spec.envFrom"
                ),
            );
        }
    }
    if let Some((key, place)) = between(message, "couldn't find key ", " in ").zip(message.split_once(" in ")) {
        let object = place.1.replace('/', " ");
        let object: Vec<_> = object.split_whitespace().collect();
        let (kind, name) = (
            object.first().copied().unwrap_or("object"),
            object.last().copied().unwrap_or_default(),
        );
        return diagnosis(
            FATAL,
            "ReferenceNotFound",
            format!("the {kind} {name} has no key {key}: add it, or correct spec.env"),
        );
    }
    diagnosis(
        FATAL,
        "CreateContainerConfigError",
        "the container's configuration cannot be made: check spec.env, spec.envFrom and spec.podTemplate",
    )
}

/// Texts: runc and containerd.
fn start_error(message: &str) -> Diagnosis {
    if message.contains("read-only file system") {
        diagnosis(
            FATAL,
            "ReadOnlyFileSystem",
            "the container cannot be started on a read-only file system: set spec.readOnlyRootFilesystem: false, or mount a volume where it writes (spec.podTemplate)",
        )
    } else if message.contains("exec format error") {
        diagnosis(CRASH, "CannotStart", termination_text())
    } else if [
        "executable file not found",
        "no such file or directory",
        "permission denied",
    ]
    .iter()
    .any(|text| message.contains(text))
    {
        diagnosis(CRASH, "CannotStart", termination_text())
    } else {
        diagnosis(
            FATAL,
            "ContainerNotCreated",
            "the container cannot be created: check spec.podTemplate, and see kubectl describe pod",
        )
    }
}

/// The same text before and after the kubelet has forgotten the runtime's: it alternates between the two.
const fn termination_text() -> &'static str {
    "the container cannot be started: its command is not in the image or not executable (spec.command), or the image is built for another processor architecture (exec format error)"
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
            "NothingListens",
            format!("nothing listens on {port}: set spec.port to the port on which the image serves"),
        );
    }
    if let Some(code) = message.rsplit_once("statuscode: ").map(|(_, code)| code.trim()) {
        let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
        return diagnosis(
            PROBE,
            "ProbeFailed",
            format!(
                "the {} probe is answered with {digits}: correct {field}.http.path, or see why the API is not well",
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
            "ProbeFailed",
            format!(
                "the {} probe gets no answer in time: raise {field}.timeoutSeconds, or see what holds the API up",
                which.to_ascii_lowercase()
            ),
        );
    }
    diagnosis(
        PROBE,
        "ProbeFailed",
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
    if reasons.is_empty() {
        "no node takes the pod: check spec.resources, spec.nodeSelector, spec.affinity and spec.tolerations".to_owned()
    } else {
        format!(
            "no node takes the pod ({reasons}): check spec.resources, spec.nodeSelector, spec.affinity and spec.tolerations"
        )
    }
}

/// What a quota or an admission policy says, without the name of the pod that it refused.
pub(super) fn replica_failure(message: &str) -> Verdict {
    let why = ["is forbidden: ", "is invalid: ", "denied the request: "]
        .iter()
        .find_map(|mark| message.split_once(mark))
        .map_or("", |(_, why)| why)
        .trim();
    let fix = if why.starts_with("exceeded quota") {
        "raise the quota, or lower spec.resources or spec.replicas"
    } else if why.starts_with("violates PodSecurity") {
        "the namespace demands more than the pod gives: set spec.securityProfile: Restricted, or correct spec.podTemplate"
    } else {
        "see the events of the ReplicaSet"
    };
    let colon = if why.is_empty() { "" } else { ": " };
    Verdict::no("ReplicaFailure", format!("pods are refused{colon}{why}: {fix}"))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

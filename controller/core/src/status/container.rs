//! Why a container does not start: the kubelet's and the runtime's texts as plain sentences with the fix.

use controller_api::Reason;

use super::diagnosis::{CRASH, Diagnosis, FATAL, PENDING, diagnosis};
use crate::valid::ValidApi;

pub(super) fn waiting(reason: &str, message: &str, api: Option<&ValidApi>) -> Diagnosis {
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "SignatureValidationFailed" => pull(message, api),
        "InvalidImageName" => diagnosis(
            FATAL,
            Reason::InvalidImageName,
            "spec.image is not a valid image name: use registry/repository:tag",
        ),
        "ErrImageNeverPull" => diagnosis(
            FATAL,
            Reason::ErrImageNeverPull,
            "the node does not have the image, and spec.imagePullPolicy is Never: set spec.imagePullPolicy: IfNotPresent",
        ),
        "CreateContainerConfigError" => config_error(message),
        "CreateContainerError" | "RunContainerError" => start_error(message),
        // Also PodInitializing: what every start goes through.
        _ => creating(),
    }
}

pub(super) fn creating() -> Diagnosis {
    diagnosis(
        PENDING,
        Reason::ContainerCreating,
        "the container is being created: its image is pulled, its volumes are mounted",
    )
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
        format!("the registry refuses {image}: name credentials in spec.imagePullSecrets, or correct spec.image")
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
    diagnosis(FATAL, Reason::ImagePullBackOff, text)
}

/// Texts: kubelet `kuberuntime/security_context.go` and `kubelet_pods.go`.
fn config_error(message: &str) -> Diagnosis {
    if message.contains("image will run as root") || message.contains("runAsUser breaks non-root policy") {
        return diagnosis(
            FATAL,
            Reason::ImageRunsAsRoot,
            "the image runs as root, which securityProfile Restricted forbids: set spec.runAsUser: 65532 (if the image works as another user), or spec.securityProfile: Baseline",
        );
    }
    if message.contains("non-numeric user") {
        let user = between(message, "non-numeric user (", ")").unwrap_or("by name");
        return diagnosis(
            FATAL,
            Reason::ImageUserNotNumeric,
            format!(
                "the image names its user ({user}) without a number, so the kubelet cannot tell whether it is root: set spec.runAsUser to its number, or spec.securityProfile: Baseline"
            ),
        );
    }
    for (needle, kind) in [("secret \"", "Secret"), ("configmap \"", "ConfigMap")] {
        if let Some(name) = between(message, needle, "\" not found") {
            return diagnosis(
                FATAL,
                Reason::ReferenceNotFound,
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
            Reason::ReferenceNotFound,
            format!("the {kind} {name} has no key {key}: add it, or correct spec.env"),
        );
    }
    diagnosis(
        FATAL,
        Reason::CreateContainerConfigError,
        "the container's configuration is not complete: check spec.env, spec.envFrom and spec.podTemplate",
    )
}

/// Texts: runc and containerd.
fn start_error(message: &str) -> Diagnosis {
    if message.contains("read-only file system") {
        return diagnosis(
            FATAL,
            Reason::ReadOnlyFileSystem,
            "the container cannot be started on a read-only file system: set spec.readOnlyRootFilesystem: false, or mount a volume where it writes (spec.podTemplate)",
        );
    }
    start_cause(message).unwrap_or_else(|| {
        diagnosis(
            FATAL,
            Reason::ContainerNotCreated,
            "the container cannot be created: check spec.podTemplate, and see kubectl describe pod",
        )
    })
}

/// Why a container cannot be started. The pod alternates between the runtime's error and what remains of it while the
/// kubelet waits to try again; both get the same sentence.
pub(super) fn cannot_start(message: &str) -> Diagnosis {
    start_cause(message).unwrap_or_else(|| {
        diagnosis(
            CRASH,
            Reason::CannotStart,
            "the container cannot be started: its command is not in the image or not executable (spec.command), or the image is built for another processor architecture",
        )
    })
}

/// Why a command does not start.
fn start_cause(message: &str) -> Option<Diagnosis> {
    let has = |text: &str| message.contains(text);
    let (reason, sentence) = if has("exec format error") {
        (
            Reason::WrongArchitecture,
            "the image is built for another processor architecture than the node's (exec format error): build it for the node's too, or choose nodes with spec.nodeSelector",
        )
    } else if has("executable file not found") || has("no such file or directory") {
        (
            Reason::CommandNotFound,
            "the container's command, or the interpreter that it names, is not in the image: check spec.command and spec.args",
        )
    } else if has("permission denied") {
        (
            Reason::CommandNotExecutable,
            "the container's user may not execute the command: make it executable in the image, or check spec.command and spec.runAsUser",
        )
    } else {
        return None;
    };
    Some(diagnosis(CRASH, reason, sentence))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

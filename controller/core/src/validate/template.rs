//! `spec.podTemplate`: what it may hold. What it must not change is judged on the merged pod, when it is built.

use std::collections::BTreeSet;

use controller_api::names;
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use serde_json::Value;

use super::{decode, pod, workload::RESERVED_LABELS};
use crate::{valid::IdsLeftOut, violation::Violations};

const PATH: &str = "spec.podTemplate";

/// Fields of a pod that the operator sets, and what to do instead.
const OWN_FIELDS: [(&str, &str); 4] = [
    ("serviceAccountName", "use spec.serviceAccountName"),
    ("serviceAccount", "use spec.serviceAccountName"),
    (
        "terminationGracePeriodSeconds",
        "use spec.terminationGracePeriodSeconds",
    ),
    ("enableServiceLinks", "remove it, it is always false"),
];

/// Decodes the partial template and checks what can be said of it alone.
pub(super) fn decode(value: &Value, out: &mut Violations) -> Option<PodTemplateSpec> {
    let before = out.len();
    metadata(value.get("metadata"), out);
    let spec = value.get("spec");
    for (field, fix) in OWN_FIELDS {
        if spec
            .and_then(|spec| spec.get(field))
            .is_some_and(|value| !value.is_null())
        {
            out.add(
                format!("{PATH}.spec.{field}"),
                format!("the operator sets this field: {fix}"),
            );
        }
    }
    for list in ["containers", "initContainers", "volumes"] {
        named(
            spec.and_then(|spec| spec.get(list)),
            &format!("{PATH}.spec.{list}"),
            out,
        );
    }
    pod::template(value, PATH, out);
    let template: PodTemplateSpec = decode::decode(value, PATH, out)?;
    if let Some(pod) = &template.spec {
        restart_policy(pod, out);
        images(&pod.containers, out);
    }
    (out.len() == before).then_some(template)
}

/// The ids that a null takes away; a decoded template no longer tells null from absent.
pub(super) fn ids_left_out(template: &Value) -> IdsLeftOut {
    let is_null = |id: &str| {
        let pointer = format!("/spec/securityContext/{id}");
        template.pointer(&pointer).is_some_and(Value::is_null)
    };
    IdsLeftOut {
        run_as_user: is_null("runAsUser"),
        fs_group: is_null("fsGroup"),
    }
}

fn metadata(metadata: Option<&Value>, out: &mut Violations) {
    let Some(metadata) = metadata.and_then(Value::as_object) else {
        return;
    };
    for key in metadata
        .keys()
        .filter(|key| !["labels", "annotations"].contains(&key.as_str()))
    {
        out.add(
            format!("{PATH}.metadata.{key}"),
            "pods get labels and annotations only: remove it",
        );
    }
    for key in metadata
        .get("labels")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|labels| labels.keys())
    {
        if RESERVED_LABELS.contains(&key.as_str()) {
            out.add(
                format!("{PATH}.metadata.labels[{key}]"),
                "the operator sets this label: remove it",
            );
        }
    }
}

/// Lists are merged by name, so every item needs one.
fn named(items: Option<&Value>, path: &str, out: &mut Violations) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.and_then(Value::as_array).into_iter().flatten().enumerate() {
        match item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) {
            Some(name) if !seen.insert(name) => out.add(
                format!("{path}[{index}].name"),
                format!("{name} is given twice: remove one"),
            ),
            Some(_) => {}
            None => out.add(
                format!("{path}[{index}].name"),
                format!(
                    "a name is missing, and items are merged by name: use one, for example {} for the API's own container",
                    names::CONTAINER
                ),
            ),
        }
    }
}

fn restart_policy(pod: &PodSpec, out: &mut Violations) {
    if pod.restart_policy.as_ref().is_some_and(|policy| policy != "Always") {
        out.add(
            format!("{PATH}.spec.restartPolicy"),
            "a Deployment restarts its pods always: remove it",
        );
    }
}

fn images(containers: &[Container], out: &mut Violations) {
    for (index, container) in containers.iter().enumerate() {
        let path = format!("{PATH}.spec.containers[{index}]");
        if container.name == names::CONTAINER {
            own_container(container, &path, out);
        } else if container.image.as_ref().is_none_or(String::is_empty) {
            out.add(
                format!("{path}.image"),
                format!(
                    "an image is missing: use one, or name the container {} to change the API's own",
                    names::CONTAINER
                ),
            );
        }
    }
}

fn own_container(container: &Container, path: &str, out: &mut Violations) {
    let own = [
        (container.image.is_some(), "image", "spec.image"),
        (container.command.is_some(), "command", "spec.command"),
        (container.args.is_some(), "args", "spec.args"),
        (
            container.readiness_probe.is_some(),
            "readinessProbe",
            "spec.probes.readiness",
        ),
        (
            container.liveness_probe.is_some(),
            "livenessProbe",
            "spec.probes.liveness",
        ),
        (container.startup_probe.is_some(), "startupProbe", "spec.probes.startup"),
    ];
    for (_, field, instead) in own.into_iter().filter(|(given, _, _)| *given) {
        out.add(
            format!("{path}.{field}"),
            format!("the operator sets this field: use {instead}"),
        );
    }
}

//! Rules of the security context of a pod.

use serde_json::Value;

use super::{
    container::{APP_ARMOR, SECCOMP},
    forms::KERNEL_PARAMETER,
    rule::{Must, Rule, given, is_true, items_of, rule, text},
};
use crate::violation::Violations;

/// Ids of users and groups.
const ID: std::ops::RangeInclusive<i64> = 0..=i32::MAX as i64;

pub(super) const OF_POD: &[Rule] = &[
    rule("runAsUser", Must::BeWithin(ID)),
    rule("runAsGroup", Must::BeWithin(ID)),
    rule("fsGroup", Must::BeWithin(ID)),
    rule("supplementalGroups", Must::BeNumbers(ID)),
    rule("supplementalGroupsPolicy", Must::BeGivenAsOneOf(&["Merge", "Strict"])),
    rule(
        "fsGroupChangePolicy",
        Must::BeGivenAsOneOf(&["OnRootMismatch", "Always"]),
    ),
    rule(
        "seLinuxChangePolicy",
        Must::BeGivenAsOneOf(&["Recursive", "MountOption"]),
    ),
    rule("seccompProfile", Must::Meet(SECCOMP)),
    rule("appArmorProfile", Must::Meet(APP_ARMOR)),
    rule("sysctls", Must::DifferBy("name")),
    rule("sysctls", Must::EachMeet(KERNEL)),
];

const KERNEL: &[Rule] = &[
    rule("name", Must::BeGiven("net.core.somaxconn")),
    rule("name", Must::BeText(&KERNEL_PARAMETER)),
];

/// What excludes each other where the pod uses a namespace of the node.
pub(super) fn host_namespaces(pod: &Value, path: &str, out: &mut Violations) {
    if is_true(pod, "shareProcessNamespace") && is_true(pod, "hostPID") {
        out.add(
            format!("{path}.shareProcessNamespace"),
            "hostPID is set too, which includes it: remove one",
        );
    }
    if given(pod, "hostUsers").and_then(Value::as_bool) == Some(false) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if is_true(pod, field) {
                out.add(
                    format!("{path}.{field}"),
                    "hostUsers: false keeps the pod out of the node's namespaces: remove one",
                );
            }
        }
    } else {
        unmasked(pod, path, out);
    }
    let sysctls = given(pod, "securityContext")
        .into_iter()
        .flat_map(|context| items_of(context, "sysctls"));
    for (index, parameter) in sysctls {
        let name = text(parameter, "name").unwrap_or_default().replace('/', ".");
        let namespace = match name.as_str() {
            name if name.starts_with("net.") => "hostNetwork",
            name if name == "kernel.sem"
                || ["kernel.shm", "kernel.msg", "fs.mqueue."]
                    .iter()
                    .any(|start| name.starts_with(start)) =>
            {
                "hostIPC"
            }
            _ => continue,
        };
        if is_true(pod, namespace) {
            out.add(
                format!("{path}.securityContext.sysctls[{index}].name"),
                format!("{name} would change the node's own setting, because {namespace} is set: remove one"),
            );
        }
    }
}

fn unmasked(pod: &Value, path: &str, out: &mut Violations) {
    for list in ["containers", "initContainers"] {
        for (index, container) in items_of(pod, list) {
            let mount = given(container, "securityContext").and_then(|context| text(context, "procMount"));
            if mount == Some("Unmasked") {
                out.add(
                    format!("{path}.{list}[{index}].securityContext.procMount"),
                    "Unmasked needs hostUsers: false in the pod: use Default, or add that",
                );
            }
        }
    }
}

//! What the pod may do: Pod Security Standard `restricted` or `baseline`.

use controller_api::spec::SecurityProfile;
use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext};

use crate::valid::Workload;

/// Group of the volume where the image's own user is not known: every user of the container gets it beside its own, so
/// that any user can write. Never change it: every file of every volume bears it.
const DATA_GROUP: i64 = 65_532;

pub(super) fn of_pod(workload: &Workload) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: match workload.security_profile {
            SecurityProfile::Restricted => Some(true),
            SecurityProfile::Baseline => None,
        },
        run_as_user: workload.run_as_user.filter(|_| !workload.left_out.run_as_user),
        // The volumes belong to the user's group, so that a user other than the image's can write to them.
        fs_group: workload
            .run_as_user
            .or_else(|| workload.storage.as_ref().map(|_| DATA_GROUP))
            .filter(|user| *user != 0 && !workload.left_out.fs_group),
        // Not every file of a large volume at every start.
        fs_group_change_policy: workload.storage.as_ref().map(|_| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            localhost_profile: None,
        }),
        ..PodSecurityContext::default()
    }
}

pub(super) fn of_container(workload: &Workload) -> SecurityContext {
    let read_only_root_filesystem = Some(workload.read_only_root_filesystem);
    match workload.security_profile {
        SecurityProfile::Restricted => SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                add: None,
            }),
            read_only_root_filesystem,
            ..SecurityContext::default()
        },
        SecurityProfile::Baseline => SecurityContext {
            read_only_root_filesystem,
            ..SecurityContext::default()
        },
    }
}

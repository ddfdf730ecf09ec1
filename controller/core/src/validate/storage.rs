//! `spec.storage`: one volume for one pod, and what follows from that for replicas and rollout.

use controller_api::{quantity, spec};
use k8s_openapi::api::apps::v1::DeploymentStrategy;

use super::{Preset, amount, env::object_name};
use crate::{
    valid::{Storage, WritableDir},
    violation::Violations,
};

/// Where the volume is mounted unless preset or author say otherwise.
const DEFAULT_MOUNT: &str = "/data";
/// Directories that a volume would hide, or that are volumes already.
const TAKEN: [&str; 5] = ["/", "/dev", "/proc", "/sys", "/tmp"];

pub(super) fn storage(storage: Option<&spec::StorageSpec>, preset: &Preset, out: &mut Violations) -> Option<Storage> {
    let spec::StorageSpec {
        size,
        storage_class_name,
        mount_path,
    } = storage?.clone();
    if !quantity::is_quantity(&size.0) {
        out.add(
            "spec.storage.size",
            format!(
                "{:?} is not a valid quantity: use a number with a unit, for example 1Gi",
                size.0
            ),
        );
    } else if !amount::thousandths_of_bytes(&size.0, "spec.storage.size", out)
        && quantity::value(&size.0).is_none_or(|bytes| bytes < 1.0)
    {
        out.add(
            "spec.storage.size",
            format!("{} is less than a byte: use a larger size, for example 1Gi", size.0),
        );
    }
    if let Some(class) = storage_class_name.as_deref().filter(|class| !class.is_empty()) {
        object_name(class, "spec.storage.storageClassName", out);
    }
    let mount_path = mount_path.unwrap_or_else(|| preset.data_dir.unwrap_or(DEFAULT_MOUNT).to_owned());
    mount(&mount_path, out);
    Some(Storage {
        size: size.0,
        class: storage_class_name,
        mount_path,
    })
}

/// The preset's directories that get an emptyDir: those that the container could not write to, except one that the author
/// keeps in the volume for data.
pub(super) fn writable_dirs(preset: &Preset, read_only_root: bool, storage: Option<&Storage>) -> Vec<WritableDir> {
    let kept = storage.map(|storage| storage.mount_path.trim_end_matches('/'));
    let dirs = preset.writable_dirs.iter().filter(|dir| kept != Some(dir.path));
    dirs.filter(|_| read_only_root).copied().collect()
}

fn mount(path: &str, out: &mut Violations) {
    const FIELD: &str = "spec.storage.mountPath";
    let unusable = |c: char| c.is_whitespace() || c.is_control() || c == ':';
    let relative = |part: &str| part == "." || part == "..";
    if !path.starts_with('/') || path.contains(unusable) || path.split('/').any(relative) {
        out.add(
            FIELD,
            format!("{path:?} is not a valid mount path: use an absolute path without spaces, colons, . and .., for example {DEFAULT_MOUNT}"),
        );
        return;
    }
    let plain = match path.trim_end_matches('/') {
        "" => "/",
        plain => plain,
    };
    if TAKEN.contains(&plain) {
        out.add(
            FIELD,
            format!("{plain} is used by the container itself: use a directory of its own, for example {DEFAULT_MOUNT}"),
        );
    }
}

/// The rollout with storage, and what contradicts it: a second pod would write to the same files, or wait for ever on
/// another node.
pub(super) fn one_pod_at_a_time(
    replicas: Option<i32>,
    strategy: Option<&spec::Strategy>,
    out: &mut Violations,
) -> DeploymentStrategy {
    if let Some(replicas) = replicas.filter(|replicas| *replicas > 1) {
        out.add(
            "spec.replicas",
            format!(
                "{replicas} pods cannot share the one volume of spec.storage: use 1, or keep the data in a database and remove spec.storage"
            ),
        );
    }
    let spec::Strategy {
        type_,
        max_unavailable,
        max_surge,
    } = strategy.cloned().unwrap_or_default();
    let rolling = type_ == Some(spec::StrategyType::RollingUpdate) || max_unavailable.is_some() || max_surge.is_some();
    if rolling {
        out.add(
            "spec.strategy",
            "with spec.storage the old pod must go before a new one starts: remove spec.strategy, or use type: Recreate",
        );
    }
    DeploymentStrategy {
        type_: Some("Recreate".to_owned()),
        rolling_update: None,
    }
}

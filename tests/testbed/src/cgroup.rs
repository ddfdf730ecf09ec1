//! The control groups of a test bed: made before kubelet starts, removed when it is gone. Both cgroup versions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::paths::StateDir;
use crate::tools::hex;

const ROOT: &str = "/sys/fs/cgroup";
const PARENT: &str = "monitored-api-testbed";

/// The cgroup of a test bed, relative to the hierarchy: its name, and a hash, because test beds of other users may have the same name.
pub(crate) fn path(state: &StateDir) -> String {
    let digest = hex(&Sha256::digest(state.root().as_os_str().as_encoded_bytes()));
    let short: String = digest.chars().take(8).collect();
    format!("/{PARENT}/{}-{short}", state.name())
}

/// Makes the cgroup `path` in every hierarchy.
pub(crate) fn create(path: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        // Another test bed that ends may remove the empty common parent at this moment.
        let attempts = (0..5).find_map(|_| match create_in(&hierarchy, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            result => Some(result),
        });
        attempts
            .unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
            .with_context(|| format!("create cgroup {path} in {}", hierarchy.display()))?;
    }
    Ok(())
}

fn create_in(hierarchy: &Path, path: &str) -> io::Result<()> {
    let mut group = hierarchy.to_path_buf();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let parent = group.clone();
        group.push(part);
        match fs::create_dir(&group) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        inherit(&parent, &group);
    }
    Ok(())
}

/// Version 1: a new cpuset has no processors, so they are set. Version 2: controllers must be enabled in the parent.
fn inherit(parent: &Path, group: &Path) {
    let version_1 = !parent.join("cgroup.controllers").exists();
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if let (true, Ok(value)) = (version_1, fs::read(parent.join(file))) {
            // This hierarchy has no cpuset, or it is set already.
            let _ = fs::write(group.join(file), value);
        }
    }
    if let Ok(controllers) = fs::read_to_string(parent.join("cgroup.controllers")) {
        for controller in controllers.split_whitespace() {
            // One at a time, so that a controller that can't be enabled does not stop the others.
            let _ = fs::write(parent.join("cgroup.subtree_control"), format!("+{controller}"));
        }
    }
}

/// Removes the cgroup and all below it, except those that still have processes.
pub(crate) fn remove(path: &str) {
    for hierarchy in hierarchies().unwrap_or_default() {
        remove_below(&hierarchy.join(path.trim_start_matches('/')));
        // Fails while another test bed is in it.
        let _ = fs::remove_dir(hierarchy.join(PARENT));
    }
}

fn remove_below(group: &Path) {
    let Ok(entries) = fs::read_dir(group) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_below(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// The mount points of all hierarchies.
fn hierarchies() -> Result<Vec<PathBuf>> {
    let root = PathBuf::from(ROOT);
    if root.join("cgroup.controllers").exists() {
        return Ok(vec![root]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&root).context("find the cgroup hierarchies")? {
        let path = entry?.path();
        // A symbolic link (cpu -> cpu,cpuacct) would count a hierarchy twice.
        if path.is_dir() && !path.is_symlink() && path.join("cgroup.procs").exists() {
            found.push(path);
        }
    }
    Ok(found)
}

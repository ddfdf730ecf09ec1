//! Helpers of the tests that start test beds.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Held by every test that starts a test bed, because several at once would only compete for the processors.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `probe` gives a value; fails with `what` after `limit`.
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited without success for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Which network namespace a process is in.
pub(crate) fn network_of(pid: &str) -> Option<String> {
    let link = fs::read_link(format!("/proc/{pid}/ns/net")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

/// The processes that are in the network namespace, and those that name the state directory.
pub(crate) fn leftovers(network: &str, state: &Path) -> Vec<String> {
    let state = state.to_string_lossy();
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        if pid == own || !pid.chars().all(|c| c.is_ascii_digit()) {
            continue;
        }
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(&*state) || network_of(&pid).as_deref() == Some(network) {
            found.push(format!("{pid} {command}"));
        }
    }
    found
}

/// Everything that a test bed could leave on the host: mounts, network devices, named network namespaces, cgroups.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostTraces {
    mounts: BTreeSet<String>,
    devices: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    settings: Vec<String>,
}

impl HostTraces {
    /// Reads the present state.
    pub(crate) fn now() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(4))
            .map(str::to_owned)
            .collect();
        let settings = ["net/ipv4/ip_forward", "kernel/panic", "vm/overcommit_memory"];
        Self {
            mounts,
            devices: names("/sys/class/net"),
            namespaces: names("/run/netns"),
            settings: settings
                .iter()
                .map(|s| fs::read_to_string(format!("/proc/sys/{s}")).unwrap())
                .collect(),
        }
    }
}

fn names(directory: &str) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// The cgroups of the test bed called `name`, in any hierarchy.
pub(crate) fn cgroups_of(name: &str) -> Vec<String> {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = names("/sys/fs/cgroup")
        .into_iter()
        .map(|h| root.join(h))
        .chain([root.to_path_buf()]);
    hierarchies
        .map(|hierarchy| hierarchy.join("monitored-api-testbed"))
        .flat_map(|parent| names(&parent.to_string_lossy()))
        .filter(|group| group.starts_with(&format!("{name}-")))
        .collect()
}

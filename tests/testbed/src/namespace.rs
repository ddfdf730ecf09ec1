//! Prepares the fresh mount and network namespaces of a test bed, from inside. Nothing here reaches the host's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};

use crate::paths::StateDir;
use crate::prerequisites::find_program;
use crate::shell;

/// Address of the API server and of the first node, on the bridge.
pub(crate) const GATEWAY: &str = "10.89.0.1";
/// The bridge inside the test bed's network namespace.
pub(crate) const BRIDGE: &str = "testbed0";
/// Range of cluster IPs.
pub(crate) const SERVICE_RANGE: &str = "10.96.0.0/16";

/// The path of the nodes' directories inside. It is short, because unix sockets are below it.
pub(crate) const NODES_DIR: &str = "/run/nodes";

/// Kernel settings that the kubelet demands. They belong to the whole machine, so ordinary files are mounted over them for the
/// kubelet.
const KUBELET_SETTINGS: &[(&str, &str)] = &[
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

pub(crate) fn prepare(state: &StateDir, real_nodes: bool) -> Result<()> {
    // Pods' volumes need shared mounts. These are shared only within this namespace, because unshare made them private first.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC).context("share mounts")?;
    hide_run(state)?;
    if real_nodes {
        hide_kernel_settings(state)?;
        let nodes = state.file("nodes");
        fs::create_dir_all(&nodes)?;
        fs::create_dir_all(NODES_DIR)?;
        mount_bind(&nodes, NODES_DIR).context("mount the nodes' directories")?;
    }
    prepare_network()
}

/// Hides the sockets, locks and named namespaces of the host's services from the test bed, and those of the test bed from the
/// host.
fn hide_run(state: &StateDir) -> Result<()> {
    if state.root().starts_with("/run") {
        bail!("the cache must not be below /run: set XDG_CACHE_HOME");
    }
    mount(
        "tmpfs",
        "/run",
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        Some(c"mode=755"),
    )
    .context("mount /run")
}

fn hide_kernel_settings(state: &StateDir) -> Result<()> {
    let directory = state.file("sysctl");
    fs::create_dir_all(&directory)?;
    for (name, value) in KUBELET_SETTINGS {
        let target = Path::new("/proc/sys").join(name);
        if !target.exists() {
            continue;
        }
        let source = directory.join(name.replace('/', "."));
        fs::write(&source, format!("{value}\n"))?;
        mount_bind(&source, &target).with_context(|| format!("cover {}", target.display()))?;
    }
    Ok(())
}

fn prepare_network() -> Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    ip(&["link", "add", BRIDGE, "type", "bridge"])?;
    ip(&["addr", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE])?;
    ip(&["link", "set", BRIDGE, "up"])?;
    // Without a route the kernel answers "network unreachable" before it applies kube-proxy's rules.
    ip(&["route", "add", SERVICE_RANGE, "dev", BRIDGE])?;
    fs::write("/proc/sys/net/ipv4/ip_forward", "1\n").context("forward packets inside")
}

fn ip(arguments: &[&str]) -> Result<()> {
    let program = find_program("ip").context("ip (iproute2) is missing")?;
    shell::run(Command::new(program).args(arguments))?;
    Ok(())
}

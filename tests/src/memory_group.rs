//! A control group with a memory limit, for a program that must stay below it. Both cgroup versions; needs root.
//!
//! Version 2 counts what waits in the kernel's buffers of sockets against the limit. Version 1 counts it apart, and only if
//! that is asked for; [`MemoryGroup::needed_bytes`] adds it, so that a run on either version tells of both.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

const ROOT: &str = "/sys/fs/cgroup";
/// More memory than any machine of ours has, bytes.
const NO_LIMIT: u64 = 1 << 40;

/// The group; it is removed when this is dropped, if no process is in it any more.
#[derive(Debug)]
pub struct MemoryGroup {
    folder: PathBuf,
    is_version_2: bool,
}

impl MemoryGroup {
    /// Makes a group with this limit.
    ///
    /// # Errors
    /// When there is no memory controller, or we may not use it.
    pub fn create(name: &str, limit_bytes: u64) -> Result<Self> {
        let root = Path::new(ROOT);
        let is_version_2 = root.join("cgroup.controllers").exists();
        let hierarchy = match is_version_2 {
            true => root.to_owned(),
            false => root.join("memory"),
        };
        if is_version_2 {
            fs::write(hierarchy.join("cgroup.subtree_control"), "+memory")
                .context("hand down the memory controller")?;
        }
        let folder = hierarchy.join(format!("monitored-api-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder)
            .with_context(|| format!("make the cgroup {}: this needs root", folder.display()))?;
        let group = Self { folder, is_version_2 };
        let (limit, swap) = match is_version_2 {
            true => ("memory.max", "memory.swap.max"),
            false => ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
        };
        fs::write(group.folder.join(limit), limit_bytes.to_string()).context("set the memory limit")?;
        let no_swap = if is_version_2 { 0 } else { limit_bytes };
        // Not there where the kernel does not account for swap.
        let _ = fs::write(group.folder.join(swap), no_swap.to_string());
        if !is_version_2 {
            // Any limit makes the kernel count; this one is never reached.
            fs::write(
                group.folder.join("memory.kmem.tcp.limit_in_bytes"),
                NO_LIMIT.to_string(),
            )
            .context("count the memory of sockets")?;
        }
        Ok(group)
    }

    /// A command that starts a program inside the group.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ > \"$0\" && exec \"$1\""])
            .arg(self.folder.join("cgroup.procs"))
            .arg(program);
        command
    }

    /// The memory that cannot be taken from the group's processes now, bytes: theirs, the kernel's for them, and what waits in
    /// the buffers of their sockets. Not the page cache, which the kernel gives up before it kills.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn needed_bytes(&self) -> Result<u64> {
        let number = |file: &str| -> Result<u64> {
            let text = fs::read_to_string(self.folder.join(file))?;
            text.trim().parse().with_context(|| format!("{file} is {text:?}"))
        };
        let (used, page_cache, sockets) = match self.is_version_2 {
            true => (number("memory.current")?, "file ", 0),
            false => (
                number("memory.usage_in_bytes")?,
                "cache ",
                number("memory.kmem.tcp.usage_in_bytes")?,
            ),
        };
        let stat = fs::read_to_string(self.folder.join("memory.stat"))?;
        let page_cache = stat.lines().find_map(|line| line.strip_prefix(page_cache));
        let page_cache: u64 = page_cache.context("memory.stat has no page cache")?.parse()?;
        Ok(used.saturating_sub(page_cache) + sockets)
    }

    /// Processes that the kernel killed because the memory ran out.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn kills(&self) -> Result<u64> {
        let file = if self.is_version_2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        let text = fs::read_to_string(self.folder.join(file))?;
        let kills = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills
            .with_context(|| format!("{file} has no oom_kill"))?
            .parse()
            .context("oom_kill")
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // Fails while a process is in it.
        let _ = fs::remove_dir(&self.folder);
    }
}

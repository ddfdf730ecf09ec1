//! A control group that limits the processor time of a program. Both cgroup versions; needs root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

const ROOT: &str = "/sys/fs/cgroup";
/// The length of a period of the quota, microseconds.
const PERIOD: u64 = 100_000;

/// The group. When this is dropped, its processes go back to the group above it, and it is removed.
#[derive(Debug)]
pub struct CpuGroup {
    parent: PathBuf,
    folder: PathBuf,
    is_version_2: bool,
}

impl CpuGroup {
    /// Makes a group that may use four cores.
    ///
    /// # Errors
    /// When this process is not that of root, or there is no controller of processor time.
    pub fn create(name: &str) -> Result<Self> {
        let root = Path::new(ROOT);
        let is_version_2 = root.join("cgroup.controllers").exists();
        let parent = if is_version_2 {
            root.to_owned()
        } else {
            root.join("cpu")
        };
        if is_version_2 {
            fs::write(parent.join("cgroup.subtree_control"), "+cpu").context("hand down the cpu controller")?;
        }
        let folder = parent.join(format!("monitored-api-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("make {}: this needs root", folder.display()))?;
        let group = Self {
            parent,
            folder,
            is_version_2,
        };
        group.limit(400)?;
        Ok(group)
    }

    /// A command that starts a program inside the group.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args([
                "--pdeathsig",
                "KILL",
                "--",
                "sh",
                "-c",
                "echo $$ > \"$0\" && exec \"$1\"",
            ])
            .arg(self.folder.join("cgroup.procs"))
            .arg(program);
        command
    }

    /// Lets it use `percent` of a core.
    ///
    /// # Errors
    /// When the group is gone.
    pub fn limit(&self, percent: u64) -> Result<()> {
        let quota = PERIOD * percent / 100;
        if self.is_version_2 {
            return fs::write(self.folder.join("cpu.max"), format!("{quota} {PERIOD}")).context("set cpu.max");
        }
        fs::write(self.folder.join("cpu.cfs_period_us"), PERIOD.to_string()).context("set the period")?;
        fs::write(self.folder.join("cpu.cfs_quota_us"), quota.to_string()).context("set the quota")
    }
}

impl Drop for CpuGroup {
    fn drop(&mut self) {
        let processes = fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        for process in processes.lines() {
            // It may have ended.
            let _ = fs::write(self.parent.join("cgroup.procs"), process);
        }
        let _ = fs::remove_dir(&self.folder);
    }
}

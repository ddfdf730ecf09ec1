//! Processes that are identified by id and start time, so that another process with a reused id is never taken for ours.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// A process that we started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pid: i32,
    /// Ticks since boot, field 22 of `/proc/PID/stat`.
    started: u64,
}

impl ProcessId {
    /// The running process with this id.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let pid = i32::try_from(pid)?;
        let started = start_time(pid).with_context(|| format!("process {pid} is gone"))?;
        Ok(Self { pid, started })
    }

    /// Its number.
    pub(crate) fn pid(self) -> i32 {
        self.pid
    }

    /// Whether it is still running; a zombie counts as ended.
    pub(crate) fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Waits until it is gone, and kills it after `patience`.
    pub(crate) fn end(self, patience: Duration) -> Result<()> {
        if self.wait(patience) {
            return Ok(());
        }
        if let Some(pid) = Pid::from_raw(self.pid) {
            // It may end by itself at this moment.
            let _ = kill_process(pid, Signal::KILL);
        }
        if !self.wait(Duration::from_secs(10)) {
            bail!("process {} does not end", self.pid);
        }
        Ok(())
    }

    fn wait(self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

/// The processes of a test bed as seen from the host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BedProcesses {
    /// The supervisor.
    pub(crate) supervisor: ProcessId,
    /// `unshare`; when it ends, everything inside ends.
    pub(crate) namespaces: ProcessId,
}

fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command in parentheses may contain anything; fields are counted from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_until_it_ends() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_alive());
        assert!(
            !ProcessId {
                started: id.started + 1,
                ..id
            }
            .is_alive()
        );
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!id.is_alive());
    }
}

//! Starts the supervisor of a test bed, ends what a killed one left, and finds the program that runs as supervisor.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use crate::bed::Bed;
use crate::cargo;
use crate::cgroup;
use crate::paths::{Cache, StateDir};
use crate::process::BedProcesses;
use crate::tools::Level;

/// The program that serves as supervisor, and the arguments that lead to `supervisor_main` in it.
#[derive(Debug, Clone)]
pub struct SupervisorProgram {
    /// Executable.
    pub program: PathBuf,
    /// Arguments before the supervisor's own.
    pub prefix: Vec<String>,
}

/// What ends the test bed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// The end of its driver, if the driver does not end it earlier.
    Driver,
    /// The first request to end it.
    Detached,
    /// A request to end it, or no driver for this long.
    Shared(Duration),
}

const BINARY: &str = "testbed-supervisor";

impl SupervisorProgram {
    /// The binary `testbed-supervisor` beside the running program, built by cargo first if it is missing or stale.
    pub fn find() -> Result<Self> {
        let program = cargo::profile_dir()?.join(BINARY);
        if !is_fresh(&program) {
            cargo::build_program("testbed", BINARY).with_context(|| format!("build {BINARY}"))?;
        }
        if !program.is_file() {
            bail!("{} is missing: cargo build --package testbed", program.display());
        }
        Ok(Self {
            program,
            prefix: Vec::new(),
        })
    }
}

fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let Some(built) = changed(program) else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src", "src/bin", "manifests"].map(|d| root.join(d));
    let newest: Option<SystemTime> = sources
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flat_map(|entries| entries.flatten().filter_map(|entry| changed(&entry.path())))
        .max();
    newest.is_none_or(|newest| newest <= built)
}

/// Starts the supervisor. Its standard input ties it to this process, until it is told to detach.
pub(crate) fn start(bed: &Bed, supervisor: &SupervisorProgram, level: Level, lifetime: Lifetime) -> Result<Child> {
    fs::create_dir_all(bed.state.file("log"))?;
    let log = File::create(bed.state.log("supervisor"))?;
    let mut command = Command::new(&supervisor.program);
    command
        .args(&supervisor.prefix)
        .arg("supervise")
        .arg("--state")
        .arg(bed.state.root());
    if level == Level::Node {
        command.arg("--real-nodes");
    }
    if let Lifetime::Shared(idle) = lifetime {
        command.arg("--idle-exit").arg(idle.as_secs().to_string());
    }
    command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log);
    let mut child = command
        .spawn()
        .with_context(|| format!("start {}", supervisor.program.display()))?;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if bed.components().is_ok() && bed.forwards().is_ok() {
            return Ok(child);
        }
        let ended = child.try_wait()?.is_some();
        if ended || Instant::now() >= deadline {
            drop(child.stdin.take());
            let _ = child.kill();
            let _ = child.wait();
            bail!("the supervisor did not start:\n{}", bed.log_tail("supervisor"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ends what is left of an earlier test bed of this name and removes its state.
pub(crate) fn clear(state: &StateDir) -> Result<()> {
    end_processes(state, Duration::from_secs(5))?;
    cgroup::remove(&cgroup::path(state));
    state.wipe()?;
    // The directory holds keys, so it is readable by its owner only.
    fs::DirBuilder::new()
        .mode(0o700)
        .create(state.root())
        .with_context(|| format!("create {}", state.root().display()))
}

/// Waits for the processes that the pid file names, and kills those that stay.
pub(crate) fn end_processes(state: &StateDir, patience: Duration) -> Result<()> {
    let Ok(text) = fs::read(state.pids_file()) else {
        return Ok(());
    };
    let Ok(processes) = serde_json::from_slice::<BedProcesses>(&text) else {
        return Ok(());
    };
    processes.supervisor.end(patience)?;
    processes.namespaces.end(Duration::from_secs(2))?;
    // The file is absent if the supervisor removed it.
    let _ = fs::remove_file(state.pids_file());
    Ok(())
}

/// Removes the cgroups of test beds that were killed, whatever their names.
pub(crate) fn sweep(cache: &Cache) -> Result<()> {
    for name in cache.names()? {
        let Ok(state) = StateDir::of(cache, &name) else {
            continue;
        };
        if !state.is_alive()? {
            cgroup::remove(&cgroup::path(&state));
        }
    }
    Ok(())
}

/// Process id of `unshare`, which is in the test bed's mount and network namespaces.
pub(crate) fn namespaces_pid(state: &StateDir) -> Result<i32> {
    let text = fs::read(state.pids_file()).context("the test bed is not running")?;
    Ok(serde_json::from_slice::<BedProcesses>(&text)?.namespaces.pid())
}

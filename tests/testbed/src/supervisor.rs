//! The process outside that owns a test bed: it starts the namespaces, forwards ports and ends everything. It knows nothing of
//! Kubernetes.
//! If it is killed, the test bed ends: the init inside reads a pipe that only this process holds.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;

use crate::launch::SupervisorProgram;
use crate::paths::{StateDir, write_atomically};
use crate::process::{BedProcesses, ProcessId};
use crate::testbed::Testbed;
use crate::tools::Level;
use crate::wire::{self, Forward, OuterRequest};
use crate::{cgroup, forward, init, prerequisites};

#[derive(Debug, Parser)]
#[command(
    name = "testbed-supervisor",
    about = "Inner workings of a test bed; started by its driver"
)]
enum Cli {
    /// Start a test bed, print its state directory, and end it when standard input ends.
    Hold {
        #[arg(long)]
        name: String,
        #[arg(long, value_enum, default_value_t = Level::ControlPlane)]
        level: Level,
    },
    /// Own a test bed.
    Supervise(SuperviseArgs),
    /// Be the first process inside its namespaces.
    Init {
        #[arg(long)]
        state: PathBuf,
        #[arg(long)]
        real_nodes: bool,
    },
}

/// Arguments of a supervisor.
#[derive(Debug, clap::Args)]
struct SuperviseArgs {
    /// State directory.
    #[arg(long)]
    state: PathBuf,
    /// Real nodes will be started.
    #[arg(long)]
    real_nodes: bool,
    /// End when no driver has used the test bed for so many seconds.
    #[arg(long)]
    idle_exit: Option<u64>,
}

/// Entry point of a program that runs as supervisor. `prefix`: the arguments that lead to this call.
pub fn supervisor_main(prefix: &[String], arguments: &[String]) -> ExitCode {
    let cli = Cli::parse_from(std::iter::once("testbed-supervisor".to_owned()).chain(arguments.iter().cloned()));
    let result = match cli {
        Cli::Hold { name, level } => hold(&name, level, prefix),
        Cli::Supervise(args) => supervise(&args, prefix),
        Cli::Init { state, real_nodes } => StateDir::from_path(&state).and_then(|s| init::serve(s, real_nodes)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::say::say(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn hold(name: &str, level: Level, prefix: &[String]) -> Result<()> {
    let supervisor = SupervisorProgram {
        program: std::env::current_exe()?,
        prefix: prefix.to_vec(),
    };
    let bed = Testbed::builder(name).level(level).supervisor(supervisor).start()?;
    writeln!(std::io::stdout(), "{}", bed.state_dir().display())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    bed.shutdown()
}

fn supervise(args: &SuperviseArgs, prefix: &[String]) -> Result<()> {
    let state = StateDir::from_path(&args.state)?;
    // Leaves the terminal's session, so that Ctrl-C does not reach this process. Fails only if it already leads a group.
    let _ = rustix::process::setsid();
    let _alive = state
        .try_alive_lock()?
        .with_context(|| format!("the test bed {} runs already", state.name()))?;
    let (stop, stopped) = mpsc::channel();
    let mut namespaces = start_namespaces(&state, args.real_nodes, prefix)?;
    let processes = BedProcesses {
        supervisor: ProcessId::of(std::process::id())?,
        namespaces: ProcessId::of(namespaces.id())?,
    };
    write_atomically(&state.pids_file(), &serde_json::to_vec(&processes)?)?;
    let detached: Arc<AtomicBool> = Arc::default();
    serve(Server {
        state: state.clone(),
        stop: stop.clone(),
        detached: Arc::clone(&detached),
        forwards: Arc::default(),
    })?;
    follow_driver(stop.clone(), detached);
    if let Some(seconds) = args.idle_exit {
        watch_users(&state, Duration::from_secs(seconds), stop.clone())?;
    }
    loop {
        match stopped.recv_timeout(Duration::from_millis(200)) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if namespaces.try_wait()?.is_some() {
            break;
        }
    }
    end_namespaces(&mut namespaces)?;
    clean_up(&state);
    Ok(())
}

fn start_namespaces(state: &StateDir, real_nodes: bool, prefix: &[String]) -> Result<Child> {
    let mut command = Command::new("unshare");
    if !prerequisites::is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args([
        "--fork",
        "--pid",
        "--mount",
        "--net",
        "--mount-proc",
        "--kill-child",
        "--",
    ]);
    command
        .arg(std::env::current_exe()?)
        .args(prefix)
        .arg("init")
        .arg("--state")
        .arg(state.root());
    if real_nodes {
        command.arg("--real-nodes");
    }
    command.stdin(Stdio::piped()).spawn().context("start unshare")
}

fn end_namespaces(namespaces: &mut Child) -> Result<()> {
    // The init sees the end of its input and exits; the kernel kills the rest.
    drop(namespaces.stdin.take());
    let deadline = Instant::now() + Duration::from_secs(5);
    while namespaces.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            namespaces.kill()?;
            namespaces.wait()?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Removes what the test bed leaves outside its namespaces. Logs, keys and the audit log stay until the next start.
fn clean_up(state: &StateDir) {
    cgroup::remove(&cgroup::path(state));
    for bulky in ["etcd", "nodes", "kubectl-cache"] {
        // The next start removes whatever can't be removed now.
        let _ = fs::remove_dir_all(state.file(bulky));
    }
    for file in [
        state.inner_socket(),
        state.outer_socket(),
        state.pids_file(),
        state.file("state.json"),
    ] {
        let _ = fs::remove_file(file);
    }
}

/// State that the threads share that answer requests.
#[derive(Debug, Clone)]
struct Server {
    state: StateDir,
    stop: Sender<()>,
    detached: Arc<AtomicBool>,
    forwards: Arc<Mutex<Vec<Forward>>>,
}

/// Waits for the end of standard input, a pipe that only the driver holds: it ends when the driver ends.
fn follow_driver(stop: Sender<()>, detached: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        if !detached.load(Ordering::SeqCst) {
            let _ = stop.send(());
        }
    });
}

fn serve(server: Server) -> Result<()> {
    let listener = UnixListener::bind(server.state.outer_socket())?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = server.clone();
            std::thread::spawn(move || server.answer(&stream));
        }
    });
    Ok(())
}

impl Server {
    fn answer(&self, stream: &UnixStream) {
        let result = match wire::read_request(stream) {
            Ok(OuterRequest::Forward { port, target }) => self.open_forward(port, target).map(|port| json!(port)),
            Ok(OuterRequest::Forwards) => Ok(json!(*self.forwards())),
            Ok(OuterRequest::Detach) => {
                self.detached.store(true, Ordering::SeqCst);
                Ok(json!(true))
            }
            Ok(OuterRequest::Shutdown) => Ok(json!(self.stop.send(()).is_ok())),
            Err(error) => Err(error),
        };
        // The client may have disconnected, which is fine.
        let _ = wire::write_reply(stream, result);
    }

    fn forwards(&self) -> MutexGuard<'_, Vec<Forward>> {
        self.forwards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A target that is forwarded already keeps its port, unless another one is wanted.
    fn open_forward(&self, port: u16, target: String) -> Result<u16> {
        let mut forwards = self.forwards();
        if let Some(known) = forwards
            .iter()
            .find(|f| f.target == target && (port == 0 || port == f.port))
        {
            return Ok(known.port);
        }
        let port = forward::listen(self.state.inner_socket(), port, target.clone())?;
        forwards.push(Forward { port, target });
        Ok(port)
    }
}

/// Ends the test bed after `patience` without a driver; drivers share a lock that this can take only if there is none.
fn watch_users(state: &StateDir, patience: Duration, stop: Sender<()>) -> Result<()> {
    let lock = state.users_lock()?;
    std::thread::spawn(move || {
        let mut last_use = Instant::now();
        loop {
            std::thread::sleep(Duration::from_secs(1));
            if lock.try_lock().is_err() {
                last_use = Instant::now();
                continue;
            }
            let _ = lock.unlock();
            if last_use.elapsed() >= patience {
                let _ = stop.send(());
                return;
            }
        }
    });
    Ok(())
}

//! The first process inside the namespaces: it prepares mounts and network, starts components, reaps ended processes and
//! opens connections.
//! It knows nothing of Kubernetes. When its standard input ends it exits, and the kernel ends all that is inside.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process};
use serde_json::json;

use crate::namespace;
use crate::paths::StateDir;
use crate::wire::{self, ComponentStatus, Finished, InnerRequest, Program};

/// How often this process looks for ended processes; the end of a command is noticed at most this much later.
const REAP_INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Component {
    program: Program,
    pid: Option<i32>,
    ended: Option<String>,
    /// Whether it was told to end.
    stopped: bool,
    starts: u32,
}

#[derive(Debug, Default)]
struct Table {
    components: BTreeMap<String, Component>,
    /// Commands that someone waits for: exit code once they ended.
    commands: BTreeMap<i32, Option<i32>>,
}

#[derive(Debug)]
struct Init {
    state: StateDir,
    table: Mutex<Table>,
}

/// Serves until standard input ends.
pub(crate) fn serve(state: StateDir, real_nodes: bool) -> Result<()> {
    namespace::prepare(&state, real_nodes).context("prepare the namespaces")?;
    let listener = UnixListener::bind(state.inner_socket())?;
    let init: &'static Init = Box::leak(Box::new(Init {
        state,
        table: Mutex::default(),
    }));
    std::thread::spawn(|| init.reap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || init.answer(&stream));
        }
    });
    // Nothing is ever sent through this pipe: it ends when the supervisor ends.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

impl Init {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while a process is started and while ended ones are reaped. Otherwise a child's exit could be seen before the child
    /// is in the table.
    fn reap(&self) {
        loop {
            let mut table = self.table();
            while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
                table.record(pid.as_raw_nonzero().get(), status);
            }
            drop(table);
            std::thread::sleep(REAP_INTERVAL);
        }
    }

    fn answer(&self, stream: &UnixStream) {
        let result = match wire::read_request(stream) {
            Ok(InnerRequest::Dial { target }) => {
                // The client may have disconnected, which is fine.
                let _ = wire::write_dialed(stream, dial(&target));
                return;
            }
            Ok(InnerRequest::Spawn(program)) => self.spawn(program, 0),
            Ok(InnerRequest::Respawn { name }) => self.respawn(&name),
            Ok(InnerRequest::Signal { name, signal }) => self.signal(&name, signal),
            Ok(InnerRequest::Run { program, args }) => self.run(&program, &args),
            Ok(InnerRequest::Status) => Ok(self.status()),
            Err(error) => Err(error),
        };
        let _ = wire::write_reply(stream, result);
    }

    fn spawn(&self, program: Program, starts: u32) -> Result<serde_json::Value> {
        let log = self.state.log(&program.name);
        if let Some(parent) = log.parent() {
            fs::create_dir_all(parent)?;
        }
        let log: File = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(&program.program);
        command
            .args(&program.args)
            .envs(program.env.iter().map(|(k, v)| (k, v)))
            .current_dir(self.state.root());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let mut table = self.table();
        if table
            .components
            .get(&program.name)
            .is_some_and(|component| component.pid.is_some())
        {
            bail!("{} runs already", program.name);
        }
        let child = command
            .spawn()
            .with_context(|| format!("start {}", program.program.display()))?;
        let pid = i32::try_from(child.id())?;
        let component = Component {
            program,
            pid: Some(pid),
            ended: None,
            stopped: false,
            starts: starts + 1,
        };
        table.components.insert(component.program.name.clone(), component);
        Ok(json!(null))
    }

    fn respawn(&self, name: &str) -> Result<serde_json::Value> {
        let (program, starts) = {
            let table = self.table();
            let component = table
                .components
                .get(name)
                .with_context(|| format!("no component {name}"))?;
            (component.program.clone(), component.starts)
        };
        self.spawn(program, starts)
    }

    fn signal(&self, name: &str, signal: i32) -> Result<serde_json::Value> {
        let mut table = self.table();
        let component = table
            .components
            .get_mut(name)
            .with_context(|| format!("no component {name}"))?;
        let pid = component
            .pid
            .and_then(Pid::from_raw)
            .with_context(|| format!("{name} does not run"))?;
        let signal = Signal::from_named_raw(signal).with_context(|| format!("no signal {signal}"))?;
        kill_process(pid, signal)?;
        component.stopped |= [Signal::KILL, Signal::TERM, Signal::INT].contains(&signal);
        Ok(json!(null))
    }

    fn run(&self, program: &Path, args: &[String]) -> Result<serde_json::Value> {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.state.root());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (pid, stdout, stderr) = {
            let mut table = self.table();
            let mut child = command
                .spawn()
                .with_context(|| format!("start {}", program.display()))?;
            let pid = i32::try_from(child.id())?;
            table.commands.insert(pid, None);
            (pid, child.stdout.take(), child.stderr.take())
        };
        let errors = std::thread::spawn(move || read_all(stderr));
        let stdout = read_all(stdout);
        let stderr = errors.join().unwrap_or_default();
        let code = loop {
            let mut table = self.table();
            if let Some(Some(code)) = table.commands.get(&pid).copied() {
                table.commands.remove(&pid);
                break code;
            }
            drop(table);
            std::thread::sleep(REAP_INTERVAL);
        };
        Ok(serde_json::to_value(Finished { code, stdout, stderr })?)
    }

    fn status(&self) -> serde_json::Value {
        let table = self.table();
        let rows: Vec<ComponentStatus> = table
            .components
            .iter()
            .map(|(name, component)| ComponentStatus {
                name: name.clone(),
                pid: component.pid,
                ended: component.ended.clone(),
                stopped: component.stopped,
                starts: component.starts,
            })
            .collect();
        json!(rows)
    }
}

impl Table {
    fn record(&mut self, pid: i32, status: WaitStatus) {
        if let Some(code) = self.commands.get_mut(&pid) {
            *code = Some(
                status
                    .exit_status()
                    .or(status.terminating_signal().map(|s| 128 + s))
                    .unwrap_or(-1),
            );
        }
        for component in self
            .components
            .values_mut()
            .filter(|component| component.pid == Some(pid))
        {
            component.pid = None;
            component.ended = Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "ended".to_owned(),
            });
        }
    }
}

fn read_all(source: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut source) = source {
        // Output that was read before an error is still shown.
        let _ = source.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn dial(target: &str) -> Result<TcpStream> {
    let address: SocketAddr = target.parse().context("want IP:PORT")?;
    Ok(TcpStream::connect_timeout(&address, Duration::from_secs(10))?)
}

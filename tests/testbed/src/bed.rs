//! A running test bed as the driver sees it: its sockets, its tools, and waits that say why they failed.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::compile::Toolbox;
use crate::paths::StateDir;
use crate::shell;
use crate::wire::{self, ComponentStatus, Finished, Forward, InnerRequest, OuterRequest, Program};

/// How long a short request may take.
const SHORT: Duration = Duration::from_secs(30);
/// How long a command inside may take, for example the import of a large image on a busy machine.
const LONG: Duration = Duration::from_secs(600);
/// Lines of a component's log that an error shows.
const LOG_LINES: usize = 20;

/// State, tools and requests; what `Testbed` and the steps of starting it share.
#[derive(Debug, Clone)]
pub(crate) struct Bed {
    pub(crate) state: StateDir,
    pub(crate) toolbox: Toolbox,
}

impl Bed {
    /// Starts a component; `program` is one of the built tools.
    pub(crate) fn spawn(&self, name: &str, program: &str, args: Vec<String>) -> Result<()> {
        self.spawn_program(Program {
            name: name.to_owned(),
            program: self.toolbox.bin_dir().join(program),
            args,
            env: Vec::new(),
        })
    }

    pub(crate) fn spawn_program(&self, program: Program) -> Result<()> {
        wire::ask(&self.state.inner_socket(), &InnerRequest::Spawn(program), SHORT)
    }

    pub(crate) fn respawn(&self, name: &str) -> Result<()> {
        wire::ask(
            &self.state.inner_socket(),
            &InnerRequest::Respawn { name: name.to_owned() },
            SHORT,
        )
    }

    pub(crate) fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let request = InnerRequest::Signal {
            name: name.to_owned(),
            signal: signal.as_raw(),
        };
        wire::ask(&self.state.inner_socket(), &request, SHORT)
    }

    /// Runs a command inside; an error if it fails.
    pub(crate) fn run(&self, program: impl Into<PathBuf>, args: &[&str]) -> Result<String> {
        let program = program.into();
        let label = format!("{} {}", program.display(), args.join(" "));
        let done = self.run_unchecked(program, args)?;
        if done.code != 0 {
            let said = format!("{}{}", done.stdout, done.stderr);
            bail!(
                "{label} failed inside (exit code {}):\n{}",
                done.code,
                shell::tail(&said, LOG_LINES)
            );
        }
        Ok(done.stdout)
    }

    pub(crate) fn run_unchecked(&self, program: PathBuf, args: &[&str]) -> Result<Finished> {
        let args = args.iter().map(|a| (*a).to_owned()).collect();
        wire::ask(&self.state.inner_socket(), &InnerRequest::Run { program, args }, LONG)
    }

    pub(crate) fn dial(&self, target: &str) -> Result<TcpStream> {
        wire::dial(&self.state.inner_socket(), target)
    }

    pub(crate) fn components(&self) -> Result<Vec<ComponentStatus>> {
        wire::ask(&self.state.inner_socket(), &InnerRequest::Status, SHORT)
    }

    pub(crate) fn forward(&self, port: u16, target: &str) -> Result<u16> {
        let request = OuterRequest::Forward {
            port,
            target: target.to_owned(),
        };
        wire::ask(&self.state.outer_socket(), &request, SHORT)
    }

    pub(crate) fn forwards(&self) -> Result<Vec<Forward>> {
        wire::ask(&self.state.outer_socket(), &OuterRequest::Forwards, SHORT)
    }

    pub(crate) fn detach(&self) -> Result<()> {
        let _: bool = wire::ask(&self.state.outer_socket(), &OuterRequest::Detach, SHORT)?;
        Ok(())
    }

    pub(crate) fn shutdown(&self) -> Result<()> {
        let _: bool = wire::ask(&self.state.outer_socket(), &OuterRequest::Shutdown, SHORT)?;
        Ok(())
    }

    /// The kubeconfig for programs on the host.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.state.file("kubeconfig")
    }

    /// `kubectl` for this test bed, on the host; leaves nothing in the home directory.
    pub(crate) fn kubectl_command(&self) -> Command {
        let mut command = Command::new(self.toolbox.bin_dir().join("kubectl"));
        command.env("KUBECONFIG", self.kubeconfig()).env("KUBERC", "off");
        command.arg("--cache-dir").arg(self.state.file("kubectl-cache"));
        command
    }

    pub(crate) fn kubectl(&self, args: &[&str]) -> Result<String> {
        shell::run(self.kubectl_command().args(args))
    }

    /// `kubectl apply --server-side` of a manifest given as text.
    pub(crate) fn apply(&self, manifest: &str) -> Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(self.state.root())?;
        std::io::Write::write_all(&mut file, manifest.as_bytes())?;
        self.apply_file(file.path())
    }

    pub(crate) fn apply_file(&self, path: &Path) -> Result<()> {
        let path = path.to_string_lossy();
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &path])?;
        Ok(())
    }

    /// Polls `probe` until it answers; fails with the log of a component that ended by itself, or of `component` after `limit`.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        component: &str,
        limit: Duration,
        mut probe: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            let last = probe();
            if let Ok(Some(value)) = last {
                return Ok(value);
            }
            if let Some(ended) = self
                .components()?
                .into_iter()
                .find(|c| c.pid.is_none() && (!c.stopped || c.name == component))
            {
                let how = ended.ended.unwrap_or_default();
                bail!(
                    "{} ended ({how}) before {what}; its log ends:\n{}",
                    ended.name,
                    self.log_tail(&ended.name)
                );
            }
            if Instant::now() >= deadline {
                let reason = last.err().map(|error| format!(" ({error:#})")).unwrap_or_default();
                let seconds = limit.as_secs();
                let log = self.log_tail(component);
                bail!("waited {seconds} s without success for {what}{reason}; the log of {component} ends:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The last lines of a component's log.
    pub(crate) fn log_tail(&self, component: &str) -> String {
        let path = self.state.log(component);
        match std::fs::read(&path).with_context(|| format!("read {}", path.display())) {
            Ok(bytes) => shell::tail(&String::from_utf8_lossy(&bytes), LOG_LINES),
            Err(error) => format!("{error:#}"),
        }
    }
}

//! The handle on a running test bed, for tests and for `cargo xtask testbed`.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::bed::Bed;
use crate::compile::Toolbox;
use crate::paths::{Cache, StateDir};
use crate::prerequisites;
use crate::started::read_started;
use crate::tools::{Level, Tool};
use crate::wire::{ComponentStatus, Forward, Program};
use crate::{assets, cgroup, control_plane, launch, node};

/// A running test bed. One that was started by [`crate::TestbedBuilder::start`] ends when this value is dropped.
#[derive(Debug)]
pub struct Testbed {
    pub(crate) bed: Bed,
    /// The supervisor, if it ends with this process.
    owned: Option<Child>,
    /// A shared lock that tells the supervisor of a shared test bed that it is in use.
    _user: Option<File>,
}

impl Testbed {
    /// Joins a running test bed; it keeps running when this value is dropped.
    pub fn attach(name: &str) -> Result<Self> {
        let state = StateDir::of(&Cache::locate()?, name)?;
        if read_started(&state)?.is_none() {
            bail!("no test bed {name} is running: start it with cargo xtask testbed up --name {name}");
        }
        let toolbox = Toolbox::open()?;
        // The tools are built already, unless the pins changed since the test bed was started.
        toolbox.ensure(&[Tool::named("kubernetes")?])?;
        let bed = Bed { state, toolbox };
        Ok(Self {
            bed,
            owned: None,
            _user: None,
        })
    }

    pub(crate) fn starting(bed: Bed, supervisor: Child) -> Self {
        Self {
            bed,
            owned: Some(supervisor),
            _user: None,
        }
    }

    /// Lets the supervisor live on after this value and this process.
    pub(crate) fn detach(&mut self) -> Result<()> {
        self.bed.detach()?;
        self.owned = None;
        Ok(())
    }

    pub(crate) fn hold_user_lock(&mut self, lock: File) {
        self._user = Some(lock);
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.bed.state.name()
    }

    /// Its state directory: logs, audit log, keys.
    pub fn state_dir(&self) -> &Path {
        self.bed.state.root()
    }

    /// How much of Kubernetes it has.
    pub fn level(&self) -> Result<Level> {
        Ok(read_started(&self.bed.state)?
            .context("the test bed is not running")?
            .level)
    }

    /// The names of its real nodes.
    pub fn nodes(&self) -> Result<Vec<String>> {
        Ok((0..self.node_count()?).map(node::node_name).collect())
    }

    pub(crate) fn node_count(&self) -> Result<usize> {
        Ok(read_started(&self.bed.state)?
            .context("the test bed is not running")?
            .nodes)
    }

    /// Imports an image (docker-archive or OCI archive) into every node; pods want `imagePullPolicy` Never or IfNotPresent.
    pub fn load_image(&self, tar: &Path) -> Result<()> {
        node::load_image(&self.bed, self.node_count()?, tar)
    }

    /// A manifest with Prometheus Operator's custom resource definitions; not applied to any test bed by itself.
    pub fn prometheus_operator_crds(&self) -> Result<PathBuf> {
        assets::prometheus_operator_crds(&self.bed.toolbox)
    }

    /// The same of the Grafana Operator.
    pub fn grafana_operator_crds(&self) -> Result<PathBuf> {
        assets::grafana_operator_crds(&self.bed.toolbox)
    }

    /// The same of Traefik.
    pub fn traefik_crds(&self) -> Result<PathBuf> {
        assets::traefik_crds(&self.bed.toolbox)
    }

    /// The kubeconfig of an administrator, for programs on the host.
    pub fn kubeconfig(&self) -> PathBuf {
        self.bed.kubeconfig()
    }

    /// The same for programs that run inside (see [`Testbed::run_inside`] and [`Testbed::spawn`]).
    pub fn kubeconfig_inside(&self) -> PathBuf {
        self.bed.state.file("kubeconfig-inside")
    }

    /// Runs `kubectl` as administrator; its standard output, or an error with its output.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.bed.kubectl(args)
    }

    /// `kubectl` for this test bed, to be given arguments and run by the caller.
    pub fn kubectl_command(&self) -> Command {
        self.bed.kubectl_command()
    }

    /// Applies a manifest given as text, server-side.
    pub fn apply(&self, manifest: &str) -> Result<()> {
        self.bed.apply(manifest)
    }

    /// The API server's audit log: one JSON event a line, level Metadata, written before a request is answered.
    pub fn audit_log(&self) -> PathBuf {
        self.bed.state.file("audit.log")
    }

    /// The path of a tool, for example `promtool` or `helm`; it is built first if it is not there.
    pub fn bin(&self, name: &str) -> Result<PathBuf> {
        self.bed.toolbox.bin(name)
    }

    /// Listens on 127.0.0.1 of the host and forwards to `target` (`IP:PORT` inside); returns the port, any free one if `None`.
    pub fn forward(&self, host_port: Option<u16>, target: &str) -> Result<u16> {
        self.bed.forward(host_port.unwrap_or(0), target)
    }

    /// The same for a Service, by its cluster IP.
    pub fn forward_service(&self, namespace: &str, service: &str, port: u16) -> Result<u16> {
        let ip = self.kubectl(&[
            "-n",
            namespace,
            "get",
            "service",
            service,
            "-o",
            "jsonpath={.spec.clusterIP}",
        ])?;
        self.bed.forward(0, &format!("{ip}:{port}"))
    }

    /// The forwarders that were opened.
    pub fn forwards(&self) -> Result<Vec<Forward>> {
        self.bed.forwards()
    }

    /// Connects to `IP:PORT` inside the test bed's network, without a forwarder.
    pub fn dial(&self, target: &str) -> Result<TcpStream> {
        self.bed.dial(target)
    }

    /// Runs a command inside the namespaces to its end; its standard output, or an error with its output.
    pub fn run_inside(&self, program: &Path, args: &[&str]) -> Result<String> {
        self.bed.run(program, args)
    }

    /// Starts a long-lived program inside the namespaces; its log is `log/NAME.log` in the state directory.
    pub fn spawn(&self, program: Program) -> Result<()> {
        self.bed.spawn_program(program)
    }

    /// The components and their state.
    pub fn components(&self) -> Result<Vec<ComponentStatus>> {
        self.bed.components()
    }

    /// The last lines of a component's log.
    pub fn log_tail(&self, component: &str) -> String {
        self.bed.log_tail(component)
    }

    /// Sends a signal to a component, for example to stop the API server or to freeze it.
    pub fn signal(&self, component: &str, signal: Signal) -> Result<()> {
        self.bed.signal(component, signal)
    }

    /// Kills a component and waits until it is gone.
    pub fn kill(&self, component: &str) -> Result<()> {
        self.bed.signal(component, Signal::KILL)?;
        for _ in 0..500 {
            if self
                .bed
                .components()?
                .iter()
                .any(|row| row.name == component && row.pid.is_none())
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{component} does not end")
    }

    /// Starts a component that ended, as it was started before.
    pub fn restart(&self, component: &str) -> Result<()> {
        self.bed.respawn(component)
    }

    /// Waits until the API server is ready, after a restart for example.
    pub fn wait_ready(&self) -> Result<()> {
        control_plane::wait_ready(&self.bed)
    }

    /// A command that runs `program` inside with the caller's standard streams, which [`Testbed::run_inside`] does not offer.
    /// Needs root.
    pub fn command_inside(&self, program: &Path) -> Result<Command> {
        let nsenter = prerequisites::find_program("nsenter").context("nsenter (util-linux) is missing")?;
        let pid = launch::namespaces_pid(&self.bed.state)?;
        let mut command = Command::new(nsenter);
        command
            .arg(format!("--net=/proc/{pid}/ns/net"))
            .arg(format!("--mount=/proc/{pid}/ns/mnt"));
        command
            .arg(format!("--pid=/proc/{pid}/ns/pid_for_children"))
            .arg("--")
            .arg(program);
        Ok(command)
    }

    /// Ends the test bed and waits until nothing of it is left but its logs.
    pub fn shutdown(mut self) -> Result<()> {
        self.finish()
    }

    /// Ends the test bed of this name, even if another process started it or its start is not complete. Does nothing if there is none.
    pub fn end(name: &str) -> Result<()> {
        let state = StateDir::of(&Cache::locate()?, name)?;
        Self {
            bed: Bed {
                state,
                toolbox: Toolbox::open()?,
            },
            owned: None,
            _user: None,
        }
        .finish()
    }

    fn finish(&mut self) -> Result<()> {
        // A supervisor that doesn't answer is killed below.
        let answered = self.bed.shutdown().is_ok();
        if let Some(mut supervisor) = self.owned.take() {
            drop(supervisor.stdin.take());
            supervisor.wait()?;
        }
        let patience = if answered {
            Duration::from_secs(10)
        } else {
            Duration::ZERO
        };
        launch::end_processes(&self.bed.state, patience)?;
        cgroup::remove(&cgroup::path(&self.bed.state));
        Ok(())
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        if self.owned.is_some() {
            // If this fails, the test bed ends with this process.
            let _ = self.finish();
        }
    }
}

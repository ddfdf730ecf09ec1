//! Runs the operator (`monitored-api controller`) as a child process: builds it once, starts, stops and kills it, and reads
//! its metrics.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use exposition::{Format, Limits, read};
use metric_contract::platform;
use rustix::process::{Pid, Signal, kill_process};
use testbed::build_program;

use crate::{eventually, free_ports::free_address};

/// How long the operator may take from start to ready, and from SIGTERM to its end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the operator may take to get the Lease. The Lease of a killed operator expires after 15 s.
const LEASE_PATIENCE: Duration = Duration::from_secs(60);

/// A running operator; it is killed when this is dropped.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    log: PathBuf,
    listen: SocketAddr,
}

impl Operator {
    /// The binary: what `MONITORED_API_BIN` names, else built by cargo in this program's profile.
    ///
    /// # Errors
    /// When it can't be built.
    pub fn binary() -> Result<PathBuf> {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        if let Some(path) = BUILT.get() {
            return Ok(path.clone());
        }
        let path = match std::env::var_os("MONITORED_API_BIN") {
            Some(path) => PathBuf::from(path),
            None => build_program("controller", "monitored-api")?,
        };
        Ok(BUILT.get_or_init(|| path).clone())
    }

    /// Starts `monitored-api controller`; its output goes to the end of the file `log`.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(kubeconfig: &Path, log: &Path, args: &[&str]) -> Result<Self> {
        Self::start_program(&Self::binary()?, kubeconfig, log, args)
    }

    /// Starts another binary of the operator, for example one with optimizations.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_program(binary: &Path, kubeconfig: &Path, log: &Path, args: &[&str]) -> Result<Self> {
        let listen = free_address()?;
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| log.display().to_string())?;
        let mut command = Command::new("setpriv");
        // The kernel kills the operator when this process dies, even if that was by SIGKILL.
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(binary)
            .arg("controller");
        command.arg(format!("--metrics-listen={listen}")).args(args);
        command
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .env("RUST_LOG", "info,controller=debug,monitored_api=debug");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = spawn(command).context("start the operator (by setpriv, of util-linux)")?;
        Ok(Self {
            child,
            log: log.to_owned(),
            listen,
        })
    }

    /// Where its metrics are.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listen
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// When it ended, or is not ready in time; with the end of its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        let url = format!("http://{}/readyz", self.listen);
        let (child, log) = (&mut self.child, &self.log);
        eventually("the operator to be ready", PATIENCE, || {
            if let Some(status) = child.try_wait()? {
                bail!("the operator ended with {status}; its log ends:\n{}", tail(log));
            }
            Ok(ureq::get(&url).call().map(drop).map_err(|error| error.to_string()))
        })
        .with_context(|| format!("its log ends:\n{}", tail(&self.log)))
    }

    /// Waits until it holds the Lease.
    ///
    /// # Errors
    /// When it does not get it in time: the Lease of another operator may have to expire first.
    pub fn wait_until_leader(&self) -> Result<()> {
        eventually("the operator to lead", LEASE_PATIENCE, || {
            let leads = self.metric(platform::LEADER.name)?;
            Ok(if leads == Some(1.0) {
                Ok(())
            } else {
                Err(format!("{} is {leads:?}", platform::LEADER.name))
            })
        })
    }

    /// Whether the process is still running.
    ///
    /// # Errors
    /// When its state can't be read.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it had already exited by itself.
    pub fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "the operator had ended before, with {status}; its log ends:\n{}",
                tail(&self.log)
            );
        }
        self.child.kill().context("kill the operator")?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal, for example to freeze it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).context("a signal to the operator")
    }

    /// Where it serves `/metrics`.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("SIGTERM to the operator")?;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!(
            "the operator did not end within {} s; its log ends:\n{}",
            PATIENCE.as_secs(),
            tail(&self.log)
        )
    }

    /// The sum of a metric's series; `None` if it has none.
    ///
    /// # Errors
    /// When the operator does not answer, or its page is one that Prometheus would refuse.
    pub fn metric(&self, name: &str) -> Result<Option<f64>> {
        let url = format!("http://{}/metrics", self.listen);
        let page = ureq::get(&url)
            .call()
            .with_context(|| format!("get {url}"))?
            .body_mut()
            .read_to_string()?;
        sum(&page, name).with_context(|| format!("read {url}"))
    }

    /// The end of its log, for a message.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // An error means that it has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program from a thread that lives as long as this process. Linux sends the parent-death signal when the thread
/// that started the child ends, so a thread of a test, which ends with the test, must not start it.
pub(crate) fn spawn(command: Command) -> Result<Child> {
    type SpawnRequest = (Command, Sender<std::io::Result<Child>>);
    static REQUESTS: OnceLock<Sender<SpawnRequest>> = OnceLock::new();
    let requests = REQUESTS.get_or_init(|| {
        let (requests, incoming) = channel::<SpawnRequest>();
        std::thread::spawn(move || {
            for (mut command, reply) in incoming {
                // An error means that the caller no longer waits: the child is dropped, and ends with this process.
                let _ = reply.send(command.spawn());
            }
        });
        requests
    });
    let (reply, replies) = channel();
    requests
        .send((command, reply))
        .context("the thread that starts programs is gone")?;
    Ok(replies.recv()??)
}

pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(30)..)
        .unwrap_or_default()
        .join("\n")
}

fn sum(page: &str, name: &str) -> Result<Option<f64>> {
    let families = read(page.as_bytes(), Format::Text, &Limits::default())?;
    let samples = families.iter().flat_map(|family| &family.samples);
    let values = samples.filter(|sample| sample.name == name).map(|sample| sample.value);
    Ok(values.reduce(|sum, value| sum + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_series_and_not_taken_for_another_with_a_longer_name() {
        let page = "# HELP a b\na{x=\"1\"} 2\na{x=\"2\"} 3\na_b 5\n";
        assert_eq!(sum(page, "a").unwrap(), Some(5.0));
        assert_eq!(sum(page, "a_b").unwrap(), Some(5.0));
        assert_eq!(sum(page, "c").unwrap(), None);
    }
}

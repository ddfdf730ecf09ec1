//! The API of a scenario: processes of the reference API, or a metrics page that the drill writes.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use integration_tests::{
    api::{Process, binary},
    cpu_group::CpuGroup,
    page_server,
    prometheus::Prometheus,
    tcp_proxy::TcpProxy,
};

use crate::cluster::Cluster;

/// What memory has grown to in six hours, bytes: a day later it would be above the limit of the MonitoredApi.
pub(crate) const MEMORY_AT_LAST: u64 = 60_000_000;

/// Whose metrics are those of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metrics {
    /// A process of the reference API.
    OfProcess,
    /// The drill, which writes the page; there is no process.
    Page,
    /// The operator, which is no API.
    OfOperator,
}

/// How an API is started.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) name: String,
    /// The file of its database.
    pub(crate) database: PathBuf,
    pub(crate) database_url: String,
    pub(crate) metrics: Metrics,
    /// The most files that it may open.
    pub(crate) open_files: u32,
    /// Its processes.
    pub(crate) replicas: u32,
    /// Whose rules watch it.
    pub(crate) prometheus: Prometheus,
    pub(crate) cluster: Option<Arc<Cluster>>,
}

/// The API of a scenario. Clones are the same API.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// The file of its database.
    pub(crate) database: PathBuf,
    /// What its metrics pass on their way to Prometheus.
    pub(crate) way: Arc<TcpProxy>,
    pub(crate) prometheus: Prometheus,
    pub(crate) cluster: Option<Arc<Cluster>>,
    /// Its metrics, if they are not those of a process.
    page: Arc<Mutex<String>>,
    database_url: String,
    open_files: u32,
    /// The first is the one that gets into trouble. Empty for a moment while it is started anew.
    processes: Arc<Mutex<Vec<Process>>>,
}

impl Api {
    /// Starts it.
    pub(crate) fn start(setup: Setup) -> Result<Self> {
        let Setup {
            name,
            database,
            database_url,
            metrics,
            open_files,
            replicas,
            prometheus,
            cluster,
        } = setup;
        let mut api = Self {
            address: free_address()?,
            way: Arc::new(TcpProxy::start(free_address()?)?),
            database_url,
            prometheus,
            cluster,
            page: Arc::default(),
            open_files,
            processes: Arc::default(),
            name,
            database,
        };
        if metrics == Metrics::OfOperator {
            return Ok(api);
        }
        if metrics == Metrics::Page {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            api.way = Arc::new(TcpProxy::start(listener.local_addr()?)?);
            api.write_page(Duration::ZERO)?;
            let page = Arc::clone(&api.page);
            page_server::serve(listener, move || {
                page.lock().unwrap_or_else(PoisonError::into_inner).clone()
            });
            return Ok(api);
        }
        api.way = Arc::new(TcpProxy::start(api.address)?);
        api.restart(&[])?;
        for _ in 1..replicas {
            let another = Process::start("sqlite::memory:")?;
            api.processes().push(another);
        }
        Ok(api)
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Process>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cluster of its scenario.
    pub(crate) fn cluster(&self) -> Result<Arc<Cluster>> {
        self.cluster.clone().context("the scenario needs a cluster")
    }

    /// The process that gets into trouble.
    pub(crate) fn pid(&self) -> Result<u32> {
        Ok(self.processes().first().context("no process")?.id())
    }

    /// Ends its process if there is one, and starts it with these settings.
    pub(crate) fn restart(&self, settings: &[(&str, &str)]) -> Result<()> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "prlimit"]);
        let files = self.open_files;
        command.arg(format!("--nofile={files}:{files}")).arg(binary()?);
        self.replace(command, settings)
    }

    /// The same, inside a control group.
    pub(crate) fn restart_within(&self, group: &CpuGroup) -> Result<()> {
        self.replace(group.command(&binary()?), &[])
    }

    fn replace(&self, command: Command, settings: &[(&str, &str)]) -> Result<()> {
        let mut processes = self.processes();
        processes.clear();
        let listen = self.address.to_string();
        let own = [("LISTEN", listen.as_str()), ("SYSTEM_METRICS_INTERVAL", "1s")];
        let process = Process::launch(command, &self.database_url, &[&own[..], settings].concat())?;
        process.wait_ready()?;
        processes.push(process);
        Ok(())
    }

    /// Lets its page say that it was started so long ago.
    pub(crate) fn write_page(&self, age: Duration) -> Result<()> {
        let started = SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .saturating_sub(age)
            .as_secs();
        let page = format!("process_start_time_seconds {started}\nprocess_resident_memory_bytes {MEMORY_AT_LAST}\n");
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = page;
        Ok(())
    }

    /// Where Prometheus scrapes its processes.
    pub(crate) fn targets(&self) -> Vec<SocketAddr> {
        let others = self.processes();
        let others = others.iter().skip(1).map(|process| process.address);
        [self.way.address()].into_iter().chain(others).collect()
    }
}

/// An address of 127.0.0.1 at which nothing listens.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

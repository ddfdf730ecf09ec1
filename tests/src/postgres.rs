//! A real PostgreSQL for tests, from the machine's own programs, with data of its own. A missing one is an error.
//!
//! It listens on 127.0.0.1 only, runs as an unprivileged user, and is killed when this process dies, even by SIGKILL.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::{
    eventually,
    free_ports::free_address,
    operator::{spawn, tail},
};

/// The superuser of a test's server.
pub const USER: &str = "monitored";
/// Its password; tests check that it does not appear in logs and answers.
pub const PASSWORD: &str = "canary-password";
/// PostgreSQL refuses to run as root; root runs it as this user and group.
const UNPRIVILEGED: [&str; 2] = ["--reuid=nobody", "--regid=nogroup"];
/// How long a start may take, with recovery after a crash.
const PATIENCE: Duration = Duration::from_secs(60);

/// The durability of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// None: fast, for tests that don't kill the server.
    None,
    /// Committed data is on the disk.
    Full,
}

/// A PostgreSQL server; when this is dropped it is stopped and its data is removed.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    directory: TempDir,
    address: SocketAddr,
    durability: Durability,
    server: Option<Child>,
}

impl Postgres {
    /// Makes a data directory and starts a server on it.
    ///
    /// # Errors
    /// When PostgreSQL is missing (the error has the command that installs it) or does not start.
    pub fn start(durability: Durability) -> Result<Self> {
        let programs = testbed::ensure_postgres()?;
        let directory = tempfile::Builder::new().prefix("postgres-").tempdir()?;
        let mut postgres = Self {
            programs,
            directory,
            address: free_address()?,
            durability,
            server: None,
        };
        postgres.initialize()?;
        postgres.serve()?;
        Ok(postgres)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a database, as the API's `DATABASE_URL`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_by(self.address, database)
    }

    /// The URL of a database by way of a proxy.
    #[must_use]
    pub fn url_by(&self, proxy: SocketAddr, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@{proxy}/{database}")
    }

    /// Makes an empty database; its URL.
    ///
    /// # Errors
    /// When there is one of that name, or the server does not answer.
    pub fn create_database(&self, database: &str) -> Result<String> {
        self.query("postgres", &format!("CREATE DATABASE \"{database}\""))?;
        Ok(self.url(database))
    }

    /// What a statement returns: a row a line, columns separated by `|`.
    ///
    /// # Errors
    /// When the server refuses it; with its words.
    pub fn query(&self, database: &str, statement: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statement])
            .args(["--host", "127.0.0.1", "--port", &self.address.port().to_string()])
            .args(["--username", USER, "--dbname", database])
            .env("PGPASSWORD", PASSWORD);
        finish(&mut psql)
    }

    /// Kills the server with all it has open.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL)
    }

    /// Stops the server: connections are cut, data is written.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::INT)
    }

    /// Starts the server again, on the same data and address.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        // Children of a killed server may hold its memory for a moment; the new one refuses to start beside them.
        eventually("the old server's children to end", PATIENCE, || {
            Ok(self.serve().map_err(|error| format!("{error:#}")))
        })
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(mut server) = self.server.take() else {
            bail!("the server does not run")
        };
        if let Some(status) = server.try_wait()? {
            bail!("the server had ended, with {status}:\n{}", tail(&self.log()));
        }
        kill_process(Pid::from_child(&server), signal).context("signal the server")?;
        server.wait()?;
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn initialize(&self) -> Result<()> {
        let password = self.directory.path().join("password");
        fs::write(&password, PASSWORD)?;
        if geteuid().is_root() {
            give_to_nobody(self.directory.path())?;
            give_to_nobody(&password)?;
        }
        let mut initdb = self.program("initdb");
        initdb
            .args(["--no-sync", "--encoding=UTF8", "--auth=scram-sha-256"])
            // Sort by language rules and not by bytes, as many servers do: queries that need an order must name it.
            .args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"])
            .arg(format!("--username={USER}"))
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", self.data().display()));
        finish(&mut initdb)?;
        Ok(())
    }

    fn serve(&mut self) -> Result<()> {
        let fsync = match self.durability {
            Durability::None => "off",
            Durability::Full => "on",
        };
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data());
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.address.port()),
            format!("unix_socket_directories={}", self.directory.path().display()),
            format!("fsync={fsync}"),
            "shared_buffers=16MB".to_owned(),
            "max_connections=100".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut server = spawn(command).context("start PostgreSQL (by setpriv, of util-linux)")?;
        let log = self.log();
        let answer = eventually("PostgreSQL to answer", PATIENCE, || {
            if let Some(status) = server.try_wait()? {
                bail!("it ended with {status}; its log ends:\n{}", tail(&log));
            }
            Ok(self.query("postgres", "SELECT 1").map_err(|error| format!("{error:#}")))
        });
        self.server = Some(server);
        answer.map(drop)
    }

    /// A program of PostgreSQL, as a user that it accepts, that ends with this program.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if geteuid().is_root() {
            command.args(UNPRIVILEGED).arg("--clear-groups");
        }
        command.arg("--").arg(self.programs.join(name)).current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // An error means that it has already ended, which is fine.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Runs a program to its end. Returns its standard output, or an error with its standard error.
fn finish(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("start {}", command.get_program().to_string_lossy()))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            command.get_program().to_string_lossy(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Debian's ids of the user and group that [`UNPRIVILEGED`] names.
fn give_to_nobody(path: &Path) -> Result<()> {
    std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).with_context(|| path.display().to_string())
}

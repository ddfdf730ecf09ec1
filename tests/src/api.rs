//! The reference API for tests: in this process for tests of answers, as a process of its own for tests of kills and
//! outages.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use app::{
    config::{Config, Flags, Surroundings},
    routes,
    state::{AppState, Phase},
    store::Store,
    telemetry::{Metrics, Tracer},
};
use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use testbed::build_program;
use tower::ServiceExt as _;

use crate::{eventually, operator::spawn};

/// How long the API may take to listen, and for any answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API in this process.
pub struct Service {
    /// Its state.
    pub state: AppState,
    router: Router,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// A response of the API.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header, empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Service {
    /// A service on a database, ready.
    ///
    /// # Errors
    /// When the database can't be used.
    pub async fn start(database: &str) -> Result<Self> {
        let flags = Flags {
            database_url: Some(database.to_owned()),
            ..Flags::default()
        };
        let surroundings = Surroundings {
            is_terminal: false,
            has_data_directory: false,
        };
        let config = Config::from_flags(&flags, surroundings)?;
        let metrics = Metrics::new(&config, routes::unmeasured())?;
        let store = Store::open(&config.database, metrics.store())?;
        let state = AppState::new(&config, store, metrics, Tracer::default());
        state.store().migrate().await?;
        state.enter(Phase::Serving);
        let router = routes::service(state.clone());
        Ok(Self { state, router })
    }

    /// An answer to a request.
    ///
    /// # Errors
    /// When the body breaks off.
    pub async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec())?,
        })
    }

    /// An answer to a call with a JSON body, if there is one.
    ///
    /// # Errors
    /// When the call can't be made.
    pub async fn call(&self, method: &str, path: &str, body: Option<&str>) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = Body::from(body.unwrap_or_default().to_owned());
        self.send(request.body(body)?).await
    }

    /// The value of one sample of the metrics page.
    ///
    /// # Errors
    /// When there is no page.
    pub async fn sample(&self, series: &str) -> Result<Option<f64>> {
        let page = self.call("GET", "/metrics", None).await?.text;
        let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        Ok(page.lines().find_map(value))
    }
}

/// The API as a process; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The binary: what `MONITORED_APP_BIN` names, else built by cargo in this program's profile.
///
/// # Errors
/// When it can't be built.
pub fn binary() -> Result<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = BUILT.get() {
        return Ok(path.clone());
    }
    let path = match std::env::var_os("MONITORED_APP_BIN") {
        Some(path) => PathBuf::from(path),
        None => build_program("app", "monitored-app")?,
    };
    Ok(BUILT.get_or_init(|| path).clone())
}

impl Process {
    /// Starts it on a database, at a free port, and waits until it listens.
    ///
    /// # Errors
    /// When it ends before it listens.
    pub fn start(database: &str) -> Result<Self> {
        Self::start_with(database, &[])
    }

    /// Starts it as [`Self::start`] does, with these settings: environment variables and their values.
    ///
    /// # Errors
    /// When it ends before it listens.
    pub fn start_with(database: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(binary()?);
        Self::launch(command, database, settings)
    }

    /// Starts it by a command that starts the program.
    ///
    /// # Errors
    /// When it ends before it listens.
    pub fn launch(mut command: Command, database: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).current_dir("/").envs([
            ("LISTEN", "127.0.0.1:0"),
            ("LOG_FORMAT", "json"),
            ("DATABASE_URL", database),
            ("DRAIN_DELAY", "0s"),
        ]);
        command.envs(settings.iter().copied());
        let mut child = spawn({
            command.stdin(Stdio::null()).stdout(Stdio::piped());
            command
        })?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().context("the API ended before it listened")??;
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = line.get("address").and_then(Value::as_str) {
                break address.parse()?;
            }
        };
        // If nothing read its output, the pipe would fill and the program would block.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { child, address })
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn wait_ready(&self) -> Result<()> {
        eventually("the API to be ready", PATIENCE, || {
            let answer = send(self.address, "GET", "/health/ready", None);
            Ok(match answer {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            })
        })
    }

    /// The process that was started: the program, or the command in front of it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it had already exited by itself.
    pub fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the API had ended before, with {status}");
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM to the program that the command started, and waits for the end of both.
    ///
    /// # Errors
    /// When it ends badly, or there is no such program.
    pub fn stop_traced(mut self) -> Result<()> {
        let tracer = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children"))?;
        let program = children
            .split_whitespace()
            .next()
            .context("the command started nothing")?;
        let program = rustix::process::Pid::from_raw(program.parse()?).context("no process")?;
        rustix::process::kill_process(program, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the API ended with {status}");
        }
        Ok(())
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// When it ends badly.
    pub fn stop(mut self) -> Result<()> {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the API ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status and body of an answer to a request on a connection of its own.
///
/// # Errors
/// When the connection is refused or breaks off.
pub fn send(address: SocketAddr, method: &str, path: &str, body: Option<&str>) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/json\r\n"
    };
    let length = body.len();
    stream.write_all(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer broke off")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

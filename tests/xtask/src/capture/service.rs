//! One running program of a dialect: how it is started, asked and ended. What is asked is the same for every dialect.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use integration_tests::{ask_and_leave, prometheus_server::ServerProcess};
use ureq::{
    Agent, Body,
    http::{Response, header::CONTENT_TYPE},
};

use super::{
    dialects::{Port, Traffic},
    install::{Installed, last_lines},
};

/// How long a program may take until it listens: a Java program on one slow processor.
const START: Duration = Duration::from_secs(180);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// The port of those programs that show it on their page, so that the page is the same each time.
const FIXED_PORT: u16 = 18_080;
/// Largest page that is read, in bytes.
const LARGEST_PAGE: u64 = 4 << 20;

/// Which answer a request must get, so that the pages of all dialects show the same traffic.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// This status.
    Is(u16),
    /// Whatever the framework does.
    Any,
    /// Whatever the framework does; it may close the connection without an answer.
    AnyOrNone,
}

/// The requests: how often each is sent of all and of few, method, path, answer.
const TRAFFIC: [(u32, u32, &str, &str, Answer); 10] = [
    (4, 2, "GET", "/items/1", Answer::Is(200)),
    (2, 0, "GET", "/items/2", Answer::Is(200)),
    (1, 0, "GET", "/items/3?full=yes", Answer::Is(200)),
    (3, 1, "POST", "/items", Answer::Is(201)),
    (2, 0, "GET", "/missing", Answer::Is(404)),
    (2, 1, "GET", "/fail", Answer::Is(500)),
    (2, 1, "GET", "/crash", Answer::AnyOrNone),
    (2, 0, "GET", "/slow", Answer::Is(200)),
    (2, 1, "GET", "/nowhere/7", Answer::Is(404)),
    (1, 0, "PUT", "/items/1", Answer::Any),
];

/// A page and what the program says it is.
#[derive(Debug)]
pub(crate) struct Page {
    /// The header `Content-Type`.
    pub(crate) content_type: String,
    /// The bytes.
    pub(crate) body: Vec<u8>,
}

/// A running program; it ends when this is dropped, and when the process that started it ends.
#[derive(Debug)]
pub(crate) struct Service {
    process: ServerProcess,
    address: SocketAddr,
    log: PathBuf,
    agent: Agent,
}

impl Service {
    /// Starts a program with the options of `variant`, and waits until it listens.
    ///
    /// # Errors
    /// When it ends before it listens, or doesn't listen in time.
    pub(crate) fn start(installed: &Installed, variant: &str, port: Port) -> Result<Self> {
        let port = free_port(port)?;
        let log = installed.folder.join(format!("{variant}.log"));
        let output = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let variables = ["PATH", "HOME", "JAVA_HOME"];
        let variables = variables.map(|name| (name, std::env::var_os(name).unwrap_or_default()));
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .args(&installed.command)
            .current_dir("/")
            .env_clear()
            .envs(variables.into_iter().filter(|(_, value)| !value.is_empty()))
            .env("HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("PORT", port.to_string())
            .env("VARIANT", variant)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("start the program")?;
        let mut service = Self::of_process(ServerProcess(child), port, log);
        service.wait()?;
        Ok(service)
    }

    /// A program that runs already, listens on this port of 127.0.0.1 and logs there.
    pub(crate) fn of_process(process: ServerProcess, port: u16, log: PathBuf) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .http_status_as_error(false)
            .max_idle_connections(0)
            .build()
            .into();
        Self {
            process,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            log,
            agent,
        }
    }

    /// Waits for the port and sends no request: it would be on the page.
    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.0.try_wait()? {
                bail!(
                    "it ended with {status} before it listened; its last lines: {}",
                    last_lines(&self.log)
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "it doesn't listen after {START:?}; its last lines: {}",
                    last_lines(&self.log)
                );
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Reads the metrics page.
    ///
    /// # Errors
    /// When the answer isn't a page.
    pub(crate) fn page(&self, path: &str, accept: &str) -> Result<Page> {
        let answer = self
            .agent
            .get(format!("http://{}{path}", self.address))
            .header("Accept", accept)
            .call();
        let mut answer = answer.map_err(|error| self.explain(&error, path))?;
        if answer.status() != 200 {
            bail!(
                "{path} answers {}; its last lines: {}",
                answer.status(),
                last_lines(&self.log)
            );
        }
        let content_type = answer.headers().get(CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = answer.body_mut().with_config().limit(LARGEST_PAGE).read_to_vec();
        let body = body.with_context(|| format!("read {path}"))?;
        Ok(Page { content_type, body })
    }

    /// Sends the requests, one after the other.
    ///
    /// # Errors
    /// When the program doesn't serve the routes that every dialect's program serves.
    pub(crate) fn traffic(&self, traffic: Traffic) -> Result<()> {
        for (all, few, method, path, expected) in TRAFFIC {
            let times = match traffic {
                Traffic::All | Traffic::AllAndLeave => all,
                Traffic::Few => few,
            };
            for _ in 0..times {
                self.request(method, path, expected)?;
            }
        }
        if traffic == Traffic::AllAndLeave {
            ask_and_leave(self.address, "/slow")?;
        }
        // Some libraries count a request after they have sent its answer.
        thread::sleep(PAUSE * 10);
        Ok(())
    }

    fn request(&self, method: &str, path: &str, expected: Answer) -> Result<()> {
        let url = format!("http://{}{path}", self.address);
        let answer: Result<Response<Body>, ureq::Error> = match method {
            "POST" => self
                .agent
                .post(url)
                .content_type("application/json")
                .send("{\"name\": \"cup\"}"),
            "PUT" => self
                .agent
                .put(url)
                .content_type("application/json")
                .send("{\"name\": \"cup\"}"),
            _ => self.agent.get(url).call(),
        };
        let read = answer.and_then(|mut answer| {
            let status = answer.status().as_u16();
            answer.body_mut().read_to_vec().map(|_| status)
        });
        match (read, expected) {
            (Ok(status), Answer::Is(expected)) if status != expected => {
                bail!(
                    "{method} {path} answers {status} instead of {expected}; its last lines: {}",
                    last_lines(&self.log)
                )
            }
            (Ok(_), Answer::Is(_) | Answer::Any | Answer::AnyOrNone) | (Err(_), Answer::AnyOrNone) => Ok(()),
            (Err(error), Answer::Is(_) | Answer::Any) => Err(self.explain(&error, path)),
        }
    }

    fn explain(&self, error: &ureq::Error, path: &str) -> anyhow::Error {
        anyhow::anyhow!("{path}: {error}; its last lines: {}", last_lines(&self.log))
    }
}

fn free_port(port: Port) -> Result<u16> {
    let wanted = match port {
        Port::Free => 0,
        Port::Fixed => FIXED_PORT,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).with_context(|| format!("port {wanted}"))?;
    Ok(listener.local_addr()?.port())
}

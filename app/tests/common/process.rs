//! The program in a process of its own, and a client that can misbehave.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The running program. Killed if the test ends before it does.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

pub fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-app"));
    command
        .env_clear()
        .env("LISTEN", "127.0.0.1:0")
        .env("LOG_FORMAT", "json")
        .env("DATABASE_URL", "sqlite::memory:");
    command.envs(settings.iter().copied());
    command
}

impl Program {
    /// Starts it and waits until it listens.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let mut child = command(settings).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let address = loop {
            let line = lines.next().expect("the program ended before it listened").unwrap();
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            log.lock().unwrap().push_str(&format!("{line}\n"));
            if value["message"] == "listening" {
                break value["address"].as_str().unwrap().parse().unwrap();
            }
        };
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { child, address, log }
    }

    /// Starts it and waits until it is ready.
    pub fn ready(settings: &[(&str, &str)]) -> Self {
        let program = Self::start(settings);
        program.wait_until("ready", |program| {
            program.get("/health/ready").is_some_and(|answer| answer.status == 200)
        });
        program
    }

    pub fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: not in time; log:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it serves metrics, if it does so apart.
    pub fn metrics_address(&self) -> SocketAddr {
        let address = |log: &str| {
            let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
            let mut own = lines.filter(|line: &serde_json::Value| line["message"] == "metrics listening");
            own.next()
                .map(|line| line["address"].as_str().unwrap().parse().unwrap())
        };
        self.wait_until("metrics listen", |program| address(&program.log()).is_some());
        address(&self.log()).unwrap()
    }

    /// The most resident memory that it had, bytes.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn peak_resident_bytes(&self) -> usize {
        self.status("VmHWM:")
    }

    /// The resident memory, bytes.
    pub fn resident_bytes(&self) -> usize {
        self.status("VmRSS:")
    }

    fn status(&self, field: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the program does not end; log:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// `None` if the connection is refused or breaks off.
    pub fn get(&self, path: &str) -> Option<Reply> {
        get_from(self.address, path)
    }

    /// Posts JSON; `None` if the connection is refused or breaks off.
    pub fn post(&self, path: &str, body: &str) -> Option<Reply> {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    pub fn send(&self, request: &str) -> Option<Reply> {
        send_to(self.address, request)
    }
}

/// `None` if the connection is refused or breaks off.
pub fn get_from(address: SocketAddr, path: &str) -> Option<Reply> {
    send_to(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    )
}

fn send_to(address: SocketAddr, request: &str) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Reply::parse(&answer)
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn parse(answer: &str) -> Option<Self> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        })
    }
}

//! What `monitored-api load` says of servers whose latencies are known, beside wrk and oha in the same run.
//!
//! The server (the example `known_latency` of `controller-load`) times itself. While it is stopped by a signal it can't; what an
//! independent user sees of that time follows from the length of the stop and the rate.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{
    image::{self, RELEASE},
    process::cpu_of_ended_children,
    workspace::{cargo, read, run, target},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Seconds of each measurement.
const SECONDS: u64 = 10;
/// Requests a second to a bare server.
const FAST: u64 = 20_000;
/// Connections to a bare server.
const FAST_CONNECTIONS: u64 = 64;
/// Requests a second to a server of known latency.
const SLOW: u64 = 500;
/// Connections of closed loops to a server of known latency.
const CLOSED_CONNECTIONS: u64 = 10;
/// Connections of the open loop: as many as requests that may wait in the second in which the server is stopped, and some.
const OPEN_CONNECTIONS: u64 = 700;
/// Latencies of the servers, ms.
const LATENCIES: [u64; 3] = [5, 20, 100];
/// Of the server that is stopped, ms.
const STOPPED: u64 = 20;
/// When the server is stopped after the start of a measurement, and for how long.
const STOP_AFTER: Duration = Duration::from_secs(4);
const STOP: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How often everything is measured; the tables show medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures, and returns the tables.
pub(super) fn measure(args: &Args, binary: &Path) -> Result<String> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    let bench = Bench {
        server: build()?,
        tools: Tool::all(binary),
    };
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        rounds.push(bench.round()?);
    }
    tables(&bench.tools, &rounds)
}

/// The server, with optimizations.
fn build() -> Result<PathBuf> {
    let arguments = [
        "build",
        "--locked",
        "--profile",
        RELEASE,
        "--package",
        "controller-load",
        "--example",
        "known_latency",
    ];
    run(cargo()?.args(arguments))?;
    let host = read(Command::new("rustc").args(["--print", "host-tuple"]))?;
    Ok(target()?
        .join(host.trim())
        .join(image::RELEASE)
        .join("examples/known_latency"))
}

/// A load generator.
struct Tool {
    name: &'static str,
    program: PathBuf,
    /// The command line of a measurement.
    arguments: fn(&Load) -> Vec<String>,
    /// What it printed.
    result: fn(&str) -> Result<Seen>,
    /// Whether it sends at a rate; else it is a closed loop.
    is_open: bool,
}

/// A measurement.
struct Load {
    url: String,
    rate: u64,
    connections: u64,
}

/// What a tool says.
#[derive(Debug, Clone, Copy)]
struct Seen {
    per_second: f64,
    p50: f64,
    p99: f64,
    /// How late the generator was, where it says so (99th percentile, s).
    late: Option<f64>,
    /// CPU time of the generator, s.
    cpu: f64,
}

impl Tool {
    /// Those that are installed.
    fn all(binary: &Path) -> Vec<Self> {
        let ours = |name, is_open, arguments| Self {
            name,
            program: binary.to_owned(),
            arguments,
            result: ours,
            is_open,
        };
        let oha = |name, is_open, arguments| Self {
            name,
            program: "oha".into(),
            arguments,
            result: oha,
            is_open,
        };
        let all = [
            ours("load", true, |load| {
                let (rate, connections) = (load.rate.to_string(), load.connections.to_string());
                let fixed = ["--duration", "10s", "-o", "json"].map(str::to_owned);
                let named = [
                    "load",
                    "--url",
                    &load.url,
                    "--rps",
                    &rate,
                    "--connections",
                    &connections,
                ]
                .map(str::to_owned);
                named.into_iter().chain(fixed).collect()
            }),
            ours("load, closed loop", false, |load| {
                let connections = load.connections.to_string();
                let fixed = ["--requests", "1000000000", "--duration", "10s", "-o", "json"].map(str::to_owned);
                let named = ["load", "--url", &load.url, "--concurrency", &connections].map(str::to_owned);
                named.into_iter().chain(fixed).collect()
            }),
            Self {
                name: "wrk",
                program: "wrk".into(),
                arguments: |load| {
                    let connections = load.connections.to_string();
                    ["-t", "1", "-c", &connections, "-d", "10s", "--latency", &load.url]
                        .map(str::to_owned)
                        .to_vec()
                },
                result: wrk,
                is_open: false,
            },
            oha("oha -q --latency-correction", true, |load| {
                let (rate, connections) = (load.rate.to_string(), load.connections.to_string());
                let fixed = [
                    "--latency-correction",
                    "--no-tui",
                    "--output-format",
                    "json",
                    "-z",
                    "10s",
                ]
                .map(str::to_owned);
                let named = ["-q", &rate, "-c", &connections, &load.url].map(str::to_owned);
                fixed.into_iter().chain(named).collect()
            }),
            oha("oha", false, |load| {
                let connections = load.connections.to_string();
                let fixed = ["--no-tui", "--output-format", "json", "-z", "10s"].map(str::to_owned);
                let named = ["-c", &connections, &load.url].map(str::to_owned);
                fixed.into_iter().chain(named).collect()
            }),
        ];
        let is_there = |tool: &Self| Command::new(&tool.program).arg("--version").output().is_ok();
        all.into_iter().filter(is_there).collect()
    }

    /// Runs it; `meanwhile` is called once it has started.
    fn run(&self, load: &Load, meanwhile: impl FnOnce() -> Result<()>) -> Result<Seen> {
        let cpu = cpu_of_ended_children()?;
        let mut command = Command::new(&self.program);
        let child = command
            .args((self.arguments)(load))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let child = child.spawn().with_context(|| format!("start {}", self.name))?;
        meanwhile()?;
        let output = child.wait_with_output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let seen = (self.result)(&printed).with_context(|| format!("{} printed {printed}", self.name))?;
        let cpu = cpu_of_ended_children()?.saturating_sub(cpu).as_secs_f64();
        Ok(Seen { cpu, ..seen })
    }
}

fn ours(printed: &str) -> Result<Seen> {
    let report: Value = serde_json::from_str(printed)?;
    let step = report.pointer("/steps/0").context("no step")?;
    let number = |pointer| step.pointer(pointer).and_then(Value::as_f64);
    Ok(Seen {
        per_second: number("/achievedRate").context("no rate")?,
        p50: number("/latency/p50Seconds").context("no p50")?,
        p99: number("/latency/p99Seconds").context("no p99")?,
        late: number("/lateness/p99Seconds"),
        cpu: 0.0,
    })
}

fn oha(printed: &str) -> Result<Seen> {
    let report: Value = serde_json::from_str(printed)?;
    let number = |pointer| report.pointer(pointer).and_then(Value::as_f64);
    Ok(Seen {
        per_second: number("/summary/requestsPerSec").context("no rate")?,
        p50: number("/latencyPercentiles/p50").context("no p50")?,
        p99: number("/latencyPercentiles/p99").context("no p99")?,
        late: None,
        cpu: 0.0,
    })
}

fn wrk(printed: &str) -> Result<Seen> {
    let behind = |start: &str| {
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(start));
        line.map(str::trim).with_context(|| format!("no line {start}"))
    };
    Ok(Seen {
        per_second: behind("Requests/sec:")?.parse()?,
        p50: wrk_time(behind("50%")?)?,
        p99: wrk_time(behind("99%")?)?,
        late: None,
        cpu: 0.0,
    })
}

/// A time as wrk writes it, for example `1.25ms`, in seconds.
fn wrk_time(text: &str) -> Result<f64> {
    for (unit, seconds) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * seconds);
        }
    }
    anyhow::bail!("{text} is no time")
}

/// A server of known latency. Ends with the value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(program: &Path, millis: u64) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(millis.to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let stdout = child.stdout.take().context("the server has no output")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let url = format!("http://{}/", address.trim());
        Ok(Self { child, url })
    }

    /// What it counted since the last call: p50 and p99, s.
    fn known(&self) -> Result<(f64, f64)> {
        let text = ureq::get(format!("{}known", self.url))
            .call()?
            .into_body()
            .read_to_string()?;
        let known: Value = serde_json::from_str(&text)?;
        let seconds = |name: &str| known.get(name).and_then(Value::as_f64).with_context(|| text.clone());
        Ok((seconds("p50Seconds")?, seconds("p99Seconds")?))
    }

    /// Stops it and lets it go on. Returns for how long it was stopped.
    fn stop(&self) -> Result<Duration> {
        let pid = Pid::from_child(&self.child);
        sleep(STOP_AFTER);
        kill_process(pid, Signal::STOP)?;
        let begin = Instant::now();
        sleep(STOP);
        kill_process(pid, Signal::CONT)?;
        Ok(begin.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a tool says, and what is known (p99, s).
#[derive(Debug, Clone, Copy)]
struct Compared {
    seen: Seen,
    known: f64,
}

/// One round: for each tool its figures with the bare server, with each latency, and with the server that is stopped.
struct Round {
    bare: Vec<Seen>,
    latencies: Vec<Vec<Compared>>,
    stopped: Vec<Compared>,
}

struct Bench {
    server: PathBuf,
    tools: Vec<Tool>,
}

impl Bench {
    fn round(&self) -> Result<Round> {
        let server = Server::start(&self.server, 0)?;
        let load = Load {
            url: server.url.clone(),
            rate: FAST,
            connections: FAST_CONNECTIONS,
        };
        let bare = self.tools.iter().map(|tool| tool.run(&load, || Ok(())));
        let bare = bare.collect::<Result<_>>()?;
        let latencies = LATENCIES.iter().map(|millis| self.compare(*millis));
        Ok(Round {
            bare,
            latencies: latencies.collect::<Result<_>>()?,
            stopped: self.stop()?,
        })
    }

    /// All tools with a server of known latency.
    fn compare(&self, millis: u64) -> Result<Vec<Compared>> {
        let server = Server::start(&self.server, millis)?;
        let compare = |tool: &Tool| {
            let seen = tool.run(&slow(tool, &server), || Ok(()))?;
            let (_, known) = server.known()?;
            Ok(Compared { seen, known })
        };
        self.tools.iter().map(compare).collect()
    }

    /// All tools with a server that is stopped for a second.
    fn stop(&self) -> Result<Vec<Compared>> {
        let server = Server::start(&self.server, STOPPED)?;
        let compare = |tool: &Tool| {
            let mut stopped = Duration::ZERO;
            let seen = tool.run(&slow(tool, &server), || {
                stopped = server.stop()?;
                Ok(())
            })?;
            let (p50, _) = server.known()?;
            // Of all requests of ten seconds, one in a hundred is due in the first tenth of a second of the stop: none but those wait
            // longer than the rest of it.
            let known = stopped.as_secs_f64() - Duration::from_secs(SECONDS).as_secs_f64() / 100.0 + p50;
            Ok(Compared { seen, known })
        };
        self.tools.iter().map(compare).collect()
    }
}

fn slow(tool: &Tool, server: &Server) -> Load {
    Load {
        url: server.url.clone(),
        rate: SLOW,
        connections: if tool.is_open {
            OPEN_CONNECTIONS
        } else {
            CLOSED_CONNECTIONS
        },
    }
}

fn tables(tools: &[Tool], rounds: &[Round]) -> Result<String> {
    let mut text = format!(
        "Medians of {} rounds of {SECONDS} s each.\n\n| a bare server, {FAST} requests/s, {FAST_CONNECTIONS} connections | sent/s | p50, ms | p99, ms | \
         generator late p99, ms | CPU of the generator, µs a request |\n|---|---|---|---|---|---|\n",
        rounds.len()
    );
    for (index, tool) in tools.iter().enumerate() {
        let seen: Vec<_> = rounds.iter().filter_map(|round| round.bare.get(index)).collect();
        let figure = |of: &dyn Fn(&Seen) -> f64| median(seen.iter().map(|seen| of(seen)));
        let late = figure(&|seen| seen.late.unwrap_or(f64::NAN)) * 1e3;
        writeln!(
            text,
            "| {} | {:.0} | {:.2} | {:.2} | {} | {:.1} |",
            tool.name,
            figure(&|seen| seen.per_second),
            figure(&|seen| seen.p50) * 1e3,
            figure(&|seen| seen.p99) * 1e3,
            if late.is_nan() {
                "–".to_owned()
            } else {
                format!("{late:.2}")
            },
            figure(&|seen| seen.cpu / seen.per_second / Duration::from_secs(SECONDS).as_secs_f64()) * 1e6,
        )?;
    }
    text += "\np99 of each tool ÷ p99 that is known:\n\n| server |";
    for tool in tools {
        write!(text, " {} |", tool.name)?;
    }
    writeln!(text, "\n|---|{}", "---|".repeat(tools.len()))?;
    for (index, millis) in LATENCIES.iter().enumerate() {
        let of_rounds = rounds
            .iter()
            .filter_map(|round| round.latencies.get(index))
            .collect::<Vec<_>>();
        writeln!(text, "| {millis} ms |{}", ratios(tools.len(), &of_rounds))?;
    }
    let of_rounds = rounds.iter().map(|round| &round.stopped).collect::<Vec<_>>();
    writeln!(
        text,
        "| {STOPPED} ms, stopped for a second |{}",
        ratios(tools.len(), &of_rounds)
    )?;
    Ok(text)
}

/// A cell for each tool.
fn ratios(tools: usize, rounds: &[&Vec<Compared>]) -> String {
    let cell = |tool: usize| {
        let of_tool = || rounds.iter().filter_map(move |round| round.get(tool));
        let ratio = median(of_tool().map(|compared| compared.seen.p99 / compared.known));
        let seen = median(of_tool().map(|compared| compared.seen.p99)) * 1e3;
        let known = median(of_tool().map(|compared| compared.known)) * 1e3;
        format!(" {ratio:.3} ({seen:.1} ÷ {known:.1} ms) |")
    };
    (0..tools).map(cell).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

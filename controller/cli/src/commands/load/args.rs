//! The options of `load`, and the plan that follows from them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use controller_load::plan::Trust;
use controller_load::status::StatusSet;
use controller_load::{Arrivals, ClosedLoop, Limits, Mode, OpenLoop, Plan, Step, Target};
use controller_rules::promql::PromDuration;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method};

use crate::print::ReportForm;

/// Requests that one test may have in all, so that a slip of the finger does not run for days.
const MOST_REQUESTS: f64 = 1e9;
/// Time that one test may take in all.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Bytes of a body at most.
const LARGEST_BODY: u64 = 16 << 20;
/// How long a step of an open loop takes.
const STEP: Duration = Duration::from_secs(10);
/// How long the warm-up of an open loop takes.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long a closed loop takes at most.
const CLOSED_LOOP: Duration = Duration::from_secs(600);

/// Arguments of `load`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("loop").required(true).args(["rps", "requests"]))]
pub struct LoadArgs {
    /// Where requests go: http:// or https://. May be repeated; a weight in front (3=http://…) sends it three times as many requests
    /// as an address without one. Redirects are not followed.
    #[arg(long = "url", value_name = "[WEIGHT=]URL", required = true)]
    urls: Vec<Target>,
    /// Open loop: requests a second, sent at their times whatever becomes of the ones before. Several rates, separated by commas,
    /// are steps one after the other.
    #[arg(long, value_name = "RATE", value_delimiter = ',', value_parser = rate)]
    rps: Vec<f64>,
    /// How long each step takes. Default: 10s. Of a closed loop: how long it takes at most. Default: 10m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// Time before the first step in which requests are sent at its rate and not counted. Default: 1s.
    #[arg(long, value_name = "DURATION", value_parser = duration_or_zero, conflicts_with = "requests")]
    warmup: Option<Duration>,
    /// How arrivals are spread: at equal distances, or independent of each other as those of many users (poisson).
    #[arg(long, default_value = "constant", conflicts_with = "requests")]
    arrivals: ArrivalsArg,
    /// Closed loop, as ab does it: so many requests in all, each sent when the one before it on its connection was answered. It does
    /// not show what users see while the service is slow.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    requests: Option<u64>,
    /// Closed loop: requests that are under way at the same time.
    #[arg(long, value_name = "C", default_value_t = 10, conflicts_with = "rps", value_parser = connections)]
    concurrency: usize,
    /// Open loop: open connections to one host at most. Requests for which none is free wait, and that time counts.
    #[arg(long, value_name = "N", default_value_t = 256, conflicts_with = "requests", value_parser = connections)]
    connections: usize,
    /// How long a request may take from its intended start to the last byte of its answer.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = timeout)]
    timeout: Duration,
    /// Method of every request. Default: GET, with a body POST.
    #[arg(long, value_name = "METHOD", value_parser = method)]
    method: Option<Method>,
    /// Header of every request, for example "Authorization: Bearer …". May be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Body of every request.
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    body: Option<String>,
    /// File with the body of every request, at most 16 MiB.
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// HTTP/2: with http:// without asking the server first, with https:// by ALPN. Up to a hundred requests share a connection.
    #[arg(long)]
    http2: bool,
    /// File with the root certificates (PEM) that vouch for https:// services. Default: those of Mozilla.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    cacert: Option<PathBuf>,
    /// Accept any certificate of https:// services.
    #[arg(long)]
    insecure: bool,
    /// Statuses that are no error: numbers and classes, separated by commas. Default: all below 500.
    #[arg(long, value_name = "STATUS")]
    expect_status: Option<StatusSet>,
    /// Exit code 1 if in any step more than this share of the requests fails, for example 0.01.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    max_error_ratio: Option<f64>,
    /// Exit code 1 if in any step the 99th percentile of the latencies is longer.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_p99: Option<Duration>,
    /// Write a report: a web page (.html) or data (.json). May be repeated.
    #[arg(long = "report", value_name = "FILE")]
    pub(super) reports: Vec<PathBuf>,
    /// Replace reports that exist.
    #[arg(long, requires = "reports")]
    pub(super) force: bool,
    /// Form of the result.
    #[arg(short, long, value_enum, default_value_t = ReportForm::Table)]
    pub(super) output: ReportForm,
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ArrivalsArg {
    Constant,
    Poisson,
}

impl LoadArgs {
    /// What is to be sent.
    ///
    /// # Errors
    ///
    /// Options that do not go together, and a body that can't be read.
    pub(super) fn plan(&self) -> Result<Plan, String> {
        let body = match (&self.body, &self.body_file) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(file)) => body(file).map_err(|error| format!("--body-file: {}: {error}", file.display()))?,
            (None, None) => Vec::new(),
        };
        let default = if body.is_empty() { Method::GET } else { Method::POST };
        Ok(Plan {
            targets: self.urls.clone(),
            method: self.method.clone().unwrap_or(default),
            headers: self.headers.iter().cloned().collect::<HeaderMap>(),
            body: body.into(),
            http2: self.http2,
            connections: self.connections,
            timeout: self.timeout,
            expected: self.expect_status.clone().unwrap_or_else(StatusSet::below_500),
            trust: match &self.cacert {
                Some(file) => Trust::File(file.clone()),
                None if self.insecure => Trust::Everyone,
                None => Trust::PublicRoots,
            },
            mode: self.mode()?,
            limits: Limits {
                max_error_ratio: self.max_error_ratio,
                max_p99: self.max_p99,
            },
        })
    }

    fn mode(&self) -> Result<Mode, String> {
        if let Some(requests) = self.requests {
            return Ok(Mode::Closed(ClosedLoop {
                requests,
                concurrency: self.concurrency,
                at_most: self.duration.unwrap_or(CLOSED_LOOP),
            }));
        }
        let duration = self.duration.unwrap_or(STEP);
        let step = |rate: &f64| Step { rate: *rate, duration };
        let open_loop = OpenLoop {
            steps: self.rps.iter().map(step).collect(),
            warm_up: self.warmup.unwrap_or(WARM_UP),
            arrivals: match self.arrivals {
                ArrivalsArg::Constant => Arrivals::Constant,
                ArrivalsArg::Poisson => Arrivals::Poisson,
            },
        };
        let requests: f64 = self.rps.iter().map(|rate| rate * duration.as_secs_f64()).sum();
        if requests > MOST_REQUESTS {
            return Err(format!(
                "--rps and --duration make {requests:.0} requests, more than {MOST_REQUESTS:.0}: use a lower rate or a shorter duration"
            ));
        }
        let all = open_loop.steps.iter().map(|step| step.duration).sum::<Duration>() + open_loop.warm_up;
        if all > LONGEST {
            return Err("--duration: the test takes more than 24h: use shorter or fewer steps".to_owned());
        }
        Ok(Mode::Open(open_loop))
    }
}

fn body(file: &Path) -> Result<Vec<u8>, String> {
    let open = File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    open.take(LARGEST_BODY + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST_BODY {
        return Err("it has more than 16 MiB: use a smaller body".to_owned());
    }
    Ok(bytes)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim().parse().ok();
    rate.filter(|rate| (0.001..=1e6).contains(rate))
        .ok_or_else(|| "use requests a second, from 0.001 to 1000000, for example 500 or 10,100,500".to_owned())
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok();
    ratio
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| "use a share from 0 to 1, for example 0.01 for one in a hundred".to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (1..=20_000).contains(number))
        .ok_or_else(|| "use a whole number from 1 to 20000".to_owned())
}

fn duration_or_zero(text: &str) -> Result<Duration, String> {
    let duration = PromDuration::parse_up_to_hours(text).map_err(|error| error.to_string())?;
    let duration = Duration::from_millis(duration.millis());
    if duration > LONGEST {
        return Err("use at most 24h".to_owned());
    }
    Ok(duration)
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = duration_or_zero(text)?;
    if duration.is_zero() {
        return Err("use more than zero, for example 10s".to_owned());
    }
    Ok(duration)
}

fn timeout(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration > Plan::LONGEST_TIMEOUT {
        return Err("use at most 10m".to_owned());
    }
    Ok(duration)
}

fn method(text: &str) -> Result<Method, String> {
    let method = Method::from_bytes(text.as_bytes()).ok();
    // CONNECT asks for a tunnel, not for an answer.
    method
        .filter(|method| *method != Method::CONNECT && !text.bytes().any(|byte| byte.is_ascii_lowercase()))
        .ok_or_else(|| "use a method of HTTP in capitals, for example GET or POST".to_owned())
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let parsed = text.split_once(':').and_then(|(name, value)| {
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.trim()).ok()?))
    });
    let (name, value) = parsed.ok_or("use a name, a colon and a value, for example \"Accept: application/json\"")?;
    if [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
        return Err(format!("{name} is set by the load generator: leave it out"));
    }
    Ok((name, value))
}

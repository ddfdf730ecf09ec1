//! What is to be sent, how fast and for how long.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::status::StatusSet;
use crate::target::Target;

/// A load test.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where requests go, at least one.
    pub targets: Vec<Target>,
    /// Method of every request.
    pub method: Method,
    /// Headers of every request.
    pub headers: HeaderMap,
    /// Body of every request; empty: none.
    pub body: Bytes,
    /// Whether requests are HTTP/2: with `http://` without asking the server, with `https://` by ALPN.
    pub http2: bool,
    /// Open connections to one host at most.
    pub connections: usize,
    /// How long a request may take from its intended start to the last byte of its answer, at most [`Plan::LONGEST_TIMEOUT`].
    pub timeout: Duration,
    /// Statuses that are no error.
    pub expected: StatusSet,
    /// Whom to trust with `https://`.
    pub trust: Trust,
    /// When requests are sent.
    pub mode: Mode,
    /// What the result is compared with.
    pub limits: Limits,
}

impl Plan {
    /// The longest [`Plan::timeout`]: histograms hold no longer times.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
}

/// Whose certificates are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Those that Mozilla's root certificates vouch for.
    PublicRoots,
    /// Those that the certificates of a PEM file vouch for.
    File(PathBuf),
    /// Any.
    Everyone,
}

/// When requests are sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// At given times.
    Open(OpenLoop),
    /// Each when the one before it on the same connection was answered.
    Closed(ClosedLoop),
}

/// An open loop.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenLoop {
    /// One after the other, at least one.
    pub steps: Vec<Step>,
    /// How long requests are sent before the first step, at its rate, and not counted.
    pub warm_up: Duration,
    /// How arrivals are spread.
    pub arrivals: Arrivals,
}

/// A part of an open loop with one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Requests a second, more than zero.
    pub rate: f64,
    /// How long.
    pub duration: Duration,
}

/// How the arrivals of a step are spread over its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// The same time lies between all of them.
    Constant,
    /// Each is independent of the others, as those of many users are: a Poisson process.
    Poisson,
}

impl Arrivals {
    /// The name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        }
    }
}

/// A closed loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedLoop {
    /// Requests in all.
    pub requests: u64,
    /// Requests that are under way at the same time.
    pub concurrency: usize,
    /// The loop ends after this time, also if requests are left.
    pub at_most: Duration,
}

/// What the result is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// The largest share of requests that may fail, 0 to 1.
    pub max_error_ratio: Option<f64>,
    /// The longest 99th percentile.
    pub max_p99: Option<Duration>,
}

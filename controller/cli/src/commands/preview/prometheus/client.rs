//! Questions to a Prometheus, bounded in time. No redirect is followed: it could take the token elsewhere.

use std::path::{Path, PathBuf};
use std::time::Duration;

use controller_rules::promql::PromDuration;
use jiff::Timestamp;
use ureq::Agent;
use ureq::http::header::{ACCEPT, AUTHORIZATION};

use super::answer::{self, Answered};

/// How long an answer may take, all of it.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of the file with the token.
const MAX_TOKEN: usize = 16 << 10;

/// A Prometheus that answers.
#[derive(Debug)]
pub(in super::super) struct Client {
    agent: Agent,
    /// Without a slash at the end.
    address: String,
    /// Value of the header `Authorization`.
    authorization: Option<String>,
    range: PromDuration,
    /// Seconds of Unix time by the clock of the Prometheus: the end of the time that is shown.
    now: f64,
}

/// Why a Prometheus cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum ConnectError {
    /// The file with the token cannot be read.
    #[error("--prometheus-bearer-token-file: {path}: {reason}: use a file with nothing but the token")]
    Token { path: PathBuf, reason: String },
    /// It does not answer as a Prometheus does.
    #[error(
        "--prometheus: {address}: {reason}: use the address of a Prometheus that runs, for example http://127.0.0.1:9090"
    )]
    NoAnswer { address: String, reason: String },
}

impl Client {
    /// Asks for the time by which everything else is asked.
    ///
    /// # Errors
    ///
    /// There is no Prometheus at the address, or the token cannot be read.
    pub(in super::super) fn connect(
        address: &str,
        token_file: Option<&Path>,
        range: PromDuration,
    ) -> Result<Self, ConnectError> {
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("monitored-api/", env!("CARGO_PKG_VERSION")))
            .build();
        let mut client = Self {
            agent: Agent::new_with_config(agent),
            address: address.trim_end_matches('/').to_owned(),
            authorization: token_file.map(authorization).transpose()?,
            range,
            now: 0.0,
        };
        let no_answer = |reason: String| ConnectError::NoAnswer {
            address: address.to_owned(),
            reason,
        };
        let Answered { series } = client.ask("query", &[("query", "time()")]).map_err(no_answer)?;
        let time = series.first().and_then(|series| series.points.first());
        client.now = time
            .map(|time| time.value)
            .ok_or_else(|| no_answer("it does not say what time it is".to_owned()))?;
        Ok(client)
    }

    /// The time that is shown.
    pub(in super::super) const fn range(&self) -> PromDuration {
        self.range
    }

    /// Begin and end of the time that is shown.
    pub(in super::super) fn shown(&self) -> [Option<Timestamp>; 2] {
        [self.begin(), self.now].map(|seconds| Timestamp::from_second(seconds as i64).ok())
    }

    fn begin(&self) -> f64 {
        self.now - self.range.millis() as f64 / 1_000.0
    }

    /// What a query gives for now.
    ///
    /// # Errors
    ///
    /// Why there is no answer, for people.
    pub(super) fn query(&self, promql: &str) -> Result<Answered, String> {
        self.ask("query", &[("query", promql), ("time", &self.now.to_string())])
    }

    /// What a query gives for each step of the time that is shown.
    ///
    /// # Errors
    ///
    /// Why there is no answer, for people.
    pub(super) fn query_range(&self, promql: &str, step: PromDuration) -> Result<Answered, String> {
        let (begin, end) = (self.begin().to_string(), self.now.to_string());
        let step = step.seconds().to_string();
        self.ask(
            "query_range",
            &[("query", promql), ("start", &begin), ("end", &end), ("step", &step)],
        )
    }

    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answered, String> {
        let request = self.agent.get(format!("{}/api/v1/{path}", self.address));
        let request = request
            .query_pairs(parameters.iter().copied())
            .header(ACCEPT, "application/json");
        let request = match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        };
        let answer = request.call().map_err(|error| format!("no answer ({error})"))?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(format!("it redirects to another address ({status})"));
        }
        if matches!(status.as_u16(), 401 | 403) {
            return Err(format!(
                "it refuses the request ({status}); a token is given by --prometheus-bearer-token-file"
            ));
        }
        // What is wrong with a query is told in the body, with a status of 4xx or 5xx.
        let read = answer::read(answer.into_body().into_reader(), self.now);
        read.map_err(|reason| {
            if status.is_success() {
                reason
            } else {
                format!("{reason} ({status})")
            }
        })
    }
}

fn authorization(file: &Path) -> Result<String, ConnectError> {
    let wrong = |reason: String| ConnectError::Token {
        path: file.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let token = text.trim();
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "it holds no token in one line of ASCII without spaces".to_owned(),
        ));
    }
    Ok(format!("Bearer {token}"))
}

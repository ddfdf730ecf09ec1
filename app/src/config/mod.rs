//! Settings: what can be set, its unit and default, and the checks. Reads nothing but its arguments.
//!
//! clap fills [`Flags`] from the command line and the environment; [`Config::from_flags`] checks all of them and
//! returns every complaint at once.

mod parse;
#[cfg(test)]
mod tests;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use metric_contract::DialectId;

use self::parse::Reader;

/// Settings as they are given. A flag wins over the environment; an empty value counts as not given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Address to serve on, `ip:port`. Default `[::]:8000` (every address, IPv4 too).
    #[arg(long, env = "LISTEN", value_name = "IP:PORT")]
    pub listen: Option<String>,
    /// Address without the port, if LISTEN is not set. Default `::`.
    #[arg(long, env = "HOST", value_name = "IP")]
    pub host: Option<String>,
    /// Port, if LISTEN is not set. Default 8000.
    #[arg(long, env = "PORT", value_name = "PORT")]
    pub port: Option<String>,
    /// Where the data is: `sqlite://<path>` or `sqlite::memory:`. Default `sqlite:///data/monitored.db` if /data can be
    /// written, else `sqlite://data/monitored.db`.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// How metrics are named. Default `native`.
    #[arg(long, env = "METRICS_DIALECT", value_name = "DIALECT")]
    pub metrics_dialect: Option<String>,
    /// Upper bounds of the request duration histogram, seconds, ascending, separated by commas. Default: the dialect's.
    #[arg(long, env = "METRICS_BUCKETS", value_name = "SECONDS,…")]
    pub metrics_buckets: Option<String>,
    /// How often figures of the process are read. Default 10s.
    #[arg(long, env = "SYSTEM_METRICS_INTERVAL", value_name = "DURATION")]
    pub system_metrics_interval: Option<String>,
    /// Whether metrics are recorded and served at /metrics. Default true.
    #[arg(long, env = "ENABLE_METRICS", value_name = "BOOL")]
    pub enable_metrics: Option<String>,
    /// `json` or `pretty`. Default: `pretty` on a terminal, else `json`.
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// `error`, `warn`, `info`, `debug` or `trace`. Default `info`.
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// After SIGTERM: how long to keep serving while readiness says no. Default 5s.
    #[arg(long, env = "DRAIN_DELAY", value_name = "DURATION")]
    pub drain_delay: Option<String>,
    /// After the drain delay: how long requests in flight may take to finish. Default 20s.
    #[arg(long, env = "SHUTDOWN_GRACE", value_name = "DURATION")]
    pub shutdown_grace: Option<String>,
    /// Requests served at the same time; more are answered 503 at once. Probes and /metrics do not count. Default 256.
    #[arg(long, env = "MAX_CONCURRENT_REQUESTS", value_name = "NUMBER")]
    pub max_concurrent_requests: Option<String>,
    /// Open connections; more are answered 503 and closed. Default 10000.
    #[arg(long, env = "MAX_CONNECTIONS", value_name = "NUMBER")]
    pub max_connections: Option<String>,
    /// Size of a request's body, bytes; more is answered 413. Default 1048576.
    #[arg(long, env = "MAX_BODY_BYTES", value_name = "BYTES")]
    pub max_body_bytes: Option<String>,
    /// Time for a new connection to send its first byte. Default 10s.
    #[arg(long, env = "FIRST_BYTE_TIMEOUT", value_name = "DURATION")]
    pub first_byte_timeout: Option<String>,
    /// Time for a request's head, from its first byte. Default 10s.
    #[arg(long, env = "HEADER_TIMEOUT", value_name = "DURATION")]
    pub header_timeout: Option<String>,
    /// Time for a request's body. Default 30s.
    #[arg(long, env = "BODY_TIMEOUT", value_name = "DURATION")]
    pub body_timeout: Option<String>,
    /// Time for which a connection may do nothing between requests, or take nothing of a response. Default 60s.
    #[arg(long, env = "IDLE_TIMEOUT", value_name = "DURATION")]
    pub idle_timeout: Option<String>,
}

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Whether IPv4 alone will do, because nobody asked for this address.
    pub is_default: bool,
}

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In a SQLite file.
    File(PathBuf),
    /// In memory; gone with the process.
    Memory,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// What a client may take of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests at the same time, without probes and metrics.
    pub concurrent_requests: usize,
    /// Open connections.
    pub connections: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// From a connection's start to its first byte.
    pub first_byte: Duration,
    /// From a request's first byte to the end of its head.
    pub header: Duration,
    /// For a request's body.
    pub body: Duration,
    /// Without a request, and without progress of a response.
    pub idle: Duration,
}

/// Settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// Where the data is.
    pub database: Database,
    /// How metrics are named.
    pub dialect: DialectId,
    /// Bounds of the duration histogram in seconds, if not the dialect's.
    pub buckets: Option<Vec<f64>>,
    /// How often figures of the process are read.
    pub system_metrics_interval: Duration,
    /// Whether metrics are recorded and served.
    pub metrics: bool,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The least important level that is logged.
    pub log_level: tracing::Level,
    /// Serving on after SIGTERM.
    pub drain_delay: Duration,
    /// Finishing after that.
    pub shutdown_grace: Duration,
    /// What a client may take.
    pub limits: Limits,
}

/// Facts about the surroundings that defaults depend on.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// Whether the standard output is a terminal.
    pub is_terminal: bool,
    /// Whether `/data` is a directory that can be written.
    pub has_data_directory: bool,
}

/// Settings that cannot be used, all of them.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    complaints: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.complaints.len() {
            1 => write!(f, "1 setting cannot be used:")?,
            many => write!(f, "{many} settings cannot be used:")?,
        }
        self.complaints
            .iter()
            .try_for_each(|complaint| write!(f, "\n  {complaint}"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks all settings.
    ///
    /// # Errors
    /// Names every setting that cannot be used.
    pub fn from_flags(flags: &Flags, surroundings: Surroundings) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let config = Self {
            listen: reader.listen(flags),
            database: reader.database(flags.database_url.as_deref(), surroundings.has_data_directory),
            dialect: reader.dialect(flags.metrics_dialect.as_deref()),
            buckets: reader.buckets(flags.metrics_buckets.as_deref()),
            system_metrics_interval: reader.positive_duration(
                "SYSTEM_METRICS_INTERVAL",
                flags.system_metrics_interval.as_deref(),
                Duration::from_secs(10),
            ),
            metrics: reader.boolean("ENABLE_METRICS", flags.enable_metrics.as_deref(), true),
            log_format: reader.log_format(flags.log_format.as_deref(), surroundings.is_terminal),
            log_level: reader.log_level(flags.log_level.as_deref()),
            drain_delay: reader.duration("DRAIN_DELAY", flags.drain_delay.as_deref(), Duration::from_secs(5)),
            shutdown_grace: reader.duration(
                "SHUTDOWN_GRACE",
                flags.shutdown_grace.as_deref(),
                Duration::from_secs(20),
            ),
            limits: reader.limits(flags),
        };
        let complaints = reader.complaints();
        if complaints.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { complaints })
        }
    }
}

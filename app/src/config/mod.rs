//! The settings: sources, checks and defaults. Reads nothing but its arguments.
//!
//! clap fills [`Flags`] from the command line and the environment. [`Config::from_sources`] merges them with `.env` and the
//! settings file, checks all of them, and returns all complaints together. Each setting is one row in `settings.rs`.

mod layers;
mod parse;
mod reference;
mod settings;
#[cfg(test)]
mod tests;
mod traces;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use metric_contract::DialectId;
use tokio::sync::Semaphore;

pub use self::{
    layers::{SettingsFile, Sources},
    reference::page as reference_page,
    settings::{DefaultValue, Flags, SETTINGS, Setting},
    traces::{CallerSampler, Collector, Traces},
};
use self::{parse::SettingReader, settings::Values};

/// Largest bodies that are in memory at the same time. With the default limit that is 32 MiB.
const BODIES: usize = 32;
/// The memory for bodies, however small each of them may be.
const LEAST_BODIES_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of all responses that clients have not taken yet.
const RESPONSES_BYTES: usize = 32 * 1024 * 1024;
/// What the process takes without clients: the program, the store and its caches, figures, and what the allocator keeps. Under a
/// memory limit, clients may take the rest.
const OWN_BYTES: usize = 24 * 1024 * 1024;
/// The part of a memory limit that clients may take, however small it is: the process has to serve somebody.
const LEAST_CLIENTS_SHARE: usize = 4;
/// Bodies may take this part of the memory for clients, and responses another one.
const MEMORY_SHARE: usize = 8;
/// Connections may take this part of the memory for clients.
const CONNECTIONS_SHARE: usize = 4;
/// The most that a connection takes apart from what is counted: hyper's buffers, the last piece of a response, a handler, the
/// kernel's own data.
const CONNECTION_BYTES: usize = 64 * 1024;
/// What waits in the kernel for connections may take this part of the memory for clients: cgroups of version 2 count it.
const SOCKETS_SHARE: usize = 4;
/// What may wait in the kernel for a connection in one direction, at least: the smallest that lets a body arrive fast.
const LEAST_SOCKET_BYTES: usize = 32 * 1024;
/// So much or more is left to the kernel, which chooses by how fast the connection is.
const MOST_SOCKET_BYTES: usize = 512 * 1024;
/// HTTP/2 requests may take this part of the memory for clients.
const STREAMS_SHARE: usize = 8;
/// What an HTTP/2 request takes apart from its bodies, as measured with clients that take no answers.
const STREAM_BYTES: usize = 2_560;
/// HTTP/2 requests that a connection may always have at the same time.
const LEAST_STREAMS: u32 = 8;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In a SQLite file.
    File(PathBuf),
    /// In memory; gone with the process.
    Memory,
    /// In PostgreSQL.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database, which the driver can read. It may hold a password, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// The URL itself, for the driver alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// Limits for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests at the same time, without probes and metrics.
    pub concurrent_requests: usize,
    /// Open connections.
    pub connections: usize,
    /// Open connections of one address; `None` for any number.
    pub connections_per_ip: Option<usize>,
    /// HTTP/2 requests of one connection at the same time.
    pub streams: u32,
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
    /// Memory that the process may use for clients; `None` for any amount.
    pub memory_bytes: Option<usize>,
}

impl Limits {
    /// Bytes of all bodies that are being read or handled, and of the JSON values made from them: 32 of the largest
    /// bodies. Slow clients hold connections, not this.
    #[must_use]
    pub fn bodies_bytes(&self) -> usize {
        let bytes = self.body_bytes.saturating_mul(BODIES).min(self.share_bytes());
        bytes.clamp(LEAST_BODIES_BYTES, Semaphore::MAX_PERMITS)
    }

    /// The part of the memory for clients that bodies or responses may take.
    fn share_bytes(&self) -> usize {
        self.memory_bytes.map_or(usize::MAX, |bytes| bytes / MEMORY_SHARE)
    }

    /// Bytes that may wait in the kernel for a connection, in each direction; `None`: as the kernel chooses.
    #[must_use]
    pub fn socket_buffer_bytes(&self) -> Option<usize> {
        let bytes = self.memory_bytes? / SOCKETS_SHARE / self.connections.max(1) / 2;
        (bytes < MOST_SOCKET_BYTES).then_some(bytes.max(LEAST_SOCKET_BYTES))
    }

    /// The limits for clients when all connections are taken: who does nothing soon makes room for others.
    #[must_use]
    pub fn under_pressure(self) -> Self {
        let soon = |time: Duration| time.min(Duration::from_secs(1));
        Self {
            first_byte: soon(self.first_byte),
            header: soon(self.header),
            idle: soon(self.idle),
            ..self
        }
    }

    /// Requests that are slow on purpose and may be served at the same time: a quarter of all, so that others find room.
    #[must_use]
    pub fn slow_requests(&self) -> usize {
        (self.concurrent_requests / 4).max(1)
    }

    /// Bytes of all large responses that clients have not taken yet.
    #[must_use]
    pub fn responses_bytes(&self) -> usize {
        RESPONSES_BYTES.min(self.share_bytes())
    }
}

/// Above these, alerts of the process itself fire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// CPU use, percent of what the process may use.
    pub cpu_percent: f64,
    /// Resident memory, bytes. `None`: 80 % of the container's limit, or of the machine.
    pub memory_bytes: Option<u64>,
    /// Share of requests answered 5xx, 0 to 1.
    pub error_ratio: f64,
    /// 95th percentile of request durations.
    pub latency_p95: Duration,
    /// Requests in flight.
    pub in_flight: u64,
}

/// Bounds of the cache of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBounds {
    /// Users kept.
    pub entries: usize,
    /// How long a user is kept.
    pub ttl: Duration,
}

/// Bounds of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackgroundBounds {
    /// Tasks that may wait.
    pub queue: usize,
    /// Tasks at the same time.
    pub workers: usize,
}

/// Bounds of computations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputeBounds {
    /// Threads. `None`: one less than the cores, at least 1.
    pub threads: Option<usize>,
    /// Computations that may wait for a thread.
    pub queue: usize,
}

/// Settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to serve metrics and their analysis, if not with the rest.
    pub metrics_listen: Option<SocketAddr>,
    /// Where the data is.
    pub database: Database,
    /// How metrics are named.
    pub dialect: DialectId,
    /// Bounds of the duration histogram in seconds, if not the dialect's.
    pub buckets: Option<Vec<f64>>,
    /// How often derived figures are computed.
    pub metrics_collection_interval: Duration,
    /// How often figures of process, host and container are read.
    pub system_metrics_interval: Duration,
    /// Whether they are read.
    pub system_metrics: bool,
    /// Whether metrics are recorded and served.
    pub metrics: bool,
    /// A request that takes longer counts as slow.
    pub slow_request: Duration,
    /// When alerts of the process itself fire.
    pub thresholds: Thresholds,
    /// Bounds of the cache of users.
    pub cache: CacheBounds,
    /// Bounds of background work.
    pub background: BackgroundBounds,
    /// Bounds of computations.
    pub compute: ComputeBounds,
    /// Where traces go.
    pub traces: Traces,
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

/// All settings that cannot be used.
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
    /// Merges the sources of the settings, and checks all of them.
    ///
    /// # Errors
    /// Names every setting that cannot be used.
    pub fn from_sources(sources: Sources, surroundings: Surroundings) -> Result<Self, ConfigError> {
        let mut complaints = Vec::new();
        let traces = traces::read(&sources.environment, &mut complaints);
        let flags = layers::merge(sources, &mut complaints);
        Self::check(&flags, traces, surroundings, complaints)
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// Names every setting that cannot be used.
    pub fn from_flags(flags: &Flags, surroundings: Surroundings) -> Result<Self, ConfigError> {
        Self::check(flags, Traces::Nowhere, surroundings, Vec::new())
    }

    fn check(
        flags: &Flags,
        traces: Traces,
        surroundings: Surroundings,
        complaints: Vec<String>,
    ) -> Result<Self, ConfigError> {
        let mut reader = SettingReader::new(complaints);
        let values = Values::read(flags, &mut reader);
        let config = values.map(|values| Self::from_values(values, traces, surroundings));
        if let Some(address) = config.as_ref().and_then(Self::shared_address) {
            reader.complain(format!(
                "METRICS_LISTEN: \"{address}\" is not a valid address, as LISTEN has it already: use one other than the \
                 main one, for example [::]:9090"
            ));
        }
        match (config, reader.complaints()) {
            (Some(config), complaints) if complaints.is_empty() => Ok(config),
            (_, complaints) => Err(ConfigError { complaints }),
        }
    }

    /// The same settings in a container with this memory limit: fewer connections and HTTP/2 requests, and less memory
    /// for bodies and responses, if they would not fit.
    #[must_use]
    pub fn within_memory(mut self, bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let bytes = bytes.saturating_sub(OWN_BYTES).max(bytes / LEAST_CLIENTS_SHARE);
        let fitting = (bytes / CONNECTIONS_SHARE / CONNECTION_BYTES).max(1);
        self.limits.connections = self.limits.connections.min(fitting);
        let streams = bytes / STREAMS_SHARE / self.limits.connections / STREAM_BYTES;
        let streams = u32::try_from(streams).unwrap_or(u32::MAX).max(LEAST_STREAMS);
        self.limits.streams = self.limits.streams.min(streams);
        self.limits.memory_bytes = Some(bytes);
        self
    }

    /// The address that both listeners would have to take. Port 0 stands for any free port.
    fn shared_address(&self) -> Option<SocketAddr> {
        self.metrics_listen
            .filter(|address| *address == self.listen && address.port() != 0)
    }

    /// Puts checked values in their places, with the defaults that depend on others or on the surroundings.
    fn from_values(values: Values, traces: Traces, surroundings: Surroundings) -> Self {
        Self {
            listen: values.listen.unwrap_or(SocketAddr::new(values.host, values.port)),
            metrics_listen: values.metrics_listen,
            database: values.database_url.unwrap_or_else(|| default_database(surroundings)),
            dialect: values.metrics_dialect,
            buckets: values.metrics_buckets,
            metrics_collection_interval: values.metrics_collection_interval,
            system_metrics_interval: values.system_metrics_interval,
            system_metrics: values.enable_system_metrics,
            metrics: values.enable_metrics,
            slow_request: values.slow_request_seconds,
            thresholds: Thresholds {
                cpu_percent: values.cpu_alert_percent,
                memory_bytes: values.memory_alert_bytes,
                error_ratio: values.error_ratio_alert,
                latency_p95: values.latency_p95_alert_seconds,
                in_flight: values.in_flight_alert,
            },
            cache: CacheBounds {
                entries: values.cache_entries,
                ttl: values.cache_ttl,
            },
            background: BackgroundBounds {
                queue: values.background_queue,
                workers: values.background_workers,
            },
            compute: ComputeBounds {
                threads: values.compute_threads,
                queue: values.compute_queue,
            },
            traces: traces.with_caller_limit(values.max_caller_traces),
            log_format: values.log_format.unwrap_or(match surroundings.is_terminal {
                true => LogFormat::Pretty,
                false => LogFormat::Json,
            }),
            log_level: values.log_level.unwrap_or(match values.debug {
                true => tracing::Level::DEBUG,
                false => tracing::Level::INFO,
            }),
            drain_delay: values.drain_delay,
            shutdown_grace: values.shutdown_grace,
            limits: Limits {
                concurrent_requests: values.max_concurrent_requests,
                connections: values.max_connections,
                connections_per_ip: Some(values.max_connections_per_ip).filter(|number| *number > 0),
                streams: values.max_streams_per_connection,
                body_bytes: values.max_body_bytes,
                first_byte: values.first_byte_timeout,
                header: values.header_timeout,
                body: values.body_timeout,
                idle: values.idle_timeout,
                memory_bytes: None,
            },
        }
    }
}

fn default_database(surroundings: Surroundings) -> Database {
    Database::File(PathBuf::from(match surroundings.has_data_directory {
        true => "/data/monitored.db",
        false => "data/monitored.db",
    }))
}

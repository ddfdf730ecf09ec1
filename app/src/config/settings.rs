//! The settings: one row each, with name, kind of value, default, check and explanation. The command line, the
//! environment, the settings file, the checked values and the reference page all follow from these rows.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use metric_contract::DialectId;

use super::{
    Database, LogFormat,
    parse::{
        SettingReader, at_least, boolean, buckets, database, dialect, duration, from_text, host, log_format, number,
        positive_duration, whole,
    },
};

/// What holds when a setting is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// This value.
    Is(&'static str),
    /// It depends; in words.
    Words(&'static str),
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// What it belongs to.
    pub group: &'static str,
    /// Its key in the settings file; with dashes its flag.
    pub key: &'static str,
    /// Its environment variable.
    pub name: &'static str,
    /// The kind of value, with its unit.
    pub value: &'static str,
    /// What holds when it is not given.
    pub default: DefaultValue,
    /// What it sets.
    pub help: &'static str,
}

/// The type of a checked value: optional if its default is only described.
macro_rules! checked {
    (Is, $type:ty) => { $type };
    (Words, $type:ty) => { Option<$type> };
}

/// Reads a value, or takes the default.
macro_rules! read {
    ($reader:ident, Is, $name:expr, $given:expr, $default:expr, $parse:expr) => {
        $reader.value_or_default($name, $given, $default, $parse)
    };
    ($reader:ident, Words, $name:expr, $given:expr, $default:expr, $parse:expr) => {
        $reader.value_if_given($name, $given, $parse)
    };
}

macro_rules! settings {
    ($($group:literal {
        $($field:ident: $type:ty, $name:literal, $value:literal, $kind:ident $default:literal, $parse:expr, $help:literal;)+
    })+) => {
        /// Settings as they are given on the command line and in the environment. A flag wins; an empty value counts as
        /// not given.
        #[derive(Clone, Default, clap::Args)]
        pub struct Flags {$($(
            #[doc = $help]
            #[arg(
                long,
                env = $name,
                hide_env_values = true,
                value_name = $value,
                help_heading = $group,
                help = concat!($help, " Default: ", $default, ".")
            )]
            pub $field: Option<String>,
        )+)+}

        /// Every setting, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[$($(
            Setting {
                group: $group,
                key: stringify!($field),
                name: $name,
                value: $value,
                default: DefaultValue::$kind($default),
                help: $help,
            },
        )+)+];

        impl Flags {
            /// Every setting with its place here.
            pub(super) fn slots(&mut self) -> Vec<(&'static Setting, &mut Option<String>)> {
                SETTINGS.iter().zip([$($(&mut self.$field,)+)+]).collect()
            }
        }

        /// Every setting's value, checked on its own.
        pub(super) struct Values {$($(
            pub(super) $field: checked!($kind, $type),
        )+)+}

        impl Values {
            /// Reads all of them; `None` if the reader has complaints about any.
            pub(super) fn read(flags: &Flags, reader: &mut SettingReader) -> Option<Self> {
                $($(let $field = read!(reader, $kind, $name, flags.$field.as_deref(), $default, $parse);)+)+
                Some(Self {$($($field: $field?,)+)+})
            }
        }
    };
}

settings! {
    "Addresses" {
        listen: SocketAddr, "LISTEN", "IP:PORT", Words "[::]:8000", from_text("address", "an IP address and a port, for example [::]:8000"),
            "Address to serve on. `[::]` is every address, IPv4 too.";
        host: IpAddr, "HOST", "IP", Is "::", host,
            "Address without the port, if LISTEN is not set.";
        port: u16, "PORT", "PORT", Is "8000", whole(0..=u16::MAX),
            "Port, if LISTEN is not set.";
        metrics_listen: SocketAddr, "METRICS_LISTEN", "IP:PORT", Words "none, they are served with the rest", from_text("address", "an IP address and a port, for example [::]:8000"),
            "A separate address for /metrics and the pages made from it; the main address then answers 404 for them.";
    }
    "Store" {
        database_url: Database, "DATABASE_URL", "URL", Words "sqlite:///data/monitored.db if /data can be written, else sqlite://data/monitored.db", database,
            "Where the data is: `sqlite://<path>`, `postgres://<user>:<password>@<host>/<database>` (with `?sslmode=verify-full&sslrootcert=<file>` for TLS that is checked), or `sqlite::memory:` for tests. Never shown in logs or errors.";
        cache_entries: usize, "CACHE_ENTRIES", "NUMBER", Is "10000", whole(1..=10_000_000),
            "Users kept in the cache; beyond that the one used least is removed.";
        cache_ttl: Duration, "CACHE_TTL", "DURATION", Is "60s", positive_duration,
            "How long a cached user may differ from the store, with more than one replica.";
        background_queue: usize, "BACKGROUND_QUEUE", "NUMBER", Is "1000", whole(1..=1_000_000),
            "Background tasks that may wait; more are dropped and counted.";
        background_workers: usize, "BACKGROUND_WORKERS", "NUMBER", Is "2", whole(1..=256),
            "Background tasks at the same time.";
    }
    "Compute" {
        compute_threads: usize, "COMPUTE_THREADS", "NUMBER", Words "one less than the cores, at least 1", whole(1..=256),
            "Threads for /compute.";
        compute_queue: usize, "COMPUTE_QUEUE", "NUMBER", Is "64", whole(1..=1_000_000),
            "Computations that may wait for a thread; more are answered 503.";
    }
    "Metrics" {
        metrics_dialect: DialectId, "METRICS_DIALECT", "DIALECT", Is "native", dialect,
            "How metrics are named: one of the values in docs/reference/dialects.md.";
        metrics_buckets: Vec<f64>, "METRICS_BUCKETS", "SECONDS,…", Words "the dialect's", buckets,
            "Upper bounds of the request duration histogram in seconds, ascending, separated by commas.";
        metrics_collection_interval: Duration, "METRICS_COLLECTION_INTERVAL", "DURATION", Is "5s", positive_duration,
            "How often derived figures are computed: request rate, health score, history for trends.";
        system_metrics_interval: Duration, "SYSTEM_METRICS_INTERVAL", "DURATION", Is "10s", positive_duration,
            "How often figures of process, host and container are read.";
        enable_system_metrics: bool, "ENABLE_SYSTEM_METRICS", "BOOL", Is "true", boolean,
            "Whether figures of process, host and container are read.";
        enable_metrics: bool, "ENABLE_METRICS", "BOOL", Is "true", boolean,
            "Whether metrics are recorded and served.";
        slow_request_seconds: Duration, "SLOW_REQUEST_SECONDS", "SECONDS", Is "1", positive_duration,
            "A request that takes longer counts as slow.";
    }
    "Alerts" {
        cpu_alert_percent: f64, "CPU_ALERT_PERCENT", "PERCENT", Is "80", number(0.0..=100.0),
            "CPU use of the process above which an alert fires, in percent of what it may use.";
        memory_alert_bytes: u64, "MEMORY_ALERT_BYTES", "BYTES", Words "80 % of the container's limit, or of the machine", at_least(1),
            "Resident memory of the process above which an alert fires.";
        error_ratio_alert: f64, "ERROR_RATIO_ALERT", "RATIO", Is "0.05", number(0.0..=1.0),
            "Share of requests answered 5xx above which an alert fires, 0 to 1.";
        latency_p95_alert_seconds: Duration, "LATENCY_P95_ALERT_SECONDS", "SECONDS", Is "0.5", positive_duration,
            "95th percentile of request durations above which an alert fires.";
        in_flight_alert: u64, "IN_FLIGHT_ALERT", "NUMBER", Is "10", at_least(0),
            "Requests in flight above which an alert fires.";
    }
    "Log" {
        log_format: LogFormat, "LOG_FORMAT", "FORMAT", Words "pretty on a terminal, else json", log_format,
            "`json` or `pretty`.";
        log_level: tracing::Level, "LOG_LEVEL", "LEVEL", Words "info, or debug with DEBUG", from_text("log level", "error, warn, info, debug or trace"),
            "`error`, `warn`, `info`, `debug` or `trace`.";
        debug: bool, "DEBUG", "BOOL", Is "false", boolean,
            "Log at level debug, if LOG_LEVEL is not set.";
    }
    "Stopping" {
        drain_delay: Duration, "DRAIN_DELAY", "DURATION", Is "5s", duration,
            "After SIGTERM: how long to keep serving while the readiness probe already fails.";
        shutdown_grace: Duration, "SHUTDOWN_GRACE", "DURATION", Is "20s", duration,
            "After the drain delay: how long requests in flight may take to finish.";
    }
    "Limits" {
        max_concurrent_requests: usize, "MAX_CONCURRENT_REQUESTS", "NUMBER", Is "256", whole(1..=1_000_000),
            "Requests served at the same time; more are answered 503 at once. Probes and /metrics do not count.";
        max_connections: usize, "MAX_CONNECTIONS", "NUMBER", Is "10000", whole(1..=1_000_000),
            "Open connections. One more takes the place of one that does nothing, or is answered 503 and closed. In a container with a memory limit at most one for each 256 KiB of it.";
        max_connections_per_ip: usize, "MAX_CONNECTIONS_PER_IP", "NUMBER", Is "0", whole(0..=1_000_000),
            "Open connections of one address, 0 for no limit. Behind a proxy all clients have its address.";
        max_streams_per_connection: u32, "MAX_STREAMS_PER_CONNECTION", "NUMBER", Is "100", whole(1..=10_000),
            "HTTP/2 requests of one connection at the same time. In a container with a memory limit those of all connections together take an eighth of it at most, but each connection may have 8.";
        max_caller_traces: u32, "MAX_CALLER_TRACES", "NUMBER", Is "10", whole(0..=1_000_000),
            "Requests a second whose caller decides that they are recorded as traces, see above; 0: callers decide nothing.";
        max_body_bytes: usize, "MAX_BODY_BYTES", "BYTES", Is "1048576", whole(1..=1 << 30),
            "Size of a request's body; more is answered 413.";
        first_byte_timeout: Duration, "FIRST_BYTE_TIMEOUT", "DURATION", Is "10s", positive_duration,
            "Time for a new connection to send its first byte.";
        header_timeout: Duration, "HEADER_TIMEOUT", "DURATION", Is "10s", positive_duration,
            "Time for a request's head, from its first byte.";
        body_timeout: Duration, "BODY_TIMEOUT", "DURATION", Is "20s", positive_duration,
            "Time for a request's body.";
        idle_timeout: Duration, "IDLE_TIMEOUT", "DURATION", Is "60s", positive_duration,
            "How long a connection may stay without a request, or without reading from a response.";
    }
}

/// Names what is set, and no value: one of them is a secret.
impl std::fmt::Debug for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut copy = self.clone();
        let set = copy.slots().into_iter().filter(|(_, value)| value.is_some());
        f.debug_set().entries(set.map(|(setting, _)| setting.name)).finish()
    }
}

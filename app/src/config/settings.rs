//! The settings: one row each. The command line, the environment, the settings file and the reference page follow it.

/// What holds when a setting is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
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
    pub default: Unset,
    /// What it sets.
    pub help: &'static str,
}

macro_rules! settings {
    ($($group:literal {
        $($field:ident, $name:literal, $value:literal, $kind:ident $default:literal, $help:literal;)+
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
                default: Unset::$kind($default),
                help: $help,
            },
        )+)+];

        impl Flags {
            /// Every setting with its place here.
            pub(super) fn slots(&mut self) -> Vec<(&'static Setting, &mut Option<String>)> {
                SETTINGS.iter().zip([$($(&mut self.$field,)+)+]).collect()
            }
        }
    };
}

settings! {
    "Addresses" {
        listen, "LISTEN", "IP:PORT", Words "[::]:8000",
            "Address to serve on. `[::]` is every address, IPv4 too.";
        host, "HOST", "IP", Words "::",
            "Address without the port, if LISTEN is not set.";
        port, "PORT", "PORT", Is "8000",
            "Port, if LISTEN is not set.";
        metrics_listen, "METRICS_LISTEN", "IP:PORT", Words "none, they are served with the rest",
            "An address of its own for /metrics and its analysis; the main address then answers 404 for them.";
    }
    "Store" {
        database_url, "DATABASE_URL", "URL",
            Words "sqlite:///data/monitored.db if /data can be written, else sqlite://data/monitored.db",
            "Where the data is: `sqlite://<path>`, `postgres://<user>:<password>@<host>/<database>` (with `?sslmode=verify-full&sslrootcert=<file>` for TLS that is checked), or `sqlite::memory:` for tests. Never shown in logs or errors.";
        cache_entries, "CACHE_ENTRIES", "NUMBER", Is "10000",
            "Users kept in the cache; beyond that the least used goes.";
        cache_ttl, "CACHE_TTL", "DURATION", Is "60s",
            "How long a cached user may differ from the store, with more than one replica.";
        background_queue, "BACKGROUND_QUEUE", "NUMBER", Is "1000",
            "Background tasks that may wait; more are dropped and counted.";
        background_workers, "BACKGROUND_WORKERS", "NUMBER", Is "2",
            "Background tasks at the same time.";
    }
    "Compute" {
        compute_threads, "COMPUTE_THREADS", "NUMBER", Words "one less than the cores, at least 1",
            "Threads for /compute.";
        compute_queue, "COMPUTE_QUEUE", "NUMBER", Is "64",
            "Computations that may wait for a thread; more are answered 503.";
    }
    "Metrics" {
        metrics_dialect, "METRICS_DIALECT", "DIALECT", Is "native",
            "How metrics are named.";
        metrics_buckets, "METRICS_BUCKETS", "SECONDS,…", Words "the dialect's",
            "Upper bounds of the request duration histogram in seconds, ascending, separated by commas.";
        metrics_collection_interval, "METRICS_COLLECTION_INTERVAL", "DURATION", Is "5s",
            "How often derived figures are computed: request rate, health score, history for trends.";
        system_metrics_interval, "SYSTEM_METRICS_INTERVAL", "DURATION", Is "10s",
            "How often figures of process, host and container are read.";
        enable_system_metrics, "ENABLE_SYSTEM_METRICS", "BOOL", Is "true",
            "Whether figures of process, host and container are read.";
        enable_metrics, "ENABLE_METRICS", "BOOL", Is "true",
            "Whether metrics are recorded and served.";
        slow_request_seconds, "SLOW_REQUEST_SECONDS", "SECONDS", Is "1",
            "A request that takes longer counts as slow.";
    }
    "Alerts" {
        cpu_alert_percent, "CPU_ALERT_PERCENT", "PERCENT", Is "80",
            "CPU use of the process above which an alert fires, in percent of what it may use.";
        memory_alert_bytes, "MEMORY_ALERT_BYTES", "BYTES", Words "80 % of the container's limit, or of the machine",
            "Resident memory of the process above which an alert fires.";
        error_ratio_alert, "ERROR_RATIO_ALERT", "RATIO", Is "0.05",
            "Share of requests answered 5xx above which an alert fires, 0 to 1.";
        latency_p95_alert_seconds, "LATENCY_P95_ALERT_SECONDS", "SECONDS", Is "0.5",
            "95th percentile of request durations above which an alert fires.";
        in_flight_alert, "IN_FLIGHT_ALERT", "NUMBER", Is "10",
            "Requests in flight above which an alert fires.";
    }
    "Log" {
        log_format, "LOG_FORMAT", "FORMAT", Words "pretty on a terminal, else json",
            "`json` or `pretty`.";
        log_level, "LOG_LEVEL", "LEVEL", Words "info, or debug with DEBUG",
            "`error`, `warn`, `info`, `debug` or `trace`.";
        debug, "DEBUG", "BOOL", Is "false",
            "Log at level debug, if LOG_LEVEL is not set.";
    }
    "Stopping" {
        drain_delay, "DRAIN_DELAY", "DURATION", Is "5s",
            "After SIGTERM: how long to keep serving while readiness says no.";
        shutdown_grace, "SHUTDOWN_GRACE", "DURATION", Is "20s",
            "After the drain delay: how long requests in flight may take to finish.";
    }
    "Limits" {
        max_concurrent_requests, "MAX_CONCURRENT_REQUESTS", "NUMBER", Is "256",
            "Requests served at the same time; more are answered 503 at once. Probes and /metrics do not count.";
        max_connections, "MAX_CONNECTIONS", "NUMBER", Is "10000",
            "Open connections; more are answered 503 and closed.";
        max_connections_per_ip, "MAX_CONNECTIONS_PER_IP", "NUMBER", Is "0",
            "Open connections of one address, 0 for no limit. Behind a proxy all clients have its address.";
        max_streams_per_connection, "MAX_STREAMS_PER_CONNECTION", "NUMBER", Is "100",
            "HTTP/2 requests of one connection at the same time.";
        max_body_bytes, "MAX_BODY_BYTES", "BYTES", Is "1048576",
            "Size of a request's body; more is answered 413.";
        first_byte_timeout, "FIRST_BYTE_TIMEOUT", "DURATION", Is "10s",
            "Time for a new connection to send its first byte.";
        header_timeout, "HEADER_TIMEOUT", "DURATION", Is "10s",
            "Time for a request's head, from its first byte.";
        body_timeout, "BODY_TIMEOUT", "DURATION", Is "20s",
            "Time for a request's body.";
        idle_timeout, "IDLE_TIMEOUT", "DURATION", Is "60s",
            "Time for which a connection may do nothing between requests, or take nothing of a response.";
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

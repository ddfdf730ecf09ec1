//! Reads single settings. A value that cannot be used becomes a complaint, and the default stands in for it.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use metric_contract::DialectId;

use super::{
    BackgroundBounds, CacheBounds, ComputeBounds, Database, Flags, Limits, LogFormat, PostgresUrl, Thresholds,
};

const DEFAULT_PORT: u16 = 8000;
/// Characters of a bad value that a complaint shows.
const MAX_SHOWN: usize = 80;
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Collects complaints while settings are read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    complaints: Vec<String>,
}

impl Reader {
    /// Goes on from complaints about where settings come from.
    pub(super) fn new(complaints: Vec<String>) -> Self {
        Self { complaints }
    }

    pub(super) fn complaints(self) -> Vec<String> {
        self.complaints
    }

    fn complain(&mut self, name: &str, value: &str, why: &str) {
        // Enough to recognize it; a whole file by mistake would bury the other complaints.
        let shown: String = value.chars().take(MAX_SHOWN).collect();
        self.complaints.push(format!("{name}={shown:?}: {why}"));
    }

    /// Parses a value that is given, or complains and takes the default.
    fn parse<T>(
        &mut self,
        name: &str,
        value: Option<&str>,
        default: T,
        why: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
            return default;
        };
        parse(value).unwrap_or_else(|| {
            self.complain(name, value, why);
            default
        })
    }

    pub(super) fn listen(&mut self, flags: &Flags) -> SocketAddr {
        let host = self.parse(
            "HOST",
            flags.host.as_deref(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            "not an IP address, such as 0.0.0.0 or ::",
            |host| match host {
                "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
                other => other.trim_start_matches('[').trim_end_matches(']').parse().ok(),
            },
        );
        let port = self.parse(
            "PORT",
            flags.port.as_deref(),
            DEFAULT_PORT,
            "not a port, 0 to 65535",
            parse_as,
        );
        let composed = SocketAddr::new(host, port);
        let why = "not an address and port, such as [::]:8000 or 127.0.0.1:8000";
        self.parse("LISTEN", flags.listen.as_deref(), composed, why, parse_as)
    }

    pub(super) fn metrics_listen(&mut self, value: Option<&str>, listen: SocketAddr) -> Option<SocketAddr> {
        let why = "not an address and port, such as [::]:9090, other than the main one";
        self.parse("METRICS_LISTEN", value, None, why, |text| {
            let address = parse_as(text).filter(|address: &SocketAddr| *address != listen || address.port() == 0)?;
            Some(Some(address))
        })
    }

    /// The value is left out of complaints: it may hold a password.
    pub(super) fn database(&mut self, url: Option<&str>, has_data_directory: bool) -> Database {
        let default = if has_data_directory {
            "/data/monitored.db"
        } else {
            "data/monitored.db"
        };
        let Some(url) = url.map(str::trim).filter(|url| !url.is_empty()) else {
            return Database::File(PathBuf::from(default));
        };
        match database_at(url) {
            Ok(database) => database,
            Err(why) => {
                self.complaints.push(format!("DATABASE_URL: {why}"));
                Database::Memory
            }
        }
    }

    pub(super) fn dialect(&mut self, value: Option<&str>) -> DialectId {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
            return DialectId::Native;
        };
        DialectId::from_str(value).unwrap_or_else(|why| {
            self.complain("METRICS_DIALECT", value, &why.to_string());
            DialectId::Native
        })
    }

    pub(super) fn buckets(&mut self, value: Option<&str>) -> Option<Vec<f64>> {
        self.parse(
            "METRICS_BUCKETS",
            value,
            None,
            "not ascending positive numbers separated by commas, such as 0.1,0.5,1",
            |text| {
                let bounds: Option<Vec<f64>> = text.split(',').map(|bound| parse_as(bound.trim())).collect();
                let bounds = bounds.filter(|bounds| {
                    bounds.iter().all(|bound| bound.is_finite() && *bound > 0.0) && bounds.is_sorted_by(|a, b| a < b)
                });
                bounds.map(Some)
            },
        )
    }

    pub(super) fn boolean(&mut self, name: &str, value: Option<&str>, default: bool) -> bool {
        self.parse(name, value, default, "neither true nor false", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            }
        })
    }

    pub(super) fn log_format(&mut self, value: Option<&str>, is_terminal: bool) -> LogFormat {
        let default = if is_terminal {
            LogFormat::Pretty
        } else {
            LogFormat::Json
        };
        self.parse(
            "LOG_FORMAT",
            value,
            default,
            "neither json nor pretty",
            |text| match text {
                "json" => Some(LogFormat::Json),
                "pretty" => Some(LogFormat::Pretty),
                _ => None,
            },
        )
    }

    pub(super) fn log_level(&mut self, flags: &Flags) -> tracing::Level {
        let debug = self.boolean("DEBUG", flags.debug.as_deref(), false);
        let default = if debug {
            tracing::Level::DEBUG
        } else {
            tracing::Level::INFO
        };
        let why = "not one of error, warn, info, debug, trace";
        self.parse("LOG_LEVEL", flags.log_level.as_deref(), default, why, parse_as)
    }

    pub(super) fn duration(&mut self, name: &str, value: Option<&str>, default: Duration) -> Duration {
        self.parse(
            name,
            value,
            default,
            "not a duration, such as 10s, 500ms or 2m, at most 24h",
            parse_duration,
        )
    }

    pub(super) fn positive_duration(&mut self, name: &str, value: Option<&str>, default: Duration) -> Duration {
        let why = "not a duration above zero, such as 10s, 500ms or 2m, at most 24h";
        self.parse(name, value, default, why, |text| {
            parse_duration(text).filter(|duration| !duration.is_zero())
        })
    }

    fn number(&mut self, name: &str, value: Option<&str>, default: usize, max: usize) -> usize {
        let why = format!("not a whole number from 1 to {max}");
        self.parse(name, value, default, &why, |text| {
            parse_as(text).filter(|number| (1..=max).contains(number))
        })
    }

    /// A number of the given range.
    fn figure(&mut self, name: &str, value: Option<&str>, default: f64, range: (f64, f64)) -> f64 {
        let (low, high) = range;
        let why = format!("not a number from {low} to {high}");
        self.parse(name, value, default, &why, |text| {
            parse_as(text).filter(|number| (low..=high).contains(number))
        })
    }

    pub(super) fn thresholds(&mut self, flags: &Flags) -> Thresholds {
        let memory = flags.memory_alert_bytes.as_deref();
        let in_flight = flags.in_flight_alert.as_deref();
        Thresholds {
            cpu_percent: self.figure(
                "CPU_ALERT_PERCENT",
                flags.cpu_alert_percent.as_deref(),
                80.0,
                (0.0, 100.0),
            ),
            memory_bytes: self.parse(
                "MEMORY_ALERT_BYTES",
                memory,
                None,
                "not a whole number of bytes above 0",
                |text| parse_as(text).filter(|bytes| *bytes > 0).map(Some),
            ),
            error_ratio: self.figure(
                "ERROR_RATIO_ALERT",
                flags.error_ratio_alert.as_deref(),
                0.05,
                (0.0, 1.0),
            ),
            latency_p95: self.positive_duration(
                "LATENCY_P95_ALERT_SECONDS",
                flags.latency_p95_alert_seconds.as_deref(),
                Duration::from_millis(500),
            ),
            in_flight: self.parse("IN_FLIGHT_ALERT", in_flight, 10, "not a whole number", parse_as),
        }
    }

    pub(super) fn cache(&mut self, flags: &Flags) -> CacheBounds {
        CacheBounds {
            entries: self.number("CACHE_ENTRIES", flags.cache_entries.as_deref(), 10_000, 10_000_000),
            ttl: self.positive_duration("CACHE_TTL", flags.cache_ttl.as_deref(), Duration::from_secs(60)),
        }
    }

    pub(super) fn background(&mut self, flags: &Flags) -> BackgroundBounds {
        BackgroundBounds {
            queue: self.number("BACKGROUND_QUEUE", flags.background_queue.as_deref(), 1_000, 1_000_000),
            workers: self.number("BACKGROUND_WORKERS", flags.background_workers.as_deref(), 2, 256),
        }
    }

    pub(super) fn compute(&mut self, flags: &Flags) -> ComputeBounds {
        let threads = flags.compute_threads.as_deref();
        ComputeBounds {
            threads: self.parse(
                "COMPUTE_THREADS",
                threads,
                None,
                "not a whole number from 1 to 256",
                |text| parse_as(text).filter(|number| (1..=256).contains(number)).map(Some),
            ),
            queue: self.number("COMPUTE_QUEUE", flags.compute_queue.as_deref(), 64, 1_000_000),
        }
    }

    fn connections_per_ip(&mut self, value: Option<&str>) -> Option<usize> {
        let why = "not a whole number from 0 to 1000000";
        self.parse("MAX_CONNECTIONS_PER_IP", value, None, why, |text| {
            let number: usize = parse_as(text).filter(|number| *number <= 1_000_000)?;
            Some((number > 0).then_some(number))
        })
    }

    fn streams(&mut self, value: Option<&str>) -> u32 {
        let streams = self.number("MAX_STREAMS_PER_CONNECTION", value, 100, 10_000);
        u32::try_from(streams).unwrap_or(u32::MAX)
    }

    pub(super) fn limits(&mut self, flags: &Flags) -> Limits {
        let seconds = Duration::from_secs;
        Limits {
            concurrent_requests: self.number(
                "MAX_CONCURRENT_REQUESTS",
                flags.max_concurrent_requests.as_deref(),
                256,
                1_000_000,
            ),
            connections: self.number("MAX_CONNECTIONS", flags.max_connections.as_deref(), 10_000, 1_000_000),
            connections_per_ip: self.connections_per_ip(flags.max_connections_per_ip.as_deref()),
            streams: self.streams(flags.max_streams_per_connection.as_deref()),
            body_bytes: self.number("MAX_BODY_BYTES", flags.max_body_bytes.as_deref(), 1 << 20, 1 << 30),
            first_byte: self.positive_duration("FIRST_BYTE_TIMEOUT", flags.first_byte_timeout.as_deref(), seconds(10)),
            header: self.positive_duration("HEADER_TIMEOUT", flags.header_timeout.as_deref(), seconds(10)),
            body: self.positive_duration("BODY_TIMEOUT", flags.body_timeout.as_deref(), seconds(20)),
            idle: self.positive_duration("IDLE_TIMEOUT", flags.idle_timeout.as_deref(), seconds(60)),
        }
    }
}

fn parse_as<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// `10s`, `500ms`, `1m30s`; a plain number is seconds.
fn parse_duration(text: &str) -> Option<Duration> {
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok()?,
    };
    (duration <= MAX_DURATION).then_some(duration)
}

fn database_at(url: &str) -> Result<Database, &'static str> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return postgres_url(url);
    }
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Err("not a URL of the form sqlite://<path>, sqlite::memory: or postgres://<user>@<host>/<database>");
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        ":memory:" => Ok(Database::Memory),
        "" => Err("the path of the SQLite file is missing"),
        path if path.contains('?') => Err("parameters after ? are not supported for SQLite"),
        path => Ok(Database::File(PathBuf::from(path))),
    }
}

/// Parameters that the driver knows. It would log others with their values, and ignore them.
const POSTGRES_PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

fn postgres_url(url: &str) -> Result<Database, &'static str> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let known = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        POSTGRES_PARAMETERS.contains(&name)
    };
    if !parameters
        .split('&')
        .all(|parameter| parameter.is_empty() || known(parameter))
    {
        return Err("a parameter after ? is not known; sslmode and sslrootcert are the usual ones");
    }
    // What the driver says of a bad URL may repeat its parts.
    sqlx::postgres::PgConnectOptions::from_str(url)
        .map_err(|_| "not a URL of the form postgres://<user>:<password>@<host>:<port>/<database>")?;
    Ok(Database::Postgres(PostgresUrl(url.to_owned())))
}

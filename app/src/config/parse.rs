//! Reads single settings. A value that cannot be used becomes a complaint of the form `NAME: X is not a valid Y: use Z`.

use std::{
    borrow::Cow,
    fmt::Display,
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use metric_contract::DialectId;

use super::{Database, LogFormat, PostgresUrl};

/// Characters of a bad value that a complaint shows.
const MAX_SHOWN: usize = 80;
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a text cannot be used.
#[derive(Debug)]
pub(super) struct Invalid {
    /// What it is not, and what to use: `duration: use 0 to 24h, for example 30s`.
    expected: Cow<'static, str>,
    /// Whether the value may hold a password, and is not shown.
    is_secret: bool,
}

/// A value, or why there is none.
type Parsed<T> = Result<T, Invalid>;

/// The value, or what it should have been: a kind of value, and what to use instead.
fn expect<T>(value: Option<T>, kind: &str, instead: impl Display) -> Parsed<T> {
    value.ok_or_else(|| Invalid {
        expected: format!("{kind}: use {instead}").into(),
        is_secret: false,
    })
}

/// Collects complaints while settings are read.
#[derive(Debug, Default)]
pub(super) struct SettingReader {
    complaints: Vec<String>,
}

impl SettingReader {
    /// Goes on from complaints about where settings come from.
    pub(super) fn new(complaints: Vec<String>) -> Self {
        Self { complaints }
    }

    pub(super) fn complaints(self) -> Vec<String> {
        self.complaints
    }

    pub(super) fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }

    /// Parses the value or, if none is given, the default. `None`: there is a complaint.
    pub(super) fn value_or_default<T>(
        &mut self,
        name: &str,
        value: Option<&str>,
        default: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<T> {
        self.parse(name, given(value).unwrap_or(default), parse)
    }

    /// Parses the value if one is given. `None`: there is a complaint.
    pub(super) fn value_if_given<T>(
        &mut self,
        name: &str,
        value: Option<&str>,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<Option<T>> {
        match given(value) {
            Some(value) => self.parse(name, value, parse).map(Some),
            None => Some(None),
        }
    }

    fn parse<T>(&mut self, name: &str, value: &str, parse: impl FnOnce(&str) -> Parsed<T>) -> Option<T> {
        match parse(value) {
            Ok(value) => Some(value),
            Err(Invalid { expected, is_secret }) => {
                let shown = if is_secret {
                    "the value, which is not shown,".to_owned()
                } else {
                    shown(value)
                };
                self.complain(format!("{name}: {shown} is not a valid {expected}"));
                None
            }
        }
    }
}

/// A bad value, quoted; only its beginning, because a whole file by mistake would bury the other complaints.
pub(super) fn shown(value: &str) -> String {
    format!("{:?}", value.chars().take(MAX_SHOWN).collect::<String>())
}

/// An empty value counts as not given.
fn given(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// Parses what Rust parses from a text.
pub(super) fn from_text<T: FromStr>(kind: &'static str, instead: &'static str) -> impl Fn(&str) -> Parsed<T> {
    move |text| expect(text.parse().ok(), kind, instead)
}

/// Parses a whole number of a range.
pub(super) fn whole<T: FromStr + PartialOrd + Display>(range: RangeInclusive<T>) -> impl Fn(&str) -> Parsed<T> {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let instead = format_args!("a whole number from {} to {}", range.start(), range.end());
        expect(number, "number", instead)
    }
}

/// Parses a whole number that has no upper bound.
pub(super) fn at_least(min: u64) -> impl Fn(&str) -> Parsed<u64> {
    move |text| {
        let number = text.parse().ok().filter(|number| *number >= min);
        expect(number, "number", format_args!("a whole number, at least {min}"))
    }
}

/// Parses a number of a range.
pub(super) fn number(range: RangeInclusive<f64>) -> impl Fn(&str) -> Parsed<f64> {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let instead = format_args!("a number from {} to {}", range.start(), range.end());
        expect(number, "number", instead)
    }
}

pub(super) fn boolean(text: &str) -> Parsed<bool> {
    let value = match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    };
    expect(value, "boolean", "true or false")
}

/// Parses `10s`, `500ms` or `1m30s`; a plain number is seconds.
pub(super) fn duration(text: &str) -> Parsed<Duration> {
    expect(
        duration_up_to_a_day(text),
        "duration",
        "at most 24h, for example 30s, 500ms or 1m30s",
    )
}

/// Parses a duration above zero.
pub(super) fn positive_duration(text: &str) -> Parsed<Duration> {
    let positive = duration_up_to_a_day(text).filter(|duration| !duration.is_zero());
    let instead = "more than 0 and at most 24h, for example 30s, 500ms or 1m30s";
    expect(positive, "duration", instead)
}

fn duration_up_to_a_day(text: &str) -> Option<Duration> {
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok()?,
    };
    (duration <= MAX_DURATION).then_some(duration)
}

pub(super) fn host(text: &str) -> Parsed<IpAddr> {
    let address = match text {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        other => other.trim_start_matches('[').trim_end_matches(']').parse().ok(),
    };
    expect(
        address,
        "IP address",
        "an IPv4 or IPv6 address, for example 0.0.0.0 or ::",
    )
}

pub(super) fn dialect(text: &str) -> Parsed<DialectId> {
    let written = DialectId::WRITTEN;
    let known: Vec<_> = written.iter().map(|id| id.as_str()).collect();
    expect(
        text.parse().ok().filter(|id| written.contains(id)),
        "dialect",
        format_args!("one of {}", known.join(", ")),
    )
}

pub(super) fn buckets(text: &str) -> Parsed<Vec<f64>> {
    let bounds: Option<Vec<f64>> = text.split(',').map(|bound| bound.trim().parse().ok()).collect();
    let bounds = bounds.filter(|bounds| {
        bounds.iter().all(|bound| bound.is_finite() && *bound > 0.0) && bounds.is_sorted_by(|a, b| a < b)
    });
    let instead = "ascending positive numbers separated by commas, for example 0.1,0.5,1";
    expect(bounds, "list of bounds", instead)
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    let format = match text {
        "json" => Some(LogFormat::Json),
        "pretty" => Some(LogFormat::Pretty),
        _ => None,
    };
    expect(format, "log format", "json or pretty")
}

/// Parses where the data is.
pub(super) fn database(url: &str) -> Parsed<Database> {
    database_at(url).map_err(|expected| Invalid {
        expected: expected.into(),
        is_secret: true,
    })
}

fn database_at(url: &str) -> Result<Database, &'static str> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return postgres_url(url);
    }
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Err("database URL: use sqlite://<path>, sqlite::memory: or postgres://<user>@<host>/<database>");
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        ":memory:" => Ok(Database::Memory),
        "" => Err("database URL, its path is missing: use for example sqlite://data/monitored.db"),
        path if path.contains('?') => {
            Err("database URL, SQLite has no parameters here: use it without ? and what follows")
        }
        path => Ok(Database::File(PathBuf::from(path))),
    }
}

/// Parameters that the driver knows. It ignores others, and logs them with their values.
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
        return Err(
            "database URL, a parameter after ? is unknown: use those of the driver, for example sslmode or sslrootcert",
        );
    }
    // The driver's error may repeat parts of the URL.
    sqlx::postgres::PgConnectOptions::from_str(url)
        .map_err(|_| "database URL: use postgres://<user>:<password>@<host>:<port>/<database>")?;
    Ok(Database::Postgres(PostgresUrl(url.to_owned())))
}

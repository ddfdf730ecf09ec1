//! Prometheus durations (`1h30m`, `500ms`) in whole milliseconds: no float, and printed as Prometheus itself prints them.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Decimal;

/// Units from the longest to the shortest, with their milliseconds. A year is 365 days, as in Prometheus.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const DAY: u64 = 86_400_000;
/// Longest duration that Prometheus can hold: i64 nanoseconds, about 292 years.
const MAX_MILLIS: u64 = 9_223_372_036_854;

/// A span of time as Prometheus writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PromDuration {
    millis: u64,
}

impl PromDuration {
    /// Reads any duration that Prometheus takes: `0`, or numbers with the units `y w d h m s ms`, from the longest to
    /// the shortest, each at most once.
    ///
    /// # Errors
    /// The text is something else, or longer than about 292 years.
    pub fn parse(text: &str) -> Result<Self, ParseDurationError> {
        if text == "0" {
            return Ok(Self { millis: 0 });
        }
        parse_units(text, &UNITS).ok_or(ParseDurationError)
    }

    /// Reads a duration of hours, minutes, seconds and milliseconds: what a MonitoredApi's fields take, because the API
    /// server compares them as Go durations, which have no days, weeks and years.
    ///
    /// # Errors
    /// The text is something else.
    pub fn parse_up_to_hours(text: &str) -> Result<Self, ParseDurationError> {
        let [_, _, _, units @ ..] = &UNITS;
        parse_units(text, units).ok_or(ParseDurationError)
    }

    /// A number of milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// A number of seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Self {
            millis: seconds as u64 * 1_000,
        }
    }

    /// A number of minutes.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        Self {
            millis: minutes as u64 * 60_000,
        }
    }

    /// The number of milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.millis == 0
    }

    /// The exact number of seconds.
    #[must_use]
    pub const fn seconds(self) -> Decimal {
        Decimal::thousandths(self.millis)
    }
}

impl fmt::Display for PromDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.millis;
        for (unit, millis) in UNITS {
            // Prometheus writes years, weeks and days only if nothing remains: 8d, not 1w1d.
            let whole_only = millis >= DAY;
            if rest >= millis && (!whole_only || rest.is_multiple_of(millis)) {
                write!(f, "{}{unit}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

impl Serialize for PromDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid duration: use numbers with units, the longest first, for example 500ms, 5m or 1h30m")]
pub struct ParseDurationError;

/// Adds up numbers with units; `units` are those that may still come, the longest first.
fn parse_units(text: &str, mut units: &[(&str, u64)]) -> Option<PromDuration> {
    let mut rest = text;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (name, after) = after.split_at(after.bytes().take_while(u8::is_ascii_lowercase).count());
        let position = units.iter().position(|(unit, _)| *unit == name)?;
        let ((_, unit), shorter) = units.get(position..)?.split_first()?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*unit)?)?;
        (rest, units) = (after, shorter);
    }
    (!text.is_empty() && millis <= MAX_MILLIS).then_some(PromDuration { millis })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_is_printed_as_prometheus_prints_it() {
        for (text, printed) in [
            ("500ms", "500ms"),
            ("1500ms", "1s500ms"),
            ("90m", "1h30m"),
            ("5m", "5m"),
            ("28d", "4w"),
            ("8d", "8d"),
            ("1w1d", "8d"),
            ("1d12h", "36h"),
            ("365d", "1y"),
            ("0", "0s"),
            ("0s", "0s"),
        ] {
            assert_eq!(PromDuration::parse(text).unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn a_text_that_prometheus_refuses_is_not_a_duration() {
        for text in [
            "",
            "fast",
            "5",
            "m",
            "5 m",
            "1m1h",
            "1s1s",
            "-5m",
            "1.5h",
            "5M",
            "300000y",
            "99999999999999999999s",
            "5µs",
        ] {
            assert_eq!(PromDuration::parse(text), Err(ParseDurationError), "{text}");
        }
    }

    #[test]
    fn a_duration_up_to_hours_has_neither_days_nor_a_number_alone() {
        for (text, millis) in [
            ("15s", 15_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1m500ms", 60_500),
        ] {
            assert_eq!(
                PromDuration::parse_up_to_hours(text).unwrap().millis(),
                millis,
                "{text}"
            );
        }
        for text in [
            "",
            "0",
            "1",
            "1d",
            "1w",
            "1y",
            "s",
            "5s1m",
            "-1s",
            "1.5s",
            "99999999999999999999h",
        ] {
            assert_eq!(PromDuration::parse_up_to_hours(text), Err(ParseDurationError), "{text}");
        }
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!(PromDuration::parse("300ms").unwrap().seconds().to_string(), "0.3");
        assert_eq!(PromDuration::parse("1m").unwrap().seconds().to_string(), "60");
    }

    proptest! {
        #[test]
        fn any_duration_survives_being_printed_and_read(millis in 0..=MAX_MILLIS) {
            let duration = PromDuration::from_millis(millis);
            prop_assert_eq!(PromDuration::parse(&duration.to_string()), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC*") {
            let _ = PromDuration::parse(&text);
        }
    }
}

//! Prometheus durations (`1h30m`, `500ms`) in whole milliseconds: no float, and printed as Prometheus itself prints them.

use std::{fmt, str::FromStr};

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
    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Self {
            millis: seconds as u64 * 1_000,
        }
    }

    /// So many minutes.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        Self {
            millis: minutes as u64 * 60_000,
        }
    }

    /// Its milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// Its seconds, exactly.
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
            // Prometheus writes years, weeks and days only where nothing is left over: 8d, not 1w1d.
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

/// A text that is no Prometheus duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a duration such as 500ms, 2m or 1h30m")]
pub struct NotADuration;

impl FromStr for PromDuration {
    type Err = NotADuration;

    /// Reads `0`, or numbers with units `y w d h m s ms` from the longest to the shortest, each at most once.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self { millis: 0 });
        }
        let mut rest = text;
        let mut units = UNITS.as_slice();
        let mut millis: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
            let (name, after) = after.split_at(after.bytes().take_while(u8::is_ascii_lowercase).count());
            let place = units.iter().position(|(unit, _)| *unit == name).ok_or(NotADuration)?;
            let (taken, left) = units.split_at(place + 1);
            let unit = taken.last().map_or(0, |(_, millis)| *millis);
            let part = number
                .parse::<u64>()
                .ok()
                .and_then(|n| n.checked_mul(unit))
                .ok_or(NotADuration)?;
            millis = millis.checked_add(part).ok_or(NotADuration)?;
            (rest, units) = (after, left);
        }
        if text.is_empty() || millis > MAX_MILLIS {
            return Err(NotADuration);
        }
        Ok(Self { millis })
    }
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
            assert_eq!(text.parse::<PromDuration>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn what_prometheus_would_refuse_is_no_duration() {
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
            assert_eq!(text.parse::<PromDuration>(), Err(NotADuration), "{text}");
        }
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!("300ms".parse::<PromDuration>().unwrap().seconds().to_string(), "0.3");
        assert_eq!("1m".parse::<PromDuration>().unwrap().seconds().to_string(), "60");
    }

    proptest! {
        #[test]
        fn any_duration_survives_being_printed_and_read(millis in 0..=MAX_MILLIS) {
            let duration = PromDuration::from_millis(millis);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC*") {
            let _ = text.parse::<PromDuration>();
        }
    }
}

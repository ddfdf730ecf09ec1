//! Thresholds: as a user writes them, as a number in the query's unit, and as text in annotations.

use crate::promql::{Decimal, PromDuration};

/// The unit in which a threshold is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdUnit {
    /// `0.02`: from 0 up to, but without, 1.
    Ratio,
    /// `500ms`: a Prometheus duration, in queries as seconds.
    Duration,
    /// `512Mi`: a Kubernetes quantity, in queries as bytes.
    Bytes,
    /// `10`
    Count,
}

/// Suffixes of Kubernetes quantities, with their bytes.
const QUANTITIES: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

impl ThresholdUnit {
    /// Reads a threshold as a number in the query's unit.
    ///
    /// # Errors
    /// What is wanted, as the end of the message `<text> is not a valid …`.
    pub fn parse(self, text: &str) -> Result<Decimal, &'static str> {
        match self {
            Self::Ratio => {
                const WANTED: &str = "ratio: use a number from 0 to below 1, for example 0.02 for 2 %";
                let below_one = |ratio: &Decimal| ratio.to_f64() < 1.0;
                text.parse().ok().filter(below_one).ok_or(WANTED)
            }
            Self::Duration => {
                let above_zero = |duration: &PromDuration| duration.millis() > 0;
                let duration = PromDuration::parse(text).ok().filter(above_zero);
                let wanted = "duration: use h, m, s and ms and more than 0, for example 500ms";
                duration.map(PromDuration::seconds).ok_or(wanted)
            }
            Self::Bytes => parse_quantity(text)
                .map(Decimal::whole)
                .ok_or("quantity of bytes: use a whole number with a unit, for example 512Mi"),
            Self::Count => text.parse().map_err(|_| "count: use a number, for example 10"),
        }
    }

    /// The threshold as a person writes it.
    #[must_use]
    pub fn text(self, threshold: Decimal) -> String {
        match self {
            Self::Ratio => format!("{} %", threshold.times_hundred()),
            Self::Duration => threshold.as_millis().map_or_else(
                || format!("{threshold}s"),
                |millis| PromDuration::from_millis(millis).to_string(),
            ),
            Self::Bytes => format!("{threshold} bytes"),
            Self::Count => threshold.to_string(),
        }
    }

    /// The threshold as [`Self::parse`] reads it.
    #[must_use]
    pub fn setting(self, threshold: Decimal) -> String {
        match self {
            Self::Duration => self.text(threshold),
            Self::Ratio | Self::Bytes | Self::Count => threshold.to_string(),
        }
    }

    /// The template expression that prints an alert's value in this unit.
    #[must_use]
    pub const fn value_template(self) -> &'static str {
        match self {
            Self::Ratio => "{{ $value | humanizePercentage }}",
            Self::Duration => "{{ $value | humanizeDuration }}",
            Self::Bytes => "{{ $value | humanize1024 }}B",
            Self::Count => "{{ $value | humanize }}",
        }
    }
}

fn parse_quantity(text: &str) -> Option<u64> {
    let split = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(split);
    let factor = match suffix {
        "" => 1,
        _ => QUANTITIES.iter().find(|(name, _)| *name == suffix)?.1,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(unit: ThresholdUnit, text: &str) -> Result<String, &'static str> {
        unit.parse(text).map(|value| value.to_string())
    }

    #[test]
    fn a_threshold_that_is_written_as_a_setting_is_read_again() {
        for (unit, text) in [
            (ThresholdUnit::Ratio, "0.02"),
            (ThresholdUnit::Duration, "500ms"),
            (ThresholdUnit::Duration, "1m30s"),
            (ThresholdUnit::Bytes, "1024"),
            (ThresholdUnit::Count, "10"),
        ] {
            assert_eq!(unit.setting(unit.parse(text).unwrap()), text);
        }
    }

    #[test]
    fn a_threshold_is_read_in_the_alerts_own_unit() {
        assert_eq!(read(ThresholdUnit::Ratio, "0.02").unwrap(), "0.02");
        assert_eq!(read(ThresholdUnit::Duration, "500ms").unwrap(), "0.5");
        assert_eq!(read(ThresholdUnit::Duration, "1m30s").unwrap(), "90");
        assert_eq!(read(ThresholdUnit::Bytes, "512Mi").unwrap(), "536870912");
        assert_eq!(read(ThresholdUnit::Bytes, "1G").unwrap(), "1000000000");
        for (unit, power) in [("Ki", 1), ("Mi", 2), ("Gi", 3), ("Ti", 4)] {
            let bytes = 1_024_u64.pow(power);
            assert_eq!(
                read(ThresholdUnit::Bytes, &format!("1{unit}")).unwrap(),
                bytes.to_string()
            );
        }
        assert_eq!(read(ThresholdUnit::Count, "10").unwrap(), "10");
    }

    #[test]
    fn a_threshold_that_would_always_or_never_hold_is_refused() {
        for (unit, text) in [
            (ThresholdUnit::Ratio, "1"),
            (ThresholdUnit::Ratio, "2%"),
            (ThresholdUnit::Ratio, "0 or vector(1)"),
            (ThresholdUnit::Duration, "0s"),
            (ThresholdUnit::Duration, "fast"),
            (ThresholdUnit::Duration, "0.5"),
            (ThresholdUnit::Bytes, "512MB"),
            (ThresholdUnit::Bytes, "-1"),
            (ThresholdUnit::Bytes, "99999999Ti"),
            (ThresholdUnit::Count, "ten"),
            (ThresholdUnit::Count, ""),
        ] {
            assert!(unit.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_threshold_is_written_as_a_person_writes_it() {
        assert_eq!(ThresholdUnit::Ratio.text(Decimal::hundredths(1)), "1 %");
        assert_eq!(ThresholdUnit::Ratio.text(Decimal::thousandths(5)), "0.5 %");
        assert_eq!(ThresholdUnit::Duration.text(Decimal::thousandths(500)), "500ms");
        assert_eq!(ThresholdUnit::Duration.text(Decimal::whole(90)), "1m30s");
        assert_eq!(ThresholdUnit::Count.text(Decimal::whole(10)), "10");
    }
}

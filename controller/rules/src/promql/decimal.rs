//! Exact decimal numbers, finite and not negative. They are never floats, so `0.1` stays `0.1`.

use std::{fmt, str::FromStr};

/// Most digits after the point; thresholds need no more.
const MAX_SCALE: u32 = 9;

/// A decimal number: `mantissa / 10^scale`, with no zero at the end of its fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: u64,
    scale: u32,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self::whole(0);

    /// A whole number.
    #[must_use]
    pub const fn whole(value: u64) -> Self {
        Self {
            mantissa: value,
            scale: 0,
        }
    }

    /// A number of thousandths, such as milliseconds as seconds.
    #[must_use]
    pub const fn thousandths(value: u64) -> Self {
        Self {
            mantissa: value,
            scale: 3,
        }
        .normal()
    }

    /// A number of hundredths, such as a percentage as a ratio.
    #[must_use]
    pub const fn hundredths(value: u64) -> Self {
        Self {
            mantissa: value,
            scale: 2,
        }
        .normal()
    }

    /// The nearest float, for Grafana's JSON, where a number is a float anyway.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::MAX)
    }

    /// The number times a hundred: a ratio in percent. An overflow gives the largest number.
    #[must_use]
    pub const fn times_hundred(self) -> Self {
        match self.scale {
            0 => Self::whole(self.mantissa.saturating_mul(100)),
            1 => Self::whole(self.mantissa.saturating_mul(10)),
            _ => Self {
                mantissa: self.mantissa,
                scale: self.scale - 2,
            },
        }
    }

    /// The number divided by a hundred: percent as a ratio.
    #[must_use]
    pub const fn per_hundred(self) -> Self {
        Self {
            mantissa: self.mantissa,
            scale: self.scale + 2,
        }
        .normal()
    }

    /// `self - other`. `None`: it would be below zero, or the digits do not suffice.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self.scaled(scale)?.checked_sub(other.scaled(scale)?)?;
        Some(Self { mantissa, scale }.normal())
    }

    /// `self * other`. `None`: the digits do not suffice.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let product = Self {
            mantissa: self.mantissa.checked_mul(other.mantissa)?,
            scale: self.scale + other.scale,
        };
        Some(product.normal())
    }

    /// The mantissa for a larger scale.
    fn scaled(self, scale: u32) -> Option<u64> {
        self.mantissa.checked_mul(10_u64.checked_pow(scale - self.scale)?)
    }

    /// Seconds in whole milliseconds, if they are whole.
    #[must_use]
    pub fn as_millis(self) -> Option<u64> {
        let places = 3_u32.checked_sub(self.scale)?;
        self.mantissa.checked_mul(10_u64.pow(places))
    }

    const fn normal(mut self) -> Self {
        while self.scale > 0 && self.mantissa.is_multiple_of(10) {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(self.scale);
        write!(f, "{}", self.mantissa / unit)?;
        if self.scale == 0 {
            return Ok(());
        }
        write!(f, ".{:0width$}", self.mantissa % unit, width = self.scale as usize)
    }
}

/// A text that is not a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid decimal number: use digits with at most nine after a point, for example 0.02 or 10")]
pub struct ParseDecimalError;

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    /// Reads digits, with at most nine after a point; no sign, no exponent, no `Inf`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || fraction.is_some_and(|f| !digits(f)) {
            return Err(ParseDecimalError);
        }
        let fraction = fraction.unwrap_or_default();
        let scale = u32::try_from(fraction.len()).map_err(|_| ParseDecimalError)?;
        if scale > MAX_SCALE {
            return Err(ParseDecimalError);
        }
        let mantissa = format!("{whole}{fraction}").parse().map_err(|_| ParseDecimalError)?;
        Ok(Self { mantissa, scale }.normal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_printed_as_it_was_written_without_needless_zeros() {
        for (text, printed) in [
            ("0.02", "0.02"),
            ("10", "10"),
            ("0.500", "0.5"),
            ("10.0", "10"),
            ("007", "7"),
            ("0.0", "0"),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), printed);
        }
        assert_eq!(Decimal::thousandths(1500).to_string(), "1.5");
        assert_eq!(Decimal::whole(5).times_hundred().to_string(), "500");
        assert_eq!("0.123456789".parse::<Decimal>().unwrap().to_string(), "0.123456789");
        assert_eq!(Decimal::hundredths(2).to_string(), "0.02");
    }

    #[test]
    fn an_error_budget_is_exact() {
        let budget = |target: &str| {
            Decimal::whole(100)
                .minus(target.parse().unwrap())
                .unwrap()
                .per_hundred()
        };
        assert_eq!(budget("99.9").to_string(), "0.001");
        assert_eq!(budget("99.9999").to_string(), "0.000001");
        assert_eq!(
            budget("99").times("14.4".parse().unwrap()).unwrap().to_string(),
            "0.144"
        );
        assert_eq!(Decimal::whole(1).minus(Decimal::whole(2)), None);
        assert_eq!(Decimal::whole(u64::MAX).times(Decimal::whole(2)), None);
    }

    #[test]
    fn a_text_that_could_change_the_meaning_of_a_query_is_not_a_number() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "Inf",
            "NaN",
            "0 or vector(1)",
            "0x10",
            "1_000",
            "1.0000000001",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<Decimal>(), Err(ParseDecimalError), "{text}");
        }
    }
}

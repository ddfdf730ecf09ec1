//! Figures as people read them.

/// Seconds with three digits and the unit that fits.
#[must_use]
pub fn time(seconds: f64) -> String {
    let unit = TimeUnit::of(seconds);
    let value = seconds * unit.in_a_second();
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {}", unit.as_str())
}

/// A number with commas between thousands.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A unit in which times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
}

impl TimeUnit {
    /// The unit in which a time is a number from 1 on.
    pub(crate) const fn of(seconds: f64) -> Self {
        if seconds >= 1.0 {
            Self::Seconds
        } else if seconds >= 0.001 {
            Self::Milliseconds
        } else {
            Self::Microseconds
        }
    }

    pub(crate) const fn in_a_second(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Milliseconds => 1e3,
            Self::Microseconds => 1e6,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let shown = [0.0, 0.000_123_4, 0.012_345, 0.999_4, 1.0, 12.34, 123.4].map(time);
        assert_eq!(
            shown,
            ["0.00 µs", "123 µs", "12.3 ms", "999 ms", "1.00 s", "12.3 s", "123 s"]
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1_000, 123_456, 1_234_567].map(count),
            ["0", "999", "1,000", "123,456", "1,234,567"]
        );
    }
}

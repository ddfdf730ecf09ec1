//! Sets of HTTP statuses, as they are written on the command line.

use std::fmt;
use std::str::FromStr;

/// HTTP statuses: single ones (`404`) and whole classes (`2xx`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Vec<StatusRange>);

/// A status, or the hundred of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatusRange {
    One(u16),
    Class(u16),
}

impl StatusSet {
    /// Every status that is no error of the server: 1xx to 4xx.
    #[must_use]
    pub fn below_500() -> Self {
        Self((1..5).map(StatusRange::Class).collect())
    }

    /// Whether a status is in the set.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| match range {
            StatusRange::One(one) => *one == status,
            StatusRange::Class(class) => *class == status / 100,
        })
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match range {
                StatusRange::One(one) => write!(f, "{comma}{one}")?,
                StatusRange::Class(class) => write!(f, "{comma}{class}xx")?,
            }
        }
        Ok(())
    }
}

/// A text that is no set of statuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a valid status: use numbers from 100 to 599 and classes, for example 200,201 or 2xx,404")]
pub struct ParseStatusError(String);

impl FromStr for StatusSet {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = |text: &str| {
            let number = |digits: &str, range: std::ops::RangeInclusive<u16>| {
                let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
                let number = digits.parse().ok()?;
                (all_digits && range.contains(&number)).then_some(number)
            };
            match text.strip_suffix("xx") {
                Some(class) => number(class, 1..=5).map(StatusRange::Class),
                None => number(text, 100..=599).map(StatusRange::One),
            }
            .ok_or_else(|| ParseStatusError(text.to_owned()))
        };
        text.split(',')
            .map(|one| range(one.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_statuses_and_classes_make_a_set() {
        let set: StatusSet = "2xx, 404".parse().unwrap();
        assert_eq!(
            [200, 299, 300, 404, 405, 500].map(|status| set.contains(status)),
            [true, true, false, true, false, false]
        );
        assert_eq!(set.to_string(), "2xx,404");
        let default = StatusSet::below_500();
        assert!(default.contains(404) && !default.contains(500));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "2x", "0xx", "6xx", "99", "600", "200,", "ok", "+200", "200-299"] {
            assert!(text.parse::<StatusSet>().is_err(), "{text}");
        }
    }
}

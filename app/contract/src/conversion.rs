//! From the unit in which a metric's values are given to the unit of its family in a dialect.

use crate::Unit;

/// How a value in one unit is written in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// As it is.
    Unchanged,
    /// Multiplied by this.
    Multiply(u64),
    /// Divided by this.
    Divide(u64),
}

/// What units measure. Values of different dimensions cannot be converted into each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Number,
    Time,
    Data,
    Share,
}

/// What a unit measures, and how much of the dimension's smallest unit it is.
const fn scale(unit: Unit) -> (Dimension, u64) {
    match unit {
        Unit::Count => (Dimension::Number, 1),
        Unit::Seconds => (Dimension::Time, 1_000_000_000),
        Unit::Milliseconds => (Dimension::Time, 1_000_000),
        Unit::Nanoseconds => (Dimension::Time, 1),
        Unit::Bytes => (Dimension::Data, 1),
        Unit::Ratio => (Dimension::Share, 100),
        Unit::Percent => (Dimension::Share, 1),
    }
}

impl Conversion {
    /// From one unit to another. `None` if they measure different things.
    #[must_use]
    pub fn between(from: Unit, to: Unit) -> Option<Self> {
        let ((from, from_size), (to, to_size)) = (scale(from), scale(to));
        if from != to {
            return None;
        }
        Some(match from_size.cmp(&to_size) {
            std::cmp::Ordering::Equal => Self::Unchanged,
            std::cmp::Ordering::Greater => Self::Multiply(from_size / to_size),
            std::cmp::Ordering::Less => Self::Divide(to_size / from_size),
        })
    }

    /// The value in the other unit.
    #[must_use]
    pub fn convert(self, value: f64) -> f64 {
        match self {
            Self::Unchanged => value,
            Self::Multiply(by) => value * by as f64,
            Self::Divide(by) => value / by as f64,
        }
    }

    /// The value of which [`Self::convert`] makes this one.
    #[must_use]
    pub fn undo(self, value: f64) -> f64 {
        match self {
            Self::Unchanged => value,
            Self::Multiply(by) => value / by as f64,
            Self::Divide(by) => value * by as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_converted_between_units_of_the_same_thing_and_no_others() {
        let convert = |from, to, value| Some(Conversion::between(from, to)?.convert(value));
        assert_eq!(convert(Unit::Seconds, Unit::Nanoseconds, 0.25), Some(250_000_000.0));
        assert_eq!(convert(Unit::Nanoseconds, Unit::Seconds, 250_000_000.0), Some(0.25));
        assert_eq!(convert(Unit::Seconds, Unit::Milliseconds, 0.25), Some(250.0));
        assert_eq!(convert(Unit::Percent, Unit::Ratio, 12.5), Some(0.125));
        assert_eq!(convert(Unit::Bytes, Unit::Bytes, 7.0), Some(7.0));
        assert_eq!(convert(Unit::Seconds, Unit::Count, 1.0), None);
        assert_eq!(convert(Unit::Ratio, Unit::Bytes, 1.0), None);
    }
}

//! Values with their units, as people read them.

use controller_rules::dashboards::GrafanaUnit;

/// Stands between a number and its unit, and keeps them on one line.
const SPACE: char = '\u{a0}';

/// A unit, and how large it is in the unit of the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    size: f64,
    name: &'static str,
}

const PLAIN: [(f64, &str); 4] = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
const SECONDS: [(f64, &str); 6] = [
    (86_400.0, "d"),
    (3_600.0, "h"),
    (60.0, "min"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
];
const BYTES: [(f64, &str); 5] = [
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1_024.0, "KiB"),
    (1.0, "B"),
];

impl Scale {
    /// The one in which values up to this one have few digits.
    pub(super) fn of(unit: GrafanaUnit, largest: f64) -> Self {
        let scales: &[(f64, &'static str)] = match unit {
            GrafanaUnit::Short => &PLAIN,
            GrafanaUnit::RequestsPerSecond => &[(1.0, "req/s")],
            GrafanaUnit::PerSecond => &[(1.0, "/s")],
            GrafanaUnit::PercentUnit => &[(0.01, "%")],
            GrafanaUnit::Seconds => &SECONDS,
            GrafanaUnit::Bytes => &BYTES,
        };
        let basis = scales.iter().find(|(size, _)| *size <= largest.abs());
        // Nothing at all is 0 of the basic unit.
        let basic = scales.iter().rev().find(|(size, _)| *size >= 1.0 && largest == 0.0);
        let (size, name) = basic.or(basis).or(scales.last()).copied().unwrap_or((1.0, ""));
        Self { size, name }
    }

    /// A value of the query in this unit.
    pub(super) fn scaled(self, value: f64) -> f64 {
        value / self.size
    }

    /// A value that is in this unit already, with the unit.
    pub(super) fn label(self, scaled: f64) -> String {
        let number = number(scaled);
        if self.name.is_empty() {
            number
        } else if self.name.starts_with('/') {
            format!("{number}{}", self.name)
        } else {
            format!("{number}{SPACE}{}", self.name)
        }
    }
}

/// A value of a query with its unit.
pub(super) fn text(unit: GrafanaUnit, value: f64) -> String {
    let scale = Scale::of(unit, value);
    scale.label(scale.scaled(value))
}

/// Three digits that count, without zeros at the end.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
        None => &text,
    };
    match text {
        "-0" => "0".to_owned(),
        // A minus sign is as wide as a plus sign, a hyphen is not.
        _ => text.replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_in_the_unit_in_which_it_has_few_digits() {
        use GrafanaUnit::{Bytes, PerSecond, PercentUnit, RequestsPerSecond, Seconds, Short};
        for (unit, value, expected) in [
            (Short, 0.0, "0"),
            (Short, 0.25, "0.25"),
            (Short, 14.4, "14.4"),
            (Short, 50_000.0, "50 k"),
            (Short, -3.0, "−3"),
            (RequestsPerSecond, 12.345, "12.3 req/s"),
            (PerSecond, 0.5, "0.5/s"),
            (PercentUnit, 0.01, "1 %"),
            (PercentUnit, 0.0, "0 %"),
            (Seconds, 0.5, "500 ms"),
            (Seconds, 0.0, "0 s"),
            (Seconds, 90.0, "1.5 min"),
            (Seconds, 172_800.0, "2 d"),
            (Bytes, 268_435_456.0, "256 MiB"),
        ] {
            assert_eq!(text(unit, value).replace(SPACE, " "), expected);
        }
    }
}

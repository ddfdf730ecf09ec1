//! Numbers as Go's `strconv` reads them, which is what Prometheus uses.

/// A value; `None` if Prometheus refuses it.
pub(crate) fn value(text: &str) -> Option<f64> {
    // Prometheus refuses some numbers that Go accepts: `1_000` and hexadecimal ones.
    if text.contains(['_', 'p', 'P', 'x', 'X']) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let has_sign = text.starts_with(['+', '-']);
    let is_word = text.contains(['n', 'N']);
    // Go refuses a NaN with a sign, and a number that is too large, where Rust would give an infinity.
    let is_refused = (number.is_nan() && has_sign) || (number.is_infinite() && !is_word);
    (!is_refused).then_some(number)
}

/// Milliseconds since the epoch, from Prometheus text.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Milliseconds since the epoch, from OpenMetrics' seconds with a fraction.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let milliseconds = value(text)? * 1_000.0;
    // `as` would saturate. A time so far away is not valid.
    (milliseconds.abs() < 9e18).then_some(milliseconds.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_go_takes_for_one() {
        for (text, wanted) in [
            ("1", Some(1.0)),
            ("+1.5e3", Some(1500.0)),
            (".5", Some(0.5)),
            ("+Inf", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("Infinity", Some(f64::INFINITY)),
            ("1e999", None),
            ("+NaN", None),
            ("0x1p4", None),
            ("1_000", None),
            ("", None),
            ("1,5", None),
        ] {
            assert_eq!(value(text), wanted, "{text}");
        }
        assert!(value("nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn a_time_in_seconds_is_kept_to_the_millisecond() {
        assert_eq!(seconds("1700000000.123"), Some(1_700_000_000_123));
        assert_eq!((seconds("NaN"), seconds("+Inf"), seconds("1e300")), (None, None, None));
        assert_eq!((milliseconds("-5"), milliseconds("1.5")), (Some(-5), None));
    }
}

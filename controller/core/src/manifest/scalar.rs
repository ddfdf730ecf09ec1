//! Plain scalars as kubectl's YAML library reads them (`resolve` in go.yaml.in/yaml/v2, which is YAML 1.1), and numbers as
//! Go writes them to JSON.

use serde_json::Value;

/// Below this, Go writes a float without an exponent, so a whole one becomes an integer.
const MAX_WHOLE: f64 = 9.2e18;

/// The JSON value of a scalar that stands without quotes. `None`: JSON has no such value.
pub(super) fn resolve(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        _ => {}
    }
    // Only infinity has a sign; `-.nan` is text.
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if [".inf", ".Inf", ".INF"].contains(&unsigned) || [".nan", ".NaN", ".NAN"].contains(&text) {
        return None;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Some(text.into());
    }
    let plain = if text.starts_with('.') {
        text.to_owned()
    } else {
        text.replace('_', "")
    };
    if let Some(integer) = integer(&plain) {
        return Some(integer);
    }
    match plain.parse::<f64>() {
        // A number that is too large for 64 bits is text to Go.
        Ok(float) if is_decimal(&plain) && float.is_finite() => from_float(float),
        Ok(_) | Err(_) => Some(text.into()),
    }
}

/// An integer in the form of Go's `ParseInt` with base 0: a leading zero means octal.
fn integer(text: &str) -> Option<Value> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (lower.get(2..)?, 16),
        [b'0', b'b', ..] => (lower.get(2..)?, 2),
        [b'0', b'o', ..] => (lower.get(2..)?, 8),
        [b'0', _, ..] => (lower.get(1..)?, 8),
        _ => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Value::from);
    }
    match i64::try_from(magnitude) {
        Ok(integer) => Some(integer.into()),
        // kubectl holds integers in 64 bits with a sign, and larger ones as floats.
        Err(_) => magnitude.to_string().parse().ok().and_then(from_float),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`; Rust's parser takes `inf` and `nan` as well.
fn is_decimal(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within 64 bits")]
fn from_float(float: f64) -> Option<Value> {
    if float.fract() == 0.0 && float.abs() < MAX_WHOLE {
        return Some((float as i64).into());
    }
    serde_json::Number::from_f64(float).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_are_what_kubectl_sends() {
        // Each but `-`, which no document can hold there, seen with kubectl 1.36: `label --local --dry-run=client -o json -f`.
        for (text, sent) in [
            ("4", json!(4)),
            ("-4", json!(-4)),
            ("+4", json!(4)),
            ("-0", json!(0)),
            ("01234", json!(668)),
            ("017", json!(15)),
            ("+017", json!(15)),
            ("-017", json!(-15)),
            ("089", json!(89)),
            ("+089", json!(89)),
            ("0x1F", json!(31)),
            ("+0x1F", json!(31)),
            ("-0x1F", json!(-31)),
            ("0x_1F", json!(31)),
            ("0o17", json!(15)),
            ("-0o17", json!(-15)),
            ("+0o17", json!(15)),
            ("0b11", json!(3)),
            ("+0b11", json!(3)),
            ("-0b11", json!(-3)),
            ("0b1_1", json!(3)),
            ("1_000", json!(1000)),
            ("+1_000", json!(1000)),
            ("1_", json!(1)),
            ("1e3", json!(1000)),
            ("+1e3", json!(1000)),
            ("1.0", json!(1)),
            ("-0.0", json!(0)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("+.5", json!(0.5)),
            ("-.5", json!(-0.5)),
            (".5e3", json!(500)),
            ("5.", json!(5)),
            ("on", json!(true)),
            ("y", json!(true)),
            ("No", json!(false)),
            ("~", json!(null)),
            ("12:30:45", json!("12:30:45")),
            ("2026-11-21", json!("2026-11-21")),
            ("1.2.3", json!("1.2.3")),
            ("64Mi", json!("64Mi")),
            ("-", json!("-")),
            ("0x", json!("0x")),
            ("1e", json!("1e")),
            ("oN", json!("oN")),
            ("_1", json!("_1")),
            ("-.nan", json!("-.nan")),
            ("+.nan", json!("+.nan")),
            ("1e400", json!("1e400")),
            ("-1e400", json!("-1e400")),
            ("9223372036854775807", json!(i64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
            ("-9223372036854775809", json!(-9_223_372_036_854_775_808.0)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615.0)),
            ("+18446744073709551615", json!(18_446_744_073_709_551_615.0)),
            ("0xFFFFFFFFFFFFFFFF", json!(18_446_744_073_709_551_615.0)),
            ("-0x8000000000000001", json!("-0x8000000000000001")),
            ("123456789012345678901", json!(123_456_789_012_345_680_000.0)),
        ] {
            assert_eq!(resolve(text), Some(sent), "{text}");
        }
        for text in [".inf", "+.inf", "-.INF", ".nan", ".NaN"] {
            assert_eq!(resolve(text), None, "{text}");
        }
    }
}

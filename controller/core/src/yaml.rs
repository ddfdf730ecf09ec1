//! The one YAML writer of the workspace. Other writers leave `y`, `no`, `on` and `1_000` unquoted, which Kubernetes reads
//! as bool or number, or break long PromQL into lines.
//!
//! Objects are written by [`write_object`], which gives the text that the library gives, in a tenth of the time: it writes
//! the structure and every scalar that needs no thought, and asks the library for the others.

mod object;

use serde::Serialize;

pub use self::object::{is_plain_name, write_object};

/// A value cannot be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("write YAML: {0}")]
pub struct YamlError(#[from] serde_saphyr::ser::Error);

/// One document, two spaces an indentation, long lines in one piece.
///
/// # Errors
///
/// A value that has no form in YAML, such as a map whose keys are not scalars.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, YamlError> {
    let mut text = serde_saphyr::to_string_with_options(value, options())?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn options() -> serde_saphyr::SerializerOptions {
    serde_saphyr::ser_options! {
        min_fold_chars: usize::MAX,
        folded_wrap_chars: usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Texts that a YAML reader takes for something else when they stand unquoted.
    const TRAPS: [&str; 40] = [
        "y",
        "n",
        "Y",
        "N",
        "yes",
        "no",
        "Yes",
        "NO",
        "on",
        "off",
        "On",
        "OFF",
        "true",
        "false",
        "null",
        "~",
        "",
        " ",
        "1_000",
        "1",
        "-1",
        "0x1f",
        "0o17",
        "017",
        "1e3",
        ".5",
        "1.0",
        ".inf",
        ".NaN",
        "12:30:45",
        "2026-11-21",
        "- a",
        "a: b",
        "#a",
        "@a",
        "*a",
        "&a",
        "!a",
        "%a",
        "{{ $labels.job }}",
    ];

    fn round_trip(value: &Value) -> Value {
        serde_yaml::from_str(&to_string(value).unwrap()).unwrap()
    }

    #[test]
    fn a_text_that_looks_like_something_else_stays_a_text() {
        for trap in TRAPS {
            let value = json!({"k": trap, trap: 1});
            assert_eq!(round_trip(&value), value, "{trap:?}");
        }
    }

    #[test]
    fn text_that_yaml_1_1_reads_as_a_bool_or_number_is_quoted() {
        for trap in ["y", "n", "no", "on", "off", "1_000", "017", "12:30:45"] {
            let text = to_string(&json!({"k": trap})).unwrap();
            assert!(text.contains(['"', '\'']), "{text}");
        }
    }

    #[test]
    fn a_long_line_stays_in_one_piece() {
        let expr = "sum by (route) (rate(http_requests_total{job=\"orders\"}[5m])) ".repeat(20);
        let expr = expr.trim_end();
        assert_eq!(to_string(&json!({"expr": expr})).unwrap().lines().count(), 1);
    }

    proptest! {
        #[test]
        fn every_text_survives(text in "\\PC{0,60}") {
            let value = json!({"k": text});
            prop_assert_eq!(round_trip(&value), value);
        }
    }
}

//! Syntax of Kubernetes and Prometheus values: names, labels, quantities.

use std::collections::BTreeMap;

use crate::violation::Violations;

/// Longest name part of a label or annotation key, and longest label value.
const MAX_LABEL: usize = 63;
/// Most bytes that all annotations of an object may have together (apimachinery, `TotalAnnotationSizeLimitB`).
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// Whether the text is a quantity: a number with an optional suffix.
pub(super) fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number_end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let numeric = number.chars().any(|c| c.is_ascii_digit()) && number.matches('.').count() <= 1;
    const SUFFIXES: [&str; 16] = [
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
    ];
    let exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    numeric && (SUFFIXES.contains(&suffix) || exponent)
}

/// The quantity as a number, for comparing two of them. Rounding errors do not matter for that.
pub(super) fn quantity_value(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => return format!("{number}{}", exponent.to_ascii_lowercase()).parse().ok(),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Whether the text is a size in Prometheus's form, such as `10MiB`.
pub(super) fn is_byte_size(text: &str) -> bool {
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let prefix = unit
        .strip_suffix('B')
        .map(|prefix| prefix.strip_suffix('i').unwrap_or(prefix));
    let known = prefix.is_some_and(|prefix| ["", "K", "M", "G", "T", "P", "E"].contains(&prefix)) && unit != "iB";
    known && number.parse::<f64>().is_ok_and(|number| number > 0.0)
}

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= MAX_LABEL
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A name of the form that Services bear: lower case, begins with a letter.
pub(super) fn is_dns_1035(text: &str) -> bool {
    is_dns_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// A name of the form that most objects bear.
pub(super) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

fn is_qualified(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    text.len() <= MAX_LABEL && text.bytes().all(inner) && ends(text)
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_qualified(name),
        None => is_qualified(text),
    }
}

/// Prefixes of keys that are ours or Kubernetes's alone.
const RESERVED_PREFIXES: [&str; 1] = ["monitoredapi.io/"];

/// Checks labels that an author gives to our objects. `reserved` keys may not be set.
pub(super) fn labels(map: &BTreeMap<String, String>, path: &str, reserved: &[&str], out: &mut Violations) {
    for (key, value) in map {
        key_of(key, path, reserved, out);
        if !value.is_empty() && !is_qualified(value) {
            out.add(
                format!("{path}[{key}]"),
                format!("{value:?} is no label value: at most 63 letters, digits, - _ . that begin and end with a letter or digit"),
            );
        }
    }
}

/// Checks annotations that an author gives to our objects.
pub(super) fn annotations(map: &BTreeMap<String, String>, path: &str, out: &mut Violations) {
    for key in map.keys() {
        key_of(key, path, &[], out);
    }
    let size: usize = map.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MAX_ANNOTATIONS {
        out.add(
            path,
            format!("annotations have {size} bytes; Kubernetes takes {MAX_ANNOTATIONS} at most"),
        );
    }
}

fn key_of(key: &str, path: &str, reserved: &[&str], out: &mut Violations) {
    if !is_key(key) {
        out.add(
            format!("{path}[{key}]"),
            "is no valid key: an optional DNS name with a slash, then at most 63 letters, digits, - _ . that begin and end with a letter or digit",
        );
    } else if reserved.contains(&key) || RESERVED_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
        out.add(format!("{path}[{key}]"), "is set by the operator: remove it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_told_from_other_text() {
        for text in ["1", "50m", "64Mi", "1.5", ".5", "1e3", "1E-3", "-1", "2Gi"] {
            assert!(is_quantity(text), "{text}");
        }
        for text in ["", "m", "1mm", "1 Gi", "1MB", "one", "1.2.3", "e3"] {
            assert!(!is_quantity(text), "{text}");
        }
    }

    #[test]
    fn sizes_are_told_from_other_text() {
        for text in ["10MiB", "1B", "1.5GB", "512KB"] {
            assert!(is_byte_size(text), "{text}");
        }
        for text in ["", "10", "10Mi", "iB", "10iB", "0MiB", "1.2.3MB", "10 MiB"] {
            assert!(!is_byte_size(text), "{text}");
        }
    }

    #[test]
    fn quantities_compare_across_suffixes() {
        assert!(quantity_value("1Gi") > quantity_value("1000Mi"));
        assert_eq!(quantity_value("1000m"), quantity_value("1"));
        assert_eq!(quantity_value("1e3"), quantity_value("1k"));
    }

    #[test]
    fn a_label_key_may_have_a_dns_prefix() {
        assert!(is_key("app.kubernetes.io/name"));
        assert!(is_key("team"));
        assert!(!is_key("/name"));
        assert!(!is_key("a/b/c"));
        assert!(!is_key("-team"));
    }
}

//! Syntax of Kubernetes names, labels and annotations.

use std::collections::BTreeMap;

use crate::violation::Violations;

/// What the name part of a label's key, and a label's value, may consist of.
const NAME_FORM: &str = "at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit";
/// Longest name part of a label or annotation key, and longest label value.
const MAX_LABEL: usize = 63;
/// Most bytes that all annotations of an object may have together (apimachinery, `TotalAnnotationSizeLimitB`).
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// A name of the form that namespaces bear.
pub(crate) fn is_dns_label(text: &str) -> bool {
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
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

fn is_qualified(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    text.len() <= MAX_LABEL && text.bytes().all(inner) && ends(text)
}

pub(super) fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_qualified(name),
        None => is_qualified(text),
    }
}

/// Prefixes of keys that only the operator may set.
const RESERVED_PREFIXES: [&str; 1] = ["monitoredapi.io/"];

/// Checks labels that an author gives to our objects. `reserved` keys may not be set.
pub(crate) fn labels(map: &BTreeMap<String, String>, path: &str, reserved: &[&str], out: &mut Violations) {
    for (key, value) in map {
        key_of(key, path, reserved, out);
        if !value.is_empty() && !is_qualified(value) {
            out.add(
                format!("{path}[{key}]"),
                format!("{value:?} is not a valid label value: use {NAME_FORM}, for example team-a"),
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
            format!("{size} bytes of annotations are too many: use at most {MAX_ANNOTATIONS}"),
        );
    }
}

fn key_of(key: &str, path: &str, reserved: &[&str], out: &mut Violations) {
    if !is_key(key) {
        out.add(
            format!("{path}[{key}]"),
            format!(
                "not a valid key: use an optional DNS name with a slash, then {NAME_FORM}, for example example.com/team"
            ),
        );
    } else if reserved.contains(&key) || RESERVED_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
        out.add(format!("{path}[{key}]"), "the operator sets this key: remove it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_key_may_have_a_dns_prefix() {
        assert!(is_key("app.kubernetes.io/name"));
        assert!(is_key("team"));
        assert!(!is_key("/name"));
        assert!(!is_key("a/b/c"));
        assert!(!is_key("-team"));
    }
}

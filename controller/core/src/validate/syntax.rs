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
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // Kubernetes limits the whole name only, not each part of it.
    let part = |part: &str| part.starts_with(ends) && part.ends_with(ends) && part.chars().all(|c| ends(c) || c == '-');
    text.len() <= 253 && text.split('.').all(part)
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

/// Whether it is a label's value: empty, or of the form of a name.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified(text)
}

/// Prefixes of keys that only the operator may set.
const RESERVED_PREFIXES: [&str; 1] = ["monitoredapi.io/"];

/// Checks labels that an author gives to our objects. `reserved` keys may not be set.
pub(crate) fn labels(map: &BTreeMap<String, String>, path: &str, reserved: &[&str], out: &mut Violations) {
    label_map(map, path, out);
    for key in map.keys() {
        not_reserved(key, path, reserved, out);
    }
}

/// Checks the form of labels, whoever sets them.
pub(super) fn label_map(map: &BTreeMap<String, String>, path: &str, out: &mut Violations) {
    for (key, value) in map {
        if !is_key(key) {
            no_key(key, path, out);
        }
        if !is_label_value(value) {
            out.add(
                format!("{path}[{key}]"),
                format!("{value:?} is not a valid label value: use {NAME_FORM}, for example team-a"),
            );
        }
    }
}

/// Checks annotations that an author gives to our objects.
pub(super) fn annotations(map: &BTreeMap<String, String>, path: &str, out: &mut Violations) {
    annotation_map(map, path, out);
    for key in map.keys() {
        not_reserved(key, path, &[], out);
    }
}

/// Checks the form of annotations, whoever sets them. Unlike labels, their keys may have capitals before the slash.
pub(super) fn annotation_map(map: &BTreeMap<String, String>, path: &str, out: &mut Violations) {
    for key in map.keys().filter(|key| !is_key(&key.to_ascii_lowercase())) {
        no_key(key, path, out);
    }
    let size: usize = map.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MAX_ANNOTATIONS {
        out.add(
            path,
            format!("{size} bytes of annotations are too many: use at most {MAX_ANNOTATIONS}"),
        );
    }
}

fn no_key(key: &str, path: &str, out: &mut Violations) {
    out.add(
        format!("{path}[{key}]"),
        format!(
            "not a valid key: use an optional DNS name with a slash, then {NAME_FORM}, for example example.com/team"
        ),
    );
}

fn not_reserved(key: &str, path: &str, reserved: &[&str], out: &mut Violations) {
    if reserved.contains(&key) || RESERVED_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
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

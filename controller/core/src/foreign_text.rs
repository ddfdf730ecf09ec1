//! Makes texts of other programs fit for a status: bounded, equal for equal causes, and without secrets.

use serde_json::Value;

/// Stands in the place of what is left out.
const LEFT_OUT: &str = "…";
/// Shorter values of variables than this are left out in quotes only: they may be any word of a sentence.
const DISTINCT: usize = 8;

/// The longest part of the text of at most `bytes` bytes that ends between two characters.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    text.split_at(text.floor_char_boundary(bytes)).0
}

/// A refusal, without the words that differ from one attempt to the next (ids of requests, times, addresses, names of pods of
/// the Deployment `workload`), which would change the status each time, and without the values of the environment variables,
/// which may be secret.
pub(crate) fn refusal<'v>(message: &str, values: impl Iterator<Item = &'v str>, workload: &str) -> String {
    let mut text = message.to_owned();
    let mut values: Vec<_> = values.filter(|value| !value.is_empty()).collect();
    // A value may be part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        text = text.replace(&Value::from(value).to_string(), &format!("\"{LEFT_OUT}\""));
        if value.len() >= DISTINCT && !value.bytes().all(|byte| byte.is_ascii_lowercase()) {
            text = text.replace(value, LEFT_OUT);
        }
    }
    without_passing_words(&text, workload)
}

/// The sentence about an admission webhook that does not answer. `None`: the message is about something else. What else the
/// message says differs from one attempt to the next (addresses, ports, times).
pub(crate) fn silent_webhook(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed calling webhook \"")?;
    let (name, _) = rest.split_once('"')?;
    Some(format!(
        "the admission webhook {name}, which belongs to another product, does not answer: look at its pods and at the \
         network policy in front of them"
    ))
}

/// Whether a refusal is a policy's that demands a label: a field of the spec sets it.
pub(crate) fn demands_a_label(message: &str) -> bool {
    message.contains(" denied ") && message.contains("label")
}

/// Values of the environment variables of every container.
pub(crate) fn variables(intent: &Value) -> impl Iterator<Item = &str> {
    let pod = intent.pointer("/spec/template/spec");
    ["containers", "initContainers"]
        .into_iter()
        .filter_map(move |list| pod?.get(list)?.as_array())
        .flatten()
        .filter_map(|container| container.get("env")?.as_array())
        .flatten()
        .filter_map(|variable| variable.get("value")?.as_str())
}

/// A text without the words that differ from one attempt to the next. `workload`: name of the Deployment whose pods have
/// such names.
pub(crate) fn without_passing_words(text: &str, workload: &str) -> String {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '+' | '_' | '/' | '@');
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let bare = word.trim_end_matches(['.', ':']);
        let passes = is_passing(bare) || is_pod(bare, workload);
        result.push_str(if passes { LEFT_OUT } else { bare });
        result.push_str(word.strip_prefix(bare).unwrap_or_default());
        let next = after.find(is_inner).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        result.push_str(between);
        rest = after;
    }
    result
}

/// A UUID, a time in RFC 3339, an id in hexadecimal, or an address with a port.
fn is_passing(word: &str) -> bool {
    is_uuid(word) || is_time(word) || is_id(word) || is_address(word)
}

/// A generated name: that of the Deployment, the hash of the pod template and five characters.
fn is_pod(word: &str, workload: &str) -> bool {
    let generated = |part: &str| part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let rest = word
        .strip_prefix(workload)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(hash, end)| {
        (1..=10).contains(&hash.len()) && generated(hash) && end.len() == 5 && generated(end)
    })
}

fn is_uuid(word: &str) -> bool {
    let mut groups = word.split('-');
    let lengths = [8, 4, 4, 4, 12];
    let fits = |length: usize| {
        groups
            .next()
            .is_some_and(|group| group.len() == length && is_hexadecimal(group))
    };
    lengths.into_iter().all(fits) && word.len() == 36
}

fn is_time(word: &str) -> bool {
    let form = "0000-00-00T00:00:00";
    let like = |(c, form): (char, char)| c == form || (form == '0' && c.is_ascii_digit());
    word.len() >= form.len() && word.chars().zip(form.chars()).all(like)
}

/// Digits and letters up to f, mixed. Not as long as the digest of an image (64), which means something.
fn is_id(word: &str) -> bool {
    let mixed = word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    (16..64).contains(&word.len()) && mixed && is_hexadecimal(word)
}

/// Of a connection that broke: the port on our side is another one each time. The arrow between two is no part of a word, but
/// the hyphen before it is.
fn is_address(word: &str) -> bool {
    word.trim_end_matches('-').parse::<std::net::SocketAddr>().is_ok()
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, bytes, cut_text) in [
            ("aé", 2, "a"),
            ("aé", 3, "aé"),
            ("", 5, ""),
            ("abc", 2, "ab"),
            ("é", 1, ""),
        ] {
            assert_eq!(cut(text, bytes), cut_text);
        }
        assert_eq!(cut(&"é".repeat(10_000), 511).len(), 510);
    }

    #[test]
    fn a_refusal_leaves_out_text_that_changes_with_each_attempt() {
        let cases = [
            (
                "denied by policy p (request 0f8fad5b-d9cb-469f-a165-70867728950e).",
                "denied by policy p (request …).",
            ),
            ("denied at 2026-11-29T10:00:00.123Z: no owner", "denied at …: no owner"),
            ("denied at 2026-11-29T10:00:00+02:00", "denied at …"),
            ("trace=4bf92f3577b34da6a3ce929d0e0e4736, denied", "trace=…, denied"),
            // What means something stays.
            (
                "image a/b@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is not signed",
                "image a/b@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is not signed",
            ),
            (
                "spec.containers[0].resources: Invalid value: \"2026\": must be 1234567890123456 or more",
                "spec.containers[0].resources: Invalid value: \"2026\": must be 1234567890123456 or more",
            ),
            ("team-a: é is not … a b", "team-a: é is not … a b"),
            (
                "Post \"https://images.acme.io/review\": read tcp 10.0.0.1:54321->10.96.0.1:443: reset",
                "Post \"https://images.acme.io/review\": read tcp …>…: reset",
            ),
            ("image 10.0.0.1:5000/shop/orders:1", "image 10.0.0.1:5000/shop/orders:1"),
            (
                "pod orders-7d9f8b6c5-x2x4z, rs orders-7d9f8b6c5",
                "pod …, rs orders-7d9f8b6c5",
            ),
            (
                "orders-7d9f8b6c5-x2x4z-data orders-data-cache",
                "orders-7d9f8b6c5-x2x4z-data orders-data-cache",
            ),
        ];
        for (message, told) in cases {
            assert_eq!(refusal(message, std::iter::empty(), "orders"), told);
        }
    }

    #[test]
    fn values_of_variables_are_left_out_of_a_refusal() {
        let env = |value: &str| json!([{"name": "A", "value": value}]);
        let intent = json!({"spec": {"template": {"spec": {
            "containers": [{"env": env("s3cret-Passw0rd")}, {"env": env("on")}],
            "initContainers": [{"env": env("with \"quotes\"")}],
        }}}});
        let cases = [
            (
                "env[0].value: Invalid value: \"s3cret-Passw0rd\": no",
                "env[0].value: Invalid value: \"…\": no",
            ),
            ("s3cret-Passw0rd is a password", "… is a password"),
            ("\"on\" is no on or off", "\"…\" is no on or off"),
            ("\"with \\\"quotes\\\"\" is wrong", "\"…\" is wrong"),
        ];
        for (message, told) in cases {
            assert_eq!(refusal(message, variables(&intent), "orders"), told);
        }
    }
}

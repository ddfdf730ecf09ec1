//! What is said of a value of a wrong type: the decoder's words name Rust's types, which nobody who writes YAML knows.

/// What is left of a field that a decoder could not place.
const UNKNOWN: &str = "the value has a wrong type: compare it with kubectl explain";

/// The decoder's message as a sentence for people: what is wrong, and what to write instead.
pub(crate) fn sentence(message: &str) -> String {
    // Without the position: it is one in a copy of the text.
    let message = message.split(" at line ").next().unwrap_or(message);
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("{} is missing: add it", rest.trim_matches('`'));
    }
    if let Some((value, known)) = message
        .strip_prefix("unknown variant ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        return is_not_valid(&format!("{:?}", value.trim_matches('`')), &one_of(known));
    }
    let found = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    match found {
        Some((value, wanted)) => is_not_valid(&found_value(value), &wanted_type(wanted)),
        None => UNKNOWN.to_owned(),
    }
}

fn is_not_valid(value: &str, instead: &str) -> String {
    format!("{value} is not a valid value: use {instead}")
}

/// "one of `A`, `B`, `C`" and "`A` or `B`" as people write it.
fn one_of(known: &str) -> String {
    let mut known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    let last = known.pop().unwrap_or_default();
    if known.is_empty() {
        return last.to_owned();
    }
    format!("{} or {last}", known.join(", "))
}

/// The value, as the decoder calls it: "integer `4`", "string \"a\"", "map".
fn found_value(value: &str) -> String {
    match value {
        "map" => "a map".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" | "unit value" | "Option value" => "null".to_owned(),
        _ => match value.split_once(' ') {
            Some(("string" | "character", text)) => text.to_owned(),
            Some((_, number)) if value.ends_with('`') => number.rsplit('`').nth(1).unwrap_or(number).to_owned(),
            Some(_) | None => "this".to_owned(),
        },
    }
}

/// What to write, for what the decoder expected.
fn wanted_type(expected: &str) -> String {
    let known = match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        "string or map" | "a string or map" => "one of the texts that kubectl explain lists for the field",
        "a sequence" => "a list",
        "a map" => "a map",
        "IntOrString" => "a whole number or text",
        "Quantity" => "a quantity, for example 500m",
        // Ours speak for themselves.
        ours if ours.starts_with("a ") || ours.starts_with("an ") => ours,
        // The name of a type with fields.
        _ => "a map",
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use controller_api::MonitoredApiSpec;
    use k8s_openapi::api::core::v1::PodTemplateSpec;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn told<T: DeserializeOwned>(value: Value) -> String {
        match serde_json::from_value::<T>(value) {
            Ok(_) => String::new(),
            Err(error) => sentence(&error.to_string()),
        }
    }

    #[test]
    fn a_value_of_a_wrong_type_is_told_without_the_decoders_words() {
        let number = "is not a valid value: use a whole number";
        let cases = [
            (json!({"replicas": "three"}), format!("\"three\" {number}")),
            (json!({"replicas": 0.5}), format!("0.5 {number}")),
            (json!({"replicas": 5_000_000_000_i64}), format!("5000000000 {number}")),
            (json!({"image": 4}), "4 is not a valid value: use text".to_owned()),
            (json!({"image": {}}), "a map is not a valid value: use text".to_owned()),
            (
                json!({"suspend": "yes"}),
                "\"yes\" is not a valid value: use true or false".to_owned(),
            ),
            (
                json!({"env": "A=1"}),
                "\"A=1\" is not a valid value: use a list".to_owned(),
            ),
            (json!({"env": [3]}), "3 is not a valid value: use a map".to_owned()),
            (json!({"env": [{"value": "x"}]}), "name is missing: add it".to_owned()),
            (
                json!({"podLabels": []}),
                "a list is not a valid value: use a map".to_owned(),
            ),
            (
                json!({"metrics": true}),
                "true is not a valid value: use a map".to_owned(),
            ),
            (
                json!({"strategy": {"maxSurge": 0.5}}),
                "0.5 is not a valid value: use a whole number or a percentage, for example 1 or 25%".to_owned(),
            ),
            (
                json!({"service": {"type": "Ingress"}}),
                "\"Ingress\" is not a valid value: use ClusterIP, NodePort or LoadBalancer".to_owned(),
            ),
        ];
        for (spec, expected) in cases {
            assert_eq!(told::<MonitoredApiSpec>(spec.clone()), expected, "{spec}");
        }
        let cases = [
            (json!({"spec": 3}), "3 is not a valid value: use a map"),
            (
                json!({"spec": {"containers": {}}}),
                "a map is not a valid value: use a list",
            ),
            (
                json!({"spec": {"priority": "high"}}),
                "\"high\" is not a valid value: use a whole number",
            ),
            (
                json!({"spec": {"containers": [{"livenessProbe": {"tcpSocket": {"port": true}}}]}}),
                "true is not a valid value: use a whole number or text",
            ),
        ];
        for (template, expected) in cases {
            assert_eq!(told::<PodTemplateSpec>(template.clone()), expected, "{template}");
        }
        assert_eq!(sentence("what nobody foresaw"), UNKNOWN);
    }
}

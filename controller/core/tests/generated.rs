//! Whatever the CRD's schema accepts decodes, and validation has an answer to it: one resource that does not decode would
//! stop the watch of all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use controller_api::{MonitoredApi, crd};
use controller_core::{
    compile,
    facts::{Facts, Settings},
    owner::ApiRef,
};
use proptest::{prelude::*, string::string_regex};
use serde_json::{Map, Value, json};

fn spec_schema() -> Value {
    let crd = serde_json::to_value(crd()).unwrap();
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .unwrap()
        .clone()
}

/// Values that the schema accepts. CEL is left out, so these are more than the API server would take.
fn values(schema: &Value) -> BoxedStrategy<Value> {
    if schema.get("x-kubernetes-preserve-unknown-fields").is_some() {
        return open();
    }
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return prop_oneof![integers(schema), texts(schema)].boxed();
    }
    if let Some(known) = schema.get("enum").and_then(Value::as_array) {
        return proptest::sample::select(known.clone()).boxed();
    }
    match schema.get("type").and_then(Value::as_str).unwrap() {
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" => integers(schema),
        "string" => texts(schema),
        "array" => proptest::collection::vec(values(&schema["items"]), 0..3)
            .prop_map(Value::from)
            .boxed(),
        "object" => match schema.get("additionalProperties") {
            Some(inner) => proptest::collection::btree_map("[a-z/. ]{1,9}", values(inner), 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
                .boxed(),
            None => object(schema),
        },
        other => panic!("type {other}"),
    }
}

fn object(schema: &Value) -> BoxedStrategy<Value> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = properties
        .into_iter()
        .map(|(name, inner)| {
            let field = {
                let name = name.clone();
                values(&inner).prop_map(move |value| (name.clone(), value))
            };
            if required.contains(&name.as_str()) {
                field.prop_map(Some).boxed()
            } else {
                proptest::option::weighted(0.3, field).boxed()
            }
        })
        .collect();
    fields
        .prop_map(|fields| Value::Object(fields.into_iter().flatten().collect::<Map<_, _>>()))
        .boxed()
}

/// The bounds themselves are likely: that is where types are too narrow.
fn integers(schema: &Value) -> BoxedStrategy<Value> {
    #[expect(clippy::cast_possible_truncation, reason = "the schema's bounds are whole numbers")]
    let bound = |key: &str, default: i64| {
        schema
            .get(key)
            .and_then(Value::as_f64)
            .map_or(default, |bound| bound as i64)
    };
    let (min, max) = (bound("minimum", i64::MIN), bound("maximum", i64::MAX));
    prop_oneof![Just(min), Just(max), min..=max]
        .prop_map(Value::from)
        .boxed()
}

fn texts(schema: &Value) -> BoxedStrategy<Value> {
    let length =
        |key: &str, default: u64| usize::try_from(schema.get(key).and_then(Value::as_u64).unwrap_or(default)).unwrap();
    let (min, max) = (length("minLength", 0), length("maxLength", 64));
    match schema.get("pattern").and_then(Value::as_str) {
        Some(pattern) => string_regex(pattern.trim_start_matches('^').trim_end_matches('$'))
            .unwrap()
            .prop_filter_map("length", move |text| {
                (min..=max).contains(&text.chars().count()).then(|| json!(text))
            })
            .boxed(),
        None => string_regex(&format!("\\PC{{{min},{}}}", max.min(min + 12)))
            .unwrap()
            .prop_map(Value::from)
            .boxed(),
    }
}

/// Objects whose fields the schema does not look at.
fn open() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z]{0,8}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "metadata",
            "spec",
            "labels",
            "containers",
            "name",
            "ports",
            "key",
            "volumes",
            "resources"
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z]{1,6}",
    ];
    let inner = leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("metadata|spec|[a-z]{1,6}", inner, 0..3)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
        .boxed()
}

#[test]
fn ten_thousand_resources_that_the_schema_accepts_decode_and_are_answered() {
    let strategy = values(&spec_schema());
    let config = ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let answered = runner.run(&strategy, |spec| {
        let object = json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
        });
        let api: MonitoredApi = serde_json::from_value(object)
            .map_err(|error| TestCaseError::fail(format!("the schema accepts it, but it does not decode: {error}")))?;
        match compile(&api, &Settings::default(), &Facts::default(), &ApiRef::of(&api)) {
            Ok(plan) => prop_assert!(plan.children.len() >= 2),
            Err(violations) => prop_assert!(!violations.is_empty()),
        }
        Ok(())
    });
    answered.unwrap();
}

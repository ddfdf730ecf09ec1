//! The API server refuses a status as a whole where one of its lists or texts exceeds the CRD's bounds.

use super::*;

/// Panics where a value exceeds a bound of its schema.
fn check(value: &Value, schema: &Value, path: &str) {
    let bound = |key: &str| schema[key].as_u64().map(|bound| usize::try_from(bound).unwrap());
    match value {
        Value::Array(items) => {
            assert!(
                bound("maxItems").is_some_and(|max| items.len() <= max),
                "{path}: {} items",
                items.len()
            );
            for (index, item) in items.iter().enumerate() {
                check(item, &schema["items"], &format!("{path}[{index}]"));
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                check(value, &schema["properties"][key], &format!("{path}.{key}"));
            }
        }
        Value::String(text) => {
            let fits = |max| text.chars().count() <= max;
            assert!(
                schema.get("format").is_some() || schema.get("enum").is_some() || bound("maxLength").is_some_and(fits),
                "{path}: {} characters",
                text.chars().count()
            );
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_list_and_no_text_of_the_status_exceeds_the_bounds_of_the_crd() {
    let crd = serde_json::to_value(controller_api::crd()).unwrap();
    let schema = crd
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status")
        .unwrap();
    let leftover = |index| ChildRecord {
        name: format!("old-{index}"),
        ..record(ChildKind::SERVICE)
    };
    let mut world = World::well();
    let mut applied = applied(|_| Outcome::Forbidden("é".repeat(40_000)));
    applied.missing = (0..200).map(|index| format!("{index}: {}", "é".repeat(300))).collect();
    applied.leftovers = (0..100).map(leftover).collect();
    applied.kept = (100..200).map(leftover).collect();
    world.applied = Some(applied);
    world.reconcile_at = Some("é".repeat(1000).leak());
    let status = world.fold();
    check(&serde_json::to_value(&status).unwrap(), schema, "status");
    let missing = status.metrics.unwrap().missing;
    assert_eq!((missing.len(), missing.last().unwrap().as_str()), (64, "and 137 more"));
    // The records of what the spec wants are never cut.
    assert_eq!(status.children.first().unwrap().name, "orders");
}

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    read(text).unwrap().remove(0).value
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

/// The refusals of a spec, in flow form, with wrong types.
fn refused(spec: &str) -> Vec<String> {
    let text =
        format!("apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {{name: a}}\nspec: {spec}\n");
    let errors = decode(&read(&text).unwrap()[0]).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_scalar_in_quotes_is_text_and_one_without_is_what_kubectl_sends() {
    let text = "{a: 01234, b: \"01234\", c: on, d: 'on', e: |-\n  4\n, f: !!str 4, g: !!int \"4\"}";
    assert!(read(text).is_err(), "a block stands in no flow map");
    let text = "a: 01234\nb: \"01234\"\nc: on\nd: 'on'\ne: |-\n  4\nf: !!str 4\ng: !!int \"4\"\non: 1\n";
    let expected = json!({"a": 668, "b": "01234", "c": true, "d": "on", "e": "4", "f": "4", "g": 4, "true": 1});
    assert_eq!(value(text), expected);
}

#[test]
fn merge_keys_are_merged_in_the_order_of_kubectl() {
    let text = "base: &a {x: 1, q: 1}\nover: &b {q: 2, z: 2}\nmap:\n  <<: *a\n  q: 3\nlist: {<<: [*a, *b]}\nbefore: {q: 0, <<: *a}\n\
                quoted: {\"<<\": 1}\n";
    let Value::Object(map) = value(text) else { panic!() };
    assert_eq!(map["map"], json!({"x": 1, "q": 3}));
    assert_eq!(map["list"], json!({"x": 1, "q": 1, "z": 2}));
    assert_eq!(map["before"], json!({"x": 1, "q": 1}));
    assert_eq!(map["quoted"], json!({"<<": 1}));
    assert!(error("a: {<<: 3}").contains("merge key"));
}

#[test]
fn aliases_are_followed_but_not_without_end() {
    assert_eq!(value("a: &x [1, 2]\nb: *x\n"), json!({"a": [1, 2], "b": [1, 2]}));
    assert!(error("a: &x [*x]\n").contains("inside its own anchor"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(error(&bomb).contains("too many values"), "{}", error(&bomb));
    assert!(error(&"[".repeat(100_000)).contains("line 1"));
}

#[test]
fn a_key_given_twice_is_refused_with_its_place() {
    assert_eq!(
        error("a: 1\nb: 2\na: 3\n"),
        "line 3, column 1: the key a is given twice: remove one"
    );
    assert_eq!(
        error("on: 1\ntrue: 2\n"),
        "line 2, column 1: the key true is given twice: remove one"
    );
}

#[test]
fn lists_of_objects_give_their_items_and_empty_documents_give_nothing() {
    let text =
        "---\n# nothing\n---\nkind: List\nitems: [{kind: A}, {kind: BList, items: [{kind: B}]}]\n---\nkind: C\n...\n";
    let kinds: Vec<_> = read(text)
        .unwrap()
        .into_iter()
        .map(|manifest| manifest.value["kind"].clone())
        .collect();
    assert_eq!(kinds, ["A", "B", "C"]);
    assert!(read("").unwrap().is_empty());
}

#[test]
fn json_is_read_as_well() {
    assert_eq!(
        value("{\"a\": [1, \"x\\u00e4\", null, true]}"),
        json!({"a": [1, "xä", null, true]})
    );
}

#[test]
fn every_field_of_a_wrong_type_is_reported_with_its_place_and_its_fix() {
    let told = refused(
        "{image: a, replicas: three, env: [{name: A, value: 01234}, {name: B, value: on}], podLabels: {v: 1.0}}",
    );
    assert_eq!(told.len(), 4, "{told:#?}");
    let said = |text: &str| told.iter().any(|sentence| sentence.contains(text));
    assert!(
        said("spec.replicas: \"three\" is not a valid value: use a whole number"),
        "{told:#?}"
    );
    assert!(
        said("spec.env[0].value: 01234 is not text in YAML: quote it, for example \"01234\""),
        "{told:#?}"
    );
    assert!(said("spec.env[1].value: on is not text in YAML"), "{told:#?}");
    assert!(said("spec.podLabels.v: 1.0 is not text in YAML"), "{told:#?}");
    assert!(told[0].starts_with("line 4, column "), "{told:#?}");
}

#[test]
fn half_a_core_without_quotes_is_refused_as_the_schema_refuses_it() {
    let told = refused("{image: a, resources: {requests: {cpu: 0.5}}, strategy: {maxSurge: 0.5}}");
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told[0].contains("spec.resources.requests.cpu: 0.5 is not text in YAML: quote it"),
        "{told:#?}"
    );
    // A half in quotes is none either.
    assert!(
        told[1].ends_with(
            "spec.strategy.maxSurge: 0.5 is not a valid value: use a whole number or a percentage, for example 1 or 25%"
        ),
        "{told:#?}"
    );
}

#[test]
fn an_item_that_lacks_a_field_is_reported_once_and_later_items_keep_their_places() {
    let told = refused("{image: a, env: [{name: 1}, {value: x}, 3, {name: D, value: 4}, {name: E, value: 5}]}");
    assert_eq!(told.len(), 5, "{told:#?}");
    for (sentence, path) in told.iter().zip([
        "spec.env[0].name: 1 ",
        "spec.env[1]: ",
        "spec.env[2]: ",
        "spec.env[3].value: 4 ",
        "spec.env[4].value: 5 ",
    ]) {
        assert!(sentence.contains(path), "{told:#?}");
    }
}

#[test]
fn a_spec_that_is_larger_than_the_operator_takes_is_refused_with_the_limit() {
    // Each annotation is as long as the schema allows.
    let spec = |bytes: usize| {
        let notes = (0..bytes / 16_000).map(|index| format!("n{index}: {}", "x".repeat(16_000)));
        let rest = format!("rest: {}", "x".repeat(bytes % 16_000));
        let notes = notes.chain([rest]).collect::<Vec<_>>().join(", ");
        format!("{{image: a, podAnnotations: {{{notes}}}}}")
    };
    let told = refused(&spec(128 * 1024));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("spec: 129 KiB is more") && told[0].contains("use at most 128 KiB"),
        "{told:#?}"
    );
    let text = format!(
        "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {{name: a}}\nspec: {}\n",
        spec(127 * 1024)
    );
    assert!(decode(&read(&text).unwrap()[0]).is_ok());
}

#[test]
fn a_field_whose_name_is_the_beginning_of_another_is_reported_too() {
    let told = refused("{image: 1, imagePullPolicy: 2}");
    assert_eq!(told.len(), 2, "{told:#?}");
}

#[test]
fn an_object_without_a_spec_or_that_is_wrong_everywhere_is_refused() {
    for text in [
        "{}",
        "3",
        "[]",
        "{metadata: 3, spec: 3}",
        "{metadata: [], spec: [1, [2, {}]]}",
    ] {
        let errors = decode(&read(text).unwrap()[0]).unwrap_err();
        assert!(!errors.is_empty(), "{text}");
    }
}

#[test]
fn an_object_with_items_is_a_list_whatever_its_kind_as_kubectl_sees_it() {
    // Each seen with kubectl 1.36: `kubectl label --local --dry-run=client -o json -f`.
    let objects = |text: &str| -> Vec<Value> {
        let manifests = read(text).unwrap().into_iter();
        manifests.map(|manifest| manifest.value).collect()
    };
    assert_eq!(
        objects("{apiVersion: v1, kind: Foo, metadata: {name: top}, items: [{apiVersion: v2, kind: Bar}, {a: 1}]}"),
        [
            json!({"apiVersion": "v2", "kind": "Bar"}),
            json!({"apiVersion": "v1", "kind": "Foo", "a": 1})
        ],
    );
    assert_eq!(
        objects("{apiVersion: g/v1, kind: MonitoredApiList, items: [{a: 1}, {kind: Other}]}"),
        [
            json!({"apiVersion": "g/v1", "kind": "MonitoredApi", "a": 1}),
            json!({"kind": "Other"}),
        ],
    );
    assert_eq!(
        objects("{kind: AllowList, a: 1}"),
        [json!({"kind": "AllowList", "a": 1})]
    );
    assert_eq!(objects("{kind: AllowList, items: null}"), Vec::<Value>::new());
    assert_eq!(objects("{kind: AllowList, items: []}"), Vec::<Value>::new());
    assert!(error("{kind: Foo, items: {a: b}}").contains("use a list of objects"));
}

#[test]
fn beside_a_value_of_a_wrong_type_the_mistakes_of_all_other_fields_are_told() {
    let text = "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: Orders}\nspec: {image: a, port: 0, \
                podLabels: {x: 1, team: a b}, relpicas: 2, env: [{name: A, value: 1}, {name: B}]}\n";
    let told: Vec<_> = decode(&read(text).unwrap()[0])
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    for field in [
        "metadata.name: ",
        "spec.port: ",
        "spec.podLabels.x: ",
        "spec.podLabels[team]: ",
        "spec.relpicas: ",
        "spec.env[0].value: ",
        "spec.env[1]: ",
    ] {
        assert!(told.iter().any(|line| line.contains(field)), "{field} in {told:#?}");
    }
    assert_eq!(
        told.len(),
        7,
        "nothing is told that the missing values cause: {told:#?}"
    );
}

#[test]
fn unknown_fields_of_the_metadata_and_beside_the_spec_are_found() {
    let text = "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: a, labls: {}}\nspec: {image: a}\n\
                sepc: {}\nstatus: {x: 1}\n";
    assert_eq!(
        decode(&read(text).unwrap()[0]).unwrap().unknown,
        ["metadata.labls", "sepc"]
    );
}

#[test]
fn a_list_is_refused_where_a_map_is_wanted() {
    let told = refused(
        "{image: a, service: [], resources: [1], envFrom: [[], {configMapRef: [b]}, []], podTemplate: {spec: {}}}",
    );
    for field in [
        "spec.service: a list ",
        "spec.resources: a list ",
        "spec.envFrom[0]: a list ",
        "spec.envFrom[1].configMapRef: a list ",
        "spec.envFrom[2]: a list ",
    ] {
        assert!(told.iter().any(|line| line.contains(field)), "{field} in {told:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
}

/// Seen on the API server: it drops the null of every field that the schema knows.
#[test]
fn a_null_in_a_map_of_texts_is_no_value_and_one_in_a_pod_template_stays() {
    let text = "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: a}\nspec: {image: a, port: null, \
                nodeSelector: {zone: null, arch: arm64}, podLabels: {team: null}, resources: {limits: {cpu: null}}, \
                podTemplate: {spec: {securityContext: {fsGroup: null}}}}\n";
    let decoded = decode(&read(text).unwrap()[0]).unwrap();
    let spec = &decoded.api.spec;
    assert_eq!(spec.node_selector.as_ref().unwrap().len(), 1);
    assert_eq!(spec.pod_labels.as_ref().map(BTreeMap::len), Some(0));
    let template = spec.pod_template.as_ref().unwrap();
    assert_eq!(template.pointer("/spec/securityContext/fsGroup"), Some(&Value::Null));
}

#[test]
fn bounds_that_only_the_schema_has_are_told_beside_the_mistakes_of_other_fields() {
    let told = refused(&format!(
        "{{image: a, port: 0, env: [{{name: A, value: {}}}], podAnnotations: {{note: {}}}}}",
        "x".repeat(32_769),
        "x".repeat(16_385)
    ));
    assert_eq!(told.len(), 3, "{told:#?}");
    for sentence in [
        "spec.env[0].value: 32769 characters are too many: use at most 32768",
        "spec.podAnnotations.note: 16385 characters are too many: use at most 16384",
        "spec.port: 0 is out of range",
    ] {
        assert!(
            told.iter().any(|line| line.contains(sentence)),
            "{sentence} in {told:#?}"
        );
    }
}

/// The differential test found it: the value of a wrong type hid the missing name.
#[test]
fn a_field_that_an_item_lacks_is_told_beside_a_value_of_a_wrong_type_in_it() {
    let told = refused("{image: a, alerts: {overrides: [{threshold: 0.02}, {name: 3}]}}");
    assert_eq!(told.len(), 3, "{told:#?}");
    for sentence in [
        "spec.alerts.overrides[0].threshold: 0.02 is not text",
        "spec.alerts.overrides[0]: name is missing",
        "spec.alerts.overrides[1].name: 3 is not text",
    ] {
        assert!(
            told.iter().any(|line| line.contains(sentence)),
            "{sentence} in {told:#?}"
        );
    }
}

#[test]
fn every_value_is_found_at_its_path_whatever_its_keys_hold() {
    let text = "z: 1\na:\n  b.c: 017\n  b: {c: x, 'd[0]': y}\nlist:\n- q\n- {k: 'v'}\nmerged: {<<: {m: 2}, a: 3}\n";
    let manifest = &read(text).unwrap()[0];
    let origin = |path: &str| {
        let (place, plain) = manifest.origin(path);
        (place.line(), place.column(), plain)
    };
    assert_eq!(origin(""), (1, 1, None));
    assert_eq!(origin("z"), (1, 4, Some("1")));
    assert_eq!(origin("a.b"), (4, 6, None));
    // Two values have this path: the one with the longer key counts.
    assert_eq!(origin("a.b.c"), (3, 8, Some("017")));
    assert_eq!(origin("a.b.d[0]"), (4, 21, Some("y")));
    assert_eq!(origin("list[0]"), (6, 3, Some("q")));
    assert_eq!(origin("list[1].k"), (7, 7, None));
    assert_eq!(origin("merged.m"), (8, 18, Some("2")));
    assert_eq!(origin("merged.a"), (8, 25, Some("3")));
    // Around what is not there; of that no text is told.
    assert_eq!(origin("z.y"), (1, 4, None));
    assert_eq!(origin("zz"), (1, 1, None));
    assert_eq!(origin("list[7].k"), (6, 3, None));
    assert_eq!(origin("a.nothing[0]"), (3, 3, None));
}

#[test]
fn an_item_of_a_list_keeps_its_places_beside_the_kind_that_it_is_given() {
    let text = "kind: FooList\napiVersion: v1\nitems:\n- z: 1\n  b: 2\n";
    let item = &read(text).unwrap()[0];
    assert_eq!(item.value, json!({"apiVersion": "v1", "kind": "Foo", "b": 2, "z": 1}));
    for (path, line) in [("z", 4), ("b", 5), ("kind", 1), ("apiVersion", 2)] {
        assert_eq!(item.place(path).line(), line, "{path}");
    }
}

/// Values without fractions, as JSON has them.
fn json_values() -> impl Strategy<Value = Value> {
    let scalars = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[ -~äß€\n\t]{0,12}".prop_map(Value::from),
        proptest::sample::select(&["on", "0x1f", "<<", "~", "1_0", "null"][..]).prop_map(Value::from),
        Just(Value::Null),
    ];
    scalars.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z.<]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The objects of a text, read as YAML.
fn as_yaml(text: &str) -> Vec<Value> {
    // A comment is not JSON.
    let text = format!("# YAML\n{text}");
    read(&text)
        .unwrap()
        .into_iter()
        .map(|manifest| manifest.value)
        .collect()
}

proptest! {
    #[test]
    fn json_is_read_as_the_same_yaml_is(
        values in proptest::collection::vec(json_values(), 1..4),
        separator in proptest::sample::select(&["\n---\n", "\n\n--- \n\n", "\n---\n# a comment\n---\n"][..]),
        pretty in any::<bool>(),
    ) {
        let values: Vec<_> = values.into_iter().map(|value| json!({"a": value})).collect();
        let print = |value: &Value| if pretty { format!("{value:#}") } else { value.to_string() };
        let text = values.iter().map(print).collect::<Vec<_>>().join(separator);
        let given: Vec<_> = read(&text).unwrap().into_iter().map(|manifest| manifest.value).collect();
        prop_assert_eq!(&given, &as_yaml(&text));
        prop_assert_eq!(given, values);
    }
}

#[test]
fn mistakes_in_json_are_told_as_those_in_yaml() {
    for text in [
        "{\"a\": 1, \"a\": 2}",
        "{\"a\": [1, 2}",
        "{\"a\": 1} x",
        "{\"a\": 1}\n{\"b\": 1}",
        "{\"a\": 1}\n---\n{\"b\": 1, \"b\": 2}",
        "{\"a\": 1}\n---\n{\"b\": !x 1}",
        "{\"items\": 3}",
        &format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120)),
    ] {
        // The comment stands behind the text, so that every place is the same.
        let as_json = read(text).map_err(|error| error.to_string());
        let as_yaml = read(&format!("# YAML\n{text}")).map_err(|error| ManifestError {
            place: Place::new(error.place.line - 1, error.place.column),
            ..error
        });
        assert!(as_json.is_err(), "{text}");
        assert_eq!(as_json.err(), as_yaml.err().map(|error| error.to_string()), "{text}");
    }
}

#[test]
fn numbers_that_are_not_whole_or_too_large_are_the_same_in_json_and_yaml() {
    for number in [
        "1.0",
        "1.5",
        "-0",
        "1e3",
        "0.1",
        "9223372036854775808",
        "18446744073709551616",
        "1e400",
    ] {
        let text = format!("{{\"a\": {number}}}");
        let values = |text: &str| {
            read(text)
                .map(|read| read.into_iter().map(|manifest| manifest.value).collect::<Vec<_>>())
                .map_err(|error| error.message().to_owned())
        };
        assert_eq!(values(&text), values(&format!("# YAML\n{text}")), "{number}");
    }
}

#[test]
fn a_value_of_json_has_its_line_and_column_in_the_file() {
    let text = "\n{\"a\": 1}\n---\n{\n  \"b\": [0,\n    7]}\n---\nc: 8\n";
    let manifests = read(text).unwrap();
    let places: Vec<_> = [("a", 0), ("b[1]", 1), ("c", 2)]
        .map(|(path, index)| manifests[index].place(path))
        .into();
    assert_eq!(places, [Place::new(2, 7), Place::new(6, 5), Place::new(8, 4)]);
    let tabs = &read("{\n\t\"a\": \"\\ud83d\\ude00\"}").unwrap()[0];
    assert_eq!(tabs.value, json!({"a": "😀"}));
    assert!(tabs.place("a").line() >= 1);
}

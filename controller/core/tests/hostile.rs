//! Whatever text a user writes into a field that reaches rules, annotations or the dashboard: it is refused with the
//! field's name, or it arrives unchanged and the real promtool accepts the rules. The path of promtool stands in `PROMTOOL`.
#![cfg(feature = "promtool")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and runs a program; the crate itself does neither"
)]

use std::{env, fs, path::PathBuf, process::Command};

use controller_api::MonitoredApi;
use controller_core::{
    compile,
    facts::{Facts, Settings},
    owner::ApiRef,
    yaml,
};
use controller_rules::{lint::Check, promql::Regex};
use promql_parser::{
    parser::{self, Expr},
    util::{ExprVisitor, walk_expr},
};
use serde_json::{Value, json};

/// Pieces that end a place where a text stands, or that some reader of it takes for more than text.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "`",
    "\\",
    "\n",
    "\r",
    "\t",
    "{",
    "}",
    "{{",
    "}}",
    "$",
    "${",
    "$__rate_interval",
    "$datasource",
    "[[x]]",
    "{{ $value }}",
    "{{ query \"up\" }}",
    "{{\"{\"}}",
    "{{/*",
    "*/}}",
    "#",
    "%",
    "*",
    "&",
    "!",
    "|",
    ">",
    "-",
    "?",
    ":",
    ",",
    "[",
    "]",
    "(",
    ")",
    "(?i)",
    ".*",
    "a|b",
    "[^a]",
    "\\d+",
    "\\Q",
    "+Inf",
    "NaN",
    "5m",
    "0",
    "1e400",
    "null",
    "true",
    "~",
    "\"} or up{job=\"",
    "\" or vector(1) #",
    "up == 0",
    "sum(",
    "/* x */",
    "--",
    "\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{202e}abc",
    "\u{5d0}\u{5d1}",
    "\u{e000}",
    "\u{e001}",
    "\u{fffd}",
    "é",
    "日本",
    "😀",
    "a\u{301}",
    " ",
    "  a  ",
    "a b",
    "/orders/{id}",
    "/orders/:id",
    "https://x",
    "a.b",
    "a/b",
    "A",
    "a",
    "_",
    "__name__",
    "le",
    "namespace",
    "severity",
    "ApiDown",
];

/// Three hundred texts: each piece, pairs of them, and very long ones; the same in every run.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = PIECES.iter().map(|piece| (*piece).to_owned()).collect();
    texts.push("x".repeat(5_000));
    texts.push("\"{{".repeat(700));
    let mut state: u64 = 11;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        PIECES[usize::try_from(state >> 33).unwrap() % PIECES.len()]
    };
    while texts.len() < 300 {
        let text = format!("{}{}{}", next(), next(), next());
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Where a text must be found.
enum Arrival {
    /// In the labels of an alert, under this name.
    Label(&'static str),
    /// As the name of an alert's label.
    LabelName,
    /// Within the value of a matcher.
    Matcher,
    /// Within the link to a runbook.
    Runbook,
    /// In an object, at this pointer, by its kind.
    Object(&'static str, &'static str),
    /// Only what was parsed from it.
    Parsed,
}

/// A field: its path in a violation, how a text is put there, and where it goes.
struct Field {
    path: &'static str,
    put: fn(&mut Value, &str),
    arrival: Arrival,
}

const fn field(path: &'static str, put: fn(&mut Value, &str), arrival: Arrival) -> Field {
    Field { path, put, arrival }
}

const FIELDS: &[Field] = &[
    field(
        "spec.alerts.labels",
        |api, s| api["spec"]["alerts"]["labels"] = json!({"team": s}),
        Arrival::Label("team"),
    ),
    field(
        "spec.alerts.labels",
        |api, s| api["spec"]["alerts"]["labels"] = json!({s: "x"}),
        Arrival::LabelName,
    ),
    field(
        "spec.alerts.overrides",
        |api, s| api["spec"]["alerts"]["overrides"] = json!([{"name": "ApiDown", "labels": {"team": s}}]),
        Arrival::Label("team"),
    ),
    field(
        "spec.alerts.overrides",
        |api, s| api["spec"]["alerts"]["overrides"] = json!([{"name": "ApiDown", "severity": s}]),
        Arrival::Label("severity"),
    ),
    field(
        "spec.alerts.overrides",
        |api, s| api["spec"]["alerts"]["overrides"] = json!([{"name": s, "enabled": false}]),
        Arrival::Parsed,
    ),
    field(
        "spec.alerts.overrides",
        |api, s| api["spec"]["alerts"]["overrides"] = json!([{"name": "ApiHighErrorRatio", "threshold": s}]),
        Arrival::Parsed,
    ),
    field(
        "spec.alerts.overrides",
        |api, s| api["spec"]["alerts"]["overrides"] = json!([{"name": "ApiDown", "for": s, "keepFiringFor": s}]),
        Arrival::Parsed,
    ),
    field(
        "spec.alerts.runbookBaseUrl",
        |api, s| api["spec"]["alerts"]["runbookBaseUrl"] = json!(format!("https://runbooks.example/{s}")),
        Arrival::Runbook,
    ),
    field(
        "spec.metrics.excludedRoutes",
        |api, s| api["spec"]["metrics"]["excludedRoutes"] = json!([s]),
        Arrival::Matcher,
    ),
    field(
        "spec.metrics",
        |api, s| api["spec"]["metrics"]["path"] = json!(format!("/{s}")),
        Arrival::Parsed,
    ),
    field(
        "spec.metrics.dialect",
        |api, s| api["spec"]["metrics"]["dialect"] = json!(s),
        Arrival::Parsed,
    ),
    field(
        "spec.metrics.custom",
        |api, s| {
            let labels = json!({"status": "code"});
            api["spec"]["metrics"] =
                json!({"dialect": "custom", "custom": {"duration": {"name": s, "labels": labels}}});
        },
        Arrival::Parsed,
    ),
    field(
        "spec.metrics.custom",
        |api, s| {
            let requests = json!({"name": "r", "labels": {"route": s, "status": "code"}});
            api["spec"]["metrics"] = json!({"dialect": "custom", "custom": {"requests": requests}});
        },
        Arrival::Parsed,
    ),
    field(
        "spec.probes",
        |api, s| api["spec"]["probes"] = json!({"liveness": {"httpGet": {"path": format!("/{s}"), "port": 8080}}}),
        Arrival::Parsed,
    ),
    field(
        "spec.objectives",
        |api, s| api["spec"]["objectives"][0]["name"] = json!(s),
        Arrival::Label("objective"),
    ),
    field(
        "spec.objectives",
        |api, s| api["spec"]["objectives"][0]["target"] = json!(s),
        Arrival::Parsed,
    ),
    field(
        "spec.objectives",
        |api, s| api["spec"]["objectives"][1]["threshold"] = json!(s),
        Arrival::Parsed,
    ),
    field(
        "spec.objectives",
        |api, s| api["spec"]["objectives"][0]["selector"] = json!({"routes": [s]}),
        Arrival::Matcher,
    ),
    field(
        "spec.objectives",
        |api, s| api["spec"]["objectives"][0]["selector"] = json!({"methods": [s]}),
        Arrival::Matcher,
    ),
    field(
        "spec.monitoring.objectLabels",
        |api, s| api["spec"]["monitoring"] = json!({"objectLabels": {"team": s}}),
        Arrival::Object("PrometheusRule", "/metadata/labels/team"),
    ),
    field(
        "spec.dashboard.folder",
        |api, s| api["spec"]["dashboard"] = json!({"folder": s}),
        Arrival::Object("ConfigMap", "/metadata/annotations/grafana_folder"),
    ),
    field(
        "spec.dashboard.objectLabels",
        |api, s| api["spec"]["dashboard"] = json!({"objectLabels": {"team": s}}),
        Arrival::Object("ConfigMap", "/metadata/labels/team"),
    ),
    field(
        "metadata.name",
        |api, s| api["metadata"]["name"] = json!(s),
        Arrival::Object("PrometheusRule", "/metadata/name"),
    ),
];

fn api() -> Value {
    json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "image": "a", "preset": "native", "alerts": {}, "metrics": {},
            "objectives": [
                {"name": "availability", "type": "Availability", "target": "99.9"},
                {"name": "fast", "type": "Latency", "target": "99", "threshold": "500ms"},
            ],
        },
    })
}

/// Stands for the path of a field where the lint refuses an object for its size.
const TOO_LARGE: &str = "too large";

/// The objects, or the paths and sentences of the violations.
fn objects(api: Value) -> Result<Vec<Value>, Vec<(String, String)>> {
    let api: MonitoredApi = serde_json::from_value(api).unwrap();
    let plan = compile(&api, &Settings::default(), &Facts::default(), &ApiRef::of(&api));
    let plan = plan.map_err(|violations| -> Vec<_> {
        let pairs = violations
            .into_iter()
            .map(|violation| (violation.path, violation.message));
        pairs.collect()
    })?;
    // The same very long text in every query makes an object too large; that is the one finding that a text can cause.
    let findings = plan.children.iter().flat_map(|child| &child.findings);
    let found: Vec<_> = findings
        .map(|finding| {
            assert_eq!(finding.check, Check::ObjectSize, "{finding}");
            (TOO_LARGE.to_owned(), finding.to_string())
        })
        .collect();
    if !found.is_empty() {
        return Err(found);
    }
    Ok(plan.children.into_iter().map(|child| child.object().clone()).collect())
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap()
}

fn rules(objects: &[Value]) -> Vec<Value> {
    let groups = of_kind(objects, "PrometheusRule")["spec"]["groups"]
        .as_array()
        .unwrap()
        .iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

/// The values of the matchers of an expression.
#[derive(Default)]
struct MatcherValues(Vec<String>);

impl ExprVisitor for MatcherValues {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, String> {
        let selector = match expr {
            Expr::VectorSelector(selector) => Some(selector),
            Expr::MatrixSelector(range) => Some(&range.vs),
            _ => None,
        };
        let matchers = selector.into_iter().flat_map(|selector| &selector.matchers.matchers);
        self.0.extend(matchers.map(|matcher| matcher.value.clone()));
        Ok(true)
    }
}

fn has_arrived(arrival: &Arrival, text: &str, objects: &[Value]) -> bool {
    let rules = || rules(objects).into_iter();
    match arrival {
        Arrival::Label(name) => rules().any(|rule| rule["labels"][*name] == text),
        Arrival::LabelName => rules().any(|rule| rule["labels"].get(text).is_some()),
        Arrival::Runbook => rules().any(|rule| {
            let url = rule["annotations"]["runbook_url"].as_str().unwrap_or_default();
            url.starts_with(&format!("https://runbooks.example/{}", text.trim_end_matches('/')))
        }),
        Arrival::Matcher => rules().any(|rule| {
            let mut values = MatcherValues::default();
            match parser::parse(rule["expr"].as_str().unwrap()) {
                Ok(expr) => walk_expr(&mut values, &expr).map(|_| ()).unwrap(),
                // This parser refuses some patterns that Prometheus takes; it names the value.
                Err(error) => values.0.push(error),
            }
            // A pattern that one text matches is compared with as that text.
            let literal = Regex::pattern(text).as_literal();
            let holds =
                |value: &String| value.contains(text) || literal.as_ref().is_some_and(|literal| value == literal);
            values.0.iter().any(holds)
        }),
        Arrival::Object(kind, pointer) => of_kind(objects, kind)
            .pointer(pointer)
            .is_some_and(|found| found == text),
        Arrival::Parsed => true,
    }
}

/// The objects as YAML, read again; and the dashboard's JSON.
fn assert_readable(objects: &[Value]) {
    for object in objects {
        let read: Value = serde_yaml::from_str(&yaml::to_string(object).unwrap()).unwrap();
        assert_eq!(&read, object);
    }
    for dashboard in of_kind(objects, "ConfigMap")["data"].as_object().unwrap().values() {
        let dashboard: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
        assert_eq!(dashboard["tags"][0], "monitored-api");
        assert!(!dashboard["panels"].as_array().unwrap().is_empty());
    }
}

/// JSON as YAML reads it: YAML folds some characters that JSON leaves as they are.
fn yaml_of(json: &str) -> String {
    let escaped = |c: char| match u32::from(c) {
        0x20..=0x7e => c.to_string(),
        code => format!("\\U{code:08x}"),
    };
    json.chars().map(escaped).collect()
}

fn promtool_accepts(file: &Value) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile.yaml");
    fs::write(&path, yaml_of(&file.to_string())).unwrap();
    let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
    let arguments = ["check", "rules", "--lint=none"];
    let output = Command::new(program).args(arguments).arg(&path).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

#[test]
fn three_hundred_hostile_texts_are_refused_by_name_or_arrive_unchanged() {
    let usual = rules(&objects(api()).unwrap());
    let mut groups = Vec::new();
    let (mut refused, mut arrived) = (0, 0);
    for (number, field) in FIELDS.iter().enumerate() {
        for (index, text) in texts().iter().enumerate() {
            let mut api = api();
            (field.put)(&mut api, text);
            let objects = match objects(api) {
                Ok(objects) => objects,
                Err(violations) => {
                    refused += 1;
                    let named = violations
                        .iter()
                        .all(|(path, _)| path.starts_with(field.path) || path == TOO_LARGE);
                    assert!(named, "{} {text:?}: {violations:?}", field.path);
                    let clean = violations
                        .iter()
                        .all(|(_, message)| !message.contains(['\n', '\u{0}', '\u{202e}']));
                    assert!(clean, "{} {text:?}: {violations:?}", field.path);
                    continue;
                }
            };
            arrived += 1;
            assert!(
                has_arrived(&field.arrival, text, &objects),
                "field {number}, {}: {text:?}",
                field.path
            );
            assert_readable(&objects);
            // A few rules that the text has changed are enough for promtool.
            let mut changed = rules(&objects);
            changed.retain(|rule| !usual.contains(rule));
            changed.truncate(3);
            groups.push(json!({"name": format!("{number}-{index}"), "rules": changed}));
        }
    }
    println!("{refused} refused, {arrived} arrived");
    assert!(refused > 1_000 && arrived > 500, "{refused} refused, {arrived} arrived");
    promtool_accepts(&json!({ "groups": groups }));
}

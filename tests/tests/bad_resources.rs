//! Bad resources on a real API server: the API server refuses them and names the field, or the operator reports the field
//! and the fix in the condition Accepted. Unusual but valid resources are accepted. The cases are
//! `tests/cases/{bad,good}/*.yaml`; the first line of each says what to expect.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use integration_tests::{
    install::{Installed, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, condition, says},
    operator::Operator,
    workspace::root,
};
use metric_contract::platform;
use serde_json::{Value, json};
use testbed::Testbed;

const PATIENCE: Duration = Duration::from_secs(60);

struct Case {
    file: String,
    /// What to expect, and of which field; from the first line, for example `# refused: spec.port`.
    expected: (String, String),
    object: Value,
}

impl Case {
    fn name(&self) -> &str {
        self.object.pointer("/metadata/name").and_then(Value::as_str).unwrap()
    }
}

/// The cases of a folder whose first line begins with `word`, by file name.
fn cases(folder: &str, word: &str) -> Vec<Case> {
    let folder = root().unwrap().join("tests/cases").join(folder);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    paths.sort();
    let chosen: Vec<_> = paths
        .into_iter()
        .map(|path| (expectation(&path), path))
        .filter(|(expected, _)| expected.0 == word)
        .collect();
    let objects = read_by_kubectl(chosen.iter().map(|(_, path)| path.as_path()));
    assert_eq!(objects.len(), chosen.len(), "each case is one object");
    let case = |((expected, path), object): ((_, PathBuf), Value)| Case {
        file: path.file_name().unwrap().to_string_lossy().into_owned(),
        expected,
        object,
    };
    chosen.into_iter().zip(objects).map(case).collect()
}

/// Reads what to expect, and of which field, from the first line of a case.
fn expectation(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).unwrap();
    let first = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# "))
        .expect("a first line that says what to expect");
    let (word, field) = first.split_once(": ").unwrap_or((first, ""));
    (word.to_owned(), field.to_owned())
}

/// The objects as kubectl reads them: YAML 1.1, where `yes` is a boolean and `<<` merges maps. Nothing is created.
fn read_by_kubectl<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<Value> {
    let mut arguments: Vec<String> = ["create", "--dry-run=client", "--validate=false", "--output=json"]
        .map(str::to_owned)
        .into();
    arguments.extend(paths.map(|path| format!("--filename={}", path.display())));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let printed = BED.bed.kubectl(&arguments).unwrap();
    let objects = serde_json::Deserializer::from_str(&printed).into_iter::<Value>();
    objects.map(|object| without_namespace(object.unwrap())).collect()
}

/// Removes the namespace, which kubectl fills in from its context: each test has a namespace of its own.
fn without_namespace(mut object: Value) -> Value {
    if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("namespace");
    }
    object
}

/// One control plane for all tests of this file; no operator runs unless a test starts one.
struct Bed {
    bed: Testbed,
    installed: Installed,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let bed = Testbed::builder("bad-resources").start().expect("start a test bed");
    prometheus_operator_crds(&bed).expect("install Prometheus Operator's CRDs");
    let installed = Installed::into(&bed).expect("install the operator's user");
    Bed { bed, installed }
});

impl Bed {
    fn connect(&self, namespace: &str) -> Kubernetes {
        let api = Kubernetes::connect(&self.bed.kubeconfig()).unwrap();
        api.create_namespace(namespace).unwrap();
        api
    }

    fn operator(&self) -> Operator {
        self.installed.start_operator().unwrap()
    }
}

/// The path to create at, with the check that `kubectl` asks for: an unknown field is an error.
fn strictly(namespace: &str) -> String {
    format!("{}?fieldValidation=Strict", MONITORED_APIS.within(namespace))
}

/// Checks that the operator still runs and that none of its reconciles panicked.
fn assert_unharmed(operator: &mut Operator) {
    let panics = operator.metric(platform::RECONCILE_PANICS.name).unwrap();
    assert_eq!(panics.unwrap_or(0.0), 0.0, "{}", operator.log_tail());
    assert!(operator.is_running().unwrap(), "{}", operator.log_tail());
}

#[test]
fn the_api_server_refuses_bad_resources_and_names_the_field() {
    let api = BED.connect("refused");
    let cases = cases("bad", "refused");
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(
            |case| match api.try_create(&strictly("refused"), &case.object).unwrap() {
                Ok(_) => Some(format!("{}: accepted", case.file)),
                Err(refusal) if refusal.message.contains(&case.expected.1) => None,
                Err(refusal) => Some(format!(
                    "{}: {} is not in: {}",
                    case.file, case.expected.1, refusal.message
                )),
            },
        )
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_wrong_resource_that_was_accepted_gets_a_violation_with_field_and_fix_and_blocks_no_other() {
    let api = BED.connect("violations");
    let mut operator = BED.operator();
    let cases = cases("bad", "violation");
    assert!(cases.len() >= 15, "only {} cases", cases.len());
    let good = json!({"image": "example.org/orders:1"});
    let bystander = |name: &str| integration_tests::kubernetes::monitored_api(name, &good);
    for (index, case) in cases.iter().enumerate() {
        if index == cases.len() / 2 {
            api.create(&strictly("violations"), &bystander("in-between")).unwrap();
        }
        api.create(&strictly("violations"), &case.object).expect(&case.file);
    }
    let path = |name: &str| MONITORED_APIS.object("violations", name);
    api.wait_for(&path("in-between"), PATIENCE, |found| {
        says(found, "ChildrenApplied", "True")
    })
    .unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let found = match api.wait_for(&path(case.name()), PATIENCE, |found| says(found, "Accepted", "False")) {
            Ok(found) => found,
            Err(error) => {
                wrong.push(format!("{}: {error}", case.file));
                continue;
            }
        };
        let (_, _, message) = condition(&found, "Accepted").unwrap();
        let field = &case.expected.1;
        // The text after the field must be long enough to say what is wrong and what to write instead.
        let fix = message
            .split_once(field.as_str())
            .map_or(0, |(_, rest)| rest.split_whitespace().count());
        if fix < 4 {
            wrong.push(format!("{}: no {field} with a fix in: {message}", case.file));
        }
        if let Err(instead) = says(&found, "Ready", "False").and_then(|()| says(&found, "Stalled", "True")) {
            wrong.push(format!("{}: not Stalled: {instead}", case.file));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A corrected resource is applied without any other action.
    let corrected = path("preset-unknown");
    api.merge(&corrected, &json!({"spec": {"preset": "auto"}})).unwrap();
    api.wait_for(&corrected, PATIENCE, |found| says(found, "ChildrenApplied", "True"))
        .unwrap();
    assert_unharmed(&mut operator);
    assert!(operator.stop().unwrap().success());
}

#[test]
fn odd_but_good_resources_are_decoded_accepted_and_applied() {
    let api = BED.connect("good");
    let mut operator = BED.operator();
    let cases = cases("good", "accepted");
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    for case in &cases {
        api.create(&strictly("good"), &case.object).expect(&case.file);
    }
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let path = MONITORED_APIS.object("good", case.name());
            let applied =
                |found: &Value| says(found, "Accepted", "True").and_then(|()| says(found, "ChildrenApplied", "True"));
            api.wait_for(&path, PATIENCE, applied)
                .err()
                .map(|error| format!("{}: {error}", case.file))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_unharmed(&mut operator);
    assert!(operator.stop().unwrap().success());
}

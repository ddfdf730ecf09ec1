//! Generated MonitoredApis, judged twice: by `monitored-api render`, and by a real API server (`kubectl create
//! --dry-run=server`) and the operator. Both must accept and refuse the same, and name the same fields.
//!
//! `DIFFERENTIAL` is the number of resources, `SEED` the seed; `cargo xtask campaign differential` takes 2,000.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod pods;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use integration_tests::{
    eventually,
    install::{Installed, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, condition},
    monitored_apis::{Sample, samples},
    operator::Operator,
};
use serde_json::Value;
use testbed::Testbed;

/// The number of resources if `DIFFERENTIAL` is not set.
const FEW: u64 = 100;
/// How many resources one `kubectl` and one `render` read.
const BATCH: usize = 200;
/// How long the operator may take for one batch.
const PATIENCE: Duration = Duration::from_secs(120);
const NAMESPACE: &str = "differential";
/// Refused by the API server: with two refusals or more, `kubectl` names the file of each.
const REFUSED: &str =
    "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: refused}\nspec: {port: 0}\n";

/// Stands for the fields of an object that the operator makes and the API server refuses.
const CHILD: &str = "an object of the operator";
/// What the API server says where `render` cannot know its answer, and why.
const BEYOND_RENDER: [(&str, &str); 2] = [
    (
        "disallowed by cluster policy",
        "whether pods may be privileged is a setting of the API server",
    ),
    (
        "may not be set for non-init containers",
        "from Kubernetes 1.35 on, containers have a restartPolicy of their own",
    ),
];

/// The fields that are refused, and the whole message; none if it is accepted.
type Verdicts = BTreeMap<usize, (BTreeSet<String>, String)>;

#[test]
fn render_accepts_and_refuses_what_the_api_server_and_the_operator_do_and_names_the_same_fields() {
    let bed = Testbed::builder("differential").start().unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    api.create_namespace(NAMESPACE).unwrap();
    let operator = installed.start_operator().unwrap();
    let (seed, count) = seed_and_count();
    let samples = samples(seed, count).unwrap();
    let mut differences = Vec::new();
    let (mut accepted, mut refused, mut beyond) = (0, [0, 0], 0);
    for (batch, samples) in samples.chunks(BATCH).enumerate() {
        let folder = write(samples);
        let offline = by_render(folder.path(), samples.len());
        let server = by_api_server(&bed, folder.path(), samples.len());
        let by_operator = by_operator(&bed, &api, folder.path(), samples.len(), &server);
        refused[0] += server.len();
        refused[1] += by_operator.len();
        accepted += samples.len() - server.len() - by_operator.len();
        for (index, sample) in samples.iter().enumerate() {
            let online = server.get(&index).or_else(|| by_operator.get(&index));
            if let Some(reason) = online.and_then(|(_, message)| beyond_render(message)) {
                beyond += 1;
                println!("beyond render, for {reason}: {:?}", sample.changes);
                continue;
            }
            if let Some(difference) = difference(offline.get(&index), online) {
                let number = batch * BATCH + index;
                differences.push(format!(
                    "seed {seed}, {number}: {:?}\n{}{difference}",
                    sample.changes, sample.text
                ));
            }
        }
    }
    println!("{beyond} left out, because render cannot know the answer");
    println!(
        "{accepted} accepted, {} refused by the API server, {} by the operator",
        refused[0], refused[1]
    );
    assert!(operator.stop().unwrap().success());
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences.join("\n\n")
    );
}

/// The seed and the number of samples, from the environment.
fn seed_and_count() -> (u64, usize) {
    let number = |variable, default| std::env::var(variable).map_or(default, |text| text.parse().unwrap());
    (number("SEED", 1), usize::try_from(number("DIFFERENTIAL", FEW)).unwrap())
}

/// A folder with one file for each sample, and two more that are refused.
fn write(samples: &[Sample]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (index, sample) in samples.iter().enumerate() {
        fs::write(file(folder.path(), index), &sample.text).unwrap();
    }
    for index in samples.len()..samples.len() + 2 {
        fs::write(file(folder.path(), index), REFUSED).unwrap();
    }
    folder
}

fn file(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("{index}.yaml"))
}

/// The number of the file of a folder that a line names.
fn named(line: &str, folder: &Path) -> Option<usize> {
    let (_, rest) = line.split_once(&format!("{}/", folder.display()))?;
    rest.split_once(".yaml")?.0.parse().ok()
}

fn by_render(folder: &Path, count: usize) -> Verdicts {
    let mut command = Command::new(Operator::binary().unwrap());
    command.arg("render");
    command.args((0..count).flat_map(|index| ["--file".into(), file(folder, index)]));
    let output = command.output().unwrap();
    let mut verdicts = Verdicts::new();
    for line in String::from_utf8(output.stderr).unwrap().lines() {
        let Some(index) = named(line, folder) else { continue };
        if line.contains(": left out") {
            continue;
        }
        let verdict = verdicts.entry(index).or_default();
        // file: name or place: field: message
        verdict.0.extend(line.split(": ").nth(2).map(str::to_owned));
        verdict.1.push_str(&format!("{line}\n"));
    }
    verdicts
}

fn by_api_server(bed: &Testbed, folder: &Path, count: usize) -> Verdicts {
    let mut verdicts = create(bed, folder, (0..count + 2).collect(), &["--dry-run=server"]);
    for index in count..count + 2 {
        let (fields, _) = verdicts.remove(&index).expect("a refusal of a port 0");
        assert!(fields.contains("spec.port"), "{fields:?}");
    }
    verdicts
}

/// Creates by `kubectl` and returns the refusals.
fn create(bed: &Testbed, folder: &Path, indices: Vec<usize>, arguments: &[&str]) -> Verdicts {
    let mut command = Command::new(bed.bin("kubectl").unwrap());
    command.env("KUBECONFIG", bed.kubeconfig());
    command
        .args(["create", "--namespace", NAMESPACE, "--output=name"])
        .args(arguments);
    command.args(
        indices
            .iter()
            .map(|index| format!("--filename={}", file(folder, *index).display())),
    );
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let mut verdicts = Verdicts::new();
    // A message may have several lines, and a line several messages.
    for message in stderr.split(&format!("{}/", folder.display())).skip(1) {
        let (index, message) = message.split_once(".yaml").unwrap();
        verdicts.insert(index.parse().unwrap(), (fields(message), message.to_owned()));
    }
    let created = String::from_utf8(output.stdout).unwrap().lines().count();
    assert_eq!(created + verdicts.len(), indices.len(), "{stderr}");
    verdicts
}

/// The fields that a message of the API server names.
fn fields(message: &str) -> BTreeSet<String> {
    const REASONS: [&str; 7] = [
        "Invalid value",
        "Required value",
        "Unsupported value",
        "Forbidden",
        "Duplicate value",
        "Too many",
        "Too long",
    ];
    let mut found = BTreeSet::new();
    for reason in REASONS {
        for (end, _) in message.match_indices(&format!(": {reason}")) {
            let before = &message[..end];
            let begin = begin_of_field(before);
            let mut field = before[begin..].trim_start_matches('[');
            if field == "<nil>" {
                // A rule on the whole object names the field in its message, if it is one of ours.
                let (_, message) = message[end..].split_once("value: ").unwrap_or_default();
                field = message
                    .split(' ')
                    .next()
                    .filter(|word| word.starts_with("metadata."))
                    .unwrap_or_default();
            }
            found.extend(Some(field.to_owned()).filter(|field| !field.is_empty()));
        }
    }
    for (begin, marker) in message.match_indices("unknown field \"") {
        found.extend(message[begin + marker.len()..].split('"').next().map(str::to_owned));
    }
    for (begin, marker) in message.match_indices("Go struct field ObjectMeta.") {
        found.extend(message[begin + marker.len()..].split(' ').next().map(str::to_owned));
    }
    found
}

/// Where the field begins that a text ends with. Keys may hold spaces, as in `spec.resources.requests.a b`.
fn begin_of_field(text: &str) -> usize {
    let of_spec = text
        .match_indices("spec.")
        .map(|(begin, _)| begin)
        .filter(|begin| text[..*begin].is_empty() || text[..*begin].ends_with([' ', '[']))
        .last();
    let of_word = text.rfind([' ', ',']).map_or(0, |space| space + 1);
    let is_field = |begin: &usize| [": ", ", "].iter().all(|end| !text[*begin..].contains(end));
    of_spec.filter(is_field).unwrap_or(of_word)
}

/// Creates what the API server accepts and returns what the operator refuses: by the condition Accepted, or because the API
/// server refuses an object that it makes.
fn by_operator(bed: &Testbed, api: &Kubernetes, folder: &Path, count: usize, refused: &Verdicts) -> Verdicts {
    let indices: Vec<_> = (0..count).filter(|index| !refused.contains_key(index)).collect();
    let unexpected = create(bed, folder, indices.clone(), &[]);
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    let mut done = BTreeMap::new();
    eventually("a verdict on each resource", PATIENCE, || {
        for object in api.list(&MONITORED_APIS.within(NAMESPACE), "")? {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            done.extend(verdict_of(&object).map(|verdict| (name, verdict)));
        }
        Ok(match done.len() {
            known if known == indices.len() => Ok(()),
            known => Err(format!("{known} of {}", indices.len())),
        })
    })
    .unwrap();
    let names = bed
        .kubectl(&["-n", NAMESPACE, "delete", "monitoredapis", "--all", "--wait=true"])
        .unwrap();
    assert_eq!(names.lines().count(), indices.len());
    bed.kubectl(&[
        "-n",
        NAMESPACE,
        "delete",
        "deployments,services,servicemonitors,prometheusrules,configmaps,serviceaccounts,persistentvolumeclaims",
        "--all",
        "--wait=false",
    ])
    .unwrap();
    let name = |index: &usize| {
        let text = fs::read_to_string(file(folder, *index)).unwrap();
        let (_, rest) = text.split_once("\"name\": ").unwrap();
        rest.split(['}', ',']).next().unwrap().trim_matches('"').to_owned()
    };
    indices
        .iter()
        .filter_map(|index| Some((*index, done.remove(&name(index)).expect("a verdict")?)))
        .collect()
}

/// The operator's verdict, if there is one yet: none if it accepts, else the fields and the message.
fn verdict_of(object: &Value) -> Option<Option<(BTreeSet<String>, String)>> {
    let (accepted, _, message) = condition(object, "Accepted")?;
    if accepted == "False" {
        return Some(Some((BTreeSet::new(), message.to_owned())));
    }
    match condition(object, "ChildrenApplied")? {
        ("True", _, _) => Some(None),
        ("False", reason, message) => Some(Some((
            BTreeSet::from([CHILD.to_owned()]),
            format!("{reason}: {message}"),
        ))),
        _ => None,
    }
}

/// Why `render` cannot know what the API server says, if so.
fn beyond_render(message: &str) -> Option<&'static str> {
    let row = BEYOND_RENDER.iter().find(|(said, _)| message.contains(said));
    row.map(|(_, reason)| *reason)
}

/// How the two verdicts differ. The fields of `render` may be more: an API server stops at the first kind of mistake.
fn difference(
    offline: Option<&(BTreeSet<String>, String)>,
    online: Option<&(BTreeSet<String>, String)>,
) -> Option<String> {
    match (offline, online) {
        (None, None) => None,
        (Some((_, offline)), None) => Some(format!("render alone refuses:\n{offline}")),
        (None, Some((_, online))) => Some(format!("render alone accepts; online: {online}")),
        (Some((offline, says)), Some((fields, message))) => {
            let missing: Vec<_> = fields
                .iter()
                .filter(|field| !offline.iter().any(|other| is_same(field, other)))
                .collect();
            // The operator's message names fields in its text; a long one is cut.
            let unnamed = fields.is_empty() && !offline.iter().any(|field| message.contains(field.as_str()));
            (!missing.is_empty() || unnamed)
                .then(|| format!("render does not name {missing:?}\nrender: {says}online: {message}"))
        }
    }
}

/// Whether both name the same field, or one names a field of the other's: a value of a wrong type is told of itself or of
/// what stands in it.
fn is_same(online: &str, offline: &str) -> bool {
    let (online, offline) = (dotted(online), dotted(offline));
    let is_in = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        outer != "spec" && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    is_in(&online, &offline) || is_in(&offline, &online)
}

/// The path with every step after a dot: the API server writes `podLabels.team`, we `podLabels[team]`.
fn dotted(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

//! Generated pods, judged by `render` and, as part of a Deployment, by a real API server. `render` must neither overlook what
//! the API server refuses nor refuse what it accepts, except by our own rules.

use std::{collections::BTreeSet, fs, process::Command};

use controller_api::MonitoredApi;
use controller_core::{Violation, facts::Settings, intent::Intent, render};
use integration_tests::pod_templates::{PodSample, pods};
use serde_json::{Value, json};
use testbed::Testbed;

use super::{BATCH, beyond_render, dotted, fields, file, seed_and_count};

/// What we refuse and the API server does not.
const OWN_RULES: [&str; 17] = [
    "the operator sets this",
    "items are merged by name",
    "because m means thousandths",
    "is less than 1M",
    "more cores than any node has",
    "less than a thousandth of a core",
    "given twice: remove one",
    // In the pod that is made from the Deployment the API server refuses both.
    "stands in labelSelector too",
    // Kubernetes takes them from 1.32 on.
    "is not a valid variable name",
    "is not a valid prefix",
    "is not a known field",
    "an image is missing",
    "a Deployment restarts its pods always",
    "is reserved for the API's own port",
    "is a volume of the operator's",
    "is too small: use a larger size",
    // Go takes it for an empty value.
    "null is not a valid value",
];
/// Words of the API server where it read no field: it names none, or one of a Go type.
const UNREAD: [&str; 5] = [
    "cannot unmarshal",
    "unknown field",
    "unable to parse quantity",
    "quantities must match",
    "expected",
];
/// Where the API server names a field that is not there, or not the one that is wrong, and the one that is.
const ODD_FIELDS: [(&str, &str); 6] = [
    ("tolerations.operator", "tolerations.value"),
    (".{topologyKey, whenUnsatisfiable}", ".topologyKey"),
    (".namespace", ".namespaces"),
    ("resources.storage", "resources.requests.storage"),
    (".projected.path", ".projected.sources.serviceAccountToken.path"),
    ("HostPID", "hostPID"),
];
/// Fields of a file of a downward API volume. The API server does not name the list that the files stand in.
const OF_A_DOWNWARD_API_FILE: [&str; 4] = ["path", "mode", "fieldRef", "resourceFieldRef"];
/// What `render` tells once the other mistakes are mended: it needs the whole pod, or the field beside it.
const TOLD_LATER: [&str; 5] = [
    "resources.requests",
    "lifecycle.preStop.sleep",
    "lifecycle.postStart.sleep",
    "volumeMounts.name",
    "localhostProfile",
];

#[test]
fn render_refuses_the_pods_that_the_api_server_refuses_in_a_deployment_and_no_others() {
    let bed = Testbed::builder("differential-pods").start().unwrap();
    let (seed, count) = seed_and_count();
    let samples = pods(seed, count).unwrap();
    let base = deployment(&json!({"image": "example.org/orders:1"})).unwrap();
    let mut differences = Vec::new();
    let (mut accepted, mut refused, mut beyond) = (0, 0, 0);
    for (batch, samples) in samples.chunks(BATCH).enumerate() {
        let verdicts = by_api_server(&bed, samples, &base);
        for (index, (sample, online)) in samples.iter().zip(verdicts).enumerate() {
            let offline = deployment(&sample.spec()).err().unwrap_or_default();
            match &online {
                Some(_) => refused += 1,
                None => accepted += 1,
            }
            if online
                .as_deref()
                .is_some_and(|message| beyond_render(message).is_some())
            {
                beyond += 1;
            } else if let Some(difference) = difference(&offline, online.as_deref()) {
                let number = batch * BATCH + index;
                differences.push(format!(
                    "seed {seed}, {number}: {:?}\n{difference}\n{}",
                    sample.changes, sample.pod
                ));
            }
        }
    }
    println!("{accepted} pods accepted by the API server, {refused} refused, {beyond} left out");
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences.join("\n\n")
    );
}

/// The Deployment of a spec, or what `render` says.
fn deployment(spec: &Value) -> Result<Value, Vec<Violation>> {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "metadata": {"name": "orders"}, "spec": spec,
    }))
    .unwrap();
    let objects = render(&api, &Settings::default())?.objects;
    let mut objects = objects.iter().map(Intent::object);
    Ok(objects.find(|object| object["kind"] == "Deployment").unwrap().clone())
}

/// What the API server says of each pod in a Deployment; none if it accepts it.
fn by_api_server(bed: &Testbed, samples: &[PodSample], base: &Value) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (index, sample) in samples.iter().enumerate() {
        let mut deployment = sample.over(base);
        deployment["metadata"]["name"] = json!(format!("d{index}"));
        fs::write(file(folder.path(), index), deployment.to_string()).unwrap();
    }
    // With two refusals or more, kubectl names the file of each.
    for index in samples.len()..samples.len() + 2 {
        fs::write(
            file(folder.path(), index),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "A"}}).to_string(),
        )
        .unwrap();
    }
    let mut command = Command::new(bed.bin("kubectl").unwrap());
    command.env("KUBECONFIG", bed.kubeconfig());
    command.args(["create", "--dry-run=server", "--namespace=default", "--output=name"]);
    command.args((0..samples.len() + 2).map(|index| format!("--filename={}", file(folder.path(), index).display())));
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let mut verdicts = vec![None; samples.len() + 2];
    for message in stderr.split(&format!("{}/", folder.path().display())).skip(1) {
        let (index, message) = message.split_once(".yaml").unwrap();
        verdicts[index.parse::<usize>().unwrap()] = Some(message.to_owned());
    }
    let created = String::from_utf8(output.stdout).unwrap().lines().count();
    assert_eq!(
        created + verdicts.iter().flatten().count(),
        samples.len() + 2,
        "{stderr}"
    );
    verdicts.truncate(samples.len());
    verdicts
}

fn difference(offline: &[Violation], online: Option<&str>) -> Option<String> {
    let is_own = |violation: &&Violation| OWN_RULES.iter().any(|rule| violation.message.contains(rule));
    match (offline.is_empty(), online) {
        (true, None) => None,
        (false, None) if offline.iter().all(|violation| is_own(&violation)) => None,
        (false, None) => Some(format!("render alone refuses: {offline:#?}")),
        (true, Some(message)) => Some(format!("render alone accepts; online: {message}")),
        (false, Some(message)) => {
            let ours: BTreeSet<_> = offline.iter().map(|violation| plain(&violation.path)).collect();
            let unread = UNREAD.iter().any(|words| message.contains(words));
            let missing: Vec<_> = fields(message)
                .into_iter()
                .map(|field| plain(&field))
                .filter(|field| !ours.iter().any(|ours| is_same(field, ours)))
                .filter(|field| !TOLD_LATER.iter().any(|later| field.ends_with(later)))
                .collect();
            (!unread && !missing.is_empty() && !offline.iter().any(|violation| is_own(&violation)))
                .then(|| format!("render does not name {missing:?}\nrender: {offline:#?}\nonline: {message}"))
        }
    }
}

/// A path below the pod's spec, without the places in lists, which differ.
fn plain(path: &str) -> String {
    let mut steps = Vec::new();
    for step in dotted(path).split('.').filter(|step| step.parse::<usize>().is_err()) {
        steps.push(step.to_owned());
    }
    let path = steps.join(".");
    let path = ["spec.template.spec.", "spec.podTemplate.spec.", "spec."]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .unwrap_or(&path)
        .to_owned();
    if let Some((before, field)) = path.split_once(".downwardAPI.")
        && OF_A_DOWNWARD_API_FILE.iter().any(|of_file| field.starts_with(of_file))
    {
        return format!("{before}.downwardAPI.items.{field}");
    }
    let odd = ODD_FIELDS
        .iter()
        .find_map(|(odd, field)| Some(format!("{}{field}", path.strip_suffix(odd)?)));
    odd.unwrap_or(path)
}

/// Whether one is the other, or stands in it.
fn is_same(one: &str, other: &str) -> bool {
    let is_in = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    is_in(one, other) || is_in(other, one)
}

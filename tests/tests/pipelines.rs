//! The jobs of `docs/guides/ci` and the guide about them, `docs/guides/pipelines.md`: GitHub's and GitLab's schemas accept the files,
//! the tools are those that are tested, each command passes as it is written, and what the guide shows of a job that fails is what
//! is printed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use integration_tests::{operator::Operator, python, workspace};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{PROMETHEUS_VERSION, Toolbox};

/// A file of a job, and the schema of `check-jsonschema` that it has to satisfy.
const JOBS: [(&str, &str); 2] = [
    ("github.yml", "vendor.github-workflows"),
    ("gitlab.yml", "vendor.gitlab-ci"),
];

/// The page of metrics that the image of the example exports.
const PAGE: &str = "tests/dialects/fastapi-instrumentator/pages/8.1.0/default.after.text";

/// What the guide shows of a job that fails: what is changed in the example, by what, and the command that finds it.
const FAILURES: [(&str, &str, &str); 4] = [
    (
        "threshold: \"0.02\"",
        "threshold: \"2\"",
        "monitored-api render -f deploy/orders.yaml --metrics metrics.txt -o rendered",
    ),
    (
        "target: \"99.9\"",
        "target: 99.9",
        "monitored-api lint -f deploy/orders.yaml --metrics metrics.txt",
    ),
    (
        "  port: 8000",
        "  port: 8000\n  metrics: {dialect: flask}",
        "monitored-api lint -f deploy/orders.yaml --metrics metrics.txt",
    ),
    (
        "name: ApiHighErrorRatio, threshold: \"0.02\"",
        "name: ApiCardinalityHigh, threshold: \"90000000\"",
        "monitored-api test -f deploy/orders.yaml --metrics metrics.txt",
    ),
];

fn guides() -> PathBuf {
    workspace::root().unwrap().join("docs/guides")
}

fn read(file: &str) -> String {
    fs::read_to_string(guides().join(file)).unwrap()
}

/// A repository as the jobs expect one, and a folder `bin` with what they install.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("deploy")).unwrap();
    fs::copy(guides().join("ci/orders.yaml"), at("deploy/orders.yaml")).unwrap();
    fs::copy(workspace::root().unwrap().join(PAGE), at("metrics.txt")).unwrap();
    fs::create_dir(at("bin")).unwrap();
    symlink(Operator::binary().unwrap(), at("bin/monitored-api")).unwrap();
    symlink(Toolbox::open().unwrap().bin("promtool").unwrap(), at("bin/promtool")).unwrap();
    folder
}

/// Runs a line as a job does.
fn run(line: &str, repository: &Path) -> Output {
    let mut path = OsString::from(repository.join("bin"));
    path.push(":/usr/bin:/bin");
    let mut shell = Command::new("sh");
    shell.args(["-ec", line]).current_dir(repository).env_clear();
    shell.env("PATH", path).output().unwrap()
}

/// The lines of a job: those of GitHub's steps with `run`, or of GitLab's `script`.
fn lines(file: &str) -> Vec<String> {
    let job: Value = serde_yaml::from_str(&read(&format!("ci/{file}"))).unwrap();
    let scripts: Vec<&Value> = match job.pointer("/jobs/monitoring/steps") {
        Some(steps) => steps.as_array().unwrap().iter().map(|step| &step["run"]).collect(),
        None => job["monitoring"]["script"].as_array().unwrap().iter().collect(),
    };
    let texts = scripts.into_iter().filter_map(Value::as_str);
    texts.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn the_files_satisfy_the_schemas_of_github_and_gitlab() {
    let python = python::interpreter().unwrap();
    let check = |schema: &str, file: &Path| {
        let mut command = Command::new(&python);
        command.args(["-m", "check_jsonschema", "--builtin-schema", schema]);
        command.arg(file).output().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    for (file, schema) in JOBS {
        let output = check(schema, &guides().join("ci").join(file));
        assert!(output.status.success(), "{output:?}");
        // A misspelt key is found.
        let wrong = folder.path().join(file);
        let text = read(&format!("ci/{file}"));
        fs::write(&wrong, text.replacen("services:", "srevices:", 1)).unwrap();
        assert!(!check(schema, &wrong).status.success(), "{file}");
    }
}

#[test]
fn the_jobs_take_this_release_and_the_prometheus_that_is_tested() {
    let release = concat!(
        "MONITORED_API: ghcr.io/monitored-api/controller:",
        env!("CARGO_PKG_VERSION"),
        "\n"
    );
    let prometheus = format!("PROMETHEUS: docker.io/prom/prometheus:v{PROMETHEUS_VERSION}\n");
    let chart = fs::read_to_string(workspace::root().unwrap().join("charts/monitored-api/values.yaml")).unwrap();
    assert!(chart.contains("repository: ghcr.io/monitored-api/controller\n"));
    for (file, _) in JOBS {
        let text = read(&format!("ci/{file}"));
        assert!(text.contains(release) && text.contains(&prometheus), "{text}");
    }
}

#[test]
fn every_command_of_the_jobs_passes_as_it_is_written() {
    let commands = JOBS.map(|(file, _)| {
        let lines = lines(file)
            .into_iter()
            .filter(|line| line.starts_with("monitored-api "));
        lines.collect::<Vec<_>>()
    });
    let [github, gitlab] = &commands;
    assert_eq!(github, gitlab, "both jobs check the same");
    for wanted in ["detect", "render", "preview", "lint", "test"] {
        let start = format!("monitored-api {wanted} ");
        assert!(
            github.iter().any(|line| line.starts_with(&start)),
            "no {wanted}: {github:?}"
        );
    }
    let repository = repository();
    for line in github {
        let output = run(line, repository.path());
        assert!(output.status.success(), "{line}: {output:?}");
    }
    for kept in [
        "metrics.txt",
        "preview.html",
        "rendered/shop-prometheusrule-orders.yaml",
    ] {
        assert!(repository.path().join(kept).is_file(), "{kept}");
    }
}

/// What a command prints, on both streams, without what a log of a job shows of every run: what passed, and what is left out.
fn told(output: &Output) -> String {
    let lines = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let lines = lines.iter().flat_map(|text| text.lines());
    let told = lines.filter(|line| !line.starts_with("pass ") && !line.contains(": left out, "));
    told.fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn a_job_that_fails_prints_what_the_guide_shows() {
    let guide = read("pipelines.md");
    let example = read("ci/orders.yaml");
    let repository = repository();
    for (right, wrong, command) in FAILURES {
        assert!(example.contains(right), "{right}");
        fs::write(
            repository.path().join("deploy/orders.yaml"),
            example.replace(right, wrong),
        )
        .unwrap();
        let output = run(command, repository.path());
        assert!(matches!(output.status.code(), Some(1 | 2)), "{wrong}: {output:?}");
        let block = format!("```console\n$ {command}\n{}```\n", told(&output));
        assert!(guide.contains(&block), "docs/guides/pipelines.md lacks\n{block}");
    }
}

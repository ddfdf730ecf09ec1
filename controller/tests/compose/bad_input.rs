//! Every option wrong once, and everything around the command that can be wrong: exit code 2, one sentence that says what to do, and
//! nothing written.

use std::{fs, net::TcpListener, os::unix::fs::symlink, path::Path, process::Command};

use super::{PROGRAM, compose, compose_at, files, flask_page, told};

/// Options beside `--job orders=app:80 --dialect s0`, and what the sentence has to hold.
const OPTIONS: &[(&str, &str)] = &[
    ("--target orders", "use HOST:PORT"),
    ("--target http://orders:80", "use HOST:PORT"),
    ("--target orders:0", "use HOST:PORT"),
    ("--job carts", "use NAME=HOST:PORT"),
    ("--job =app:80", "use NAME=HOST:PORT"),
    ("--job carts=app", "use HOST:PORT"),
    ("--job orders=other:80", "two APIs would be called orders"),
    (
        "--job Carts=app:80",
        "metadata.name: \"Carts\" is not a valid name: use",
    ),
    ("-f /does/not/exist", "/does/not/exist: No such file"),
    ("--namespace A", "is not a valid namespace: use"),
    ("--metrics /does/not/exist", "read /does/not/exist: No such file"),
    ("--scrape-interval 15", "use at least 1s"),
    ("--scrape-interval 0s", "use at least 1s"),
    ("--evaluation-interval x", "use at least 1s"),
    ("--retention 15", "use at least 1s"),
    (
        "--retention 2d",
        "2d is too short for orders, whose rules look back for up to 8d: use 8d or more",
    ),
    ("--email a@example.org", "--smtp <HOST:PORT>"),
    ("--email a --smtp mail:25 --smtp-from b@example.org", "use NAME@HOST"),
    (
        "--email a@example.org --smtp mail --smtp-from b@example.org",
        "use HOST:PORT",
    ),
    ("--email a@example.org --smtp mail:25 --smtp-from b", "use NAME@HOST"),
    ("--smtp mail:25", "--email <ADDRESS>"),
    ("--smtp-from b@example.org", "--email <ADDRESS>"),
    ("--smtp-user u", "--email <ADDRESS>"),
    ("--smtp-without-tls", "--email <ADDRESS>"),
    ("--webhook hooks.example.org", "use http:// or https://"),
    ("--grafana-port 0", "--grafana-port"),
    ("--prometheus-port 65536", "--prometheus-port"),
    ("--alertmanager-port x", "--alertmanager-port"),
    ("--image i --build .", "--build"),
    (
        "--build /does/not/exist",
        "--build: /does/not/exist is no folder: use one with a Dockerfile",
    ),
    (
        "--image i",
        "--image: it runs the API on this machine, and app:80 is another: use orders:80 or localhost:80",
    ),
    ("--runbook-base-url http://wiki", "use https"),
    ("--compat pyrra", "sloth"),
];

#[test]
fn every_option_that_is_wrong_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("stack");
    for (options, sentence) in OPTIONS {
        let all: Vec<&str> = "--job orders=app:80 --dialect s0"
            .split(' ')
            .chain(options.split(' '))
            .collect();
        // Those of the table that set a port would set it twice.
        let ended = if options.contains("-port") {
            compose_at(&output, &all)
        } else {
            compose(&output, &all)
        };
        let told = told(&ended);
        assert_eq!(ended.status.code(), Some(2), "{options}: {told}");
        assert!(told.contains(sentence), "{options}: {told}");
        assert!(!output.exists(), "{options}");
    }
}

/// Whole command lines, and what the sentence has to hold.
const COMMANDS: &[(&str, &str)] = &[
    ("", "there is nothing to monitor: add --target HOST:PORT"),
    (
        "--job orders=localhost:1",
        "start it, give a page of them by --metrics FILE, or name their dialect by --dialect NAME",
    ),
    (
        "--target localhost:1 --target 127.0.0.1:2 --dialect s0",
        "two APIs would be called api: give them names by --job",
    ),
    (
        "--job a=localhost:1 --job b=localhost:2 --dialect s0 --image i",
        "--image: it runs one API, and there are 2",
    ),
    (
        "--job a=localhost:1,localhost:2 --dialect s0 --image i",
        "--image: it runs one process, and a has 2 addresses",
    ),
    (
        "--job grafana=localhost:1 --dialect s0 --image i",
        "grafana is already the name of a program of the stack",
    ),
    ("--target orders:80 --dialect flsk", "native"),
    (
        "--target localhost:1 --dialect s0 --image=",
        "is not a valid image name: use registry/repository:tag",
    ),
    (
        "--target localhost:1 -f two.yaml",
        "it has no address: add --job orders=HOST:PORT",
    ),
    ("--job carts=localhost:1 -f bad.yaml", "correct the files first"),
];

#[test]
fn options_that_do_not_fit_together_are_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("stack");
    let api = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
        )
    };
    let native = "image: i, preset: native";
    fs::write(
        folder.path().join("two.yaml"),
        api("orders", native) + &api("carts", native),
    )
    .unwrap();
    fs::write(folder.path().join("bad.yaml"), api("carts", "image: i, prest: native")).unwrap();
    for (options, sentence) in COMMANDS {
        let mut command = Command::new(PROGRAM);
        command.args(["compose", "-o"]).arg(&output).current_dir(folder.path());
        let ended = command.args(options.split_whitespace()).output().unwrap();
        let told = told(&ended);
        assert_eq!(ended.status.code(), Some(2), "{options}: {told}");
        assert!(told.contains(sentence), "{options}: {told}");
        assert!(!output.exists(), "{options}");
    }
    let ended = Command::new(PROGRAM)
        .args(["compose", "--target", "a:1"])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(told(&ended).contains("--output <DIR>"));
}

const GOOD: [&str; 4] = ["--job", "orders=app:80", "--dialect", "s0"];

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yaml"), "services: {}\n").unwrap();
    let before = files(folder.path());
    let refused = |place: &Path, options: &[&str], sentence: &str| {
        let ended = compose(place, &[&GOOD, options].concat());
        assert_eq!(ended.status.code(), Some(2));
        assert!(told(&ended).contains(sentence), "{}", told(&ended));
    };
    refused(folder.path(), &[], "use an empty folder, or --force");
    refused(
        &folder.path().join("compose.yaml"),
        &[],
        "it is no folder: use another path",
    );
    fs::write(folder.path().join(".monitored-api.json"), "{").unwrap();
    refused(
        folder.path(),
        &[],
        ".monitored-api.json is not as this command writes it",
    );
    fs::remove_file(folder.path().join(".monitored-api.json")).unwrap();
    // What a link points to is somebody else's, also with --force.
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), folder.path().join("prometheus")).unwrap();
    refused(
        folder.path(),
        &["--force"],
        "prometheus/prometheus.yml is no file: remove it",
    );
    fs::remove_file(folder.path().join("prometheus")).unwrap();
    assert_eq!(files(folder.path()), before);
    assert!(files(elsewhere.path()).is_empty());
}

#[test]
fn a_port_that_is_taken_or_wanted_twice_is_told_with_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("stack");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = compose_at(&output, &[&GOOD[..], &["--grafana-port", &port]].concat());
    assert_eq!(ended.status.code(), Some(2));
    let sentence = told(&ended);
    assert!(
        sentence.contains("is taken by another program: choose another by --prometheus-port"),
        "{sentence}"
    );
    let twice = compose_at(
        &output,
        &[&GOOD[..], &["--grafana-port", "19099", "--prometheus-port", "19099"]].concat(),
    );
    assert!(told(&twice).contains("port 19099 is wanted twice"), "{}", told(&twice));
    assert!(!output.exists());
}

#[test]
fn a_page_of_no_known_library_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page");
    fs::write(&page, "# TYPE a counter\na 1\n").unwrap();
    let output = folder.path().join("stack");
    let ended = compose(&output, &["--target", "orders:80", "--metrics", page.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        told(&ended).contains("is not clear (no-http-metrics)"),
        "{}",
        told(&ended)
    );
    assert!(!output.exists());
    let known = compose(&output, &["--target", "orders:80", "--metrics", &flask_page()]);
    assert_eq!(known.status.code(), Some(0), "{}", told(&known));
}

/// In a mount namespace of its own, whose only new file system is as small as `size`.
fn on_a_small_disk(folder: &Path, size: &str, script: &str) -> std::process::Output {
    let script = format!(
        "mount -t tmpfs -o size={size} none {0} && cd {0} && {script}",
        folder.display()
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c"]).arg(script);
    unshare.env("MONITORED_API", PROGRAM).output().unwrap()
}

#[test]
fn a_full_disk_leaves_the_old_files_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let good = GOOD.join(" ");
    let ports = "--prometheus-port 19190 --alertmanager-port 19193 --grafana-port 13190";
    let write = format!("$MONITORED_API compose {good} {ports}");
    // Into a new folder: nothing of it stays.
    let ended = on_a_small_disk(folder.path(), "32k", &format!("{write} -o stack; echo code $?; ls -A"));
    let (printed, sentence) = (String::from_utf8_lossy(&ended.stdout).into_owned(), told(&ended));
    assert_eq!(printed, "code 2\n", "{sentence}");
    assert!(
        sentence.contains("stack: nothing is changed: make room or use another folder: write "),
        "{sentence}"
    );
    assert!(sentence.contains("No space left on device"), "{sentence}");
    // Over old files: the disk is filled between the first run and the second, which would change every rule.
    let script = format!(
        "{write} -o stack >/dev/null 2>&1 && cat $(find stack -type f | sort) | sha256sum && {{ cat /dev/zero > fill; {write} -o stack \
         --scrape-interval 30s; echo code $?; }} 2>&1 | grep -v 'cat:' ; rm -f fill; cat $(find stack -type f | sort) | sha256sum"
    );
    let ended = on_a_small_disk(folder.path(), "4m", &script);
    let printed = String::from_utf8_lossy(&ended.stdout).into_owned();
    let lines: Vec<&str> = printed.lines().collect();
    assert!(
        printed.contains("No space left on device") && printed.contains("code 2"),
        "{printed}{}",
        told(&ended)
    );
    assert_eq!(lines.first(), lines.last(), "{printed}");
}

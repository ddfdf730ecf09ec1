//! What other programs say of `monitored-api completions` and `man`: zsh and fish of their scripts, groff of the pages.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::PathBuf, process::Command};

use integration_tests::{operator::Operator, workspace};
use tempfile::TempDir;

/// A folder with the script of this shell, and the script.
fn script(shell: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    let mut command = Command::new(Operator::binary().unwrap());
    let printed = workspace::read(command.args(["completions", shell])).unwrap();
    fs::write(&path, printed).unwrap();
    (folder, path)
}

#[test]
fn zsh_reads_its_script_and_knows_the_command() {
    testbed::ensure_shells().unwrap();
    let (folder, script) = script("zsh");
    let ask = "autoload -U compinit; compinit -u -D; source $1; print -r -- ${_comps[monitored-api]}; functions $_comps[monitored-api]";
    let mut zsh = Command::new("zsh");
    zsh.args(["-f", "-c", ask, "zsh"]).arg(&script);
    let output = zsh.env("HOME", folder.path()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{:?}",
        output.stderr
    );
    assert!(
        printed.starts_with("_monitored-api\n") && printed.contains("--monitoring-object-labels"),
        "{printed}"
    );
}

#[test]
fn fish_completes_a_command_and_an_option() {
    testbed::ensure_shells().unwrap();
    let (folder, script) = script("fish");
    for (line, expected) in [
        ("monitored-api re", "render"),
        ("monitored-api render --monitoring", "--monitoring-object-labels"),
    ] {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]);
        fish.arg(&script).arg(line).env("HOME", folder.path());
        let output = fish.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{:?}",
            output.stderr
        );
        let candidates: Vec<_> = printed.lines().filter_map(|row| row.split('\t').next()).collect();
        assert_eq!(candidates, [expected], "{line}");
    }
}

#[test]
fn groff_formats_every_man_page_without_a_warning() {
    testbed::ensure_groff().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(Operator::binary().unwrap());
    workspace::run(command.args(["man", "-o"]).arg(folder.path())).unwrap();
    let pages: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(pages.len() > 10, "{pages:?}");
    for page in pages {
        let output = Command::new("groff")
            .args(["-man", "-ww", "-Tutf8"])
            .arg(&page)
            .output()
            .unwrap();
        let [printed, warnings] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(
            output.status.success() && warnings.is_empty(),
            "{}: {warnings}",
            page.display()
        );
        assert!(printed.contains("monitored-api"), "{}", page.display());
    }
}

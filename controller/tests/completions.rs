//! `monitored-api completions` and `man` as programs: what bash offers after the Tab key, which pages are written, and what is said
//! of a shell or a folder that can't be used.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// Calls the function that bash calls at the Tab key, for the words of a line, and prints a candidate a line.
const TAB: &str = r#"
source /dev/stdin
declaration=$(complete -p monitored-api) || exit 3
[[ $declaration =~ -F\ ([^ ]+) ]] || exit 4
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    command.args(arguments).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Runs it and takes what it prints.
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    text(output.stdout)
}

/// The names of all commands, as `--help` lists them.
fn commands() -> BTreeSet<String> {
    let help = printed(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let rows = commands.lines().take_while(|line| !line.is_empty());
    rows.filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// What bash offers for a line that ends at the cursor, in a folder with these files.
fn candidates(line: &[&str], files: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::write(folder.path().join(file), "").unwrap();
    }
    let script = folder.path().join(".script");
    fs::write(&script, printed(&["completions", "bash"])).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", TAB, "bash"]).args(line);
    bash.current_dir(&folder).stdin(fs::File::open(&script).unwrap());
    let output = bash.output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{line:?}: {output:?}"
    );
    text(output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_their_options_values_and_files() {
    assert_eq!(candidates(&["monitored-api", "re"], &[]), ["render"]);
    assert_eq!(
        candidates(&["monitored-api", "render", "--monitoring"], &[]),
        ["--monitoring-object-labels"]
    );
    assert_eq!(
        candidates(&["monitored-api", "lint", "-f", "deploy/o.yaml", "--output", "j"], &[]),
        ["json"]
    );
    assert_eq!(
        candidates(&["monitored-api", "lint", "-f", "ord"], &["orders.yaml", "other"]),
        ["orders.yaml"]
    );
    assert_eq!(candidates(&["monitored-api", "completions", "f"], &[]), ["fish"]);
}

#[test]
fn every_command_is_in_the_script_of_each_shell_and_has_a_man_page() {
    let commands = commands();
    assert!(commands.contains("render") && commands.contains("man"), "{commands:?}");
    for shell in SHELLS {
        let script = printed(&["completions", shell]);
        let words: BTreeSet<_> = script
            .split(|c: char| !c.is_alphanumeric() && c != '-')
            .map(str::to_owned)
            .collect();
        assert!(commands.is_subset(&words), "{shell}: {commands:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("not/there/yet");
    let name = pages.to_str().unwrap();
    for _ in 0..2 {
        assert_eq!(printed(&["man", "-o", name]), "");
        let main = "monitored-api.1".to_owned();
        let wanted: BTreeSet<_> = commands
            .iter()
            .map(|name| format!("monitored-api-{name}.1"))
            .chain([main])
            .collect();
        assert_eq!(files(&pages), wanted);
    }
    assert_eq!(
        printed(&["man"]),
        fs::read_to_string(pages.join("monitored-api.1")).unwrap()
    );
}

/// The names of the files in a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_man_page_has_the_name_the_version_and_the_options_of_its_command() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(printed(&["man", "-o", folder.path().to_str().unwrap()]), "");
    for name in commands() {
        let page = fs::read_to_string(folder.path().join(format!("monitored-api-{name}.1"))).unwrap();
        let title = format!(
            ".TH monitored-api-{name} 1 \" \" \"monitored-api {}\"",
            env!("CARGO_PKG_VERSION")
        );
        assert!(page.contains(&title) && page.is_ascii(), "{page}");
        // A long name of an option begins its line of `--help`, or follows its short one.
        let help = printed(&[&name, "--help"]);
        let rows = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let options: Vec<_> = rows
            .flat_map(str::split_whitespace)
            .filter(|word| word.starts_with("--"))
            .collect();
        assert!(options.contains(&"--help"), "{help}");
        for option in options {
            let formatted = option.replace('-', "\\-");
            assert!(page.contains(&formatted), "{name}: no {formatted} in {page}");
        }
    }
}

#[test]
fn a_shell_or_a_folder_that_can_not_be_used_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("file"), "mine").unwrap();
    fs::create_dir_all(at("taken/monitored-api.1")).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["completions", "tcsh"],
            "use one of bash, elvish, fish, powershell, zsh",
        ),
        (&["completions", ""], "\"\" is not a valid shell"),
        (&["completions", "Bash"], "\"Bash\" is not a valid shell"),
        (&["man", "-o", &at("file")], "name a folder that you may write to"),
        (&["man", "-o", &at("taken")], "monitored-api.1: Is a directory"),
        (&["man", "-o", "/proc/pages"], "make the folder /proc/pages"),
    ];
    for (arguments, expected) in cases {
        let output = run(arguments);
        let told = text(output.stderr);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{arguments:?}"
        );
        assert!(told.contains(expected), "{arguments:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
    }
    assert_eq!(fs::read(at("file")).unwrap(), b"mine");
}

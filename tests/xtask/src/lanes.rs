//! Runs the integration tests: builds their programs once, then runs some of them in parallel.
//!
//! Tests on a cluster mostly wait: for a rollout, for Prometheus's clock, for the garbage collector. So several of them run
//! at the same time, each with a test bed of its own. Tests without a cluster run first and one by one, because some of
//! them measure time.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use integration_tests::workspace::{cargo, read};
use serde_json::Value;

/// The number of test programs that run at the same time.
const LANES: usize = 3;

/// The number of lines of a failed test's message that are repeated at the end. The whole message is in the output above.
const MESSAGE_LINES: usize = 40;

/// The packages whose tests start clusters.
const ON_A_CLUSTER: [&str; 2] = ["integration-tests", "testbed"];

/// Programs of these packages that need no cluster and much of the machine.
const ALONE: [&str; 1] = ["memory_limit"];

/// The longest programs, longest first; the others run after them. So no lane ends long after the others.
const LONG: [&str; 17] = [
    "chain",
    "prometheus_reader",
    "overall",
    "operator_restart",
    "faults",
    "quiet",
    "optional_crds",
    "grafana_operator",
    "node",
    "operator_children",
    "control_plane",
    "kill_campaign",
    "fire_drill",
    "schemathesis",
    "operator_kinds",
    "operator_references",
    "app_prometheus",
];

/// Programs whose own tests may run in parallel, and how many of them. The tests of all others run one by one, because they
/// share the state of a cluster or measure time.
const THREADS: [(&str, &str); 2] = [("chain", "3"), ("promtool", "2")];

/// One built test program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    name: String,
    executable: PathBuf,
    /// Its package's folder, where Cargo would run it.
    folder: PathBuf,
    on_a_cluster: bool,
}

impl Program {
    /// Longest first, then by name.
    fn rank(&self) -> (usize, &str) {
        let long = LONG.iter().position(|name| *name == self.name);
        (long.unwrap_or(LONG.len()), &self.name)
    }

    fn command(&self, environment: &[(&str, &Path)], seed: &str) -> Command {
        let threads = THREADS.iter().find(|(name, _)| *name == self.name);
        let mut command = Command::new(&self.executable);
        command
            .current_dir(&self.folder)
            .args([
                "--test-threads",
                threads.map_or("1", |(_, threads)| threads),
                "--nocapture",
            ])
            .env("SEED", seed)
            // Some tests make a program panic on purpose, and its backtrace would hide the real failure.
            .env("RUST_BACKTRACE", "0")
            .envs(environment.iter().copied())
            .stdin(Stdio::null());
        command
    }
}

/// Runs every integration test of the workspace with these variables set.
///
/// # Errors
/// Names the programs that failed; their output is printed before.
pub(crate) fn run(flags: &[&str], environment: &[(&str, &Path)], seed: &str) -> Result<()> {
    let (clustered, alone): (Vec<_>, Vec<_>) = build(flags)?.into_iter().partition(|program| program.on_a_cluster);
    let mut done = Vec::new();
    for program in alone {
        done.push(finish(&program, &mut program.command(environment, seed))?);
    }
    let queue = Mutex::new(VecDeque::from(clustered));
    let finished = Mutex::new(done);
    std::thread::scope(|scope| {
        let lane = || -> Result<()> {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(program) = next else { return Ok(()) };
                let end = finish(&program, &mut program.command(environment, seed))?;
                let failed = !end.passed;
                finished.lock().unwrap_or_else(PoisonError::into_inner).push(end);
                if failed {
                    // Running programs may end; no new one is started.
                    queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                }
            }
        };
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().try_for_each(|lane| match lane.join() {
            Ok(result) => result,
            Err(_) => bail!("a lane panicked"),
        })
    })?;
    let finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    report(&finished)
}

/// How a program ended.
struct End {
    name: String,
    passed: bool,
    /// The tests that failed, each with its message.
    failures: String,
    time: Duration,
}

/// Runs a program to its end, then prints its output in one piece.
#[expect(clippy::print_stdout, reason = "the output of a test run")]
fn finish(program: &Program, command: &mut Command) -> Result<End> {
    let start = Instant::now();
    // Printed first, so that a run that hangs shows which program it is.
    println!("-- {} starts --", program.name);
    // Both streams go into one file, so that their lines stay in order.
    let log = program.executable.with_extension("log");
    let file = std::fs::File::create(&log).with_context(|| format!("create {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    let status = command
        .status()
        .with_context(|| format!("start {}", program.executable.display()))?;
    let printed = std::fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    let printed = String::from_utf8_lossy(&printed);
    let end = End {
        name: program.name.clone(),
        passed: status.success(),
        failures: failures(&printed),
        time: start.elapsed(),
    };
    println!("\n-- {} --\n{}", end.name, printed.trim_end());
    Ok(end)
}

/// The tests that failed, as the program lists them at its end, each with its message. Empty if none failed.
fn failures(printed: &str) -> String {
    let list = printed.rsplit_once("\nfailures:\n").map_or("", |(_, list)| list);
    let names = list.lines().take_while(|line| line.starts_with("    "));
    let failure = |name: &str| format!("{name}\n{}", message_of(printed, name.trim()));
    names.map(failure).collect()
}

/// The message of a failed test: its panic, without the hint on backtraces.
fn message_of(printed: &str, name: &str) -> String {
    let lines = printed
        .lines()
        .skip_while(|line| !(line.starts_with(&format!("thread '{name}'")) && line.contains("panicked at")));
    lines
        .take_while(|line| !line.is_empty() && !line.starts_with("note: ") && !line.starts_with("stack backtrace"))
        .take(MESSAGE_LINES)
        .flat_map(|line| ["      ", line, "\n"])
        .collect()
}

#[expect(clippy::print_stdout, reason = "the output of a test run")]
fn report(finished: &[End]) -> Result<()> {
    println!("\nintegration tests by time:");
    let mut by_time: Vec<_> = finished.iter().collect();
    by_time.sort_by_key(|end| std::cmp::Reverse(end.time));
    for end in by_time.iter().filter(|end| end.time >= Duration::from_secs(1)) {
        println!("  {:<24}{:>6.0} s", end.name, end.time.as_secs_f64());
    }
    let failed: Vec<_> = finished.iter().filter(|end| !end.passed).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = failed
        .iter()
        .map(|end| format!("{}\n{}", end.name, end.failures))
        .collect();
    bail!("these integration tests failed:\n{}", names.join("\n"))
}

/// Builds all test programs, sorted as they are to run.
fn build(flags: &[&str]) -> Result<Vec<Program>> {
    let printed = read(
        cargo()?
            .args(["test", "--quiet", "--no-run", "--test", "*"])
            .arg("--message-format=json-render-diagnostics")
            .args(flags)
            .stderr(Stdio::inherit()),
    )?;
    let mut programs = Vec::new();
    for line in printed.lines() {
        let message: Value = serde_json::from_str(line).context("read the JSON that cargo prints")?;
        programs.extend(program(&message));
    }
    if programs.is_empty() {
        bail!("cargo built no integration test");
    }
    programs.sort_by(|a, b| a.rank().cmp(&b.rank()));
    Ok(programs)
}

/// The test program that a message of Cargo is about, if it is about one.
fn program(message: &Value) -> Option<Program> {
    let text = |path: &str| message.pointer(path).and_then(Value::as_str);
    if text("/target/kind/0") != Some("test") {
        return None;
    }
    let folder = Path::new(text("/manifest_path")?).parent()?.to_owned();
    let package = text("/package_id")?;
    let named = |name: &&str| package.contains(&format!("#{name}@")) || folder.ends_with(name);
    let name = text("/target/name")?.to_owned();
    Some(Program {
        executable: text("/executable")?.into(),
        on_a_cluster: ON_A_CLUSTER.iter().any(named) && !ALONE.contains(&name.as_str()),
        name,
        folder,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn artifact(package: &str, kind: &str, name: &str) -> Value {
        json!({
            "reason": "compiler-artifact", "package_id": package, "manifest_path": "/checkout/tests/Cargo.toml",
            "target": {"kind": [kind], "name": name}, "executable": format!("/target/{name}"),
        })
    }

    #[test]
    fn test_programs_libraries_and_cluster_tests_are_distinguished() {
        let of_cluster = program(&artifact(
            "path+file:///checkout/tests#integration-tests@0.1.0",
            "test",
            "chain",
        ));
        assert!(
            of_cluster.is_some_and(|program| program.on_a_cluster && program.folder == Path::new("/checkout/tests"))
        );
        let alone = program(&artifact(
            "path+file:///checkout/tests#integration-tests@0.1.0",
            "test",
            "memory_limit",
        ));
        assert!(alone.is_some_and(|program| !program.on_a_cluster));
        let of_app = program(&artifact("path+file:///checkout/app#0.1.0", "test", "http"));
        assert!(of_app.is_some_and(|program| !program.on_a_cluster));
        assert_eq!(
            program(&artifact("path+file:///checkout/app#0.1.0", "lib", "app")),
            None
        );
    }

    #[test]
    fn failed_tests_are_listed_with_their_messages_only() {
        let printed = "thread 'b' (7) panicked at b.rs:1:1:\non purpose\n\nthread 'a' (8) panicked at a.rs:2:5:\nno 1\nbut 2\nnote: \
            run with\ntest a ... FAILED\n\nfailures:\n\nfailures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed\n";
        let expected = "    a\n      thread 'a' (8) panicked at a.rs:2:5:\n      no 1\n      but 2\n";
        assert_eq!(failures(printed), expected);
        assert_eq!(failures("test a ... ok\n\ntest result: ok. 1 passed\n"), "");
    }

    #[test]
    fn the_longest_come_first() {
        let names = ["crd", "quiet", "chain", "bad_resources"];
        let mut programs: Vec<_> = names
            .iter()
            .filter_map(|name| {
                program(&artifact(
                    "path+file:///checkout/tests#integration-tests@0.1.0",
                    "test",
                    name,
                ))
            })
            .collect();
        programs.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let sorted: Vec<_> = programs.iter().map(|program| program.name.as_str()).collect();
        assert_eq!(sorted, ["chain", "quiet", "bad_resources", "crd"]);
    }
}

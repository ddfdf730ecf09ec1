//! `cargo xtask campaign fuzz`: coverage-guided fuzzing of the reader of metrics pages, and of detection with all that is built
//! from it. The programs are those of `tests/fuzz/engine`, the properties those of `tests/fuzz`.
//!
//! The toolchain is the stable one: LLVM's instrumentation needs no other, only a sanitizer would, and there is no unsafe code
//! that one could say something of.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use integration_tests::workspace::{cargo, read, root, run as run_command, target};

/// A program of `tests/fuzz/engine`.
#[derive(Debug, Clone, Copy)]
struct Target {
    name: &'static str,
    /// Bytes of a page: more find nothing else, and take longer. Of larger captured pages the beginning counts.
    max_page: usize,
}

const TARGETS: [Target; 2] = [
    Target {
        name: "reader",
        max_page: 4 * 1024,
    },
    Target {
        name: "detection",
        max_page: 8 * 1024,
    },
];

/// Counters of the edges between basic blocks, and the operands of comparisons, as cargo-fuzz asks for them.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// Seconds for one page. The slowest takes a hundredth of it.
const MAX_SECONDS: u32 = 5;
/// Mebibytes of the whole process.
const MAX_MEMORY: u32 = 1024;
/// Most pages that are kept of one target, and most bytes of them all.
const MAX_KEPT: usize = 400;
const MAX_KEPT_BYTES: u64 = 400 * 1024;
/// Lines of the log that a failure repeats.
const MESSAGE_LINES: usize = 3;

/// Runs the targets whose names contain `only`, one after the other, for so many minutes together.
pub(super) fn run(only: Option<&str>, minutes: u32, seed: u64, keep: bool) -> Result<()> {
    let targets = TARGETS
        .iter()
        .filter(|target| target.name.contains(only.unwrap_or_default()));
    let targets: Vec<Target> = targets.copied().collect();
    let count = u32::try_from(targets.len())?;
    let seconds = minutes.saturating_mul(60).checked_div(count);
    let seconds = seconds.with_context(|| {
        format!(
            "there is no such target: use one of {:?}",
            TARGETS.map(|target| target.name)
        )
    })?;
    let programs = build()?;
    for target in targets {
        let fuzzing = Fuzzing::new(target, &programs)?;
        fuzzing.look(seconds, seed)?;
        if keep {
            fuzzing.keep()?;
        }
    }
    Ok(())
}

/// Builds the programs with the instrumentation; returns their folder.
fn build() -> Result<PathBuf> {
    let target = target()?.join("fuzz");
    run_command(
        cargo()?
            .args([
                "build",
                "--release",
                "--locked",
                "--manifest-path",
                "tests/fuzz/engine/Cargo.toml",
            ])
            .arg("--target-dir")
            .arg(&target)
            .env("RUSTFLAGS", INSTRUMENTATION),
    )?;
    let host = read(Command::new("rustc").args(["--print", "host-tuple"]))?;
    Ok(target.join(host.trim()).join("release"))
}

/// A target and its files.
struct Fuzzing {
    target: Target,
    program: PathBuf,
    /// Pages that were found, also by earlier campaigns on this machine.
    work: PathBuf,
    /// Pages that stand in the repository.
    kept: PathBuf,
    /// The captured pages of real libraries.
    captured: PathBuf,
    dictionary: PathBuf,
    log: PathBuf,
}

impl Fuzzing {
    fn new(of: Target, programs: &Path) -> Result<Self> {
        let name = of.name;
        let (root, folder) = (root()?, target()?.join("fuzz").join(name));
        let fuzzing = Self {
            target: of,
            program: programs.join(name),
            work: folder.join("pages"),
            kept: root.join("tests/fuzz/corpus").join(name),
            captured: root.join("tests/dialects"),
            dictionary: root.join("tests/fuzz/exposition.dict"),
            log: folder.join("log"),
        };
        for folder in [&fuzzing.work, &fuzzing.kept] {
            fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        Ok(fuzzing)
    }

    /// Looks for pages of which a property does not hold.
    fn look(&self, seconds: u32, seed: u64) -> Result<()> {
        say(&format!(
            "{}: {seconds} s, log in {}",
            self.target.name,
            self.log.display()
        ));
        // libFuzzer takes every file of a folder for a page.
        let captured = tempfile::tempdir()?;
        copy_pages(&self.captured, captured.path())?;
        let mut command = Command::new(&self.program);
        command
            .args([
                format!("-max_total_time={seconds}"),
                format!("-seed={}", seed.max(1) & u64::from(u32::MAX)),
                format!("-dict={}", self.dictionary.display()),
                format!("-artifact_prefix={}/", self.log.with_file_name("").display()),
                "-print_final_stats=1".to_owned(),
            ])
            .arg(&self.work)
            .arg(&self.kept)
            .arg(captured.path());
        let printed = self.finish(&mut command)?;
        for line in summary(&printed) {
            say(&format!("  {line}"));
        }
        Ok(())
    }

    /// Runs the program; returns what it printed.
    fn finish(&self, command: &mut Command) -> Result<String> {
        let log = File::create(&self.log).with_context(|| format!("create {}", self.log.display()))?;
        let status = command
            .args([
                format!("-max_len={}", self.target.max_page),
                format!("-timeout={MAX_SECONDS}"),
                format!("-rss_limit_mb={MAX_MEMORY}"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .status()
            .with_context(|| format!("start {}", self.program.display()))?;
        let printed = fs::read(&self.log).with_context(|| format!("read {}", self.log.display()))?;
        let printed = String::from_utf8_lossy(&printed).into_owned();
        if !status.success() {
            let lines: Vec<_> = printed.lines().collect();
            let last = lines
                .get(lines.len().saturating_sub(MESSAGE_LINES)..)
                .unwrap_or_default();
            bail!("a property of {} does not hold:\n{}", self.target.name, last.join("\n"));
        }
        Ok(printed)
    }

    /// Puts the smallest pages that reach what no captured page reaches into the repository, in the place of those that stood
    /// there.
    fn keep(&self) -> Result<()> {
        let merged = tempfile::tempdir()?;
        copy_pages(&self.captured, merged.path())?;
        let captured = files(merged.path())?;
        let mut command = Command::new(&self.program);
        command
            .arg("-merge=1")
            .arg(merged.path())
            .arg(&self.kept)
            .arg(&self.work);
        self.finish(&mut command)?;
        let mut found: Vec<(u64, PathBuf)> = Vec::new();
        for file in files(merged.path())?
            .into_iter()
            .filter(|file| !captured.contains(file))
        {
            found.push((fs::metadata(&file)?.len(), file));
        }
        found.sort();
        let mut bytes = 0;
        let kept = found.iter().take(MAX_KEPT).take_while(|(length, _)| {
            bytes += length;
            bytes <= MAX_KEPT_BYTES
        });
        let kept: Vec<&PathBuf> = kept.map(|(_, file)| file).collect();
        fs::remove_dir_all(&self.kept)?;
        fs::create_dir_all(&self.kept)?;
        for file in &kept {
            fs::copy(file, self.kept.join(file.file_name().context("a page without a name")?))?;
        }
        say(&format!(
            "  kept {} of {} pages in {}",
            kept.len(),
            found.len(),
            self.kept.display()
        ));
        Ok(())
    }
}

/// Copies the captured pages into one folder.
fn copy_pages(from: &Path, to: &Path) -> Result<()> {
    let mut folders = vec![from.to_owned()];
    let mut number = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if folder.parent().is_some_and(|above| above.ends_with("pages")) {
                fs::copy(&path, to.join(number.to_string()))?;
                number += 1;
            }
        }
    }
    if number == 0 {
        bail!("no captured page stands below {}", from.display());
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Of what libFuzzer printed: the coverage before and after, and its figures.
fn summary(printed: &str) -> Vec<&str> {
    let with_coverage = || printed.lines().filter(|line| line.contains(" cov: "));
    let first = with_coverage().find(|line| line.contains("INITED"));
    let last = with_coverage().next_back();
    let figures = printed
        .lines()
        .filter(|line| line.starts_with("stat::") || line.starts_with("Done "));
    first.into_iter().chain(last).chain(figures).collect()
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_the_coverage_of_the_seeds_and_of_the_end() {
        let printed = "INFO: seed corpus\n#10\tINITED cov: 5 ft: 9 corp: 3\n#20\tNEW    cov: 6 ft: 11 corp: 4\n\
            #30\tDONE   cov: 7 ft: 12 corp: 5\nDone 30 runs in 1 second(s)\nstat::peak_rss_mb: 5\n";
        assert_eq!(
            summary(printed),
            [
                "#10\tINITED cov: 5 ft: 9 corp: 3",
                "#30\tDONE   cov: 7 ft: 12 corp: 5",
                "Done 30 runs in 1 second(s)",
                "stat::peak_rss_mb: 5",
            ]
        );
    }
}

//! Installs the program of one dialect, with the library in one version, in the user's cache directory. Nothing is
//! written into the checkout, and nothing but the machine's own package clients is used.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use integration_tests::workspace;
use testbed::Toolbox;

use super::dialects::{Dialect, Release, Runtime};

/// Seconds that one step of an installation may take: a first build of a Rust program on one slow processor.
const STEP_SECONDS: u32 = 2400;
/// What `timeout` ends with when the time was over.
const TIME_IS_OVER: i32 = 124;
/// Lines of a program's output that an error shows.
const LAST_LINES: usize = 20;
/// Folders of a dialect that are no part of its program.
const NOT_OF_THE_PROGRAM: [&str; 2] = ["pages", "pins"];

/// A program that is ready to be started.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Its folder in the cache: logs go there.
    pub(crate) folder: PathBuf,
}

/// Installs a dialect's program. The second time only what has changed since is done again.
///
/// # Errors
/// When a package or a tool of the language can't be had, or the program isn't valid.
pub(crate) fn install(dialect: &Dialect, release: &Release) -> Result<Installed> {
    let source = workspace::root()?.join("tests/dialects").join(dialect.id);
    let folder = workspace::cache()?
        .join("dialects")
        .join(dialect.id)
        .join(release.version);
    let program = folder.join("program");
    if program.exists() {
        fs::remove_dir_all(&program).with_context(|| format!("remove {}", program.display()))?;
    }
    copy(&source, &program, &NOT_OF_THE_PROGRAM)?;
    let pins = source.join("pins").join(release.version);
    let steps = Steps { folder, program, pins };
    let command = match dialect.runtime {
        Runtime::Python => steps.python(),
        Runtime::Node => steps.node(),
        Runtime::Go => steps.go(),
        Runtime::Rust => steps.rust(),
        Runtime::Java => steps.java(),
        Runtime::Traefik => Toolbox::open()?.bin("traefik").map(|program| vec![text(&program)]),
    }?;
    let folder = steps.folder;
    Ok(Installed { command, folder })
}

/// Where one installation takes place.
struct Steps {
    /// In the cache.
    folder: PathBuf,
    /// The copy of the program, in `folder`.
    program: PathBuf,
    /// The files that pin the versions, in the checkout.
    pins: PathBuf,
}

impl Steps {
    fn python(&self) -> Result<Vec<String>> {
        let environment = self.folder.join("environment");
        let python = environment.join("bin/python");
        self.unless_complete("requirements.txt", &environment, || {
            let mut make = Command::new("python3");
            make.args(["-m", "venv"]).arg(&environment);
            self.step("make a Python environment", make)?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps"])
                .args(["--only-binary", ":all:", "--requirement"])
                .arg(self.pins.join("requirements.txt"));
            self.step("install the Python packages", pip)
        })?;
        Ok(vec![text(&python), text(&self.program.join("main.py"))])
    }

    fn node(&self) -> Result<Vec<String>> {
        let modules = self.folder.join("node_modules");
        self.unless_complete("package-lock.json", &modules, || {
            copy(&self.pins, &self.folder, &[])?;
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&self.folder);
            self.step("install the npm packages", npm)
        })?;
        Ok(vec!["node".to_owned(), text(&self.program.join("main.js"))])
    }

    fn go(&self) -> Result<Vec<String>> {
        copy(&self.pins, &self.program, &[])?;
        let binary = self.folder.join("service");
        let mut go = Command::new("go");
        go.args(["build", "-mod=readonly", "-trimpath", "-o"])
            .arg(&binary)
            .arg(".")
            .envs([("CGO_ENABLED", "0"), ("GOWORK", "off")])
            .current_dir(&self.program);
        self.step("build the Go program", go)?;
        Ok(vec![text(&binary)])
    }

    /// The packages that several programs need are built once: they share a folder of Cargo's.
    fn rust(&self) -> Result<Vec<String>> {
        copy(&self.pins, &self.program, &[])?;
        let target = workspace::cache()?.join("dialects/target");
        let mut cargo = testbed::cargo();
        cargo
            .args(["build", "--locked", "--target-dir"])
            .arg(&target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .current_dir(&self.program);
        self.step("build the Rust program", cargo)?;
        let binary = self.folder.join("service");
        fs::copy(target.join("debug/service"), &binary).context("keep the program: its package is named service")?;
        Ok(vec![text(&binary)])
    }

    fn java(&self) -> Result<Vec<String>> {
        copy(&self.pins, &self.program, &[])?;
        let mut mvn = Command::new("mvn");
        mvn.args(["--batch-mode", "--no-transfer-progress", "-DskipTests", "package"])
            .current_dir(&self.program);
        self.step("build the Java program", mvn)?;
        let jar = self.program.join("target/service.jar");
        Ok(["java", "-jar", &text(&jar)].map(str::to_owned).to_vec())
    }

    /// Makes `result` unless it was made from the same pins before.
    fn unless_complete(&self, pins: &str, result: &Path, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let pins = self.pins.join(pins);
        let pinned = fs::read(&pins).with_context(|| format!("read {}", pins.display()))?;
        let stamp = self.folder.join("complete");
        if fs::read(&stamp).is_ok_and(|complete| complete == pinned) {
            return Ok(());
        }
        if result.exists() {
            fs::remove_dir_all(result).with_context(|| format!("remove {}", result.display()))?;
        }
        make()?;
        fs::write(&stamp, pinned).with_context(|| format!("write {}", stamp.display()))
    }

    /// Runs one step. All its processes end when it takes too long, and when this program ends.
    fn step(&self, what: &str, command: Command) -> Result<()> {
        let path = self.folder.join("install.log");
        let log = File::create(&path).with_context(|| format!("create {}", path.display()))?;
        let mut bounded = Command::new("setpriv");
        bounded
            .args(["--pdeathsig", "TERM", "--", "timeout", "--kill-after", "10"])
            .arg(STEP_SECONDS.to_string())
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => bounded.env(name, value),
                None => bounded.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            bounded.current_dir(folder);
        }
        bounded.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let status = bounded.status().with_context(|| what.to_owned())?;
        if status.code() == Some(TIME_IS_OVER) {
            bail!(
                "{what}: not done after {STEP_SECONDS} s; its last lines: {}",
                last_lines(&path)
            );
        }
        if !status.success() {
            bail!("{what}: ended with {status}; its last lines: {}", last_lines(&path));
        }
        Ok(())
    }
}

/// The last lines of a log, or why it can't be read.
pub(crate) fn last_lines(log: &Path) -> String {
    let Ok(bytes) = fs::read(log) else {
        return format!("{} can't be read", log.display());
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut last: Vec<_> = text.lines().rev().take(LAST_LINES).collect();
    last.reverse();
    format!("\n{}", last.join("\n"))
}

/// Copies the files of a folder, without the subfolders that are named.
fn copy(from: &Path, to: &Path, without: &[&str]) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let target = to.join(&name);
        if !entry.file_type()?.is_dir() {
            fs::copy(entry.path(), &target).with_context(|| format!("write {}", target.display()))?;
        } else if !without.iter().any(|folder| name == *folder) {
            copy(&entry.path(), &target, &[])?;
        }
    }
    Ok(())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

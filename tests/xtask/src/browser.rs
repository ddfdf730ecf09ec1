//! Chromium, driven by the programs of `tests/pages`. It needs Chromium and Node.js, which the gate does not.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use integration_tests::workspace;

/// Names under which Chromium is installed.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// What installs everything that is needed, on Debian.
const INSTALL: &str = "apt-get install chromium nodejs npm";

/// A Chromium, and the programs that drive it, with their packages.
#[derive(Debug)]
pub(crate) struct Browser {
    chromium: PathBuf,
    node: PathBuf,
    /// Where the programs are.
    programs: PathBuf,
}

impl Browser {
    /// Finds Chromium and Node.js, and installs the packages of the programs in the user's cache: nothing is written into the
    /// checkout.
    ///
    /// # Errors
    /// When one of them is missing, with what installs it.
    pub(crate) fn find() -> Result<Self> {
        Ok(Self {
            chromium: on_path(&CHROMIUM).with_context(|| format!("there is no Chromium on PATH: {INSTALL}"))?,
            node: on_path(&["node"]).with_context(|| format!("there is no Node.js on PATH: {INSTALL}"))?,
            programs: programs()?,
        })
    }

    /// Runs one of the programs, with Chromium as its first argument.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn run(&self, program: &str, arguments: &[PathBuf]) -> Result<()> {
        let mut command = Command::new(&self.node);
        command
            .arg(self.programs.join(program))
            .arg(&self.chromium)
            .args(arguments);
        workspace::run(&mut command)
    }
}

fn programs() -> Result<PathBuf> {
    let source = workspace::root()?.join("tests/pages");
    let folder = workspace::cache()?.join("pages");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let is_new = !same(&source, &folder, "package-lock.json") || !folder.join("node_modules").is_dir();
    for entry in fs::read_dir(&source)? {
        let path = entry?.path();
        let name = path.file_name().context("a file has a name")?;
        fs::copy(&path, folder.join(name)).with_context(|| format!("copy {}", path.display()))?;
    }
    if is_new {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder);
        workspace::run(&mut npm).with_context(|| format!("install the npm packages; without npm: {INSTALL}"))?;
    }
    Ok(folder)
}

fn same(one: &Path, other: &Path, file: &str) -> bool {
    let [one, other] = [one, other].map(|folder| fs::read(folder.join(file)).ok());
    one.is_some() && one == other
}

/// The first of these programs that is on PATH.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

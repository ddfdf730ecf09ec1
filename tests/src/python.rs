//! Python programs that tests use: pinned, in an environment of its own in the user's cache, never the machine's own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::workspace;

/// The environment with everything that `tests/python/requirements.txt` pins: its interpreter. Made on first use by the
/// machine's `python3` (3.11 or later, with venv) and pip, from whatever index pip is set to; wheels only, so that
/// nothing of them runs before a test does.
///
/// # Errors
/// When there is no such Python, or the packages can't be fetched.
pub fn interpreter() -> Result<PathBuf> {
    let pins = workspace::root()?.join("tests/python/requirements.txt");
    let text = fs::read(&pins).with_context(|| format!("read {}", pins.display()))?;
    let hash: String = Sha256::digest(&text)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let parent = workspace::cache()?.join("python");
    fs::create_dir_all(&parent).with_context(|| format!("create {}", parent.display()))?;
    let environment = parent.join(&hash);
    let lock = File::create(parent.join(format!("{hash}.lock")))?;
    // Held until this function ends: another run that needs the same waits.
    lock.lock()?;
    let complete = environment.join("complete");
    if !complete.exists() {
        make(&environment, &pins)?;
        File::create(complete)?;
    }
    Ok(environment.join("bin/python"))
}

fn make(environment: &Path, pins: &Path) -> Result<()> {
    if environment.exists() {
        // A previous attempt was interrupted.
        fs::remove_dir_all(environment)?;
    }
    workspace::run(Command::new("python3").args(["-m", "venv"]).arg(environment))
        .context("install Python 3.11 or later with its venv: apt-get install python3 python3-venv")?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ])
    .args(["--only-binary", ":all:", "--requirement"])
    .arg(pins);
    workspace::run(&mut pip).context("fetch the Python packages of the tests")
}

//! The program promtool.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What promtool prints of a test that fails. Without it, something else went wrong.
const FAILED: &str = "FAILED";

/// The program.
#[derive(Debug)]
pub(super) struct Promtool(PathBuf);

impl Promtool {
    /// The one that is named, else that of PATH. `None`: there is none.
    ///
    /// # Errors
    ///
    /// The one that is named does not exist; a sentence.
    pub(super) fn find(named: Option<PathBuf>) -> Result<Option<Self>, String> {
        // An environment variable that is set to nothing counts as not given.
        match named.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) if path.is_file() => Ok(Some(Self(path))),
            Some(path) => Err(format!(
                "--promtool: {} is not a valid program: use the path of promtool, which comes with Prometheus",
                path.display()
            )),
            None => {
                let folders = env::var_os("PATH").unwrap_or_default();
                let mut paths = env::split_paths(&folders).map(|folder| folder.join("promtool"));
                Ok(paths.find(|path| path.is_file()).map(Self))
            }
        }
    }

    /// Whether all tests of a file pass.
    ///
    /// # Errors
    ///
    /// promtool can't be run, or can't run the tests.
    pub(super) fn passes(&self, file: &Path) -> Result<bool> {
        let output = Command::new(&self.0)
            .args(["test", "rules"])
            .arg(file)
            .output()
            .with_context(|| format!("run {}", self.0.display()))?;
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        if !output.status.success() && !text.contains(FAILED) {
            bail!("{} can't run the tests: {}", self.0.display(), text.trim());
        }
        Ok(output.status.success())
    }
}

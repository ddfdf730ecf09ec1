//! Where the checkout is, and how its commands are run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The checkout's root: the folder above this package.
///
/// # Errors
/// None in a checkout.
pub fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.parent().context("tests lies below the root")?;
    Ok(root.to_owned())
}

/// Where Cargo builds.
///
/// # Errors
/// None in a checkout.
pub fn target() -> Result<PathBuf> {
    let root = root()?;
    Ok(std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), |target| root.join(target)))
}

/// The project's folder in the user's cache directory: what tests fetch and build for all checkouts.
///
/// # Errors
/// When there is no home directory.
pub fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(base) => PathBuf::from(base),
        None => std::env::home_dir()
            .context("no home directory: set HOME or XDG_CACHE_HOME")?
            .join(".cache"),
    };
    Ok(base.join("monitored-api"))
}

/// `cargo`, the one that started us, in the checkout's root.
///
/// # Errors
/// None in a checkout.
pub fn cargo() -> Result<Command> {
    let mut command = testbed::cargo();
    command.current_dir(root()?);
    Ok(command)
}

/// Run a command to its end; an exit code other than 0 is an error that names the command.
///
/// # Errors
/// When it can't be started, or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {}", show(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", show(command));
    }
    Ok(())
}

/// Run a command and give back what it printed.
///
/// # Errors
/// When it can't be started, fails, or prints something that isn't UTF-8.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {}", show(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            show(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("what {} printed", show(command)))
}

fn show(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    words.join(" ")
}

//! Images that were not made for the operator, from a small Go program: no probes, no metrics, any port, any user.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use testbed::{ImageSpec, Testbed, write_image};

use crate::workspace;

/// Build the program, put it into an image that listens on `port` as `user`, and load it; gives back the reference.
///
/// # Errors
/// When it can't be built or loaded.
pub fn load(bed: &Testbed, name: &str, port: u16, user: u32) -> Result<String> {
    load_files(bed, name, port, user, Vec::new())
}

/// The same on port 8000, with the file as its page of metrics.
///
/// # Errors
/// When it can't be built or loaded.
pub fn load_with_page(bed: &Testbed, name: &str, page: &Path) -> Result<String> {
    load_files(bed, name, 8000, 65534, vec![(page.to_owned(), "/page")])
}

fn load_files(bed: &Testbed, name: &str, port: u16, user: u32, files: Vec<(PathBuf, &str)>) -> Result<String> {
    let out = workspace::target()?.join("foreign");
    std::fs::create_dir_all(&out)?;
    let binary = out.join("serve");
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-o"])
        .arg(&binary)
        .arg(".")
        .env("CGO_ENABLED", "0")
        .current_dir(workspace::root()?.join("tests/foreign"));
    workspace::run(&mut go)?;
    let (reference, entrypoint) = (format!("localhost/foreign-{name}:1"), format!("/serve-{port}"));
    let tar = out.join(format!("{name}.tar"));
    write_image(
        &ImageSpec {
            reference: &reference,
            entrypoint: &[&entrypoint],
            env: &[],
            user,
            files: files.into_iter().chain([(binary, entrypoint.as_str())]).collect(),
        },
        &tar,
    )?;
    bed.load_image(&tar).with_context(|| format!("load {reference}"))?;
    Ok(reference)
}

/// The smallest MonitoredApi of an image.
#[must_use]
pub fn manifest(namespace: &str, name: &str, image: &str) -> String {
    format!(
        "{{apiVersion: monitoredapi.io/v1alpha1, kind: MonitoredApi, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{image: \"{image}\"}}}}"
    )
}

//! Builds an image from a Dockerfile with buildah, without a registry: for the repository's own images.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::prerequisites;
use crate::shell;

/// The parameters of a build.
#[derive(Debug)]
pub struct ImageBuild<'a> {
    /// The Dockerfile.
    pub dockerfile: &'a Path,
    /// The build context.
    pub context: &'a Path,
    /// The stage to build, for example `app` or `controller`.
    pub target: &'a str,
    /// A directory that takes the place of the stage called `build`, so that its base image is never pulled.
    pub build_dir: &'a Path,
    /// Reference to give the image, for example `localhost/monitored-app:test`.
    pub reference: &'a str,
}

/// Builds the image and writes it as a docker-archive to `out`, for [`crate::Testbed::load_image`]. Needs root.
pub fn build_image(build: &ImageBuild<'_>, out: &Path) -> Result<()> {
    prerequisites::ensure_image_builder()?;
    // A store of its own, so that nothing is left in the user's store and parallel builds don't share one.
    let store = tempfile::Builder::new().prefix("testbed-buildah-").tempdir()?;
    let mut bud = buildah(store.path());
    bud.args(["bud", "--quiet", "--isolation", "chroot", "--layers=false"]);
    bud.arg("--build-context")
        .arg(format!("build={}", absolute(build.build_dir)?));
    bud.args(["--target", build.target, "--tag", build.reference]);
    bud.arg("--file")
        .arg(absolute(build.dockerfile)?)
        .arg(absolute(build.context)?);
    shell::run(&mut bud)?;
    if out.exists() {
        // buildah refuses to write over an archive.
        std::fs::remove_file(out)?;
    }
    let destination = format!(
        "docker-archive:{}:{}",
        std::path::absolute(out)?.display(),
        build.reference
    );
    shell::run(buildah(store.path()).args(["push", "--quiet", build.reference, &destination]))?;
    Ok(())
}

fn buildah(store: &Path) -> Command {
    let mut command = Command::new("buildah");
    command.args(["--storage-driver", "vfs"]);
    command
        .arg("--root")
        .arg(store.join("root"))
        .arg("--runroot")
        .arg(store.join("run"));
    command
}

fn absolute(path: &Path) -> Result<String> {
    let path = path
        .canonicalize()
        .with_context(|| format!("find {}", path.display()))?;
    Ok(path.to_string_lossy().into_owned())
}

//! `cargo xtask image`: the contents of the two images, and the images themselves.
//!
//! The Dockerfile's stage `build` runs `image stage` inside a container; the test bed runs it with the machine's own
//! toolchain and hands the folder to buildah in place of that stage. So both lay out the images by this code.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use testbed::{ImageBuild, PROGRAMS, build_image};

use crate::workspace::{cargo, read, root, run, target};

/// The largest size of a published image, in bytes, as the README promises: every scale-up may pull it.
const LARGEST: u64 = 30_000_000;
/// The user of both images: numeric, so that Kubernetes can tell that it is not root.
const USER: u32 = 65532;
/// Where distributions keep the Mozilla root certificates as one file.
const CA_BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

struct Image {
    folder: &'static str,
    package: &'static str,
    binary: &'static str,
    /// The image has a `/data` that its user may write.
    data: bool,
}

const IMAGES: [Image; 2] = [
    Image {
        folder: "app",
        package: "app",
        binary: "monitored-app",
        data: true,
    },
    Image {
        folder: "controller",
        package: "controller",
        binary: "monitored-api",
        data: false,
    },
];

/// The operator's image, as the chart names it by default.
pub const CONTROLLER: &str = concat!("ghcr.io/monitored-api/controller:", env!("CARGO_PKG_VERSION"));
/// The reference API's image, as the examples name it.
pub const APP: &str = concat!("ghcr.io/monitored-api/app:", env!("CARGO_PKG_VERSION"));
/// The same image under another tag, to roll to.
pub const APP_NEXT: &str = concat!("ghcr.io/monitored-api/app:", env!("CARGO_PKG_VERSION"), "-next");

/// Cargo profile of published images.
pub const RELEASE: &str = "release";
/// Cargo profile of the test bed's images: the same code from the build that the tests have made already, without the
/// minutes of optimization.
pub const TESTBED: &str = "dev";

/// The images as docker-archives.
#[derive(Debug, Clone)]
pub struct Images {
    /// Of [`APP`].
    pub app: PathBuf,
    /// Of [`APP_NEXT`].
    pub app_next: PathBuf,
    /// Of [`CONTROLLER`].
    pub controller: PathBuf,
}

/// Build the images from the Dockerfile by buildah into `target/images`. The stage `build` is replaced by [`stage`]'s
/// folder, so that no base image is pulled. Needs root.
///
/// # Errors
/// When a build fails.
pub fn build(profile: &str) -> Result<Images> {
    let root = root()?;
    let folder = target()?.join("images");
    let build_dir = folder.join("build");
    stage(&build_dir.join("out"), profile)?;
    let archive = |target: &str, name: &str, reference: &str| -> Result<PathBuf> {
        let out = folder.join(format!("{name}.tar"));
        let build = ImageBuild {
            dockerfile: &root.join("Dockerfile"),
            context: &build_dir,
            target,
            build_dir: &build_dir,
            reference,
        };
        build_image(&build, &out).with_context(|| format!("build {reference}"))?;
        let size = fs::metadata(&out)?.len();
        if profile == RELEASE {
            ensure!(size <= LARGEST, "{reference} has {size} bytes, more than {LARGEST}");
        }
        Ok(out)
    };
    Ok(Images {
        app: archive("app", "app", APP)?,
        app_next: archive("app", "app-next", APP_NEXT)?,
        controller: archive("controller", "controller", CONTROLLER)?,
    })
}

/// Build the static binaries and lay out `<out>/app` and `<out>/controller`, each the root of an image.
///
/// # Errors
/// When the build fails or the folder can't be written.
pub fn stage(out: &Path, profile: &str) -> Result<()> {
    let binaries = build_static(profile)?;
    for image in &IMAGES {
        let top = out.join(image.folder);
        if top.exists() {
            fs::remove_dir_all(&top).with_context(|| format!("clear {}", top.display()))?;
        }
        lay_out(image, &binaries, &top).with_context(|| format!("lay out {}", top.display()))?;
    }
    Ok(())
}

/// The binaries as static executables: the images hold no libc. Returns their folder.
///
/// # Errors
/// When the build fails.
pub fn build_static(profile: &str) -> Result<PathBuf> {
    let version = read(std::process::Command::new("rustc").arg("-vV").current_dir(root()?))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?
        .to_owned();
    let mut command = cargo()?;
    command.args(["build", "--locked", "--profile", profile, "--target", &host]);
    if profile == TESTBED {
        command.args(PROGRAMS);
    }
    for image in &IMAGES {
        command.args(["--package", image.package]);
    }
    if std::env::var_os("GIT_COMMIT").is_none() {
        // Outside a checkout of git the binaries say that their commit is unknown.
        if let Ok(commit) = read(
            std::process::Command::new("git")
                .args(["rev-parse", "HEAD"])
                .current_dir(root()?),
        ) {
            command.env("GIT_COMMIT", commit.trim());
        }
    }
    // The flags of `.cargo/config.toml`, set here too because the caller's environment may override them.
    run(command.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let folder = if profile == TESTBED { "debug" } else { profile };
    Ok(target()?.join(host).join(folder))
}

fn lay_out(image: &Image, binaries: &Path, top: &Path) -> Result<()> {
    fs::create_dir_all(top.join("etc/ssl/certs"))?;
    let binary = top.join(image.binary);
    fs::copy(binaries.join(image.binary), &binary)?;
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755))?;
    fs::write(
        top.join("etc/passwd"),
        format!("nonroot:x:{USER}:{USER}:nonroot:/:/sbin/nologin\n"),
    )?;
    fs::write(top.join("etc/group"), format!("nonroot:x:{USER}:\n"))?;
    let roots = CA_BUNDLES
        .iter()
        .find(|path| Path::new(path).exists())
        .context("no root certificates: install ca-certificates")?;
    fs::copy(roots, top.join("etc/ssl/certs/ca-certificates.crt"))?;
    directory(&top.join("tmp"), 0o1777, None)?;
    if image.data {
        directory(&top.join("data"), 0o755, Some(USER))?;
    }
    Ok(())
}

fn directory(path: &Path, mode: u32, owner: Option<u32>) -> Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    match owner {
        // Without root the folder keeps the builder's user; Kubernetes mounts a volume over it anyway.
        Some(user) if rustix::process::geteuid().is_root() => chown(path, Some(user), Some(user))?,
        Some(_) | None => {}
    }
    Ok(())
}

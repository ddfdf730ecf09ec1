//! `cargo xtask pages`: makes the pages that commands write, opens them in Chromium, and checks them with axe-core. It needs
//! Chromium and Node.js, which the gate does not.

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

/// A page, and the manifests that it shows.
const PAGES: &[(&str, &[&str])] = &[
    ("orders", &["manifests/examples/orders.yaml"]),
    ("minimal", &["manifests/examples/minimal.yaml"]),
    (
        "several",
        &[
            "tests/cases/good/objectives.yaml",
            "tests/cases/good/custom-metrics.yaml",
            "tests/cases/good/no-monitoring-at-all.yaml",
        ],
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Further pages to check, such as one that was made from a Prometheus.
    pages: Vec<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &Args) -> Result<()> {
    let chromium = on_path(&CHROMIUM).with_context(|| format!("there is no Chromium on PATH: {INSTALL}"))?;
    let node = on_path(&["node"]).with_context(|| format!("there is no Node.js on PATH: {INSTALL}"))?;
    let folder = workspace::target()?.join("pages");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let checker = checker()?;
    let mut pages = made(&folder)?;
    pages.extend(args.pages.iter().cloned());
    println!("pictures and PDFs: {}", folder.display());
    let mut check = Command::new(node);
    workspace::run(check.arg(checker).arg(chromium).arg(&folder).args(&pages))
}

/// The pages, as the command line writes them.
fn made(folder: &Path) -> Result<Vec<PathBuf>> {
    let root = workspace::root()?;
    let mut pages = Vec::new();
    for (name, manifests) in PAGES {
        let page = folder.join(format!("{name}.html"));
        let mut preview = workspace::cargo()?;
        preview.args(["run", "--quiet", "--package", "controller", "--", "preview", "--output"]);
        preview.arg(&page);
        for manifest in *manifests {
            preview.arg("-f").arg(root.join(manifest));
        }
        workspace::run(&mut preview)?;
        pages.push(page);
    }
    Ok(pages)
}

/// The program that checks pages, with its packages, in the user's cache: nothing is written into the checkout.
fn checker() -> Result<PathBuf> {
    let source = workspace::root()?.join("tests/pages");
    let folder = workspace::cache()?.join("pages");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let is_new = !same(&source, &folder, "package-lock.json") || !folder.join("node_modules").is_dir();
    for file in ["check.mjs", "package.json"] {
        copy(&source, &folder, file)?;
    }
    if is_new {
        copy(&source, &folder, "package-lock.json")?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder);
        workspace::run(&mut npm).with_context(|| format!("install the npm packages; without npm: {INSTALL}"))?;
    }
    Ok(folder.join("check.mjs"))
}

fn copy(from: &Path, to: &Path, file: &str) -> Result<()> {
    fs::copy(from.join(file), to.join(file)).with_context(|| format!("copy {file}"))?;
    Ok(())
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

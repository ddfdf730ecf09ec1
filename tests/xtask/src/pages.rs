//! `cargo xtask pages`: makes the pages that commands write, opens them in Chromium, and checks them with axe-core. It needs
//! Chromium and Node.js, which the gate does not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use integration_tests::{api, operator::Operator, workspace};

use crate::browser::Browser;

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
    let browser = Browser::find()?;
    let folder = workspace::target()?.join("pages");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let mut arguments = vec![folder.clone()];
    arguments.extend(made(&folder)?);
    arguments.extend(args.pages.iter().cloned());
    println!("pictures and PDFs: {}", folder.display());
    browser.run("check.mjs", &arguments)
}

/// The pages, as the command line writes them.
fn made(folder: &Path) -> Result<Vec<PathBuf>> {
    let root = workspace::root()?;
    let mut pages = Vec::new();
    for (name, manifests) in PAGES {
        let page = folder.join(format!("{name}.html"));
        let mut preview = Command::new(Operator::binary()?);
        preview.args(["preview", "--output"]).arg(&page);
        for manifest in *manifests {
            preview.arg("-f").arg(root.join(manifest));
        }
        workspace::run(&mut preview)?;
        pages.push(page);
    }
    pages.push(load_report(folder)?);
    Ok(pages)
}

/// The report of a load test in three steps against the reference API.
pub(crate) fn load_report(folder: &Path) -> Result<PathBuf> {
    let report = folder.join("load.html");
    let data = tempfile::tempdir()?;
    let process = api::Process::start(&format!("sqlite://{}", data.path().join("api.db").display()))?;
    process.wait_ready()?;
    let url = |weight: u32, path: &str| format!("{weight}=http://{}{path}", process.address);
    let mut load = Command::new(Operator::binary()?);
    load.args([
        "load",
        "--rps",
        "100,200,400",
        "--duration",
        "5s",
        "--force",
        "--report",
    ])
    .arg(&report)
    .args(["--url", &url(4, "/api/v1/data"), "--url", &url(1, "/")]);
    workspace::run(&mut load)?;
    Ok(report)
}

//! `cargo xtask pictures`: the pictures of the documentation, of real runs. What was printed is shown as it was, in a page that looks
//! like a terminal.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use integration_tests::workspace;

use crate::{browser::Browser, demo, pages};

/// Where the pictures are, below the checkout's root.
const FOLDER: &str = "docs/pictures";
/// Width of a picture (pixels of CSS).
const WIDTH: u32 = 1280;
/// Height of a picture that shows the beginning of a long page.
const HEIGHT: u32 = 1600;
/// As high as the page.
const WHOLE: u32 = 0;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those that need neither root nor a cluster.
    #[arg(long)]
    local: bool,
}

/// A page that a picture is taken of.
struct Shot {
    page: PathBuf,
    height: u32,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let browser = Browser::find()?;
    let folder = workspace::target()?.join("pictures");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let mut shots = of_local_demo(&folder)?;
    shots.push(Shot {
        page: pages::load_report(&folder)?,
        height: HEIGHT,
    });
    if !args.local {
        shots.extend(of_cluster(&folder)?);
    }
    let pictures = workspace::root()?.join(FOLDER);
    fs::create_dir_all(&pictures).with_context(|| format!("create {}", pictures.display()))?;
    let mut arguments = vec![pictures];
    for Shot { page, height } in shots {
        arguments.extend([page, WIDTH.to_string().into(), height.to_string().into()]);
    }
    browser.run("picture.mjs", &arguments)
}

/// What the local demo prints, and its page while the alert fires.
fn of_local_demo(folder: &Path) -> Result<Vec<Shot>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["demo", "--local", "--exit"])
        .output()
        .context("start the local demo")?;
    ensure!(
        output.status.success(),
        "the local demo: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Without the folder of this machine.
    let printed = String::from_utf8(output.stdout)?.replace(&workspace::root()?.display().to_string(), ".");
    let home = std::env::home_dir().context("no home directory")?;
    let printed = printed.replace(&home.display().to_string(), "~");
    let preview = folder.join("preview.html");
    fs::copy(workspace::target()?.join("demo-local/firing.html"), &preview).context("keep the demo's page")?;
    Ok(vec![
        terminal(folder, "demo-local", &[("cargo xtask demo --local --exit", &printed)])?,
        Shot {
            page: preview,
            height: HEIGHT,
        },
    ])
}

/// What kubectl shows of an API in which every link holds.
fn of_cluster(folder: &Path) -> Result<Vec<Shot>> {
    let running = demo::up(false)?;
    let kubectl = |arguments: &str| running.chain.bed.kubectl(&arguments.split(' ').collect::<Vec<_>>());
    let get = "get monitoredapis,deployments,services,servicemonitors,prometheusrules,configmaps -n shop -l monitoredapi.io/name=orders";
    let (get_all, wide) = (
        "get monitoredapi orders -n shop",
        "get monitoredapi orders -n shop -o wide",
    );
    let describe = "describe monitoredapi orders -n shop";
    let (all, list, described) = (kubectl(get)?, kubectl(wide)?, kubectl(describe)?);
    let short = kubectl(get_all)?;
    running.chain.bed.shutdown()?;
    let command = |arguments: &str| format!("kubectl {arguments}");
    Ok(vec![
        terminal(
            folder,
            "kubectl-get",
            &[
                (&command(get_all), &short),
                (&command(wide), &list),
                (&command(get), &all),
            ],
        )?,
        terminal(folder, "kubectl-describe", &[(&command(describe), &described)])?,
    ])
}

/// A page that shows commands and what they printed.
fn terminal(folder: &Path, name: &str, commands: &[(&str, &str)]) -> Result<Shot> {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let shown = commands
        .iter()
        .map(|(command, printed)| format!("<b>$ {}</b>\n{}\n", escaped(command), escaped(printed.trim_end())));
    let html = format!(
        "<!doctype html><meta charset=utf-8><title>{name}</title><style>body{{margin:0;background:#16181d}}\
         pre{{margin:0;padding:20px;color:#d8dee9;font:13px/1.45 'DejaVu Sans Mono',monospace;white-space:pre-wrap}}\
         b{{color:#9ece6a}}</style><pre>{}</pre>",
        shown.collect::<Vec<_>>().join("\n")
    );
    let page = folder.join(format!("{name}.html"));
    fs::write(&page, html).with_context(|| format!("write {}", page.display()))?;
    Ok(Shot { page, height: WHOLE })
}

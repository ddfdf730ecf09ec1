//! The step `import rules` of `cargo xtask test`: which packages may depend on which, and no circle of imports among the
//! files of a crate.

mod circle;
mod module_tree;
mod paths;

use anyhow::{Context, Result, bail};
use integration_tests::workspace::{cargo, read};
use serde_json::Value;

use crate::imports::{circle::circles, module_tree::ModuleTree};

/// Which packages must never reach which crates, directly or through others. The first column is a package, the second
/// the crates that must not be among its normal dependencies.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("exposition", &["tokio", "serde_json", "metric-contract", "prometheus"]),
    ("metric-contract", &["tokio", "serde_json", "kube-core"]),
    (
        "controller-rules",
        &["tokio", "kube-core", "k8s-openapi", "reqwest", "hyper"],
    ),
    (
        "controller-api",
        &["tokio", "kube-client", "kube-runtime", "reqwest", "hyper"],
    ),
    (
        "controller-core",
        &["tokio", "kube-client", "kube-runtime", "reqwest", "hyper"],
    ),
    // It has tokio and hyper through the load generator alone.
    (
        "controller-cli",
        &["kube-client", "kube-runtime", "reqwest", "controller"],
    ),
    (
        "controller-load",
        &[
            "kube-core",
            "k8s-openapi",
            "controller-core",
            "metric-contract",
            "aws-lc-rs",
        ],
    ),
    ("http-instrument", &["kube-core", "controller-rules", "app"]),
    (
        "app",
        &[
            "kube-core",
            "controller-core",
            "controller-api",
            "controller-cli",
            "controller",
        ],
    ),
    ("controller", &["app", "http-instrument", "aws-lc-rs", "openssl-sys"]),
];

/// Checks both rules.
///
/// # Errors
/// Names every forbidden dependency, or every circle file by file.
pub(crate) fn check() -> Result<()> {
    dependencies()?;
    no_circles()
}

fn dependencies() -> Result<()> {
    let mut broken = Vec::new();
    for (package, forbidden) in FORBIDDEN {
        let tree = read(cargo()?.args([
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--package",
            package,
        ]))?;
        let names: Vec<_> = tree.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
        broken.extend(
            forbidden
                .iter()
                .filter(|crate_| names.contains(crate_))
                .map(|crate_| format!("{package} must not depend on {crate_}")),
        );
    }
    if !broken.is_empty() {
        bail!("{}\nsee ARCHITECTURE.md, rooms", broken.join("\n"));
    }
    Ok(())
}

fn no_circles() -> Result<()> {
    let metadata = read(cargo()?.args(["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("read the JSON that cargo metadata prints")?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let mut wrong = Vec::new();
    for package in packages.context("the output of cargo metadata lists no packages")? {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        let found = circles_of(package)?;
        wrong.extend(found.into_iter().map(|circle| format!("{name}: {circle}")));
    }
    if !wrong.is_empty() {
        bail!(
            "{}\nmove the shared item to a file that both may import: see ARCHITECTURE.md, Rooms",
            wrong.join("\n")
        );
    }
    Ok(())
}

/// The circles in each target of a package, as `cargo metadata` describes it.
fn circles_of(package: &Value) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for target in package.get("targets").and_then(Value::as_array).into_iter().flatten() {
        let entry = target.get("src_path").and_then(Value::as_str);
        let tree = ModuleTree::read(entry.context("a target of cargo metadata has no source file")?.as_ref())?;
        found.extend(circles(&tree));
    }
    Ok(found)
}

//! The chart without a cluster: what helm makes of it, and of wrong values.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use integration_tests::{generated, workspace};
use testbed::Toolbox;

fn helm(args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(Toolbox::open().unwrap().bin("helm").unwrap());
    workspace::read(command.args(args).current_dir(workspace::root().unwrap())).map_err(|error| format!("{error:#}"))
}

fn template(settings: &[&str]) -> Result<String, String> {
    let mut args = vec![
        "template",
        "monitored-api",
        "charts/monitored-api",
        "--namespace",
        "ops",
    ];
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    helm(&args)
}

fn kinds(manifests: &str) -> Vec<&str> {
    manifests
        .lines()
        .filter_map(|line| line.strip_prefix("kind: "))
        .collect()
}

#[test]
fn helm_finds_nothing_to_say_against_the_chart() {
    helm(&["lint", "--strict", "charts/monitored-api"]).unwrap();
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders() {
    let (path, wanted) = generated::install_manifest(&Toolbox::open().unwrap().bin("helm").unwrap()).unwrap();
    let found = std::fs::read_to_string(workspace::root().unwrap().join(path)).unwrap_or_default();
    assert!(
        found == wanted,
        "{path} is stale: run `cargo xtask gen` and commit what it writes"
    );
}

#[test]
fn a_value_that_the_chart_does_not_know_is_refused_by_name() {
    for (wrong, named) in [
        ("replicaCount=2", "replicaCount"),
        ("image.regsitry=x", "regsitry"),
        ("serviceMonitor.interval=fast", "interval"),
    ] {
        let error = template(&[wrong]).unwrap_err();
        assert!(error.contains(named), "{wrong}: {error}");
    }
}

#[test]
fn two_replicas_without_a_lease_are_refused() {
    let error = template(&["replicas=2", "leaderElection.enabled=false"]).unwrap_err();
    assert!(error.contains("leaderElection.enabled"), "{error}");
}

#[test]
fn the_operators_own_servicemonitor_appears_only_where_the_api_exists() {
    assert!(!kinds(&template(&[]).unwrap()).contains(&"ServiceMonitor"));
    let with = helm(&[
        "template",
        "m",
        "charts/monitored-api",
        "--api-versions",
        "monitoring.coreos.com/v1",
    ])
    .unwrap();
    assert!(kinds(&with).contains(&"ServiceMonitor"));
    assert!(with.contains("honorLabels: true"));
}

#[test]
fn namespaced_mode_holds_roles_only() {
    let settings = [
        "watchNamespaces={shop,pay}",
        "crds.enabled=false",
        "admissionPolicy.enabled=false",
        "rbac.aggregateToDefaultRoles=false",
    ];
    let manifests = template(&settings).unwrap();
    let kinds = kinds(&manifests);
    assert!(!kinds.iter().any(|kind| kind.starts_with("Cluster")), "{kinds:?}");
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "Role").count(),
        3,
        "one a namespace and one for the lease: {kinds:?}"
    );
    assert!(manifests.contains("--watch-namespaces=shop,pay"));
}

#[test]
fn the_operators_permissions_hold_no_wildcard_and_no_secret() {
    let manifests = template(&[]).unwrap();
    for forbidden in [
        "\"*\"",
        "- '*'",
        "secrets",
        "escalate",
        "impersonate",
        "pods/exec",
        "pods/proxy",
    ] {
        let roles: Vec<_> = manifests
            .split("---")
            .filter(|part| part.contains("kind: ClusterRole\n") || part.contains("kind: Role\n"))
            .collect();
        assert!(!roles.is_empty());
        assert!(roles.iter().all(|role| !role.contains(forbidden)), "{forbidden}");
    }
}

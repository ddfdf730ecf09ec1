//! The chart on a real API server, with generated values. `CHART_VALUES` is the number of sets, `CHART_SEED` the seed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use integration_tests::chart::{self, Sample};
use integration_tests::{install, workspace};
use serde_json::{Value, json};
use testbed::{Level, Testbed};

/// The number of sets if `CHART_VALUES` is not set.
const FEW: usize = 8;
const CHART: &str = "charts/monitored-api";

fn bed(name: &str) -> Testbed {
    let bed = Testbed::builder(name).level(Level::ControlPlane).start().unwrap();
    install::prometheus_operator_crds(&bed).unwrap();
    for namespace in chart::NAMESPACES {
        bed.kubectl(&["create", "namespace", namespace]).unwrap();
    }
    bed
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn helm(bed: &Testbed, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(bed.bin("helm").unwrap());
    command
        .args(args)
        .env("KUBECONFIG", bed.kubeconfig())
        .current_dir(workspace::root().unwrap());
    workspace::read(&mut command).map_err(|error| format!("{error:#}"))
}

#[test]
fn the_api_server_takes_what_the_chart_renders_under_any_values_and_changes_nothing_of_it() {
    let bed = bed("chart-values");
    let count = number("CHART_VALUES").map_or(FEW, |count| usize::try_from(count).unwrap());
    let seed = number("CHART_SEED").unwrap_or(1);
    let mut faults = Vec::new();
    for (index, sample) in chart::samples(seed, count).unwrap().iter().enumerate() {
        let found = wrong(&bed, sample);
        if !found.is_empty() {
            faults.push(format!("seed {seed}, set {index}: {sample:?}\n{}", found.join("\n")));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {count}:\n{}",
        faults.len(),
        faults.join("\n\n")
    );
}

/// Everything that is wrong with one installation.
fn wrong(bed: &Testbed, sample: &Sample) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let values = folder.path().join("values.yaml");
    std::fs::write(&values, sample.values.to_string()).unwrap();
    let values = values.to_string_lossy();
    let common = [
        sample.release,
        CHART,
        "--namespace",
        sample.namespace,
        "--values",
        &values,
    ];
    let mut template = vec!["template"];
    template.extend(common);
    template.extend(["--api-versions", "monitoring.coreos.com/v1", "--kube-version", "1.36.0"]);
    let text = match helm(bed, &template) {
        Ok(text) => text,
        Err(error) => return vec![error],
    };
    let objects = match chart::objects(&text) {
        Ok(objects) => objects,
        Err(error) => return vec![format!("{error:#}\n{text}")],
    };
    let mut faults = chart::faults(&objects);
    let mut install = vec!["install", "--dry-run=server"];
    install.extend(common);
    faults.extend(helm(bed, &install).err());
    faults.extend(answered(bed, folder.path(), &objects));
    faults.extend(by_kustomize(bed, folder.path(), sample, &objects));
    faults
}

/// Compares what was sent with the API server's dry run of a server-side apply.
fn answered(bed: &Testbed, folder: &Path, objects: &[Value]) -> Vec<String> {
    let file = folder.join("objects.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    std::fs::write(&file, list.to_string()).unwrap();
    let file = file.to_string_lossy();
    let apply = ["apply", "--server-side", "--dry-run=server", "-o", "json", "-f", &file];
    match bed.kubectl(&apply) {
        Ok(text) => {
            let answer: Value = serde_json::from_str(&text).unwrap();
            let items = answer["items"].as_array().unwrap();
            assert_eq!(items.len(), objects.len());
            objects
                .iter()
                .zip(items)
                .flat_map(|(sent, answer)| chart::drift(sent, answer))
                .collect()
        }
        Err(error) => vec![format!("{error:#}")],
    }
}

/// Renders the chart by kustomize (`kubectl kustomize --enable-helm`).
fn by_kustomize(bed: &Testbed, folder: &Path, sample: &Sample, wanted: &[Value]) -> Vec<String> {
    let charts = workspace::root().unwrap().join("charts");
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "helmGlobals": {"chartHome": charts},
        "helmCharts": [{
            "name": "monitored-api", "releaseName": sample.release, "namespace": sample.namespace,
            "valuesFile": "values.yaml", "apiVersions": ["monitoring.coreos.com/v1"], "kubeVersion": "1.36.0",
        }],
    });
    std::fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    let helm = bed.bin("helm").unwrap();
    let built = bed.kubectl(&[
        "kustomize",
        "--enable-helm",
        "--helm-command",
        &helm.to_string_lossy(),
        "--load-restrictor",
        "LoadRestrictionsNone",
        &folder.to_string_lossy(),
    ]);
    match built {
        Ok(text) => {
            let found = chart::objects(&text).unwrap().len();
            let differs = found != wanted.len();
            differs
                .then(|| format!("kustomize gives {found} objects, helm {}", wanted.len()))
                .into_iter()
                .collect()
        }
        Err(error) => vec![format!("{error:#}")],
    }
}

#[test]
fn an_upgrade_switches_the_lease_off_and_on_again() {
    let bed = bed("chart-upgrade");
    let upgrade = |settings: &[&str]| {
        let mut args = vec![
            "upgrade",
            "--install",
            "--reset-values",
            "op",
            CHART,
            "--namespace",
            "ops",
        ];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        helm(&bed, &args).unwrap();
        let strategy = bed.kubectl(&[
            "-n",
            "ops",
            "get",
            "deployment/op-monitored-api",
            "-o",
            "jsonpath={.spec.strategy.type}",
        ]);
        strategy.unwrap()
    };
    assert_eq!(upgrade(&[]), "RollingUpdate");
    assert_eq!(upgrade(&["leaderElection.enabled=false"]), "Recreate");
    assert_eq!(upgrade(&[]), "RollingUpdate");
    // A change to namespaced Roles keeps the CRD, and with it every MonitoredApi.
    upgrade(&["watchNamespaces={shop}"]);
    bed.kubectl(&["get", "crd", "monitoredapis.monitoredapi.io"]).unwrap();
    assert!(bed.kubectl(&["get", "clusterrole", "op-monitored-api"]).is_err());
    helm(&bed, &["uninstall", "op", "--namespace", "ops"]).unwrap();
    bed.kubectl(&["get", "crd", "monitoredapis.monitoredapi.io"]).unwrap();
    upgrade(&[]);
}

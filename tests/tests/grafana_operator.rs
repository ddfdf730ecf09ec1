//! The dashboard in a GrafanaDashboard: chosen where the cluster serves that kind, put into a Grafana by the real Grafana
//! Operator, with a status that says where it is. The Grafana itself is a small server with the part of its HTTP API that
//! the Grafana Operator uses.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs::File,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use integration_tests::{
    audit::{AuditLog, Entry},
    eventually,
    grafana::Grafana,
    install::{Installed, OPERATOR_USER, wait_established},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, condition, monitored_api},
};
use serde_json::{Value, json};
use testbed::Testbed;

const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than the Grafana Operator waits until it looks again at what it could not do.
const SLOW: Duration = Duration::from_secs(240);
const NAMESPACE: &str = "shop";
const CONFIG_MAPS: Resource = Resource::new("", "v1", "configmaps");
const SECRETS: Resource = Resource::new("", "v1", "secrets");
const DASHBOARDS: Resource = Resource::new("grafana.integreatly.org", "v1beta1", "grafanadashboards");
const GRAFANAS: Resource = Resource::new("grafana.integreatly.org", "v1beta1", "grafanas");
const NAME: &str = "orders-dashboard";

struct Stage {
    bed: Testbed,
    api: Kubernetes,
}

impl Stage {
    fn path(&self) -> String {
        MONITORED_APIS.object(NAMESPACE, "orders")
    }

    fn edit(&self, spec: &Value) {
        self.api.merge(&self.path(), &json!({"spec": spec})).unwrap();
    }

    /// Waits until `DashboardPlaced` has this status and reason.
    fn placed(&self, expected: &str, patience: Duration) {
        self.placed_saying(expected, "", patience);
    }

    /// The same with these words in its message: two objects after each other may have one reason.
    fn placed_saying(&self, expected: &str, words: &str, patience: Duration) {
        let found = self.api.wait_for(&self.path(), patience, |found| {
            let said = condition(found, "DashboardPlaced");
            match said {
                Some((status, reason, message))
                    if format!("{status}/{reason}") == expected && message.contains(words) =>
                {
                    Ok(())
                }
                other => Err(format!("{other:?} is not {expected} with {words:?}")),
            }
        });
        found.unwrap();
    }

    /// Waits until the dashboard is in this object, and in no other one.
    fn held_by(&self, kind: Resource, not_by: Resource) -> Value {
        let held = self.api.wait_for(&kind.object(NAMESPACE, NAME), PATIENCE, |_| Ok(()));
        self.api.wait_gone(&not_by.object(NAMESPACE, NAME), PATIENCE).unwrap();
        held.unwrap()
    }

    /// An external Grafana of the Grafana Operator.
    fn create_grafana(&self, url: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "grafana"},
            "stringData": {"user": "admin", "password": "admin"},
        });
        self.api.create(&SECRETS.within("monitoring"), &secret).unwrap();
        let key = |key| json!({"name": "grafana", "key": key});
        let grafana = json!({
            "apiVersion": "grafana.integreatly.org/v1beta1", "kind": "Grafana",
            "metadata": {"name": "main", "labels": {"dashboards": "grafana"}},
            "spec": {"external": {"url": url, "adminUser": key("user"), "adminPassword": key("password")}},
        });
        self.api.create(&GRAFANAS.within("monitoring"), &grafana).unwrap();
    }
}

/// The Grafana Operator; it is killed when this is dropped.
struct GrafanaOperator(Child);

impl GrafanaOperator {
    fn start(bed: &Testbed) -> Self {
        let log = File::create(bed.state_dir().join("log").join("grafana-operator.log")).unwrap();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(bed.bin("grafana-operator").unwrap())
            .args([
                "--metrics-bind-address=0",
                "--health-probe-bind-address=0",
                "--pprof-addr=",
            ])
            .env("KUBECONFIG", bed.kubeconfig())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Self(command.spawn().unwrap())
    }
}

impl Drop for GrafanaOperator {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn dashboard_of(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// Numbers are compared by value: the Grafana Operator writes 500 for 500.0.
fn assert_same(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            assert_eq!(
                found.keys().collect::<Vec<_>>(),
                expected.keys().collect::<Vec<_>>(),
                "{place}"
            );
            for (key, expected) in expected {
                assert_same(&found[key], expected, &format!("{place}/{key}"));
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}");
            for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_same(found, expected, &format!("{place}/{number}"));
            }
        }
        (Value::Number(found), Value::Number(expected)) => assert_eq!(found.as_f64(), expected.as_f64(), "{place}"),
        _ => assert_eq!(found, expected, "{place}"),
    }
}

/// Waits until Grafana has this number of dashboards.
fn wait_dashboards(grafana: &Grafana, number: usize) {
    eventually("the dashboards in Grafana", SLOW, || {
        let found = grafana.dashboards().len();
        Ok(if found == number {
            Ok(())
        } else {
            Err(format!("{found} dashboards"))
        })
    })
    .unwrap();
}

fn stage(name: &str) -> (Stage, Installed) {
    let bed = Testbed::builder(name).start().unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    for namespace in [NAMESPACE, "monitoring"] {
        api.create_namespace(namespace).unwrap();
    }
    let spec = json!({"image": "example.org/orders:1", "preset": "native"});
    api.create(&MONITORED_APIS.within(NAMESPACE), &monitored_api("orders", &spec))
        .unwrap();
    (Stage { bed, api }, installed)
}

#[test]
fn the_dashboard_comes_into_grafana_where_the_grafana_operator_runs_and_goes_with_its_api() {
    let (stage, installed) = stage("grafana-operator");
    let operator = installed.start_operator().unwrap();
    let map = stage.held_by(CONFIG_MAPS, DASHBOARDS);
    stage.placed_saying("True/NotVerified", "ConfigMap", PATIENCE);

    // The kind is served from now on.
    let crds = stage.bed.grafana_operator_crds().unwrap();
    stage
        .bed
        .kubectl(&["apply", "--server-side", "-f", &crds.to_string_lossy()])
        .unwrap();
    wait_established(&stage.bed, "grafanadashboards.grafana.integreatly.org").unwrap();
    let object = stage.held_by(DASHBOARDS, CONFIG_MAPS);
    let expected = dashboard_of(&map["data"]["shop-orders.json"]);
    assert_eq!(dashboard_of(&object["spec"]["json"]), expected);
    stage.placed_saying("True/NotVerified", "has said nothing", PATIENCE);

    let grafana_operator = GrafanaOperator::start(&stage.bed);
    stage.placed("False/NoGrafana", PATIENCE);
    let grafana = Grafana::start().unwrap();
    stage.create_grafana(&grafana.url());
    stage.placed("True/InGrafana", SLOW);
    let uid = expected["uid"].as_str().unwrap();
    let mut first = grafana.dashboards().remove(uid).unwrap();
    // Grafana gives the number.
    assert_eq!(first.as_object_mut().unwrap().remove("id"), Some(Value::Null));
    assert_same(&first, &expected, "");
    assert_eq!(
        grafana.folders_in_use(),
        [NAMESPACE],
        "the Grafana Operator's own choice"
    );

    quiet(&stage.bed);

    // What changes arrives, and what Grafana refuses is told.
    grafana.refuse(true);
    let threshold = |value: &str| json!({"alerts": {"overrides": [{"name": "ApiHighErrorRatio", "threshold": value}]}});
    stage.edit(&threshold("0.03"));
    stage.placed("False/GrafanaFailed", PATIENCE);
    grafana.refuse(false);
    stage.placed("True/InGrafana", SLOW);
    let changed = grafana.dashboards().remove(uid).unwrap();
    assert!(changed["panels"] != first["panels"]);

    // The author's word counts, and the dashboard leaves Grafana only after the ConfigMap exists.
    stage.edit(&json!({"dashboard": {"form": "ConfigMap"}}));
    stage.held_by(CONFIG_MAPS, DASHBOARDS);
    wait_dashboards(&grafana, 0);
    stage.edit(&json!({"dashboard": {"form": "GrafanaDashboard", "folder": "APIs"}}));
    stage.held_by(DASHBOARDS, CONFIG_MAPS);
    wait_dashboards(&grafana, 1);
    assert_eq!(grafana.folders_in_use(), ["APIs"]);

    stage.api.delete(&stage.path()).unwrap();
    wait_dashboards(&grafana, 0);
    stage
        .api
        .wait_gone(&DASHBOARDS.object(NAMESPACE, NAME), PATIENCE)
        .unwrap();
    drop(grafana_operator);
    assert!(operator.stop().unwrap().success());
}

/// What the Grafana Operator writes into the status of a GrafanaDashboard is no reason to write anything.
fn quiet(bed: &Testbed) {
    let log = AuditLog::of(bed);
    let mark = log.mark().unwrap();
    sleep(Duration::from_secs(25));
    let since = log.since(mark, OPERATOR_USER).unwrap();
    let writes = since
        .iter()
        .filter(|entry| entry.is_write() && entry.resource != "leases");
    let writes: Vec<_> = writes.map(Entry::show).collect();
    assert_eq!(writes, Vec::<String>::new());
}

#[test]
fn a_selector_that_cannot_be_changed_and_a_kind_that_goes_away_are_no_dead_ends() {
    let (stage, installed) = stage("grafana-crds");
    let crds = stage.bed.grafana_operator_crds().unwrap();
    let crds = crds.to_string_lossy();
    stage.bed.kubectl(&["apply", "--server-side", "-f", &crds]).unwrap();
    wait_established(&stage.bed, "grafanadashboards.grafana.integreatly.org").unwrap();
    let operator = installed.start_operator().unwrap();
    stage.held_by(DASHBOARDS, CONFIG_MAPS);
    assert!(operator.stop().unwrap().success());

    // Another value of `defaults.grafanaInstanceLabels`.
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let args = ["--grafana-instance-labels=dashboards=grafana"];
    let mut operator =
        integration_tests::operator::Operator::start(&kubeconfig, &installed.operator_log(), &args).unwrap();
    operator.wait_ready().unwrap();
    let said = stage.api.wait_for(&stage.path(), PATIENCE, |found| {
        match condition(found, "ChildrenApplied") {
            Some(("False", "Invalid", message)) if message.contains("delete this GrafanaDashboard") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    said.unwrap();
    stage.api.delete(&DASHBOARDS.object(NAMESPACE, NAME)).unwrap();
    let made_anew = stage
        .api
        .wait_for(&DASHBOARDS.object(NAMESPACE, NAME), PATIENCE, |found| {
            let selector = &found["spec"]["instanceSelector"]["matchLabels"];
            if *selector == json!({"dashboards": "grafana"}) {
                Ok(())
            } else {
                Err(selector.to_string())
            }
        });
    made_anew.unwrap();

    stage.bed.kubectl(&["delete", "--wait=false", "-f", &crds]).unwrap();
    let kept = stage
        .api
        .wait_for(&CONFIG_MAPS.object(NAMESPACE, NAME), SLOW, |_| Ok(()));
    kept.unwrap();
    stage.placed("True/NotVerified", PATIENCE);
    assert!(operator.stop().unwrap().success());
}

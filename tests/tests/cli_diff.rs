//! `monitored-api diff` against a real API server on which the real operator works: nothing where nothing would change, and only
//! what would change, without a write.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic, and a JSON value indexed by key gives null"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
    time::Duration,
};

use integration_tests::{
    audit::AuditLog,
    eventually,
    install::{Installed, prometheus_operator_crds},
    kubernetes::{DEPLOYMENTS, Kubernetes, MONITORED_APIS, SERVICES, says},
    operator::Operator,
};
use serde_json::{Value, json};
use testbed::Testbed;

const PATIENCE: Duration = Duration::from_secs(90);
/// A setting of the installation, given to the operator and to `diff`.
const LABELS: &str = "--object-labels=cost-center=4711";
/// The user of the test bed's kubeconfig.
const ADMINISTRATOR: &str = "admin";

const ORDERS: &str = "
apiVersion: monitoredapi.io/v1alpha1
kind: MonitoredApi
metadata: {name: orders}
spec:
  image: example.org/orders:1
  preset: native
  metrics: {port: 9090}
  resources: {limits: {cpu: 1, memory: 256Mi}}
  alerts:
    overrides: [{name: ApiHighErrorRatio, threshold: \"0.2\"}]
";

/// One control plane and one operator for all tests of this file; each has a namespace of its own.
struct Bed {
    bed: Testbed,
    installed: Installed,
    /// What `diff` said before the CustomResourceDefinition was installed.
    before_installation: Diff,
    _operator: Operator,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let bed = Testbed::builder("cli-diff").start().expect("start a test bed");
    prometheus_operator_crds(&bed).expect("install Prometheus Operator's CRDs");
    let file = bed.state_dir().join("early.yaml");
    fs::write(&file, ORDERS).expect("write a manifest");
    let before_installation = Diff::of(&file, &bed.kubeconfig(), &[]);
    let installed = Installed::into(&bed).expect("install the operator's user");
    let kubeconfig = installed.operator_kubeconfig(None).expect("write a kubeconfig");
    let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[LABELS]).expect("start the operator");
    operator.wait_ready().expect("the operator is ready");
    Bed {
        bed,
        installed,
        before_installation,
        _operator: operator,
    }
});

/// What `diff` printed.
#[derive(Debug)]
struct Diff {
    code: Option<i32>,
    out: String,
    told: String,
}

impl Diff {
    fn of(file: &Path, kubeconfig: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(Operator::binary().expect("the program is built"));
        command
            .arg("diff")
            .arg("-f")
            .arg(file)
            .arg("--kubeconfig")
            .arg(kubeconfig);
        let output = command.args(arguments).env_remove("OBJECT_LABELS").output();
        let Output { status, stdout, stderr } = output.expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: status.code(),
            out: text(stdout),
            told: text(stderr),
        }
    }

    /// The rows by kind and name of their objects, without those that stay as they are.
    fn changes(&self) -> BTreeMap<String, (String, Value)> {
        let rows: Vec<Value> = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rows = rows.into_iter().filter(|row| row["change"] != "unchanged");
        rows.map(|row| {
            let object = format!("{}/{}", text(&row["object"]["kind"]), text(&row["object"]["name"]));
            (object, (text(&row["change"]), row))
        })
        .collect()
    }

    /// Objects and what would become of them.
    fn verdicts(&self) -> Vec<(String, String)> {
        let changes = self.changes().into_iter();
        changes.map(|(object, (change, _))| (object, change)).collect()
    }

    /// The lines that differ in an object.
    fn lines_of(&self, object: &str) -> Vec<String> {
        let changes = self.changes();
        let (_, row) = changes
            .get(object)
            .unwrap_or_else(|| panic!("no change of {object}: {self:?}"));
        let diff = row["diff"].as_str().unwrap_or_default();
        let lines = diff.lines().skip(2).filter(|line| line.starts_with(['+', '-']));
        lines.map(str::to_owned).collect()
    }
}

/// A namespace with the MonitoredApi `orders`, whose children are applied.
struct Shop {
    api: Kubernetes,
    namespace: &'static str,
    kubeconfig: PathBuf,
}

impl Shop {
    fn empty(namespace: &'static str) -> Self {
        let kubeconfig = BED.bed.kubeconfig();
        let api = Kubernetes::connect(&kubeconfig).unwrap();
        api.create_namespace(namespace).unwrap();
        Self {
            api,
            namespace,
            kubeconfig,
        }
    }

    fn with_orders(namespace: &'static str, how: &[&str]) -> Self {
        let shop = Self::empty(namespace);
        let file = shop.file(ORDERS);
        let file = file.to_string_lossy();
        let apply = [&["-n", namespace, "apply", "-f", &*file], how].concat();
        BED.bed.kubectl(&apply).unwrap();
        shop.wait_applied();
        shop
    }

    fn wait_applied(&self) {
        let orders = MONITORED_APIS.object(self.namespace, "orders");
        self.api
            .wait_for(&orders, PATIENCE, |found| says(found, "ChildrenApplied", "True"))
            .unwrap();
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = BED.bed.state_dir().join(format!("{}.yaml", self.namespace));
        fs::write(&path, text).unwrap();
        path
    }

    fn diff(&self, text: &str) -> Diff {
        Diff::of(
            &self.file(text),
            &self.kubeconfig,
            &["-n", self.namespace, "-o", "json", LABELS],
        )
    }
}

/// Pairs of texts.
fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn in_a_settled_cluster_nothing_differs_and_nothing_is_written() {
    for (namespace, how) in [("settled", &[][..]), ("settled-server-side", &["--server-side"])] {
        let shop = Shop::with_orders(namespace, how);
        let audit = AuditLog::of(&BED.bed);
        let mark = audit.mark().unwrap();
        let diff = shop.diff(ORDERS);
        assert_eq!((diff.code, diff.verdicts()), (Some(0), Vec::new()), "{diff:?}");
        let file = shop.file(ORDERS);
        let table = Diff::of(&file, &shop.kubeconfig, &["-n", namespace, LABELS]);
        assert_eq!(
            (table.code, table.out.as_str(), table.told.as_str()),
            (Some(0), "", "no difference\n")
        );

        let changed = shop.diff(&ORDERS.replace("orders:1", "orders:2"));
        assert_eq!(changed.code, Some(1), "{changed:?}");
        let ours = audit.since(mark, ADMINISTRATOR).unwrap();
        let in_namespace = || {
            ours.iter()
                .filter(|entry| entry.namespace == namespace && entry.is_write())
        };
        assert!(
            in_namespace().any(|entry| entry.dry_run && entry.resource == "deployments"),
            "{ours:?}"
        );
        let written: Vec<_> = in_namespace()
            .filter(|entry| !entry.dry_run)
            .map(|entry| entry.show())
            .collect();
        assert_eq!(written, Vec::<String>::new());
    }
}

#[test]
fn another_image_shows_in_the_deployment_alone_whatever_others_have_set() {
    let shop = Shop::with_orders("image", &[]);
    let namespace = shop.namespace;
    let kubectl = |arguments: &[&str]| BED.bed.kubectl(&[&["-n", namespace], arguments].concat()).unwrap();
    kubectl(&["scale", "deployment", "orders", "--replicas=3"]);
    kubectl(&["annotate", "deployment,service", "orders", "example.org/seen=yes"]);
    kubectl(&["label", "mapi", "orders", "team=shop"]);
    shop.wait_applied();
    let diff = shop.diff(ORDERS);
    assert_eq!((diff.code, diff.verdicts()), (Some(0), Vec::new()), "{diff:?}");

    let diff = shop.diff(&ORDERS.replace("orders:1", "orders:2"));
    assert_eq!(diff.code, Some(1));
    let changed = [("Deployment/orders", "changed"), ("MonitoredApi/orders", "changed")];
    assert_eq!(diff.verdicts(), pairs(&changed));
    let lines = diff.lines_of("Deployment/orders");
    let changed = |line: &String| line.contains("image: example.org/orders:");
    assert!(lines.len() == 2 && lines.iter().all(changed), "{lines:?}");
}

#[test]
fn alerts_that_are_taken_out_of_the_file_show_in_the_rules_and_not_in_the_deployment() {
    for (namespace, how) in [("alerts", &[][..]), ("alerts-server-side", &["--server-side"])] {
        let shop = Shop::with_orders(namespace, how);
        let (without, _) = ORDERS.split_once("  alerts:").unwrap();
        let diff = shop.diff(without);
        assert_eq!(diff.code, Some(1));
        let changes = diff.changes();
        let names: Vec<_> = changes.keys().map(String::as_str).collect();
        assert!(
            names.contains(&"PrometheusRule/orders") && names.contains(&"MonitoredApi/orders"),
            "{names:?}"
        );
        assert!(!names.contains(&"Deployment/orders"), "{names:?}");
        let lines = diff.lines_of("PrometheusRule/orders").join("\n");
        assert!(lines.contains("0.2") && lines.contains("0.01"), "{lines}");
        let ours = diff.lines_of("MonitoredApi/orders").join("\n");
        assert!(ours.contains("-  alerts:"), "{ours}");
    }
}

#[test]
fn an_object_that_is_not_made_any_more_is_removed_and_a_new_one_created() {
    let shop = Shop::with_orders("leftover", &[]);
    let diff = shop.diff(&ORDERS.replace("  metrics: {port: 9090}\n", "  serviceAccountName: robot\n"));
    let verdicts: BTreeMap<_, _> = diff.verdicts().into_iter().collect();
    assert_eq!(
        verdicts.get("Service/orders-metrics").map(String::as_str),
        Some("removed"),
        "{diff:?}"
    );
    assert_eq!(
        verdicts.get("ServiceAccount/orders").map(String::as_str),
        Some("removed"),
        "{diff:?}"
    );
    let shop = Shop::empty("new");
    let diff = shop.diff(ORDERS);
    assert_eq!(diff.code, Some(1));
    assert!(
        diff.verdicts().len() >= 8 && diff.verdicts().iter().all(|(_, change)| change == "created"),
        "{diff:?}"
    );
    assert!(
        diff.lines_of("Service/orders")
            .iter()
            .any(|line| line.contains("cost-center")),
        "{diff:?}"
    );
    for path in [MONITORED_APIS, DEPLOYMENTS, SERVICES].map(|kind| kind.object("new", "orders")) {
        assert_eq!(shop.api.get(&path).unwrap(), None);
    }
}

#[test]
fn a_setting_that_only_the_operator_has_shows_in_every_object() {
    let shop = Shop::with_orders("settings", &[]);
    let diff = Diff::of(&shop.file(ORDERS), &shop.kubeconfig, &["-n", "settings", "-o", "json"]);
    assert_eq!(diff.code, Some(1));
    let objects: Vec<_> = diff.changes().into_keys().collect();
    assert!(
        objects.len() >= 7 && !objects.contains(&"MonitoredApi/orders".to_owned()),
        "{objects:?}"
    );
    for object in objects {
        assert_eq!(diff.lines_of(&object), ["-    cost-center: \"4711\""], "{object}");
    }
}

#[test]
fn a_refusal_of_a_policy_is_told_in_its_own_words() {
    let shop = Shop::with_orders("policy", &[]);
    let kind = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "images"}, "spec": spec,
        })
    };
    let policy = json!({
        "matchConstraints": {"resourceRules": [{
            "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"],
        }]},
        "validations": [{
            "expression": "object.spec.template.spec.containers.all(c, !c.image.contains('forbidden'))",
            "message": "this image is on the list of images that nobody may run",
        }],
    });
    let binding = json!({"policyName": "images", "validationActions": ["Deny"]});
    let items = json!([
        kind("ValidatingAdmissionPolicy", policy),
        kind("ValidatingAdmissionPolicyBinding", binding),
    ]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    BED.bed.apply(&list.to_string()).unwrap();
    // The API server takes a moment to apply a new policy.
    eventually("the policy to take effect", PATIENCE, || {
        let diff = shop.diff(&ORDERS.replace("orders:1", "forbidden:1"));
        let changes = diff.changes();
        let (change, row) = changes.get("Deployment/orders").unwrap();
        let reason = row["reason"].as_str().unwrap_or_default();
        let refused = change == "refused" && reason.contains("images that nobody may run");
        Ok(if refused && diff.code == Some(1) {
            Ok(())
        } else {
            Err(format!("{diff:?}"))
        })
    })
    .unwrap();
    let table = Diff::of(
        &shop.file(&ORDERS.replace("orders:1", "forbidden:1")),
        &shop.kubeconfig,
        &["-n", "policy", LABELS],
    );
    assert!(
        table.out.contains("Deployment policy/orders would be refused: "),
        "{table:?}"
    );
    assert!(!table.out.contains('\x1b'), "colours are for terminals: {table:?}");
}

#[test]
fn without_a_cluster_that_answers_the_reason_is_told_and_the_code_is_2() {
    let file = BED.bed.state_dir().join("alone.yaml");
    fs::write(&file, ORDERS).unwrap();
    let missing = Diff::of(&file, Path::new("/does/not/exist"), &[]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""));
    assert!(missing.told.contains("/does/not/exist"), "{missing:?}");

    let nowhere = BED.bed.state_dir().join("kubeconfig-nowhere");
    let text = fs::read_to_string(BED.bed.kubeconfig()).unwrap();
    let config: Value = serde_yaml::from_str(&text).unwrap();
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
    fs::write(&nowhere, text.replace(server, "https://127.0.0.1:1")).unwrap();
    let refused = Diff::of(&file, &nowhere, &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.told.contains("Connection refused") && refused.told.contains("--context"),
        "{refused:?}"
    );

    let unknown = Diff::of(&file, &BED.bed.kubeconfig(), &["--context", "elsewhere"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.told.contains("elsewhere"), "{unknown:?}");

    let early = &BED.before_installation;
    assert_eq!(early.code, Some(2), "{early:?}");
    assert!(early.told.contains("monitored-api crd"), "{early:?}");

    let nobody = BED.installed.anonymous_kubeconfig().unwrap();
    let forbidden = Diff::of(&file, &nobody, &["-n", "settled"]);
    assert_eq!(forbidden.code, Some(2));
    for part in ["cannot get resource", "monitoredapis", "system:anonymous"] {
        assert!(forbidden.told.contains(part), "{forbidden:?}");
    }
}

#[test]
fn a_file_with_a_mistake_is_bad_input_before_the_cluster_is_asked() {
    let file = BED.bed.state_dir().join("mistakes.yaml");
    for (text, told) in [
        (ORDERS.replace("port: 9090", "port: 0"), "spec.metrics.port"),
        (ORDERS.replace("preset:", "persett:"), "spec.persett"),
        ("kind: Namespace\n".to_owned(), "kind: MonitoredApi"),
    ] {
        fs::write(&file, text).unwrap();
        let diff = Diff::of(&file, &BED.bed.kubeconfig(), &[]);
        assert_eq!((diff.code, diff.out.as_str()), (Some(2), ""), "{diff:?}");
        assert!(diff.told.contains(told), "{diff:?}");
    }
}

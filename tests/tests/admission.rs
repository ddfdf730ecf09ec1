//! The admission policy with impersonated authors. A user who may not create a Deployment doesn't get one through a
//! MonitoredApi. The garbage collector, the operator and users who only change metadata are not affected.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{sync::LazyLock, time::Duration};

use controller_core::{admission, children::child_kinds};
use integration_tests::{
    eventually,
    install::{Installed, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, says},
    operator::Operator,
    snapshot::Snapshot,
};
use serde_json::{Value, json};
use testbed::Testbed;

const PATIENCE: Duration = Duration::from_secs(60);
const POLICY: &str = "monitored-api";

/// May do anything to MonitoredApis and nothing else.
const ALICE: &str = "alice";
/// May also create every kind of child.
const BOB: &str = "bob";
/// May do the same as Bob, except create ServiceMonitors.
const CAROL: &str = "carol";
/// May do the same as Bob, except create Deployments.
const DAN: &str = "dan";
/// May create everything but GrafanaDashboards.
const EVE: &str = "eve";

struct Bed {
    bed: Testbed,
    _operator: Operator,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let bed = Testbed::builder("admission").start().expect("start a test bed");
    prometheus_operator_crds(&bed).expect("install Prometheus Operator's CRDs");
    let installed = Installed::into(&bed).expect("install the operator's user");
    bed.apply(&policy().to_string()).expect("install the policy");
    let kubeconfig = installed.operator_kubeconfig(None).expect("write a kubeconfig");
    let log = installed.operator_log();
    let operator = Operator::start(&kubeconfig, &log, &[]).expect("start the operator");
    Bed {
        bed,
        _operator: operator,
    }
});

/// The policy and its binding, as the chart installs them.
fn policy() -> Value {
    let kind = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": POLICY}, "spec": spec,
        })
    };
    json!({"apiVersion": "v1", "kind": "List", "items": [
        kind("ValidatingAdmissionPolicy", admission::policy_spec()),
        kind("ValidatingAdmissionPolicyBinding", json!({"policyName": POLICY, "validationActions": ["Deny"]})),
    ]})
}

/// A namespace in which Alice, Bob, Carol, Dan and Eve have their rights.
fn namespace(name: &str) -> Kubernetes {
    let api = Kubernetes::connect(&BED.bed.kubeconfig()).unwrap();
    api.create_namespace(name).unwrap();
    let mut items = Vec::new();
    for user in [ALICE, BOB, CAROL, DAN, EVE] {
        let mut rules = vec![json!({
            "apiGroups": ["monitoredapi.io"], "resources": ["monitoredapis"],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
        })];
        let may_create = child_kinds().filter(|kind| match user {
            ALICE => false,
            CAROL => kind.plural != "servicemonitors",
            EVE => kind.plural != "grafanadashboards",
            DAN => kind.plural != "deployments",
            _ => true,
        });
        rules.extend(
            may_create.map(|kind| json!({"apiGroups": [kind.group], "resources": [kind.plural], "verbs": ["create"]})),
        );
        let version = "rbac.authorization.k8s.io/v1";
        let metadata = json!({"name": user, "namespace": name});
        items.push(json!({"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules}));
        items.push(json!({
            "apiVersion": version, "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        }));
    }
    BED.bed
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
        .unwrap();
    // The API server takes a moment to apply new policies and roles.
    eventually("the policy and the roles to take effect", PATIENCE, || {
        let refused = create(name, "probe", ALICE, "{image: example.org/orders:1}", true);
        let taken = create(name, "probe", BOB, "{image: example.org/orders:1}", true);
        Ok(match (refused, taken) {
            (Err(said), Ok(_)) if said.contains("you need the permission") => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .unwrap();
    api
}

/// Runs `kubectl` as `user` and returns what it printed, or why it failed.
fn kubectl(user: &str, namespace: &str, args: &[&str]) -> Result<String, String> {
    let who = format!("--as={user}");
    let all: Vec<_> = [who.as_str(), "-n", namespace].iter().chain(args).copied().collect();
    BED.bed.kubectl(&all).map_err(|error| format!("{error:#}"))
}

fn create(namespace: &str, name: &str, user: &str, spec: &str, dry: bool) -> Result<String, String> {
    let path = BED.bed.state_dir().join(format!("{namespace}-{name}-{user}.yaml"));
    let text =
        format!("apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {{name: {name}}}\nspec: {spec}\n");
    std::fs::write(&path, text).unwrap();
    let path = path.to_string_lossy();
    let mut args = vec!["create", "-f", &path];
    if dry {
        args.push("--dry-run=server");
    }
    kubectl(user, namespace, &args)
}

fn patch(namespace: &str, name: &str, user: &str, patch: &str) -> Result<String, String> {
    kubectl(user, namespace, &["patch", "mapi", name, "--type=merge", "-p", patch])
}

/// Waits until the operator reports that it wrote all children, which shows that its own writes pass the policy.
fn wait_applied(api: &Kubernetes, namespace: &str, name: &str) {
    let path = MONITORED_APIS.object(namespace, name);
    api.wait_for(&path, PATIENCE, |found| says(found, "ChildrenApplied", "True"))
        .unwrap();
}

#[test]
fn an_author_needs_the_right_to_create_what_the_spec_turns_on() {
    let api = namespace("authors");
    let spec = "{image: example.org/orders:1}";
    let refused = create("authors", "orders", DAN, spec, false).unwrap_err();
    assert!(refused.contains("permission to create deployments.apps"), "{refused}");
    create("authors", "orders", BOB, spec, false).unwrap();
    wait_applied(&api, "authors", "orders");

    // Only rights on the children that the spec turns on are needed.
    let refused = create("authors", "payments", CAROL, spec, false).unwrap_err();
    assert!(
        refused.contains("permission to create servicemonitors.monitoring.coreos.com"),
        "{refused}"
    );
    assert!(!refused.contains("deployments"), "{refused}");
    let quiet = "{image: example.org/orders:1, monitoring: {enabled: false}}";
    create("authors", "payments", CAROL, quiet, false).unwrap();
    wait_applied(&api, "authors", "payments");
    let refused = patch("authors", "payments", CAROL, r#"{"spec": {"monitoring": null}}"#).unwrap_err();
    assert!(refused.contains("servicemonitors"), "{refused}");
}

#[test]
fn an_author_needs_the_right_to_create_grafana_dashboards_only_where_the_spec_asks_for_them() {
    namespace("dashboards");
    let spec = |dashboard: &str| format!("{{image: example.org/orders:1, dashboard: {dashboard}}}");
    let asked = |user, dashboard: &str| create("dashboards", "orders", user, &spec(dashboard), true);
    let refused = asked(EVE, "{form: GrafanaDashboard}").unwrap_err();
    assert!(
        refused.contains("grafanadashboards.grafana.integreatly.org"),
        "{refused}"
    );
    asked(BOB, "{form: GrafanaDashboard}").unwrap();
    for dashboard in [
        "{}",
        "{form: Auto}",
        "{form: ConfigMap}",
        "{form: GrafanaDashboard, enabled: false}",
    ] {
        asked(EVE, dashboard).unwrap();
    }
}

#[test]
fn an_author_needs_the_right_to_get_the_workload_that_the_spec_refers_to() {
    namespace("references");
    let spec = |kind: &str| format!("{{workloadRef: {{apiVersion: apps/v1, kind: {kind}, name: legacy}}}}");
    let asked = |user: &str, kind: &str| create("references", "orders", user, &spec(kind), true);
    let refused = asked(BOB, "StatefulSet").unwrap_err();
    assert!(refused.contains("permission to get it in this namespace"), "{refused}");
    // Dan may create no Deployment, which the operator does not write here either.
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "reader", "namespace": "references"},
        "rules": [{"apiGroups": ["apps"], "resources": ["statefulsets"], "resourceNames": ["legacy"], "verbs": ["get"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "reader", "namespace": "references"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": DAN}],
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]});
    BED.bed.apply(&list.to_string()).unwrap();
    eventually("the role to take effect", PATIENCE, || {
        Ok(asked(DAN, "StatefulSet").map(drop))
    })
    .unwrap();
    let refused = asked(DAN, "DaemonSet").unwrap_err();
    assert!(refused.contains("permission to get it"), "{refused}");
}

#[test]
fn a_change_of_the_spec_needs_rights_on_children_and_a_change_of_metadata_does_not() {
    let api = namespace("metadata");
    create("metadata", "orders", BOB, "{image: example.org/orders:1}", false).unwrap();
    patch(
        "metadata",
        "orders",
        ALICE,
        r#"{"metadata": {"labels": {"team": "shop"}}}"#,
    )
    .unwrap();
    let force = r#"{"metadata": {"annotations": {"monitoredapi.io/reconcile-at": "now"}}}"#;
    patch("metadata", "orders", ALICE, force).unwrap();
    let refused = patch(
        "metadata",
        "orders",
        DAN,
        r#"{"spec": {"image": "example.org/evil:1"}}"#,
    )
    .unwrap_err();
    assert!(refused.contains("permission to create deployments.apps"), "{refused}");
    patch(
        "metadata",
        "orders",
        BOB,
        r#"{"spec": {"image": "example.org/orders:2"}}"#,
    )
    .unwrap();
    wait_applied(&api, "metadata", "orders");
}

#[test]
fn a_deletion_in_foreground_or_background_leaves_nothing_and_needs_no_right_to_create() {
    let api = namespace("deletion");
    for (name, cascade) in [("fore", "--cascade=foreground"), ("back", "--cascade=background")] {
        create(
            "deletion",
            name,
            BOB,
            "{image: example.org/orders:1, metrics: {port: 9090}}",
            false,
        )
        .unwrap();
        wait_applied(&api, "deletion", name);
        // Neither Alice nor the garbage collector has `create` on anything.
        kubectl(
            ALICE,
            "deletion",
            &["delete", "mapi", name, cascade, "--wait=true", "--timeout=60s"],
        )
        .unwrap();
        eventually("all objects to be gone", PATIENCE, || {
            let left = Snapshot::take(&api, "deletion").map(|all| all.names().collect::<Vec<_>>().join(" "))?;
            Ok(if left.is_empty() { Ok(()) } else { Err(left) })
        })
        .unwrap();
    }
}

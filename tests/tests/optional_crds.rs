//! Kinds that are missing or broken do not affect others: Prometheus Operator's CRDs are absent, installed and removed; the
//! lists and watches of one kind fail for ever. Everything that does not need them works as usual.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints its figures"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use integration_tests::{
    api_proxy::ApiProxy,
    audit::{AuditLog, Entry, Mark},
    eventually,
    install::{Installed, OPERATOR_USER, prometheus_operator_crds},
    kubernetes::{DEPLOYMENTS, Kubernetes, MONITORED_APIS, Resource, SERVICES, condition, monitored_api, says},
    operator::Operator,
};
use serde_json::{Value, json};
use testbed::Testbed;

const PATIENCE: Duration = Duration::from_secs(90);
/// Longest time from the moment at which the API server serves a kind until its first object exists.
const PICK_UP: Duration = Duration::from_secs(60);
/// Longest time from an edit until the last child is changed.
const EDIT: Duration = Duration::from_secs(2);
/// Longest time from the deletion of the CRDs until no object of their kinds exists.
const DELETION: Duration = Duration::from_secs(30);
/// The API server's controller of CRDs loses a deletion when it meets a conflict with a write of its own: it expects a further
/// event, ignores that of its own write, and looks again only every five minutes (`crd_finalizer.go`). So a CRD that lasts longer than
/// this is written, which is an event.
const REMIND: Duration = Duration::from_secs(15);
/// MonitoredApis beside the first one whose children a deletion of the CRDs deletes.
const OTHERS: usize = 20;
const NAMESPACE: &str = "optional";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const SERVICE_MONITORS: Resource = Resource::new("monitoring.coreos.com", "v1", "servicemonitors");
const PROMETHEUS_RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
/// Every kind that the operator watches, except MonitoredApis.
const WATCHED: [&str; 10] = [
    "deployments",
    "services",
    "serviceaccounts",
    "configmaps",
    "servicemonitors",
    "prometheusrules",
    "pods",
    "endpointslices",
    "prometheuses",
    "namespaces",
];

fn path() -> String {
    MONITORED_APIS.object(NAMESPACE, "orders")
}

/// A change that an edit leads to: one field of a child.
struct Wanted {
    resource: Resource,
    pointer: &'static str,
    value: Value,
}

/// Edits so that Deployment, Service and, if `monitor` is set, ServiceMonitor change; returns the time until the last
/// change.
fn edit(api: &Kubernetes, number: u16, monitor: bool) -> Duration {
    let image = format!("example.org/orders:{number}");
    let interval = format!("{}s", 20 + number);
    let mut wanted = vec![
        Wanted {
            resource: DEPLOYMENTS,
            pointer: "/spec/template/spec/containers/0/image",
            value: json!(image),
        },
        Wanted {
            resource: SERVICES,
            pointer: "/spec/ports/0/port",
            value: json!(8000 + number),
        },
    ];
    if monitor {
        let pointer = "/spec/endpoints/0/interval";
        wanted.push(Wanted {
            resource: SERVICE_MONITORS,
            pointer,
            value: json!(interval),
        });
    }
    let patch =
        json!({"spec": {"image": image, "service": {"port": 8000 + number}, "metrics": {"interval": interval}}});
    api.merge(&path(), &patch).unwrap();
    let started = Instant::now();
    while !wanted.is_empty() {
        wanted.retain(
            |Wanted {
                 resource,
                 pointer,
                 value,
             }| {
                let child = api.get(&resource.object(NAMESPACE, "orders")).unwrap();
                child.as_ref().and_then(|child| child.pointer(pointer)) != Some(value)
            },
        );
        assert!(
            started.elapsed() < PATIENCE,
            "{} is not changed",
            wanted.iter().map(|w| w.resource.plural).collect::<String>()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    started.elapsed()
}

/// Checks that the MonitoredApi is Ready without the kinds, and that the status names those that are missing.
fn reports_missing_kinds(found: &Value) -> Result<(), String> {
    says(found, "Ready", "True")?;
    says(found, "ChildrenApplied", "True")?;
    let (_, reason, message) = condition(found, "ChildrenApplied").unwrap();
    let reported = format!("{reason} {message}");
    if reported.contains("CrdMissing")
        && ["ServiceMonitor", "PrometheusRule"]
            .iter()
            .all(|kind| message.contains(kind))
    {
        Ok(())
    } else {
        Err(reported)
    }
}

fn start(bed: &Testbed) -> (Installed, Kubernetes) {
    bed.start_kwok(1).unwrap();
    let installed = Installed::into(bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    api.create_namespace(NAMESPACE).unwrap();
    let spec = json!({"image": "example.org/orders:0", "preset": "native"});
    api.create(&MONITORED_APIS.within(NAMESPACE), &monitored_api("orders", &spec))
        .unwrap();
    (installed, api)
}

fn wait(api: &Kubernetes, wanted: impl FnMut(&Value) -> Result<(), String>) {
    api.wait_for(&path(), PATIENCE, wanted).unwrap();
}

#[test]
fn prometheus_operators_crds_may_be_absent_come_and_go() {
    let bed = Testbed::builder("optional-crds").start().unwrap();
    let (installed, api) = start(&bed);
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[]).unwrap();
    operator.wait_ready().unwrap();
    wait(&api, reports_missing_kinds);
    println!("absent: an edit took {} ms", edit(&api, 1, false).as_millis());

    let applied = Instant::now();
    prometheus_operator_crds(&bed).unwrap();
    let served = Instant::now();
    for resource in [SERVICE_MONITORS, PROMETHEUS_RULES] {
        api.wait_for(&resource.object(NAMESPACE, "orders"), PICK_UP, |_| Ok(()))
            .unwrap();
        let (seconds, all) = (served.elapsed().as_secs_f64(), applied.elapsed().as_secs_f64());
        println!(
            "installed: {} existed {seconds:.1} s after its CRD was served, {all:.1} s after `apply`",
            resource.plural
        );
    }
    wait(&api, |found| match reports_missing_kinds(found) {
        Ok(()) => Err("the condition still says that it is missing".to_owned()),
        Err(_) => says(found, "Ready", "True"),
    });
    println!("installed: an edit took {} ms", edit(&api, 2, true).as_millis());

    let others = create_others(&api);
    let manifest = bed.prometheus_operator_crds().unwrap();
    let (began, mark) = (Instant::now(), AuditLog::of(&bed).mark().unwrap());
    bed.kubectl(&["delete", "--wait=false", "-f", &manifest.to_string_lossy()])
        .unwrap();
    for resource in [SERVICE_MONITORS, PROMETHEUS_RULES] {
        wait_empty(&api, resource, began + DELETION);
    }
    println!(
        "removed: the objects were gone after {:.1} s",
        began.elapsed().as_secs_f64()
    );
    wait_crds_gone(&api, began);
    println!(
        "removed: the CRDs were gone after {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert_nothing_put_back(&bed, mark);
    let removed = Instant::now();
    for path in others.iter().chain([&path()]) {
        api.wait_for(path, PATIENCE, reports_missing_kinds).unwrap();
    }
    println!("removed: reported after {:.1} s", removed.elapsed().as_secs_f64());
    wait_settled(&api);
    println!("removed: settled after {:.1} s", removed.elapsed().as_secs_f64());
    assert_no_hot_loop(&bed);
    let took = edit(&api, 3, false);
    println!("removed: an edit took {} ms", took.as_millis());
    assert!(took <= EDIT, "{took:?}");
    assert!(operator.is_running().unwrap());
    assert!(operator.stop().unwrap().success());
}

/// Waits until no object of a kind exists, or the kind itself doesn't any more.
fn wait_empty(api: &Kubernetes, resource: Resource, until: Instant) {
    let left = until.saturating_duration_since(Instant::now());
    eventually(&format!("the last of {}", resource.plural), left, || {
        let found = api.get(&resource.everywhere())?;
        let items = found.as_ref().and_then(|list| list.pointer("/items")?.as_array());
        let names: Vec<_> = items
            .into_iter()
            .flatten()
            .map(|item| item.pointer("/metadata/name"))
            .collect();
        Ok(if names.is_empty() {
            Ok(())
        } else {
            Err(format!("{names:?}"))
        })
    })
    .unwrap();
}

/// Waits until every CRD that is being deleted is gone. Those that last are written now and then, see [`REMIND`].
fn wait_crds_gone(api: &Kubernetes, began: Instant) {
    let text = |found: &Value, pointer| found.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut reminded = began;
    eventually("the CRDs to be gone", PATIENCE, || {
        let all = api.list(CRDS, "")?;
        let deleted = all
            .iter()
            .filter(|found| text(found, "/metadata/deletionTimestamp").is_some());
        let left: Vec<_> = deleted.filter_map(|found| text(found, "/metadata/name")).collect();
        if reminded.elapsed() > REMIND {
            reminded = Instant::now();
            let seconds = began.elapsed().as_secs().to_string();
            let patch = json!({"metadata": {"annotations": {"example.org/seconds": seconds}}});
            for name in &left {
                // It fails if the CRD went in this moment.
                api.merge(&format!("{CRDS}/{name}"), &patch).ok();
            }
        }
        Ok(if left.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "after {:?} there is still {}",
                began.elapsed(),
                left.join(", ")
            ))
        })
    })
    .unwrap();
}

/// Waits until no MonitoredApi has changed for five seconds: the kinds go one after the other, and so do the conditions that
/// depend on them.
fn wait_settled(api: &Kubernetes) {
    let versions = || -> Vec<_> {
        let all = api.list(&MONITORED_APIS.within(NAMESPACE), "").unwrap();
        all.iter()
            .map(|found| found.pointer("/metadata/resourceVersion").cloned())
            .collect()
    };
    let (mut known, mut since) = (versions(), Instant::now());
    eventually("the statuses to settle", PATIENCE, || {
        let now = versions();
        if now != known {
            (known, since) = (now, Instant::now());
        }
        Ok(if since.elapsed() >= Duration::from_secs(5) {
            Ok(())
        } else {
            Err("they changed just now".to_owned())
        })
    })
    .unwrap();
}

/// More MonitoredApis, so that the deletion of a kind deletes many objects. Returns their paths once they are complete.
fn create_others(api: &Kubernetes) -> Vec<String> {
    let names = (0..OTHERS).map(|number| format!("other-{number}"));
    let create = |name: String| {
        let spec = json!({"image": "example.org/orders:0", "preset": "native"});
        api.create(&MONITORED_APIS.within(NAMESPACE), &monitored_api(&name, &spec))
            .unwrap();
        name
    };
    let names: Vec<_> = names.map(create).collect();
    let ready = |name: &String| {
        let path = MONITORED_APIS.object(NAMESPACE, name);
        api.wait_for(&path, PATIENCE, |found| says(found, "Ready", "True"))
            .unwrap();
        path
    };
    names.iter().map(ready).collect()
}

/// Checks that no object of a kind was written while its CRD was being deleted: the deletion would wait until the object is
/// gone again.
fn assert_nothing_put_back(bed: &Testbed, mark: Mark) {
    let entries = AuditLog::of(bed).since(mark, OPERATOR_USER).unwrap();
    let of_kinds = |entry: &&Entry| ["servicemonitors", "prometheusrules"].contains(&entry.resource.as_str());
    let put_back: Vec<_> = entries
        .iter()
        .filter(of_kinds)
        .filter(|entry| entry.verb == "patch" && entry.code < 300)
        .map(Entry::show)
        .collect();
    assert!(put_back.is_empty(), "{put_back:#?}");
}

/// Checks that within twenty seconds each kind is asked for at most four times and nothing is written.
fn assert_no_hot_loop(bed: &Testbed) {
    let audit = AuditLog::of(bed);
    let mark = audit.mark().unwrap();
    std::thread::sleep(Duration::from_secs(20));
    let entries = audit.since(mark, OPERATOR_USER).unwrap();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.resource != "leases") {
        *asked.entry(format!("{} {}", entry.verb, entry.resource)).or_default() += 1;
    }
    println!("removed: requests in 20 s: {asked:?}");
    assert!(asked.values().all(|times| *times <= 4), "{asked:?}");
    let writes: Vec<_> = entries
        .iter()
        .filter(|entry| entry.is_write() && entry.resource != "leases")
        .map(Entry::show)
        .collect();
    assert!(writes.is_empty(), "{writes:#?}");
}

/// An operator behind a proxy.
struct Proxied {
    installed: Installed,
    api: Kubernetes,
    proxy: ApiProxy,
    // Declared last, so that it is dropped last.
    _bed: Testbed,
}

impl Proxied {
    fn start() -> Self {
        let bed = Testbed::builder("broken-watch").start().unwrap();
        prometheus_operator_crds(&bed).unwrap();
        let (installed, api) = start(&bed);
        let proxy = ApiProxy::start(&installed.anonymous_kubeconfig().unwrap()).unwrap();
        // Built here, so that the build is not measured.
        Operator::binary().unwrap();
        Self {
            installed,
            api,
            proxy,
            _bed: bed,
        }
    }

    fn operator(&self) -> Operator {
        let kubeconfig = self.installed.operator_kubeconfig(Some(&self.proxy.url())).unwrap();
        let log = self.installed.operator_log();
        let mut operator = Operator::start(&kubeconfig, &log, &["--leader-elect=false"]).unwrap();
        operator.wait_ready().unwrap();
        operator
    }

    /// The number of requests for a kind, after the first `skip` requests, that were answered with 500.
    fn failed(&self, plural: &str, skip: usize) -> usize {
        let log = self.proxy.log();
        log.iter()
            .skip(skip)
            .filter(|seen| seen.resource == plural && seen.code == Some(500))
            .count()
    }

    /// A kind that is broken when the operator starts, and stays so.
    fn broken_from_the_start(&self, number: u16, plural: &str) -> Result<(), String> {
        self.proxy.break_kind(plural);
        let (before, began) = (self.proxy.log().len(), Instant::now());
        let operator = self.operator();
        let ready = began.elapsed();
        // The first edit shows that the operator works; the second one is measured.
        edit(&self.api, number, true);
        let took = edit(&self.api, number + 1, true);
        let failed = self.failed(plural, before);
        println!(
            "{plural} broken from the start: ready after {:.1} s, an edit took {} ms, {failed} requests failed in {:.1} s",
            ready.as_secs_f64(),
            took.as_millis(),
            began.elapsed().as_secs_f64()
        );
        self.proxy.heal();
        let tail = operator.log_tail();
        operator.kill().unwrap();
        assert!(failed > 0, "{plural}: no request met the fault");
        // The waits between them are 800 ms, and then twice as long each time.
        assert!(failed <= 8, "{plural}: asked {failed} times in {:?}", began.elapsed());
        if took <= EDIT {
            Ok(())
        } else {
            Err(format!("{plural}: {took:?}\n{tail}"))
        }
    }

    /// A kind that breaks while the operator runs, so that its cache of the kind becomes stale.
    fn broken_while_running(&self, number: u16, plural: &str) -> Result<(), String> {
        let before = self.proxy.log().len();
        self.proxy.break_kind(plural);
        eventually(&format!("{plural} to fail"), PATIENCE, || {
            let failed = self.failed(plural, before);
            Ok(if failed > 0 {
                Ok(())
            } else {
                Err("no request for it".to_owned())
            })
        })
        .unwrap();
        let took = edit(&self.api, number, true);
        println!(
            "{plural} broken while the operator runs: an edit took {} ms",
            took.as_millis()
        );
        if took <= EDIT {
            Ok(())
        } else {
            Err(format!("{plural}: {took:?}"))
        }
    }
}

/// While the operator gets no events of Deployments, the author removes `spec.replicas`, another user scales the Deployment,
/// and an edit is applied right after.
fn scale_unseen(api: &Kubernetes) {
    let deployment = DEPLOYMENTS.object(NAMESPACE, "orders");
    let change = |spec: Value| {
        api.merge(&path(), &json!({"spec": spec})).unwrap();
        api.wait_for(&path(), PATIENCE, |found| says(found, "ChildrenApplied", "True"))
            .unwrap();
    };
    let replicas = || {
        api.get(&deployment)
            .unwrap()
            .unwrap()
            .pointer("/spec/replicas")
            .cloned()
    };
    change(json!({"replicas": 3}));
    change(json!({"replicas": null}));
    assert_eq!(replicas(), Some(json!(3)));
    api.merge(&format!("{deployment}/scale"), &json!({"spec": {"replicas": 7}}))
        .unwrap();
    change(json!({"image": "example.org/orders:scaled"}));
    assert_eq!(replicas(), Some(json!(7)));
}

#[test]
fn kinds_whose_lists_and_watches_fail_for_ever_delay_no_edit_and_have_none_undone() {
    let proxied = Proxied::start();
    let mut too_slow = Vec::new();
    for (number, plural) in (1..).zip(WATCHED) {
        too_slow.extend(proxied.broken_from_the_start(2 * number, plural).err());
    }
    // The kinds break one after the other, until only the watch of MonitoredApis works.
    let operator = proxied.operator();
    for (number, plural) in (100..).zip(WATCHED) {
        too_slow.extend(proxied.broken_while_running(number, plural).err());
    }
    assert!(too_slow.is_empty(), "{}\n{}", too_slow.join("\n"), operator.log_tail());
    scale_unseen(&proxied.api);
    // Once the API server answers again, the operator notices drift again.
    proxied.proxy.heal();
    let deployment = DEPLOYMENTS.object(NAMESPACE, "orders");
    let uid = |found: &Value| found.pointer("/metadata/uid").cloned();
    let old = proxied.api.get(&deployment).unwrap().as_ref().and_then(uid);
    proxied.api.delete(&deployment).unwrap();
    let healed = Instant::now();
    let back = |found: &Value| {
        if uid(found) == old {
            Err("the old one".to_owned())
        } else {
            Ok(())
        }
    };
    proxied.api.wait_for(&deployment, PATIENCE, back).unwrap();
    println!(
        "repaired: a deleted Deployment existed again after {:.1} s",
        healed.elapsed().as_secs_f64()
    );
    operator.kill().unwrap();
}

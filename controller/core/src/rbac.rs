//! What the operator may do, from the tables of children and of watched kinds: no verb on secrets, no wildcard,
//! no right to grant rights.

use controller_api::{names, spec::WorkloadKind};
use serde_json::{Value, json};

use crate::{children::child_kinds, watched};

const READ: [&str; 3] = ["get", "list", "watch"];
/// Verbs on kinds that are only watched, never looked up one by one.
const FOLLOW: [&str; 2] = ["list", "watch"];
/// Verbs on child kinds. Server-side apply is a patch, and a create where the object does not exist.
const WRITE: [&str; 6] = ["get", "list", "watch", "create", "patch", "delete"];
const RESOURCE: &str = "monitoredapis";

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

/// Rules for every namespace that the operator looks after: a ClusterRole's, or a Role's in namespaced mode.
#[must_use]
pub fn namespaced_rules() -> Vec<Value> {
    let status = format!("{RESOURCE}/status");
    // For owner references with blockOwnerDeletion, where the admission plugin OwnerReferencesPermissionEnforcement is
    // on (OpenShift's default).
    let finalizers = format!("{RESOURCE}/finalizers");
    let mut rules = vec![
        rule(names::GROUP, &[RESOURCE], &READ),
        rule(names::GROUP, &[&status], &["update"]),
        rule(names::GROUP, &[&finalizers], &["update"]),
    ];
    rules.extend(child_rules());
    rules.push(referenced_rule());
    rules.push(rule("", &["events"], &["list"]));
    rules.extend(watched_rules(false));
    rules.push(rule("events.k8s.io", &["events"], &["create"]));
    rules
}

/// Workloads that exist already are looked up by their name and never written. Deployments are children, whose rule has the verb.
fn referenced_rule() -> Value {
    let mut resources: Vec<_> = WorkloadKind::ALL
        .iter()
        .map(|kind| kind.plural())
        .filter(|plural| child_kinds().all(|kind| kind.plural != *plural))
        .collect();
    resources.sort_unstable();
    rule("apps", &resources, &["get"])
}

/// Verbs on child kinds that hold data: the operator never deletes what cannot be made again.
const WRITE_WITHOUT_DELETE: [&str; 5] = ["get", "list", "watch", "create", "patch"];

/// One rule an API group, in the order of the table; kinds that hold data have one of their own.
fn child_rules() -> Vec<Value> {
    let mut groups: Vec<(&str, bool)> = Vec::new();
    for kind in child_kinds() {
        let group = (kind.group, kind.holds_data);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
        .into_iter()
        .map(|(group, holds_data)| {
            let mut resources: Vec<_> = child_kinds()
                .filter(|kind| kind.group == group && kind.holds_data == holds_data)
                .map(|kind| kind.plural)
                .collect();
            resources.sort_unstable();
            rule(
                group,
                &resources,
                if holds_data { &WRITE_WITHOUT_DELETE } else { &WRITE },
            )
        })
        .collect()
}

/// Rules that only a ClusterRole can hold; in namespaced mode the conditions that need them are `Unknown`.
#[must_use]
pub fn cluster_rules() -> Vec<Value> {
    watched_rules(true)
}

/// Rules for the kinds that are only watched: those that are watched in all namespaces at once, or the others.
fn watched_rules(only_cluster_wide: bool) -> Vec<Value> {
    let rows = watched::only_watched().filter(|row| row.only_cluster_wide == only_cluster_wide);
    rows.map(|row| rule(row.group, &[row.plural], &FOLLOW)).collect()
}

/// Rules in the operator's own namespace, for the lease by which one of its replicas leads.
#[must_use]
pub fn lease_rules() -> Vec<Value> {
    vec![rule("coordination.k8s.io", &["leases"], &["get", "create", "update"])]
}

/// What people who may edit a namespace may do with MonitoredApis (aggregated to `edit` and `admin`).
#[must_use]
pub fn edit_rules() -> Vec<Value> {
    let scale = format!("{RESOURCE}/scale");
    vec![
        rule(
            names::GROUP,
            &[RESOURCE],
            &[
                "get",
                "list",
                "watch",
                "create",
                "update",
                "patch",
                "delete",
                "deletecollection",
            ],
        ),
        rule(names::GROUP, &[&scale], &["get", "update", "patch"]),
        rule(names::GROUP, &[&format!("{RESOURCE}/status")], &["get"]),
    ]
}

/// What people who may view a namespace may do with MonitoredApis (aggregated to `view`).
#[must_use]
pub fn view_rules() -> Vec<Value> {
    vec![
        rule(names::GROUP, &[RESOURCE], &READ),
        rule(
            names::GROUP,
            &[&format!("{RESOURCE}/scale"), &format!("{RESOURCE}/status")],
            &["get"],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Value> {
        [namespaced_rules(), cluster_rules(), lease_rules()].concat()
    }

    fn texts<'a>(rule: &'a Value, key: &str) -> Vec<&'a str> {
        rule[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect()
    }

    #[test]
    fn the_operator_has_no_wildcard_no_secrets_and_nothing_that_hands_out_rights() {
        for rule in all() {
            for key in ["apiGroups", "resources", "verbs"] {
                assert!(!texts(&rule, key).contains(&"*"), "{rule}");
            }
            for resource in texts(&rule, "resources") {
                assert!(
                    !["secrets", "pods/exec", "pods/proxy", "roles", "rolebindings"].contains(&resource),
                    "{rule}"
                );
            }
            for verb in texts(&rule, "verbs") {
                assert!(
                    !["escalate", "bind", "impersonate", "deletecollection"].contains(&verb),
                    "{rule}"
                );
            }
        }
    }

    #[test]
    fn every_child_kind_can_be_written_and_all_that_hold_no_data_deleted() {
        for kind in child_kinds() {
            let verbs: &[&str] = if kind.holds_data { &WRITE_WITHOUT_DELETE } else { &WRITE };
            let granted = all().into_iter().any(|rule| {
                texts(&rule, "apiGroups") == [kind.group]
                    && texts(&rule, "resources").contains(&kind.plural)
                    && texts(&rule, "verbs") == verbs
            });
            assert!(granted, "{kind}");
        }
    }

    /// Every request of the operator that is not for a child or for the lease, with what makes it.
    const REQUESTS: [(&str, &str, &str); 16] = [
        ("apps", "daemonsets", "get"),                    // gather: a workload that exists already
        ("apps", "statefulsets", "get"),                  // the same
        (names::GROUP, "monitoredapis", "get"),           // gather: a resource before its first write
        (names::GROUP, "monitoredapis", "list"),          // watch
        (names::GROUP, "monitoredapis", "watch"),         // watch
        (names::GROUP, "monitoredapis/status", "update"), // report: a PUT
        (names::GROUP, "monitoredapis/finalizers", "update"), // owner references
        ("", "events", "list"),                           // gather: why a pod is not ready
        ("", "pods", "list"),
        ("", "pods", "watch"),
        ("discovery.k8s.io", "endpointslices", "list"),
        ("discovery.k8s.io", "endpointslices", "watch"),
        ("events.k8s.io", "events", "create"), // report
        ("", "namespaces", "list and watch"),
        ("monitoring.coreos.com", "prometheuses", "list and watch"),
        ("monitoring.coreos.com", "prometheusagents", "list and watch"),
    ];

    #[test]
    fn every_permission_except_those_for_children_is_needed_by_a_request() {
        let mut granted = Vec::new();
        for rule in [namespaced_rules(), cluster_rules()].concat() {
            for resource in texts(&rule, "resources") {
                if child_kinds().any(|kind| kind.plural == resource) {
                    continue;
                }
                for verb in texts(&rule, "verbs") {
                    granted.push((
                        texts(&rule, "apiGroups")[0].to_owned(),
                        resource.to_owned(),
                        verb.to_owned(),
                    ));
                }
            }
        }
        let mut needed: Vec<_> = REQUESTS
            .iter()
            .flat_map(|(group, resource, verbs)| {
                verbs
                    .split(" and ")
                    .map(|verb| ((*group).to_owned(), (*resource).to_owned(), verb.to_owned()))
            })
            .collect();
        granted.sort();
        needed.sort();
        assert_eq!(granted, needed);
    }

    #[test]
    fn deletion_is_granted_for_child_kinds_only() {
        for rule in all().iter().filter(|rule| texts(rule, "verbs").contains(&"delete")) {
            for resource in texts(rule, "resources") {
                let known = child_kinds().find(|kind| kind.plural == resource);
                assert!(known.is_some_and(|kind| !kind.holds_data), "{resource}");
            }
        }
    }
}

//! The fields without a schema: what the API server refuses in a pod template, found before the Deployment is written.
//!
//! Tables with one row a rule. What a rule says of one value is checked on what the author wrote, so that the path is the
//! author's own; what depends on generated parts is checked on the merged pod, when it is built. Left out, because the
//! answer depends on the cluster or the field is hardly used: `privileged` where a cluster forbids it, Windows options,
//! stop signals, annotations that stand for seccomp and AppArmor, amounts of a whole pod against those of its containers,
//! and the forms of names within volume sources of single vendors.

mod container;
mod forms;
mod metadata;
mod rule;
mod scheduling;
mod security;
mod volume;

use std::collections::BTreeSet;

use controller_api::names;
use serde_json::Value;

pub(super) use self::rule::alternatives;
use self::{
    container::CONTAINER,
    forms::{DNS_LABEL, HOST_NAME, IP, LABEL_KEY, OBJECT_NAME, SEARCH_DOMAIN},
    rule::{Must, Rule, given, items_of, rule, text},
    scheduling::{AFFINITY, SPREAD, TOLERATION},
    volume::VOLUME,
};
use crate::violation::Violations;

/// Most name servers and search domains that a resolver takes, and the most characters of the latter.
const MAX_NAME_SERVERS: usize = 3;
const MAX_SEARCH_DOMAINS: usize = 32;
const MAX_SEARCH_TEXT: usize = 2048;

/// The spec of a pod.
const POD: &[Rule] = &[
    rule("volumes", Must::EachMeet(VOLUME)),
    rule("containers", Must::EachMeet(CONTAINER)),
    rule("initContainers", Must::EachMeet(CONTAINER)),
    rule("initContainers", Must::EachMeet(INIT_CONTAINER)),
    rule("", Must::Satisfy(container_names)),
    rule("", Must::Satisfy(host_ports)),
    rule(
        "ephemeralContainers",
        Must::BeAbsent("only running pods get ephemeral containers: remove it, and use kubectl debug"),
    ),
    rule(
        "activeDeadlineSeconds",
        Must::BeAbsent("a Deployment's pods run without end: remove it"),
    ),
    rule("affinity", Must::Meet(AFFINITY)),
    rule("tolerations", Must::EachMeet(TOLERATION)),
    rule(
        "topologySpreadConstraints",
        Must::DifferByBoth("topologyKey", "whenUnsatisfiable", ""),
    ),
    rule("topologySpreadConstraints", Must::EachMeet(SPREAD)),
    rule("nodeSelector", Must::Satisfy(node_selector)),
    rule("nodeName", Must::BeText(&HOST_NAME)),
    rule("os", Must::Meet(OS)),
    rule("priorityClassName", Must::BeText(&OBJECT_NAME)),
    rule("runtimeClassName", Must::BeNonEmptyText(&OBJECT_NAME)),
    rule(
        "preemptionPolicy",
        Must::BeGivenAsOneOf(&["PreemptLowerPriority", "Never"]),
    ),
    rule("hostname", Must::BeText(&DNS_LABEL)),
    rule("subdomain", Must::BeText(&DNS_LABEL)),
    rule(
        "dnsPolicy",
        Must::BeOneOf(&["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ),
    rule("dnsConfig", Must::Satisfy(dns)),
    rule("", Must::Satisfy(dns_of_none)),
    rule("hostAliases", Must::DifferBy("ip")),
    rule("hostAliases", Must::EachMeet(HOST_ALIAS)),
    rule("imagePullSecrets", Must::DifferBy("name")),
    rule("overhead", Must::Satisfy(overhead)),
    rule("readinessGates", Must::EachMeet(READINESS_GATE)),
    rule("schedulingGates", Must::DifferBy("name")),
    rule("schedulingGates", Must::EachMeet(SCHEDULING_GATE)),
    rule("resourceClaims", Must::DifferBy("name")),
    rule("resourceClaims", Must::EachMeet(RESOURCE_CLAIM)),
    rule("", Must::Satisfy(claims_of_containers)),
    rule("securityContext", Must::Meet(security::OF_POD)),
    rule("", Must::Satisfy(security::host_namespaces)),
];

/// What an init container must not have, unless it goes on running beside the others.
const INIT_CONTAINER: &[Rule] = &[
    rule("image", Must::BeGiven("ghcr.io/acme/migrate:1.4.2")),
    rule("", Must::Satisfy(no_probes)),
];

const OS: &[Rule] = &[
    rule("name", Must::BeGiven("linux")),
    rule("name", Must::BeOneOf(&["linux"])),
];

const HOST_ALIAS: &[Rule] = &[
    rule("ip", Must::BeGiven("10.0.0.1")),
    rule("ip", Must::BeText(&IP)),
    rule("hostnames", Must::BeTexts(&HOST_NAME)),
];

const READINESS_GATE: &[Rule] = &[
    rule("conditionType", Must::BeGiven("example.com/ready")),
    rule("conditionType", Must::BeText(&LABEL_KEY)),
];

const SCHEDULING_GATE: &[Rule] = &[
    rule("name", Must::BeGiven("example.com/quota")),
    rule("name", Must::BeText(&LABEL_KEY)),
];

const RESOURCE_CLAIM: &[Rule] = &[
    rule("name", Must::BeGiven("gpu")),
    rule("name", Must::BeText(&DNS_LABEL)),
    rule("", Must::HaveOneOf(&["resourceClaimName", "resourceClaimTemplateName"])),
    rule("resourceClaimName", Must::BeNonEmptyText(&OBJECT_NAME)),
    rule("resourceClaimTemplateName", Must::BeNonEmptyText(&OBJECT_NAME)),
];

/// Checks a partial pod template at a path. A template that does not decode is checked too.
pub(super) fn template(template: &Value, path: &str, out: &mut Violations) {
    if let Some(given) = given(template, "metadata") {
        metadata::labels_and_annotations(given, &format!("{path}.metadata"), out);
    }
    if let Some(pod) = given(template, "spec") {
        rule::meet(pod, POD, &format!("{path}.spec"), out);
    }
}

/// Checks an affinity at a path.
pub(super) fn affinity(affinity: &Value, path: &str, out: &mut Violations) {
    rule::meet(affinity, AFFINITY, path, out);
}

/// Checks a toleration at a path.
pub(super) fn toleration(toleration: &Value, path: &str, out: &mut Violations) {
    rule::meet(toleration, TOLERATION, path, out);
}

/// Checks a constraint of a pod's spread at a path.
pub(super) fn spread(constraint: &Value, path: &str, out: &mut Violations) {
    rule::meet(constraint, SPREAD, path, out);
}

/// Checks that no two constraints of a pod's spread are about the same.
pub(super) fn spread_twice(constraints: &[Value], path: &str, out: &mut Violations) {
    rule::differ(constraints, "topologyKey", Some(("whenUnsatisfiable", "")), path, out);
}

/// No two containers have one name, whether they start before the others or not.
fn container_names(pod: &Value, path: &str, out: &mut Violations) {
    let mut seen: BTreeSet<_> = items_of(pod, "containers")
        .filter_map(|(_, container)| text(container, "name"))
        .collect();
    seen.insert(names::CONTAINER);
    for (index, container) in items_of(pod, "initContainers") {
        if let Some(name) = text(container, "name").filter(|name| seen.contains(name)) {
            out.add(
                format!("{path}.initContainers[{index}].name"),
                format!("{name} is the name of a container that runs beside: use another name"),
            );
        }
    }
}

fn no_probes(container: &Value, path: &str, out: &mut Violations) {
    const FIELDS: [&str; 4] = ["lifecycle", "readinessProbe", "livenessProbe", "startupProbe"];
    if text(container, "restartPolicy") == Some("Always") {
        return;
    }
    for field in FIELDS.into_iter().filter(|field| given(container, field).is_some()) {
        out.add(
            format!("{path}.{field}"),
            "an init container ends before the others start: remove it, or use restartPolicy: Always for a sidecar",
        );
    }
    for (index, policy) in items_of(container, "resizePolicy") {
        if text(policy, "restartPolicy") == Some("RestartContainer") {
            out.add(
                format!("{path}.resizePolicy[{index}].restartPolicy"),
                "an init container is not restarted for new amounts: use NotRequired",
            );
        }
    }
}

/// Ports of the node: each once, and with the network of the node the same as the container's.
fn host_ports(pod: &Value, path: &str, out: &mut Violations) {
    let of_node = rule::is_true(pod, "hostNetwork");
    let mut seen = BTreeSet::new();
    for (at, container) in items_of(pod, "containers") {
        for (index, port) in items_of(container, "ports") {
            let number = |field| given(port, field).and_then(Value::as_i64).filter(|number| *number != 0);
            let Some(host) = number("hostPort") else { continue };
            let path = format!("{path}.containers[{at}].ports[{index}].hostPort");
            let protocol = text(port, "protocol").unwrap_or("TCP");
            if !seen.insert((protocol, text(port, "hostIP").unwrap_or_default(), host)) {
                out.add(&path, format!("{host} is given twice: use another port of the node"));
            }
            if let Some(own) = number("containerPort").filter(|own| of_node && *own != host) {
                out.add(
                    path,
                    format!("with hostNetwork it must be containerPort: use {own}, or remove it"),
                );
            }
        }
    }
}

fn node_selector(labels: &Value, path: &str, out: &mut Violations) {
    super::syntax::label_map(&rule::text_map(labels), path, out);
}

fn overhead(amounts: &Value, path: &str, out: &mut Violations) {
    container::amounts(amounts, path, out);
}

fn dns(config: &Value, path: &str, out: &mut Violations) {
    let texts = |field| given(config, field).into_iter().flat_map(rule::texts);
    for (field, max) in [("nameservers", MAX_NAME_SERVERS), ("searches", MAX_SEARCH_DOMAINS)] {
        let count = texts(field).count();
        if count > max {
            out.add(
                format!("{path}.{field}"),
                format!("{count} are too many: use at most {max}"),
            );
        }
    }
    for (index, server) in texts("nameservers") {
        IP.check(server, &format!("{path}.nameservers[{index}]"), out);
    }
    let all: Vec<_> = texts("searches").map(|(_, domain)| domain).collect();
    for (index, domain) in all.iter().enumerate() {
        SEARCH_DOMAIN.check(domain, &format!("{path}.searches[{index}]"), out);
    }
    if all.join(" ").len() > MAX_SEARCH_TEXT {
        out.add(
            format!("{path}.searches"),
            format!("the domains are too long together: use at most {MAX_SEARCH_TEXT} characters"),
        );
    }
    for (index, option) in items_of(config, "options") {
        if text(option, "name").is_none() {
            out.add(
                format!("{path}.options[{index}].name"),
                "name is missing: add it, for example ndots",
            );
        }
    }
}

fn dns_of_none(pod: &Value, path: &str, out: &mut Violations) {
    let servers = given(pod, "dnsConfig").map(|config| items_of(config, "nameservers").count());
    if text(pod, "dnsPolicy") == Some("None") && servers.unwrap_or_default() == 0 {
        out.add(
            format!("{path}.dnsConfig.nameservers"),
            "nameservers is missing, and dnsPolicy None needs at least one: add it, for example [10.0.0.10]",
        );
    }
}

/// The claims of a container are those of its pod.
fn claims_of_containers(pod: &Value, path: &str, out: &mut Violations) {
    let known: BTreeSet<_> = items_of(pod, "resourceClaims")
        .filter_map(|(_, claim)| text(claim, "name"))
        .collect();
    for list in ["containers", "initContainers"] {
        for (at, container) in items_of(pod, list) {
            let Some(resources) = given(container, "resources") else {
                continue;
            };
            for (index, claim) in items_of(resources, "claims") {
                let name = text(claim, "name").unwrap_or_default();
                if !known.contains(name) {
                    out.add(
                        format!("{path}.{list}[{at}].resources.claims[{index}].name"),
                        format!("{name:?} is no claim of the pod: add it to spec.podTemplate.spec.resourceClaims"),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

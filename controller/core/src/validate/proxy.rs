//! `spec.metrics.proxy`, and what a spec cannot ask for where a proxy or a mesh counts the requests.

use controller_api::{MonitoredApiSpec, spec};
use controller_rules::{Objective, ObjectiveEvents};
use metric_contract::{DialectId, LabelCondition, ProxiedWorkload, Proxy};

use crate::{
    dialect_choice::DialectChoice,
    kind::PORT_HTTP,
    owner::ApiRef,
    valid::{ServiceSettings, WorkloadRef},
    violation::Violations,
};

/// Where it stands.
const PATH: &str = "spec.metrics.proxy";

/// What is known of the workload otherwise.
pub(super) struct Known<'a> {
    pub(super) owner: &'a ApiRef,
    pub(super) workload_ref: Option<&'a WorkloadRef>,
    pub(super) service: &'a ServiceSettings,
    pub(super) objectives: &'a [Objective],
}

/// The sets of conditions by which series of the proxy are the workload's. `None`: the dialect is not that of a proxy.
pub(super) fn proxy(
    spec: &MonitoredApiSpec,
    dialect: Option<&DialectChoice>,
    known: &Known<'_>,
    out: &mut Violations,
) -> Option<Vec<Vec<LabelCondition>>> {
    let metrics = spec.metrics.as_ref();
    let given = metrics.and_then(|metrics| metrics.proxy.as_ref());
    let of_proxy = |id: DialectId| Some((id, id.proxy()?));
    let Some((dialect, proxy)) = dialect.and_then(DialectChoice::table).and_then(of_proxy) else {
        if given.is_some() {
            out.add(
                PATH,
                "is read with the dialect of a proxy only: set spec.metrics.dialect, for example istio, or remove it",
            );
        }
        return None;
    };
    refuse_page(dialect, metrics, out);
    refuse_counters(dialect, known.objectives, out);
    let given = given.cloned().unwrap_or_default();
    let reader = Reader { dialect, proxy };
    reader.refuse_unread(&given, out);
    let workload = reader.workload(given, known, out);
    Some(proxy.series_of(&workload))
}

/// Settings of the pods' own page, which nobody reads, and of routes where the proxy counts none.
fn refuse_page(dialect: DialectId, metrics: Option<&spec::MetricsSpec>, out: &mut Violations) {
    let Some(spec::MetricsSpec {
        path,
        port,
        // How often the proxy is scraped: rates are taken over four scrapes.
        interval: _,
        timeout,
        dialect: _,
        custom: _,
        proxy: _,
        excluded_routes,
        limits,
    }) = metrics
    else {
        return;
    };
    let has_routes = dialect
        .spelling()
        .requests()
        .is_some_and(|requests| requests.path.is_some());
    if excluded_routes.is_some() && !has_routes {
        out.add(
            "spec.metrics.excludedRoutes",
            format!("is about routes, which the series of dialect {dialect} do not tell apart: remove it"),
        );
    }
    for (field, is_given) in [
        ("path", path.is_some()),
        ("port", port.is_some()),
        ("timeout", timeout.is_some()),
        ("limits", limits.is_some()),
    ] {
        if is_given {
            out.add(
                format!("spec.metrics.{field}"),
                format!("is about the pods' own page of metrics, which nobody reads with dialect {dialect}: remove it"),
            );
        }
    }
}

/// Objectives that count the API's own metrics, which nobody reads.
fn refuse_counters(dialect: DialectId, objectives: &[Objective], out: &mut Violations) {
    let custom = objectives.iter().filter(|objective| match objective.events {
        ObjectiveEvents::Custom { .. } => true,
        ObjectiveEvents::Availability | ObjectiveEvents::Latency { .. } => false,
    });
    for objective in custom {
        out.add(
            "spec.objectives",
            format!(
                "{} counts metrics of the pods' own page, which nobody reads with dialect {dialect}: use the type Availability or \
                 Latency, or remove it",
                objective.name
            ),
        );
    }
}

/// What the dialect of a proxy reads of `spec.metrics.proxy`.
struct Reader {
    dialect: DialectId,
    proxy: &'static Proxy,
}

impl Reader {
    fn refuse_unread(&self, given: &spec::ProxySpec, out: &mut Violations) {
        let spec::ProxySpec {
            service,
            port,
            port_name,
            names,
        } = given;
        for (field, placeholder, is_given) in [
            ("service", "{service}", service.is_some()),
            ("port", "{port}", port.is_some()),
            ("portName", "{port}", port_name.is_some()),
            ("names", "{name}", names.is_some()),
        ] {
            if is_given && !self.proxy.reads(placeholder) {
                out.add(
                    format!("{PATH}.{field}"),
                    format!(
                        "is not read with dialect {}, whose series say it otherwise: remove it",
                        self.dialect
                    ),
                );
            }
        }
        let of_service = [
            ("service", service.is_some()),
            ("port", port.is_some()),
            ("portName", port_name.is_some()),
        ];
        let is_unread = names.is_some() && self.proxy.reads("{name}");
        for (field, _) in of_service.iter().filter(|(_, is_given)| is_unread && *is_given) {
            out.add(
                format!("{PATH}.{field}"),
                "is not read beside names, which say what the proxy calls the workload: remove one of them",
            );
        }
    }

    fn workload(&self, given: spec::ProxySpec, known: &Known<'_>, out: &mut Violations) -> ProxiedWorkload {
        let spec::ProxySpec {
            service,
            port,
            port_name,
            names,
        } = given;
        let Known {
            owner,
            workload_ref,
            service: own,
            ..
        } = known;
        let names = names.unwrap_or_default();
        let is_own = workload_ref.is_none() && service.as_ref().is_none_or(|service| *service == owner.name);
        if is_own && self.proxy.reads("{port}") {
            refuse_others_ports(port, port_name.as_deref(), own, out);
        }
        let mut ports: Vec<String> = port.iter().map(ToString::to_string).chain(port_name).collect();
        if is_own && ports.is_empty() {
            ports = vec![own.port.to_string(), PORT_HTTP.to_owned()];
        }
        if names.is_empty() {
            self.require("service", "{service}", is_own || service.is_some(), out);
            self.require("port", "{port}", !ports.is_empty(), out);
        }
        ProxiedWorkload {
            namespace: owner.namespace.clone(),
            kind: workload_ref.map_or("deployment".to_owned(), |reference| {
                reference.id.kind.as_str().to_ascii_lowercase()
            }),
            name: workload_ref.map_or(&owner.name, |reference| &reference.id.name).clone(),
            service: service.unwrap_or_else(|| owner.name.clone()),
            ports,
            names_in_proxy: names,
        }
    }

    fn require(&self, field: &str, placeholder: &str, is_known: bool, out: &mut Violations) {
        if self.proxy.reads(placeholder) && !is_known {
            out.add(
                format!("{PATH}.{field}"),
                format!(
                    "is missing: dialect {} tells workloads apart by the Service through which requests come, and which one that is \
                     cannot be known here: set it, for example proxy: {{service: orders, port: 80}}",
                    self.dialect
                ),
            );
        }
    }
}

/// A port that the MonitoredApi's own Service does not have: the proxy has no series of it.
fn refuse_others_ports(port: Option<i32>, port_name: Option<&str>, own: &ServiceSettings, out: &mut Violations) {
    let number = port.filter(|port| *port != own.port).map(|port| port.to_string());
    let name = port_name.filter(|name| *name != PORT_HTTP).map(str::to_owned);
    for (field, given) in [("port", number), ("portName", name)] {
        if let Some(given) = given {
            out.add(
                format!("{PATH}.{field}"),
                format!(
                    "{given} is no port of the MonitoredApi's own Service, which has {} with the name {PORT_HTTP}: set \
                     {PATH}.service to the Service that has it, or remove it",
                    own.port
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests;

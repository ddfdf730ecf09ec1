//! The kinds that the operator reads and writes, as paths. Children's come from core's table.

use controller_api::names;
use controller_core::children::ChildKindRow;

use crate::cluster::Resource;

/// MonitoredApis.
pub(crate) const MONITORED_API: Resource = Resource {
    group: names::GROUP,
    version: names::VERSION,
    kind: names::KIND,
    plural: "monitoredapis",
};
/// Pods of our workloads.
pub(crate) const POD: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Pod",
    plural: "pods",
};
/// EndpointSlices of our Services.
pub(crate) const ENDPOINT_SLICE: Resource = Resource {
    group: "discovery.k8s.io",
    version: "v1",
    kind: "EndpointSlice",
    plural: "endpointslices",
};
/// Prometheus objects of Prometheus Operator.
pub(crate) const PROMETHEUS: Resource = Resource {
    group: "monitoring.coreos.com",
    version: "v1",
    kind: "Prometheus",
    plural: "prometheuses",
};
/// Namespaces.
pub(crate) const NAMESPACE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Namespace",
    plural: "namespaces",
};
/// Events, as they are written.
pub(crate) const EVENT: Resource = Resource {
    group: "events.k8s.io",
    version: "v1",
    kind: "Event",
    plural: "events",
};
/// Events, as they are read: only this version can be selected by the object they are about.
pub(crate) const CORE_EVENT: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Event",
    plural: "events",
};

/// Where a kind of child lives.
pub(crate) const fn resource(row: &ChildKindRow) -> Resource {
    Resource {
        group: row.group,
        version: row.version,
        kind: row.name,
        plural: row.plural,
    }
}

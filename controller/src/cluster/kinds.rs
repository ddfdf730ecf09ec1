//! Where the kinds that the operator reads and writes live. Children and watched kinds come from core's tables.

use controller_api::names;
use controller_api::spec::WorkloadKind;
use controller_core::ChildKind;
use controller_core::watched::WatchedKindRow;

use crate::cluster::Resource;

/// MonitoredApis.
pub(crate) const MONITORED_API: Resource = Resource {
    group: names::GROUP,
    version: names::VERSION,
    kind: names::KIND,
    plural: "monitoredapis",
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

/// Pods.
pub(crate) const POD: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Pod",
    plural: "pods",
};

/// Where a kind of workload lives.
pub(crate) const fn workload(kind: WorkloadKind) -> Resource {
    Resource {
        group: "apps",
        version: "v1",
        kind: kind.as_str(),
        plural: kind.plural(),
    }
}

/// Where a kind of child lives.
pub(crate) fn resource(kind: ChildKind) -> Resource {
    Resource {
        group: kind.group,
        version: kind.version,
        kind: kind.name,
        plural: kind.plural,
    }
}

/// Where a watched kind lives.
pub(crate) const fn watched(row: &WatchedKindRow) -> Resource {
    Resource {
        group: row.group,
        version: row.version,
        kind: row.name,
        plural: row.plural,
    }
}

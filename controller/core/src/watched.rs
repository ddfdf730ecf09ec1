//! The table of what the operator watches: one row a kind. The watches themselves and the operator's right to read the
//! kinds (`rbac`) follow from it.

use controller_api::names;

use crate::children::child_kinds;
use crate::kind::{ChildKind, Watch};

/// Label selector of children. Pods and EndpointSlices carry our name label instead, which they get from the Deployment
/// and the Service.
const MANAGED: &str = "app.kubernetes.io/managed-by=monitored-api";

/// A kind of object that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchedKind {
    /// MonitoredApis.
    MonitoredApi,
    /// A kind of object that the operator writes.
    Child(ChildKind),
    /// Pods of our workloads.
    Pod,
    /// EndpointSlices of our Services.
    EndpointSlice,
    /// Prometheus objects of Prometheus Operator, wherever they are.
    Prometheus,
    /// PrometheusAgent objects, which read ServiceMonitors as a Prometheus does, wherever they are.
    PrometheusAgent,
    /// Namespaces, for their labels.
    Namespace,
}

/// One row of [`watched_kinds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedKindRow {
    /// Which kind.
    pub kind: WatchedKind,
    /// API group; empty for core.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind, as in a manifest.
    pub name: &'static str,
    /// Resource, as in RBAC.
    pub plural: &'static str,
    /// Which objects are watched. `None`: all.
    pub label_selector: Option<&'static str>,
    /// How much of each object the API server sends.
    pub watch: Watch,
    /// Watched in all namespaces or not at all: the kind has no namespace, or one object anywhere can matter to every
    /// MonitoredApi. Only a ClusterRole can grant it.
    pub only_cluster_wide: bool,
}

/// What is watched besides the children.
const OTHERS: [WatchedKindRow; 6] = [
    row(
        WatchedKind::MonitoredApi,
        names::GROUP,
        names::VERSION,
        names::KIND,
        "monitoredapis",
    ),
    WatchedKindRow {
        label_selector: Some(names::LABEL_API_NAME),
        ..row(WatchedKind::Pod, "", "v1", "Pod", "pods")
    },
    WatchedKindRow {
        label_selector: Some(names::LABEL_API_NAME),
        ..row(
            WatchedKind::EndpointSlice,
            "discovery.k8s.io",
            "v1",
            "EndpointSlice",
            "endpointslices",
        )
    },
    WatchedKindRow {
        watch: Watch::Metadata,
        only_cluster_wide: true,
        ..row(WatchedKind::Namespace, "", "v1", "Namespace", "namespaces")
    },
    WatchedKindRow {
        only_cluster_wide: true,
        ..row(
            WatchedKind::Prometheus,
            "monitoring.coreos.com",
            "v1",
            "Prometheus",
            "prometheuses",
        )
    },
    WatchedKindRow {
        only_cluster_wide: true,
        ..row(
            WatchedKind::PrometheusAgent,
            "monitoring.coreos.com",
            "v1alpha1",
            "PrometheusAgent",
            "prometheusagents",
        )
    },
];

const fn row(
    kind: WatchedKind,
    group: &'static str,
    version: &'static str,
    name: &'static str,
    plural: &'static str,
) -> WatchedKindRow {
    WatchedKindRow {
        kind,
        group,
        version,
        name,
        plural,
        label_selector: None,
        watch: Watch::Whole,
        only_cluster_wide: false,
    }
}

/// Every watched kind. Those of the children follow from their own table.
pub fn watched_kinds() -> impl Iterator<Item = WatchedKindRow> {
    let child = |child: ChildKind| WatchedKindRow {
        label_selector: Some(MANAGED),
        watch: child.watch,
        ..row(
            WatchedKind::Child(child),
            child.group,
            child.version,
            child.name,
            child.plural,
        )
    };
    OTHERS.into_iter().chain(child_kinds().map(child))
}

/// The kinds that the operator watches and never looks up one by one, for RBAC.
pub(crate) fn only_watched() -> impl Iterator<Item = WatchedKindRow> {
    OTHERS.into_iter().filter(|row| row.kind != WatchedKind::MonitoredApi)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_child_kind_is_watched_and_no_kind_twice() {
        let kinds: Vec<_> = watched_kinds().map(|row| row.kind).collect();
        for kind in child_kinds() {
            assert!(kinds.contains(&WatchedKind::Child(kind)), "{kind}");
        }
        assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len());
    }
}

//! What a label is called after Prometheus has attached its target's own labels.

use std::borrow::Cow;

/// How a workload is found by Prometheus; decides which of an application's labels are renamed `exported_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// Through a ServiceMonitor: the target carries `namespace, service, pod, container, endpoint, job, instance`.
    /// (`relabelings` that prometheus-operator 0.85 generates for a ServiceMonitor endpoint.)
    ServiceMonitor,
    /// A `static_configs` entry on a machine without a cluster: the target carries `job`, `instance`, and the label `namespace`
    /// that the entry sets. No operator reports about it.
    Static,
}

impl TargetKind {
    /// Labels that the target itself sets; with `honorLabels` off they win over the application's.
    #[must_use]
    pub const fn reserved(self) -> &'static [&'static str] {
        match self {
            Self::ServiceMonitor => &[
                "namespace",
                "service",
                "pod",
                "container",
                "endpoint",
                "job",
                "instance",
            ],
            Self::Static => &["namespace", "job", "instance"],
        }
    }

    /// Whether an operator reports about the pods behind the targets: how many are wanted and ready, and how they ended.
    #[must_use]
    pub const fn has_operator(self) -> bool {
        match self {
            Self::ServiceMonitor => true,
            Self::Static => false,
        }
    }

    /// The name under which a label that the application exports is stored.
    #[must_use]
    pub fn stored_label<'a>(self, label: &'a str) -> Cow<'a, str> {
        if self.reserved().contains(&label) {
            Cow::Owned(format!("exported_{label}"))
        } else {
            Cow::Borrowed(label)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_collides_with_the_targets_own_is_stored_as_exported() {
        assert_eq!(TargetKind::ServiceMonitor.stored_label("endpoint"), "exported_endpoint");
        assert_eq!(TargetKind::Static.stored_label("endpoint"), "endpoint");
        assert_eq!(TargetKind::ServiceMonitor.stored_label("route"), "route");
        for target in [TargetKind::ServiceMonitor, TargetKind::Static] {
            assert_eq!(target.stored_label("namespace"), "exported_namespace");
        }
    }
}

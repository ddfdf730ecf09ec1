//! What a label is called after Prometheus has attached its target's own labels.

use std::borrow::Cow;

/// How a workload is found by Prometheus; decides which of an application's labels are renamed `exported_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// Through a ServiceMonitor: the target carries `namespace, service, pod, container, endpoint, job, instance`.
    /// (`relabelings` that prometheus-operator 0.85 generates for a ServiceMonitor endpoint.)
    ServiceMonitor,
    /// A `static_configs` entry: the target carries `job` and `instance` only.
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
            Self::Static => &["job", "instance"],
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
    }
}

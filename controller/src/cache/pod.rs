//! A pod in the memory that a healthy one needs: ten thousand MonitoredApis have at least as many.

use std::net::IpAddr;
use std::sync::Arc;

use controller_core::facts::{PodFacts, Termination};

use crate::cache::child::Uid;
use crate::cache::interner;

/// What the store keeps of a pod, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedPod {
    uid: Uid,
    template_hash: Box<str>,
    created: Box<str>,
    phase: Arc<str>,
    /// `None`: nothing happened to it.
    troubles: Option<Box<Troubles>>,
    restarts: i32,
    ready: bool,
    address: Option<IpAddr>,
}

/// What a healthy pod does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Troubles {
    unschedulable: Option<String>,
    waiting: Option<(String, String)>,
    terminated: Option<Termination>,
    running_since: Option<String>,
    unhealthy: Option<String>,
    unhealthy_at: Option<String>,
}

impl CachedPod {
    pub(crate) fn new(facts: PodFacts) -> Self {
        // Destructured without `..`, so that the compiler asks for a new field here.
        let PodFacts {
            name: _,
            uid,
            template_hash,
            created,
            phase,
            ready,
            unschedulable,
            waiting,
            terminated,
            restarts,
            running_since,
            unhealthy,
            unhealthy_at,
            address,
        } = facts;
        let troubles = Troubles {
            unschedulable,
            waiting,
            terminated,
            running_since,
            unhealthy,
            unhealthy_at,
        };
        Self {
            uid: Uid::new(&uid),
            template_hash: template_hash.into(),
            created: created.into(),
            phase: interner::text(&phase),
            troubles: (troubles != Troubles::default()).then(|| Box::new(troubles)),
            restarts,
            ready,
            address,
        }
    }

    pub(crate) fn same_uid(&self, other: &Self) -> bool {
        self.uid == other.uid
    }

    /// The facts of the pod of this name.
    pub(crate) fn facts(&self, name: &str) -> PodFacts {
        let Troubles {
            unschedulable,
            waiting,
            terminated,
            running_since,
            unhealthy,
            unhealthy_at,
        } = self.troubles.as_deref().cloned().unwrap_or_default();
        PodFacts {
            name: name.to_owned(),
            uid: self.uid.text(),
            template_hash: self.template_hash.to_string(),
            created: self.created.to_string(),
            phase: self.phase.to_string(),
            ready: self.ready,
            unschedulable,
            waiting,
            terminated,
            restarts: self.restarts,
            running_since,
            unhealthy,
            unhealthy_at,
            address: self.address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_comes_back_as_it_was_put_in() {
        let healthy = PodFacts {
            name: "orders-6d4b75cb6d-x7k2p".to_owned(),
            uid: "9f8e7d6c-1111-4222-8333-aabbccddeeff".to_owned(),
            template_hash: "6d4b75cb6d".to_owned(),
            created: "2026-11-29T10:00:00Z".to_owned(),
            phase: "Running".to_owned(),
            ready: true,
            address: Some([10, 1, 2, 3].into()),
            ..PodFacts::default()
        };
        let failing = PodFacts {
            ready: false,
            unschedulable: Some("0/3 nodes are available".to_owned()),
            waiting: Some(("CrashLoopBackOff".to_owned(), "back-off".to_owned())),
            terminated: Some(Termination {
                reason: "Error".to_owned(),
                code: 1,
                message: "no such file".to_owned(),
            }),
            restarts: 4,
            running_since: Some("2026-11-29T10:05:00Z".to_owned()),
            unhealthy: Some("connection refused".to_owned()),
            unhealthy_at: Some("2026-11-29T10:06:00Z".to_owned()),
            ..healthy.clone()
        };
        for facts in [healthy, failing] {
            assert_eq!(CachedPod::new(facts.clone()).facts(&facts.name), facts);
        }
    }
}

//! Which pod of an API is asked.

use crate::facts::PodFacts;

/// What can be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidate<'a> {
    /// This pod.
    Pod(&'a PodFacts),
    /// Pods of two versions run: an answer would be of one or of the other.
    SeveralVersions,
    /// No pod is ready.
    NoneReady,
}

/// The pod to ask, where it is asked for the `attempt`-th time: one after the other, so that a single pod that is different from
/// the others does not decide alone.
#[must_use]
pub fn candidate(pods: &[PodFacts], attempt: u32) -> Candidate<'_> {
    let runs = |pod: &&PodFacts| !matches!(pod.phase.as_str(), "Succeeded" | "Failed");
    let mut running = pods.iter().filter(runs);
    let Some(first) = running.next() else {
        return Candidate::NoneReady;
    };
    if running.any(|pod| pod.template_hash != first.template_hash) {
        return Candidate::SeveralVersions;
    }
    let is_askable = |pod: &&PodFacts| pod.ready && pod.phase == "Running" && pod.address.is_some();
    let askable: Vec<&PodFacts> = pods.iter().filter(is_askable).collect();
    let turn = usize::try_from(attempt).unwrap_or_default() % askable.len().max(1);
    askable
        .get(turn)
        .map_or(Candidate::NoneReady, |pod| Candidate::Pod(pod))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, hash: &str, ready: bool) -> PodFacts {
        PodFacts {
            name: name.to_owned(),
            template_hash: hash.to_owned(),
            phase: "Running".to_owned(),
            ready,
            address: Some([10, 0, 0, 1].into()),
            ..PodFacts::default()
        }
    }

    #[test]
    fn ready_pods_are_asked_in_turn() {
        let pods = [pod("a", "1", true), pod("b", "1", false), pod("c", "1", true)];
        let asked: Vec<_> = (0..4)
            .map(|attempt| match candidate(&pods, attempt) {
                Candidate::Pod(pod) => pod.name.as_str(),
                Candidate::SeveralVersions | Candidate::NoneReady => "",
            })
            .collect();
        assert_eq!(asked, ["a", "c", "a", "c"]);
    }

    #[test]
    fn no_pod_is_asked_while_two_versions_run_or_none_is_ready() {
        assert_eq!(candidate(&[], 0), Candidate::NoneReady);
        assert_eq!(candidate(&[pod("a", "1", false)], 0), Candidate::NoneReady);
        let without_address = PodFacts {
            address: None,
            ..pod("a", "1", true)
        };
        assert_eq!(candidate(&[without_address], 0), Candidate::NoneReady);
        let rollout = [pod("a", "1", true), pod("b", "2", false)];
        assert_eq!(candidate(&rollout, 0), Candidate::SeveralVersions);
        let ended = PodFacts {
            phase: "Failed".to_owned(),
            ..pod("b", "2", false)
        };
        assert!(matches!(candidate(&[pod("a", "1", true), ended], 0), Candidate::Pod(_)));
    }
}

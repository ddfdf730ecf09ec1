//! Figures of a workload's pods for the operator's metrics: how many are not ready, why containers ended, how often they
//! restarted.

use std::hash::{DefaultHasher, Hash, Hasher};

use metric_contract::platform::TERMINATION_REASONS;

use crate::facts::PodFacts;

/// Counts the restarts of an API's containers over pods that come and go. The count never falls.
///
/// It begins at 0 with the first look at the pods: the restarts that a pod already has when it is first seen are not
/// counted. So neither a restart of the operator nor another leader makes Prometheus see many restarts at once. Restarts
/// while no operator looks are not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestartCounter {
    total: u64,
    /// Of each pod that exists, a hash of its uid and its restarts: a tenth of the uid's size, for 10,000 APIs.
    seen: Box<[(u64, i32)]>,
}

impl RestartCounter {
    /// Counts the restarts since the last look.
    pub fn observe(&mut self, pods: &[PodFacts]) {
        let now: Box<[_]> = pods.iter().map(|pod| (hash(&pod.uid), pod.restarts)).collect();
        for (uid, restarts) in &*now {
            let before = self.seen.iter().find(|(seen, _)| seen == uid);
            let more = before.map_or(0, |(_, before)| restarts.saturating_sub(*before));
            self.total = self.total.saturating_add(u64::try_from(more).unwrap_or_default());
        }
        self.seen = now;
    }

    /// Restarts counted so far.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }
}

fn hash(uid: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    hasher.finish()
}

/// Figures of pods at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodFigures {
    /// Pods that run or start and are not ready.
    pub not_ready: u32,
    /// Pods whose container ended before, by its reason, in the order of [`TERMINATION_REASONS`].
    terminations: [u32; TERMINATION_REASONS.len()],
}

impl PodFigures {
    /// The figures of these pods.
    #[must_use]
    pub fn of(pods: &[PodFacts]) -> Self {
        let mut figures = Self::default();
        for pod in pods {
            // A pod that was evicted, or that has done its work, stays listed and is replaced by another.
            let over = matches!(pod.phase.as_str(), "Succeeded" | "Failed");
            figures.not_ready += u32::from(!pod.ready && !over);
            let Some(end) = &pod.terminated else { continue };
            let known = TERMINATION_REASONS.iter().position(|reason| *reason == end.reason);
            let place = known.unwrap_or(TERMINATION_REASONS.len() - 1);
            if let Some(count) = figures.terminations.get_mut(place) {
                *count += 1;
            }
        }
        figures
    }

    /// The reasons for which containers ended the last time, each with the number of pods; none with 0.
    pub fn terminations(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let counts = TERMINATION_REASONS.iter().copied().zip(self.terminations);
        counts.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Termination;

    fn pod(uid: &str, restarts: i32) -> PodFacts {
        PodFacts {
            uid: uid.to_owned(),
            restarts,
            phase: "Running".to_owned(),
            ..PodFacts::default()
        }
    }

    fn ended(reason: &str) -> PodFacts {
        PodFacts {
            terminated: Some(Termination {
                reason: reason.to_owned(),
                ..Termination::default()
            }),
            ready: true,
            ..pod("a", 1)
        }
    }

    /// The count after each look.
    fn counts(looks: &[&[PodFacts]]) -> Vec<u64> {
        let mut counter = RestartCounter::default();
        let look = |pods: &&[PodFacts]| {
            counter.observe(pods);
            counter.total()
        };
        looks.iter().map(look).collect()
    }

    #[test]
    fn restarts_that_a_pod_has_when_it_is_first_seen_are_not_counted() {
        assert_eq!(counts(&[&[pod("a", 50)], &[pod("a", 50)], &[pod("a", 53)]]), [0, 0, 3]);
    }

    #[test]
    fn the_count_does_not_fall_when_a_pod_is_replaced() {
        let looks: [&[PodFacts]; 5] = [
            &[pod("a", 0), pod("b", 0)],
            &[pod("a", 2), pod("b", 1)],
            &[pod("b", 1), pod("c", 0)],
            &[],
            &[pod("c", 0), pod("d", 1)],
        ];
        assert_eq!(counts(&looks), [0, 3, 3, 3, 3]);
    }

    #[test]
    fn a_pod_that_is_not_listed_for_a_moment_is_not_counted_twice() {
        assert_eq!(
            counts(&[&[pod("a", 1)], &[pod("a", 4)], &[], &[pod("a", 4)]]),
            [0, 3, 3, 3]
        );
    }

    #[test]
    fn a_status_that_lost_its_restarts_does_not_lower_the_count() {
        assert_eq!(counts(&[&[pod("a", 4)], &[pod("a", 0)], &[pod("a", 1)]]), [0, 0, 1]);
    }

    #[test]
    fn a_pod_that_is_over_is_not_one_that_is_not_ready() {
        let evicted = PodFacts {
            phase: "Failed".to_owned(),
            ..pod("a", 0)
        };
        let starting = PodFacts {
            phase: "Pending".to_owned(),
            ..pod("b", 0)
        };
        assert_eq!(PodFigures::of(&[evicted, starting, ended("Error")]).not_ready, 1);
    }

    #[test]
    fn a_reason_that_is_not_in_the_table_counts_as_other() {
        let pods = ["OOMKilled", "SomethingNew", "OOMKilled", ""].map(ended);
        let seen: Vec<_> = PodFigures::of(&pods).terminations().collect();
        assert_eq!(seen, [("OOMKilled", 2), ("Other", 2)]);
    }
}

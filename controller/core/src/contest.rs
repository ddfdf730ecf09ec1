//! Two writers of one object: how often the operator writes it back, and what it says of the other one.

use std::time::Duration;

use crate::{kind::ChildKind, metadata::Metadata, plan::PlannedChild};

/// Writes that follow each other within [`CLOSE`] and are not delayed.
const FREE: u32 = 5;
/// Writes that are further apart do not count as a contest.
const CLOSE: Duration = Duration::from_secs(60);
/// The wait after the free ones; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait. The sentences name it.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// A contest is over when nothing had to be written back for so long.
const CALM: Duration = Duration::from_secs(10 * 60);

/// How often an object was written back. Times are spans on one clock of the caller's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contest {
    writes: u32,
    last: Duration,
    /// What is said of it, once a write had to wait.
    sentence: Option<String>,
}

impl Contest {
    /// Counts a write that undoes somebody else's change, if it may be made now. `rival`: [`rival`].
    ///
    /// # Errors
    /// It has to wait; with the sentence that says so.
    pub fn write_back(&mut self, now: Duration, rival: &str) -> Result<(), String> {
        if self.is_over(now) {
            *self = Self::default();
        }
        let wait = match self.writes.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(more) => FIRST_WAIT.saturating_mul(1 << more.min(16)).min(LONGEST_WAIT),
        };
        if now < self.last.saturating_add(wait) {
            let sentence = format!("{rival}; until then the operator writes it back every five minutes at most");
            self.sentence = Some(sentence.clone());
            return Err(sentence);
        }
        self.writes = self.writes.saturating_add(1);
        self.last = now;
        Ok(())
    }

    /// What is said while the contest lasts.
    #[must_use]
    pub fn sentence(&self, now: Duration) -> Option<&str> {
        self.sentence.as_deref().filter(|_| !self.is_over(now))
    }

    /// Whether nothing needs to be remembered any more.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        let close = if self.sentence.is_some() { CALM } else { CLOSE };
        now.saturating_sub(self.last) > close
    }
}

/// Who else writes a child, and what to do about it. `live`: its metadata before it is written back; `None`: only the write
/// record has changed, which another operator wrote.
#[must_use]
pub fn rival(planned: &PlannedChild, live: Option<&Metadata>) -> String {
    let Some(live) = live else {
        return "another installation of this operator writes it too: let only one of them watch this namespace"
            .to_owned();
    };
    let scaled = planned.kind == ChildKind::DEPLOYMENT && planned.object().pointer("/spec/replicas").is_some();
    match live.other_owner_of("replicas").filter(|_| scaled) {
        Some(manager) => format!(
            "{manager} sets its number of replicas too, as a HorizontalPodAutoscaler does: remove spec.replicas to leave the \
             number to it"
        ),
        None => match live.latest_other_writer() {
            Some(manager) => format!("{manager} keeps changing it: let only one of the two write these fields"),
            None => "somebody keeps changing it: look who (kubectl get -o yaml --show-managed-fields)".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_change_now_and_then_is_undone_at_once_and_never_called_a_contest() {
        let mut contest = Contest::default();
        for minute in 1..100 {
            let now = at(minute * 61);
            assert_eq!(contest.write_back(now, "x"), Ok(()));
            assert_eq!(contest.sentence(now), None);
        }
    }

    #[test]
    fn a_writer_that_never_gives_up_costs_a_write_every_five_minutes_at_the_end() {
        let mut contest = Contest::default();
        let writes: Vec<u64> = (1_000..11_000)
            .filter(|second| contest.write_back(at(*second), "x").is_ok())
            .collect();
        assert_eq!(writes[..5], [1_000, 1_001, 1_002, 1_003, 1_004]);
        let gaps: Vec<_> = writes[4..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(gaps[..5], [10, 20, 40, 80, 160]);
        assert!(gaps[5..].iter().all(|gap| *gap == 300), "{gaps:?}");
        let last = *writes.last().unwrap();
        assert!(contest.sentence(at(last + 599)).is_some());
        assert_eq!(contest.sentence(at(last + 601)), None, "the other one gave up");
        assert_eq!(contest.write_back(at(last + 602), "x"), Ok(()));
    }

    fn planned(replicas: Option<i32>) -> PlannedChild {
        let object = json!({"spec": {"replicas": replicas}});
        let object = if replicas.is_some() {
            object
        } else {
            json!({"spec": {}})
        };
        PlannedChild::new(ChildKind::DEPLOYMENT, "orders".to_owned(), object)
    }

    fn live(entries: &Value) -> Metadata {
        serde_json::from_value(json!({"managedFields": entries})).unwrap()
    }

    fn entry(manager: &str, subresource: &str, time: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Update", "subresource": subresource, "time": time, "fieldsV1": fields})
    }

    #[test]
    fn the_sentence_names_the_latest_other_writer_and_an_autoscaler_as_such() {
        let replicas = json!({"f:spec": {"f:replicas": {}}});
        let spec = json!({"f:spec": {"f:paused": {}}});
        let entries = json!([
            entry("kube-controller-manager", "status", "2026-11-29T10:00:09Z", &replicas),
            entry("kubectl-edit", "", "2026-11-29T10:00:01Z", &spec),
            entry("argocd-controller", "", "2026-11-29T10:00:05Z", &spec),
            entry("monitored-api-repair", "", "2026-11-29T10:00:07Z", &spec),
        ]);
        let told = rival(&planned(Some(2)), Some(&live(&entries)));
        assert!(told.starts_with("argocd-controller keeps changing it"), "{told}");
        let scaler = json!([entry(
            "kube-controller-manager",
            "scale",
            "2026-11-29T10:00:00Z",
            &replicas
        )]);
        let told = rival(&planned(Some(2)), Some(&live(&scaler)));
        assert!(
            told.contains("kube-controller-manager sets its number") && told.contains("remove spec.replicas"),
            "{told}"
        );
        let told = rival(&planned(None), Some(&live(&scaler)));
        assert!(!told.contains("spec.replicas"), "{told}");
        assert!(rival(&planned(None), None).contains("another installation"));
    }
}

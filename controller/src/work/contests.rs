//! What other writers undo of ours, and how often. Kept in memory and for minutes only: a restart begins anew.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_api::{ChildRecord, MonitoredApiStatus};
use controller_core::contest::Contest;
use controller_core::object_hash;
use controller_core::plan::PlannedChild;
use tokio::time::Instant;

use crate::cache::namespaced_name::NamespacedName;

/// How long it is remembered what we wrote last.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Entries of each map that are kept without a look at their age.
const LEAST: usize = 256;

/// A child of a MonitoredApi, or its status, as a hash: many are kept for a short time.
type Slot = u64;

#[derive(Debug, Default)]
struct Inner {
    /// By [`short`] slot: hash of what we wrote last, and in which second. For minutes, there are seven of them for each new
    /// MonitoredApi.
    written: HashMap<u32, (u32, u32)>,
    contests: HashMap<Slot, Contest>,
    /// Number of entries at which old ones are thrown out.
    checked_at: usize,
    /// When old ones were last thrown out.
    tidied: Duration,
}

/// What this process wrote lately, and which of it others change back.
#[derive(Debug)]
pub(crate) struct Contests {
    zero: Instant,
    inner: Mutex<Inner>,
}

impl Default for Contests {
    fn default() -> Self {
        Self {
            zero: Instant::now(),
            inner: Mutex::default(),
        }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Half of a hash. That another value has the same counts at most one write too many against another writer, or one too few.
const fn short(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn short_hash(value: impl Hash) -> u32 {
    short(hash(value))
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

fn slot(key: &NamespacedName, kind: &str, name: &str) -> Slot {
    hash((key, kind, name))
}

fn of_child(key: &NamespacedName, planned: &PlannedChild) -> Slot {
    slot(key, planned.kind.as_str(), &planned.name)
}

/// Hash of what a status says; without its times, which differ although it says the same.
fn of_status(status: &MonitoredApiStatus) -> u32 {
    let mut value = serde_json::to_value(status).unwrap_or_default();
    for condition in value
        .pointer_mut("/conditions")
        .and_then(|all| all.as_array_mut())
        .into_iter()
        .flatten()
    {
        condition
            .as_object_mut()
            .map(|fields| fields.remove("lastTransitionTime"));
    }
    short_hash(object_hash::hash(&value))
}

impl Contests {
    /// Before a child is written: if that undoes another writer's change, counts it.
    ///
    /// # Errors
    /// The write has to wait; with the sentence that says so.
    pub(crate) fn write_child(
        &self,
        key: &NamespacedName,
        planned: &PlannedChild,
        record: Option<&ChildRecord>,
        rival: &str,
    ) -> Result<(), String> {
        let wanted = planned.desired_hash();
        let slot = of_child(key, planned);
        let mut inner = self.lock();
        let written_before = inner
            .written
            .get(&short(slot))
            .is_some_and(|(last, _)| *last == short_hash(wanted));
        if !written_before && record.is_none_or(|record| record.desired_hash != wanted) {
            return Ok(());
        }
        inner
            .contests
            .entry(slot)
            .or_default()
            .write_back(self.zero.elapsed(), rival)
    }

    /// What is said of a child while others keep changing it.
    pub(crate) fn sentence(&self, key: &NamespacedName, planned: &PlannedChild) -> Option<String> {
        let now = self.zero.elapsed();
        let inner = self.lock();
        let contest = inner.contests.get(&of_child(key, planned))?;
        contest.sentence(now).map(str::to_owned)
    }

    /// Before a status is written. `false`: another writer keeps replacing this very status, and it has to wait.
    pub(crate) fn may_write_status(&self, key: &NamespacedName, status: &MonitoredApiStatus) -> bool {
        let slot = slot(key, "", "");
        let mut inner = self.lock();
        if inner
            .written
            .get(&short(slot))
            .is_none_or(|(last, _)| *last != of_status(status))
        {
            return true;
        }
        inner
            .contests
            .entry(slot)
            .or_default()
            .write_back(self.zero.elapsed(), "")
            .is_ok()
    }

    /// Remembers a status that was written, and the write records in it that are new.
    pub(crate) fn wrote_status(&self, key: &NamespacedName, before: &MonitoredApiStatus, status: &MonitoredApiStatus) {
        let now = self.zero.elapsed();
        let mut inner = self.lock();
        inner.tidy(now);
        inner
            .written
            .insert(short(slot(key, "", "")), (of_status(status), seconds(now)));
        let is_new = |record: &&ChildRecord| {
            !before.children.iter().any(|old| {
                old.kind == record.kind && old.name == record.name && old.desired_hash == record.desired_hash
            })
        };
        for record in status.children.iter().filter(is_new) {
            let slot = slot(key, &record.kind, &record.name);
            inner
                .written
                .insert(short(slot), (short_hash(&record.desired_hash), seconds(now)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Throws out what is old, each time that the entries have doubled, and once in a while.
    fn tidy(&mut self, now: Duration) {
        let is_long_ago = now.saturating_sub(self.tidied) > REMEMBERED;
        if self.written.len() < self.checked_at.max(LEAST) && !is_long_ago {
            return;
        }
        self.tidied = now;
        let oldest = seconds(now.saturating_sub(REMEMBERED));
        self.written.retain(|_, (_, at)| *at >= oldest);
        self.written.shrink_to_fit();
        self.contests.retain(|_, contest| !contest.is_over(now));
        self.checked_at = self.written.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use controller_core::ChildKind;
    use serde_json::json;

    use super::*;

    fn planned(port: i32) -> PlannedChild {
        PlannedChild::new(ChildKind::SERVICE, "orders".to_owned(), json!({"spec": {"port": port}}))
    }

    fn record(planned: &PlannedChild) -> ChildRecord {
        ChildRecord {
            kind: planned.kind.as_str().to_owned(),
            name: planned.name.clone(),
            uid: "u".to_owned(),
            desired_hash: planned.desired_hash().to_owned(),
            applied_fields_hash: String::new(),
            version: None,
            state: "Ready".to_owned(),
        }
    }

    fn status(children: Vec<ChildRecord>) -> MonitoredApiStatus {
        MonitoredApiStatus {
            children,
            ..MonitoredApiStatus::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_installations_that_disagree_each_writes_a_few_times_and_then_rarely() {
        let key = NamespacedName::new("shop", "orders");
        let installations = [(planned(80), Contests::default()), (planned(81), Contests::default())];
        let mut last = status(Vec::new());
        let mut writes = 0;
        for second in 0..3600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            let (planned, contests) = &installations[second % 2];
            if last.children.first().map(|record| &record.desired_hash) == Some(&record(planned).desired_hash) {
                continue;
            }
            if contests.write_child(&key, planned, last.children.first(), "x").is_ok() {
                let next = status(vec![record(planned)]);
                contests.wrote_status(&key, &last, &next);
                last = next;
                writes += 1;
            }
        }
        assert!((10..=45).contains(&writes), "{writes}");
        assert!(
            installations
                .iter()
                .any(|(planned, contests)| contests.sentence(&key, planned).is_some())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_whose_record_was_lost_is_no_contest() {
        let key = NamespacedName::new("shop", "orders");
        let contests = Contests::default();
        let (old, new) = (planned(80), planned(81));
        contests.wrote_status(&key, &status(Vec::new()), &status(vec![record(&old)]));
        for _ in 0..100 {
            assert_eq!(contests.write_child(&key, &new, Some(&record(&old)), "x"), Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_of_long_ago_is_forgotten_at_the_next_write() {
        let contests = Contests::default();
        let written = status(vec![record(&planned(80))]);
        for name in ["orders", "users", "stock"] {
            contests.wrote_status(&NamespacedName::new("shop", name), &status(Vec::new()), &written);
        }
        assert_eq!(contests.lock().written.len(), 6);
        tokio::time::advance(REMEMBERED + Duration::from_secs(1)).await;
        contests.wrote_status(&NamespacedName::new("shop", "new"), &status(Vec::new()), &written);
        assert_eq!(contests.lock().written.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_that_another_writer_keeps_replacing_is_written_less_and_less_often() {
        let key = NamespacedName::new("shop", "orders");
        let contests = Contests::default();
        let (before, mine) = (status(Vec::new()), status(vec![record(&planned(80))]));
        contests.wrote_status(&key, &before, &mine);
        let mut writes = 0;
        for _ in 0..600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if contests.may_write_status(&key, &mine) {
                contests.wrote_status(&key, &before, &mine);
                writes += 1;
            }
        }
        assert!((5..=12).contains(&writes), "{writes}");
        let other = status(vec![record(&planned(90))]);
        assert!(contests.may_write_status(&key, &other), "another status is news");
    }
}

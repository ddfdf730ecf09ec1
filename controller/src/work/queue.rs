//! The work queue: which MonitoredApi is due when. It has one entry for each key, never lets a
//! key run twice at once, and counts each key's backoff separately.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_core::requeue::Requeue;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::cache::namespaced_name::NamespacedName;
use crate::timeline::{Free, Timeline};
use crate::work::backoff::exponential;

/// The first wait after a failed reconcile.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest. A person who fixes the cause outside the MonitoredApi waits this long at most.
const RETRY_CAP: Duration = Duration::from_secs(5 * 60);
/// A run that took longer than this waited for an API server, or a webhook behind it, that does not answer.
const SLOW: Duration = Duration::from_secs(5);
/// How many keys run at a time whose last run was slow and failed. The rest of the worker's places is left to the others, so
/// that MonitoredApis behind a webhook that hangs do not hold up those of other teams.
const SLOW_AT_A_TIME: usize = 4;
/// After the API server comes back, everything that failed is tried again, spread over this long.
const HURRY_SPREAD: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
struct Entry {
    running: bool,
    /// When the key is due; while it runs: when it is due again.
    due: Option<Instant>,
    failures: u32,
    /// Whether its last run failed after a long wait.
    slow: bool,
    /// Work that would only change the status waits until then.
    status_not_before: Option<Instant>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<NamespacedName, Entry>,
    /// Every entry that is due some time and not running.
    timeline: Timeline,
    /// Every entry that is running, and since when.
    running: HashMap<NamespacedName, Instant>,
    slow_running: usize,
    /// Entries whose status was held, and until when, in that order.
    held: VecDeque<(Instant, NamespacedName)>,
}

impl Inner {
    /// Removes entries that were kept only because their status was held, and whose time is over.
    fn release(&mut self, now: Instant) {
        while let Some((_, key)) = self.held.pop_front_if(|(until, _)| *until <= now) {
            let at_rest = |entry: &Entry| {
                !entry.running && entry.due.is_none() && entry.status_not_before.is_none_or(|until| until <= now)
            };
            if self.entries.get(&key).is_some_and(at_rest) {
                self.remove(&key);
            }
        }
        // After a burst.
        if self.held.len() < self.held.capacity() / 8 {
            self.held.shrink_to(self.held.len() * 2);
        }
    }

    fn remove(&mut self, key: &NamespacedName) {
        self.entries.remove(key);
        // At the start every key has an entry at once.
        if self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }
}

/// The queue. Cheap to share; one dispatcher takes from it.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl Queue {
    /// Makes a key due now, after a change that may require a write to children.
    pub(crate) fn add(&self, key: &NamespacedName) {
        self.add_at(key, Instant::now());
    }

    /// Makes a key due after a change that can only affect the status: now, or when its last status is old enough.
    pub(crate) fn add_status(&self, key: &NamespacedName) {
        let now = Instant::now();
        let held = self.lock().entries.get(key).and_then(|entry| entry.status_not_before);
        self.add_at(key, held.map_or(now, |until| until.max(now)));
    }

    /// Makes a key due at a time, unless it is due sooner.
    pub(crate) fn add_at(&self, key: &NamespacedName, at: Instant) {
        {
            let mut inner = self.lock();
            let Inner { entries, timeline, .. } = &mut *inner;
            let entry = entries.entry(key.clone()).or_default();
            if entry.due.is_some_and(|due| due <= at) {
                return;
            }
            let before = entry.due.replace(at);
            if !entry.running {
                if let Some(before) = before {
                    timeline.remove(before, key);
                }
                timeline.insert(at, key.clone(), entry.slow);
            }
        }
        self.changed.notify_one();
    }

    /// Delays the next work that can only affect the status, because a status was just written.
    pub(crate) fn hold_status(&self, key: &NamespacedName, span: Duration) {
        let until = Instant::now() + span;
        let mut inner = self.lock();
        if let Some(entry) = inner.entries.get_mut(key) {
            entry.status_not_before = Some(until);
            inner.held.push_back((until, key.clone()));
        }
    }

    /// The next key that is due, marked as running until [`Self::done`]. Waits for it.
    pub(crate) async fn next(&self) -> NamespacedName {
        loop {
            let wait_until = match self.take_due(Instant::now()) {
                Ok(key) => return key,
                Err(wait_until) => wait_until,
            };
            let changed = self.changed.notified();
            match wait_until {
                Some(at) => {
                    // In both cases, check the entries again.
                    let _ = tokio::time::timeout_at(at, changed).await;
                }
                None => changed.await,
            }
        }
    }

    fn take_due(&self, now: Instant) -> Result<NamespacedName, Option<Instant>> {
        let mut inner = self.lock();
        // When a slow one ends, the queue is looked at again.
        let free = Free {
            other: true,
            slow: inner.slow_running < SLOW_AT_A_TIME,
        };
        let (key, is_slow) = inner.timeline.take_due(now, free)?;
        if let Some(entry) = inner.entries.get_mut(&key) {
            entry.running = true;
            entry.due = None;
        }
        inner.running.insert(key.clone(), now);
        inner.slow_running += usize::from(is_slow);
        Ok(key)
    }

    /// Ends the run of a key. Returns the wait before the next one, if a time is set.
    pub(crate) fn done(&self, key: &NamespacedName, requeue: Requeue) -> Option<Duration> {
        let now = Instant::now();
        let mut inner = self.lock();
        let Inner {
            entries,
            timeline,
            running,
            slow_running,
            ..
        } = &mut *inner;
        let entry = entries.get_mut(key)?;
        *slow_running = slow_running.saturating_sub(usize::from(entry.slow));
        let started = running.remove(key);
        entry.running = false;
        entry.slow = requeue == Requeue::Backoff && started.is_some_and(|started| now.duration_since(started) > SLOW);
        let wanted = match requeue {
            Requeue::OnEvent | Requeue::Forget => {
                entry.failures = 0;
                None
            }
            Requeue::After(wait) => {
                entry.failures = 0;
                Some(now + wait)
            }
            Requeue::Backoff => {
                let wait = exponential(RETRY_FIRST, RETRY_CAP, entry.failures);
                entry.failures = entry.failures.saturating_add(1);
                // Never shorter than the first wait, so that no key runs in a hot loop.
                Some(now + wait.mul_f64(fastrand::f64().mul_add(0.2, 1.0)).min(RETRY_CAP))
            }
        };
        entry.due = match (entry.due, wanted) {
            (Some(event), Some(timer)) => Some(event.min(timer)),
            (event, timer) => event.or(timer),
        };
        let due = entry.due;
        match due {
            Some(at) => {
                timeline.insert(at, key.clone(), entry.slow);
            }
            // A key with nothing to do needs no entry, which saves memory with ten thousand MonitoredApis.
            None if requeue == Requeue::Forget || entry.status_not_before.is_none_or(|until| until <= now) => {
                inner.remove(key);
            }
            None => {}
        }
        inner.release(now);
        drop(inner);
        self.changed.notify_one();
        due.map(|at| at.saturating_duration_since(now))
    }

    /// Shortens the backoff of failed keys, because the API server answers again.
    pub(crate) fn hurry(&self) {
        let now = Instant::now();
        let keys: Vec<_> = self
            .lock()
            .entries
            .iter()
            .filter(|(_, entry)| entry.failures > 0 && !entry.running)
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.add_at(&key, now + HURRY_SPREAD.mul_f64(fastrand::f64()));
        }
    }

    /// Keys that are due now, and keys being worked on.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let now = Instant::now();
        let inner = self.lock();
        (inner.timeline.due(now), inner.running.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> NamespacedName {
        NamespacedName::new("shop", name)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_added_many_times_is_handed_out_once() {
        let queue = Queue::default();
        for _ in 0..5 {
            queue.add(&key("orders"));
        }
        assert_eq!(queue.next().await, key("orders"));
        queue.done(&key("orders"), Requeue::OnEvent);
        let again = tokio::time::timeout(Duration::from_secs(60), queue.next()).await;
        assert!(again.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_being_worked_on_is_not_handed_out_again_until_it_is_done() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        queue.next().await;
        queue.add(&key("orders"));
        let meanwhile = tokio::time::timeout(Duration::from_secs(60), queue.next()).await;
        assert!(meanwhile.is_err());
        queue.done(&key("orders"), Requeue::OnEvent);
        assert_eq!(queue.next().await, key("orders"));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_back_off_up_to_five_minutes_and_a_success_starts_over() {
        let queue = Queue::default();
        let mut last = Duration::ZERO;
        for _ in 0..12 {
            queue.add(&key("orders"));
            queue.next().await;
            last = queue.done(&key("orders"), Requeue::Backoff).unwrap();
        }
        assert_eq!(last, Duration::from_secs(300));
        queue.add(&key("orders"));
        queue.next().await;
        queue.done(&key("orders"), Requeue::OnEvent);
        queue.add(&key("orders"));
        queue.next().await;
        let first = queue.done(&key("orders"), Requeue::Backoff).unwrap();
        assert!(first >= Duration::from_secs(1) && first <= Duration::from_millis(1200));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_during_a_backoff_is_served_at_once() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        queue.next().await;
        for _ in 0..8 {
            queue.done(&key("orders"), Requeue::Backoff);
        }
        queue.add(&key("orders"));
        let started = Instant::now();
        queue.next().await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn one_failing_key_delays_no_other() {
        let queue = Queue::default();
        queue.add(&key("broken"));
        queue.next().await;
        queue.done(&key("broken"), Requeue::Backoff);
        queue.add(&key("orders"));
        assert_eq!(queue.next().await, key("orders"));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_whose_runs_hang_and_fail_leave_most_places_to_the_others() {
        let queue = Queue::default();
        let hanging: Vec<_> = (0..20).map(|index| key(&format!("hanging-{index}"))).collect();
        for name in &hanging {
            queue.add(name);
        }
        for _ in &hanging {
            queue.next().await;
        }
        tokio::time::advance(SLOW * 2).await;
        for name in &hanging {
            queue.done(name, Requeue::Backoff);
        }
        tokio::time::advance(RETRY_CAP).await;
        for _ in 0..SLOW_AT_A_TIME {
            queue.next().await;
        }
        queue.add(&key("orders"));
        assert_eq!(queue.next().await, key("orders"), "it is the last one that became due");
        let fifth = tokio::time::timeout(Duration::from_secs(60), queue.next()).await;
        assert!(fifth.is_err(), "{fifth:?}");
        // One of them ends well: the next one gets its place.
        let running = hanging.iter().find(|name| queue.lock().entries[*name].running);
        queue.done(running.unwrap(), Requeue::OnEvent);
        assert!(hanging.contains(&queue.next().await));
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_fails_at_once_does_not_make_its_key_slow() {
        let queue = Queue::default();
        let failing: Vec<_> = (0..=SLOW_AT_A_TIME)
            .map(|index| key(&format!("failing-{index}")))
            .collect();
        for name in &failing {
            queue.add(name);
            queue.next().await;
            queue.done(name, Requeue::Backoff);
        }
        for _ in &failing {
            queue.next().await;
        }
        assert_eq!(queue.depth(), (0, failing.len()));
    }

    #[tokio::test(start_paused = true)]
    async fn status_work_waits_for_the_hold_and_other_work_does_not() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        queue.next().await;
        queue.hold_status(&key("orders"), Duration::from_secs(1));
        queue.done(&key("orders"), Requeue::OnEvent);
        let started = Instant::now();
        queue.add_status(&key("orders"));
        queue.next().await;
        assert_eq!(started.elapsed(), Duration::from_secs(1));
        queue.hold_status(&key("orders"), Duration::from_secs(1));
        queue.done(&key("orders"), Requeue::OnEvent);
        queue.add_status(&key("orders"));
        queue.add(&key("orders"));
        let started = Instant::now();
        queue.next().await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_failed_during_an_outage_is_retried_within_seconds_of_its_end() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        for _ in 0..10 {
            queue.next().await;
            queue.done(&key("orders"), Requeue::Backoff);
        }
        queue.hurry();
        let started = Instant::now();
        queue.next().await;
        assert!(started.elapsed() <= HURRY_SPREAD);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_at_rest_needs_no_entry() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        queue.next().await;
        queue.done(&key("orders"), Requeue::OnEvent);
        assert!(queue.lock().entries.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_whose_status_was_held_needs_no_entry_once_that_time_is_over() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        queue.next().await;
        queue.hold_status(&key("orders"), Duration::from_secs(1));
        queue.done(&key("orders"), Requeue::OnEvent);
        assert_eq!(queue.lock().entries.len(), 1);
        tokio::time::advance(Duration::from_secs(2)).await;
        queue.add(&key("users"));
        queue.next().await;
        queue.done(&key("users"), Requeue::OnEvent);
        assert!(queue.lock().entries.is_empty() && queue.lock().held.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_was_long_gives_its_memory_back() {
        let queue = Queue::default();
        for index in 0..1000 {
            queue.add(&key(&format!("orders-{index}")));
        }
        for _ in 0..1000 {
            let next = queue.next().await;
            queue.done(&next, Requeue::OnEvent);
        }
        let left = queue.lock().entries.capacity();
        assert!(left < 16, "room for {left}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_forgotten_key_leaves_nothing_behind() {
        let queue = Queue::default();
        queue.add(&key("orders"));
        queue.next().await;
        queue.done(&key("orders"), Requeue::Forget);
        assert!(queue.lock().entries.is_empty());
        assert_eq!(queue.lock().timeline.lengths(), (0, 0));
    }
}

//! Which MonitoredApis' pods are asked when, and what is known of each. In memory only: what is settled stands in the status.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_api::MetricsStatus;
use controller_core::dialect_choice::DialectChoice;
use controller_core::facts::PodsOfWorkload;
use controller_core::probe::{Change, Need, PageError, PageFinding, PageMemory, Reading, from_status, to_status, wait};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::cache::interner;
use crate::cache::namespaced_name::NamespacedName;
use crate::timeline::{Free, Timeline};

/// Pods that are asked at once.
pub(super) const AT_A_TIME: usize = 32;
/// Of those that did not answer in time before, so that they keep nobody waiting.
pub(super) const SLOW_AT_A_TIME: usize = 4;
/// The wait after an answer that does not count, because the pod changed meanwhile.
const AGAIN: Duration = Duration::from_secs(5);
/// Within which, after a restart, pods are asked again of which something may still be missing.
const AFTER_RESTART: Duration = Duration::from_secs(60 * 60);
/// How much a wait differs from what it should be, so that the pods of many MonitoredApis are not asked at once.
const JITTER: f64 = 0.1;

/// Where the metrics of a MonitoredApi are, and of which pods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wanted<'a> {
    /// Port of the page.
    pub(crate) port: u16,
    /// Path of the page.
    pub(crate) path: &'a str,
    /// The dialect that the spec or the preset names.
    pub(crate) declared: Option<&'a DialectChoice>,
    /// Which pods can be asked now.
    pub(crate) pods: Pods<'a>,
    /// By what the pods are known of a workload that exists already. They are read when one is asked: no watch follows them.
    pub(crate) listed: Option<&'a PodsOfWorkload>,
}

/// Which pods can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pods<'a> {
    /// Those of this template, by the label of [`PodsOfWorkload::template_label`].
    Ready(&'a str),
    /// None is ready.
    NoneReady,
    /// Pods of two versions run.
    SeveralVersions,
}

/// One MonitoredApi of which something is to be found out.
#[derive(Debug)]
struct Entry {
    port: u16,
    path: Arc<str>,
    listed: Option<Arc<PodsOfWorkload>>,
    memory: PageMemory,
    /// `pod-template-hash` of the pods that can be asked. `None`: none can.
    template: Option<Box<str>>,
    /// What is looked for, and how often it was in a row.
    need: Need,
    attempts: u32,
    /// When it is asked next. `None`: it is being asked, or there is nobody to ask.
    due: Option<Instant>,
    running: bool,
    /// It did not answer in time.
    slow: bool,
}

/// A pod's page is due.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub(super) key: NamespacedName,
    pub(super) port: u16,
    pub(super) path: Arc<str>,
    pub(super) listed: Option<Arc<PodsOfWorkload>>,
    pub(super) declared: Option<DialectChoice>,
    pub(super) attempt: u32,
    pub(super) slow: bool,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<NamespacedName, Box<Entry>>,
    timeline: Timeline,
    running: usize,
    slow_running: usize,
}

/// By MonitoredApi, what is known of its pods' pages.
#[derive(Debug, Default)]
pub(crate) struct ProbeBoard {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl ProbeBoard {
    /// Sets what is wanted of a MonitoredApi; `None`: nothing, because it is not monitored. `recorded`: what its status has.
    pub(crate) fn subscribe(&self, key: &NamespacedName, wanted: Option<Wanted<'_>>, recorded: Option<&MetricsStatus>) {
        let now = Instant::now();
        let mut inner = self.lock();
        let Some(wanted) = wanted else {
            inner.remove(key);
            return;
        };
        let is_same = |entry: &Entry| {
            entry.port == wanted.port && *entry.path == *wanted.path && entry.memory.declared() == wanted.declared
        };
        let known = inner.entries.get(key).filter(|entry| is_same(entry));
        if known.is_none() {
            inner.remove(key);
            // What is settled and recorded needs no place here, nor what nobody can be asked about.
            let Pods::Ready(template) = wanted.pods else {
                return;
            };
            let memory = remembered(wanted.declared, recorded);
            if memory.need(template) == Need::Nothing {
                return;
            }
            let entry = Entry::new(&wanted, memory);
            inner.entries.insert(key.clone(), Box::new(entry));
        } else if known.is_some_and(|entry| entry.is_done(&wanted.pods, recorded)) {
            inner.remove(key);
            return;
        }
        inner.set_listed(key, wanted.listed);
        inner.set_pods(key, wanted.pods, now);
        drop(inner);
        self.changed.notify_one();
    }

    /// What is known of a MonitoredApi. `None`: what its status has.
    pub(crate) fn finding(&self, key: &NamespacedName) -> Option<PageFinding> {
        self.lock().entries.get(key).map(|entry| entry.memory.finding().clone())
    }

    /// Forgets what was found in an earlier term of leadership: the statuses that another leader wrote since count.
    pub(crate) fn begin_term(&self) {
        *self.lock() = Inner::default();
    }

    /// The next page that is due, marked as being read until [`Self::answered`]. Waits for it.
    pub(super) async fn next(&self) -> Due {
        loop {
            let wait_until = match self.lock().take_due(Instant::now()) {
                Ok(due) => return due,
                Err(wait_until) => wait_until,
            };
            let changed = self.changed.notified();
            match wait_until {
                Some(at) => {
                    // In both cases, look again.
                    let _ = tokio::time::timeout_at(at, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Takes the answer of a pod of a template, at `now` since any fixed moment. `None`: nobody could be asked, or the pod changed
    /// meanwhile.
    pub(super) fn answered(
        &self,
        due: &Due,
        answer: Option<(Result<&Reading, PageError>, &str)>,
        now: Duration,
    ) -> Change {
        let mut inner = self.lock();
        inner.running = inner.running.saturating_sub(1);
        inner.slow_running = inner.slow_running.saturating_sub(usize::from(due.slow));
        let mut change = Change::Nothing;
        // Meanwhile the page may have been moved to another port or path.
        let is_same = |entry: &&mut Box<Entry>| entry.port == due.port && entry.path == due.path;
        if let Some(entry) = inner.entries.get_mut(&due.key).filter(is_same) {
            entry.running = false;
            if let Some((answer, template)) = answer {
                entry.slow = answer.is_err_and(PageError::needs_patience);
                change = entry.memory.take(answer, template, now);
            }
            let next = entry.next(answer.is_some());
            inner.set_due(&due.key, next);
        }
        drop(inner);
        self.changed.notify_one();
        change
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remembered(declared: Option<&DialectChoice>, recorded: Option<&MetricsStatus>) -> PageMemory {
    let template = recorded.and_then(|recorded| recorded.pod_template_hash.as_deref());
    PageMemory::new(declared.cloned(), recorded.and_then(from_status), template)
}

impl Entry {
    fn new(wanted: &Wanted<'_>, memory: PageMemory) -> Self {
        Self {
            port: wanted.port,
            path: interner::text(wanted.path),
            listed: None,
            memory,
            template: None,
            need: Need::Nothing,
            attempts: 0,
            due: None,
            running: false,
            slow: false,
        }
    }

    /// Whether nothing is left to find out of these pods, and the status has what was found.
    fn is_done(&self, pods: &Pods<'_>, recorded: Option<&MetricsStatus>) -> bool {
        let needs = match pods {
            Pods::Ready(template) => Some(self.memory.need(template)),
            Pods::NoneReady | Pods::SeveralVersions => None,
        };
        let is_recorded = || {
            let finding = self.memory.finding();
            let template = finding.template.as_deref();
            match (recorded, &finding.known) {
                (Some(recorded), Some(known)) => {
                    let now = to_status(known, template);
                    MetricsStatus {
                        missing: recorded.missing.clone(),
                        overall: recorded.overall,
                        ..now
                    } == *recorded
                }
                (Some(recorded), None) => recorded.pod_template_hash.as_deref() == template,
                (None, _) => false,
            }
        };
        !self.running && needs == Some(Need::Nothing) && is_recorded()
    }

    /// When to ask next. `counts`: a pod answered.
    fn next(&mut self, counts: bool) -> Option<Instant> {
        let template = self.template.as_deref()?;
        let need = self.memory.need(template);
        if need == self.need {
            self.attempts = self.attempts.saturating_add(u32::from(counts));
        } else {
            (self.need, self.attempts) = (need, 1);
        }
        let wait = if counts { wait(need, self.attempts)? } else { AGAIN };
        Some(Instant::now() + wait.mul_f64(1.0 + JITTER * fastrand::f64()))
    }
}

impl Inner {
    fn remove(&mut self, key: &NamespacedName) {
        self.set_due(key, None);
        self.entries.remove(key);
        if self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }

    /// Takes by what the pods are known: a workload that was made again has another uid.
    fn set_listed(&mut self, key: &NamespacedName, listed: Option<&PodsOfWorkload>) {
        let entry = self.entries.get_mut(key);
        if let Some(entry) = entry.filter(|entry| entry.listed.as_deref() != listed) {
            entry.listed = listed.map(|listed| Arc::new(listed.clone()));
        }
    }

    /// Takes which pods can be asked now.
    fn set_pods(&mut self, key: &NamespacedName, pods: Pods<'_>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let template = match pods {
            Pods::Ready(template) => Some(template),
            Pods::NoneReady => None,
            Pods::SeveralVersions => {
                entry.memory.interrupt();
                None
            }
        };
        if entry.template.as_deref() == template {
            return;
        }
        entry.template = template.map(Into::into);
        entry.need = template.map_or(Need::Nothing, |template| entry.memory.need(template));
        entry.attempts = 0;
        let due = match entry.need {
            Need::Nothing => None,
            Need::Search | Need::Agreement => Some(now),
            // These pods were asked before a restart.
            Need::Growth => Some(now + AFTER_RESTART.mul_f64(fastrand::f64().mul_add(0.9, 0.1))),
        };
        if !entry.running {
            self.set_due(key, due);
        }
    }

    fn set_due(&mut self, key: &NamespacedName, due: Option<Instant>) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        // The lane may have changed since.
        if let Some(before) = entry.due {
            self.timeline.remove(before, key);
        }
        entry.due = due;
        if let Some(at) = due {
            self.timeline.insert(at, key.clone(), entry.slow);
        }
    }

    fn take_due(&mut self, now: Instant) -> Result<Due, Option<Instant>> {
        // When one ends, it is looked again.
        let free = Free {
            other: self.running - self.slow_running < AT_A_TIME,
            slow: self.slow_running < SLOW_AT_A_TIME,
        };
        let (key, slow) = self.timeline.take_due(now, free)?;
        // No key is due that has no entry.
        let entry = self.entries.get_mut(&key).ok_or(Some(now))?;
        entry.due = None;
        entry.running = true;
        self.running += 1;
        self.slow_running += usize::from(slow);
        Ok(Due {
            port: entry.port,
            path: Arc::clone(&entry.path),
            listed: entry.listed.clone(),
            declared: entry.memory.declared().cloned(),
            attempt: entry.attempts,
            slow,
            key,
        })
    }
}

#[cfg(test)]
mod tests;

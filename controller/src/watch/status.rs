//! The status of every watch: the state of its kind, and when the API server last answered about it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use controller_core::facts::KindState;
use controller_core::watched::WatchedKind;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::ErrorClass;

/// The status of one watch.
pub(crate) struct WatchStatus {
    kind: WatchedKind,
    label: &'static str,
    namespace: Option<String>,
    state: watch::Sender<KindState>,
    heard: Mutex<Instant>,
    failures: Mutex<Vec<(ErrorClass, u64)>>,
    /// Counts changes of state of all watches, for tasks that wait for one.
    changed: watch::Sender<u64>,
}

impl fmt::Debug for WatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStatus")
            .field("kind", &self.kind)
            .field("namespace", &self.namespace)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl WatchStatus {
    /// Kind and, in namespaced mode, namespace.
    pub(crate) fn name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}/{namespace}", self.label),
            None => self.label.to_owned(),
        }
    }

    /// The kind, as a label value.
    pub(crate) const fn label(&self) -> &'static str {
        self.label
    }

    pub(crate) const fn kind(&self) -> WatchedKind {
        self.kind
    }

    pub(crate) fn state(&self) -> KindState {
        *self.state.borrow()
    }

    /// Sets the state and returns the one before.
    pub(crate) fn set(&self, state: KindState) -> KindState {
        let before = self.state.send_replace(state);
        if before != state {
            tracing::info!(watch = %self.name(), ?before, now = ?state, "watch changed its state");
            self.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
        before
    }

    /// Records that the API server answered about this kind just now.
    pub(crate) fn touch(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Time since the API server last answered about this kind.
    pub(crate) fn staleness(&self) -> Duration {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn failed(&self, class: ErrorClass) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => failures.push((class, 1)),
        }
    }

    /// Failures by class since the start.
    pub(crate) fn failures(&self) -> Vec<(ErrorClass, u64)> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All watches.
#[derive(Debug)]
pub(crate) struct WatchStatuses {
    watches: Mutex<Vec<Arc<WatchStatus>>>,
    changed: watch::Sender<u64>,
}

impl WatchStatuses {
    pub(crate) fn new() -> Self {
        Self {
            watches: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Adds a watch.
    pub(crate) fn add(&self, kind: WatchedKind, label: &'static str, namespace: Option<String>) -> Arc<WatchStatus> {
        let status = Arc::new(WatchStatus {
            kind,
            label,
            namespace,
            state: watch::Sender::new(KindState::Pending),
            heard: Mutex::new(Instant::now()),
            failures: Mutex::default(),
            changed: self.changed.clone(),
        });
        self.lock().push(Arc::clone(&status));
        status
    }

    /// Every watch.
    pub(crate) fn all(&self) -> Vec<Arc<WatchStatus>> {
        self.lock().clone()
    }

    /// The state of a kind as far as it concerns a namespace.
    pub(crate) fn state(&self, kind: WatchedKind, namespace: &str) -> KindState {
        self.lock()
            .iter()
            .find(|status| {
                status.kind == kind && status.namespace.as_deref().is_none_or(|watched| watched == namespace)
            })
            .map_or(KindState::Forbidden, |status| status.state())
    }

    /// Notified whenever any watch changes its state.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Waits until no watch is pending. Of those that fail or fall silent only for `grace`: one broken kind must not
    /// hold up the rest. A long list that comes in page by page is waited for: to read each of its objects live instead
    /// would cost far more. MonitoredApis themselves are waited for without limit, of all namespaces or of any of those that are
    /// watched: without them there is nothing to do.
    pub(crate) async fn settled(&self, grace: Duration) {
        let mut changes = self.changes();
        let started = Instant::now();
        loop {
            let all = self.all();
            let mut of_apis = all.iter().filter(|status| status.kind == WatchedKind::MonitoredApi);
            let no_apis = of_apis.all(|status| status.state() == KindState::Pending);
            let waiting = all.iter().any(|status| {
                let pending = status.state() == KindState::Pending;
                let in_progress = status.failures().is_empty() && status.staleness() < grace;
                pending && (in_progress || started.elapsed() < grace)
            });
            if !waiting && !no_apis {
                return;
            }
            // A watch that stops receiving answers does not notify anyone, so look again after a while.
            if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(100), changes.changed()).await {
                return;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<WatchStatus>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_kind_that_never_answers_holds_up_the_start_for_the_grace_only() {
        let watches = WatchStatuses::new();
        watches
            .add(WatchedKind::MonitoredApi, "MonitoredApi", None)
            .set(KindState::Synced);
        watches.add(WatchedKind::Pod, "Pod", None);
        let started = Instant::now();
        watches.settled(Duration::from_secs(5)).await;
        assert!(started.elapsed() >= Duration::from_secs(5) && started.elapsed() < Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_list_that_comes_in_page_by_page_is_waited_for() {
        let watches = WatchStatuses::new();
        watches
            .add(WatchedKind::MonitoredApi, "MonitoredApi", None)
            .set(KindState::Synced);
        let pods = watches.add(WatchedKind::Pod, "Pod", None);
        let pages = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(3)).await;
                pods.touch();
            }
            pods.set(KindState::Synced);
        };
        let started = Instant::now();
        tokio::join!(watches.settled(Duration::from_secs(5)), pages);
        assert_eq!(watches.state(WatchedKind::Pod, "shop"), KindState::Synced);
        assert!(started.elapsed() >= Duration::from_secs(12));
    }

    #[tokio::test(start_paused = true)]
    async fn one_namespace_that_never_answers_holds_up_the_others_for_the_grace_only() {
        let watches = WatchStatuses::new();
        let kind = WatchedKind::MonitoredApi;
        let shop = watches.add(kind, "MonitoredApi", Some("shop".to_owned()));
        let bank = watches.add(kind, "MonitoredApi", Some("bank".to_owned()));
        let listed = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            shop.set(KindState::Synced);
        };
        let started = Instant::now();
        tokio::join!(watches.settled(Duration::from_secs(5)), listed);
        let waited = started.elapsed().as_secs();
        assert!(
            (20..=21).contains(&waited),
            "{waited}: without any MonitoredApi there is nothing to do"
        );
        assert_eq!(bank.state(), KindState::Pending);
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_with_all_kinds_known_waits_for_nothing() {
        let watches = WatchStatuses::new();
        watches
            .add(WatchedKind::MonitoredApi, "MonitoredApi", None)
            .set(KindState::Synced);
        watches
            .add(WatchedKind::Prometheus, "Prometheus", None)
            .set(KindState::Missing);
        let started = Instant::now();
        watches.settled(Duration::from_secs(5)).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[test]
    fn a_namespace_that_is_not_watched_is_out_of_reach() {
        let watches = WatchStatuses::new();
        watches
            .add(WatchedKind::Pod, "Pod", Some("shop".to_owned()))
            .set(KindState::Synced);
        assert_eq!(watches.state(WatchedKind::Pod, "shop"), KindState::Synced);
        assert_eq!(watches.state(WatchedKind::Pod, "bank"), KindState::Forbidden);
    }
}

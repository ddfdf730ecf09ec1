//! One watch: list, follow, relist. Each runs in a task of its own with a backoff of its own, so that a broken one
//! delays no other (kube-rs's `Controller` merges all watches behind one backoff).
//!
//! It must not know what it watches: a [`WatchHandler`] takes the objects.

use std::sync::Arc;
use std::time::Duration;

use controller_core::facts::KindState;
use futures::{Stream, StreamExt};
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::cluster::{CallError, Cluster, ErrorClass, PAGE_OBJECTS, Page, Scope, classify, classify_status};
use crate::watch::status::WatchStatus;
use crate::work::backoff::{Backoff, jittered};

/// How long the server lets one watch request live. A dead connection is noticed at most this plus [`IDLE_SLACK`]
/// after the server falls silent.
const WATCH_SECONDS: u32 = 60;
/// The server ends a watch itself. If it has not done so this long after its time, the connection is dead.
const IDLE_SLACK: Duration = Duration::from_secs(5);
/// The safety net: however healthy a watch looks, list everything again this often.
const RELIST_EVERY: Duration = Duration::from_secs(30 * 60);
/// A kind whose CRD is missing is asked for this often. The status message of
/// `CrdMissing` promises that the operator notices the CRD within a minute.
const MISSING_RETRY: Duration = Duration::from_secs(10);
/// Failed attempts to go on from one resource version before we list again. An API server answers 410 inside the
/// stream; a proxy may answer it, or anything else, as an HTTP status, for ever.
const GIVE_UP_VERSION_AFTER: u32 = 3;
/// A watch that ended in good order but lived shorter than this counts as a failure: something, such as a proxy, cuts it.
const SUSPICIOUSLY_SHORT: Duration = Duration::from_secs(5);
/// Refusals in a row after which a kind that was in sync counts as forbidden.
const BELIEVE_REFUSALS_AFTER: u32 = 3;

/// An object with a resourceVersion, from which a watch can be continued.
pub(crate) trait Versioned {
    /// `metadata.resourceVersion`.
    fn resource_version(&self) -> &str;
}

/// Handles the objects of one watch. Called by one task, in the order of the server's events. The names are those of
/// kube's `watcher::Event`.
pub(crate) trait WatchHandler<T>: Send {
    /// A complete list begins; what it does not name is gone.
    fn init(&mut self);
    /// An object of that list.
    fn init_apply(&mut self, item: T);
    /// The list is complete.
    fn init_done(&mut self);
    /// An object was created or changed.
    fn apply(&mut self, item: T);
    /// An object was deleted.
    fn delete(&mut self, item: T);
    /// The API server answers again after an outage.
    fn recovered(&mut self) {}
    /// The kind itself is gone (its CRD was removed), and with it all its objects.
    fn kind_gone(&mut self) {
        self.init();
        self.init_done();
    }
}

/// A running watch.
pub(crate) struct Watch<H> {
    cluster: Cluster,
    scope: Scope,
    handler: H,
    status: Arc<WatchStatus>,
    /// Where to go on; `None`: list first.
    version: Option<String>,
    relist_at: Instant,
    backoff: Backoff,
    /// The last failure was the API server's, not the request's.
    outage: bool,
    /// Since an outage it is not known whether the API server still has `version` behind it.
    version_in_doubt: bool,
    /// Refusals since the last watch that opened.
    refusals: u32,
    /// Objects on a page of a list: fewer while objects are so large that a page is refused or takes too long.
    page_objects: u32,
}

impl<H> Watch<H> {
    pub(crate) fn new(cluster: Cluster, scope: Scope, handler: H, status: Arc<WatchStatus>) -> Self {
        Self {
            cluster,
            scope,
            handler,
            status,
            version: None,
            relist_at: Instant::now(),
            backoff: Backoff::new(Duration::from_millis(800), Duration::from_secs(30)),
            outage: false,
            version_in_doubt: false,
            refusals: 0,
            page_objects: PAGE_OBJECTS,
        }
    }

    /// Runs until the task is aborted.
    pub(crate) async fn run<T>(mut self)
    where
        T: DeserializeOwned + Versioned + Clone + Send + 'static,
        H: WatchHandler<T>,
    {
        loop {
            let result = match self.version.clone() {
                Some(version) if Instant::now() < self.relist_at => self.resume::<T>(version).await,
                _ => self.list::<T>().await,
            };
            if let Err(error) = result {
                let wait = self.on_error::<T>(&error);
                tokio::time::sleep(wait).await;
            }
        }
    }

    async fn list<T>(&mut self) -> Result<(), CallError>
    where
        T: DeserializeOwned,
        H: WatchHandler<T>,
    {
        let mut next = String::new();
        let mut begun = false;
        loop {
            let page = self.page::<T>(&next).await?;
            self.answered::<T>();
            if !begun {
                self.handler.init();
                begun = true;
            }
            for item in page.items {
                self.handler.init_apply(item);
            }
            next = page.metadata.next;
            if next.is_empty() {
                self.version = Some(page.metadata.resource_version);
                break;
            }
        }
        self.handler.init_done();
        self.version_in_doubt = false;
        self.page_objects = self.page_objects.saturating_mul(2).min(PAGE_OBJECTS);
        self.relist_at = Instant::now() + jittered(RELIST_EVERY);
        // A kind that may be listed and not watched is known only in part: it is in sync once a watch has opened.
        if self.status.state() != KindState::Forbidden {
            self.status.set(KindState::Synced);
        }
        Ok(())
    }

    /// One page of the list, of fewer objects each time that it is too large.
    async fn page<T: DeserializeOwned>(&mut self, next: &str) -> Result<Page<T>, CallError> {
        loop {
            let error = match self.cluster.list::<T>(&self.scope, next, self.page_objects).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            let (too_large, too_slow) = (error.class == ErrorClass::TooLarge, error.class == ErrorClass::Timeout);
            let before = self.page_objects;
            if too_large || too_slow {
                self.page_objects = (before / 2).max(1);
                tracing::debug!(watch = %self.status.name(), objects = self.page_objects, "large objects: smaller pages");
            }
            // After silence the list begins anew a while later.
            if !too_large || before == 1 {
                return Err(error);
            }
        }
    }

    /// Follows from `version`. After an outage only if that is not ahead of the API server: where its etcd was restored to
    /// an earlier state, a watch would stay silent until the versions have caught up. Then everything is listed.
    async fn resume<T>(&mut self, version: String) -> Result<(), CallError>
    where
        T: DeserializeOwned + Versioned + Clone + Send + 'static,
        H: WatchHandler<T>,
    {
        if self.version_in_doubt {
            let latest = self.cluster.latest_version(&self.scope).await?;
            if is_ahead(&version, &latest) {
                tracing::warn!(watch = %self.status.name(), version, latest, "the API server went back to an earlier state");
                self.version = None;
                return Ok(());
            }
            self.version_in_doubt = false;
        }
        self.follow::<T>(version).await
    }

    async fn follow<T>(&mut self, version: String) -> Result<(), CallError>
    where
        T: DeserializeOwned + Versioned + Clone + Send + 'static,
        H: WatchHandler<T>,
    {
        let stream = self.cluster.watch::<T>(&self.scope, &version, WATCH_SECONDS).await?;
        let opened = Instant::now();
        self.answered::<T>();
        self.refusals = 0;
        self.status.set(KindState::Synced);
        let ended = self.events(opened, stream).await;
        if opened.elapsed() >= SUSPICIOUSLY_SHORT {
            // However it ended, it lived.
            self.backoff.reset();
        }
        ended
    }

    /// Handles the events of one watch until it ends.
    async fn events<T>(
        &mut self,
        opened: Instant,
        stream: impl Stream<Item = kube::Result<WatchEvent<T>>>,
    ) -> Result<(), CallError>
    where
        T: Versioned,
        H: WatchHandler<T>,
    {
        let dead_at = opened + Duration::from_secs(u64::from(WATCH_SECONDS)) + IDLE_SLACK;
        let mut stream = std::pin::pin!(stream);
        loop {
            match tokio::time::timeout_at(dead_at, stream.next()).await {
                Ok(Some(Ok(event))) => self.take(event)?,
                Ok(Some(Err(error))) => return Err(self.watch_error(classify(&error), error.to_string())),
                Ok(None) => break,
                Err(_) => return Err(self.watch_error(ErrorClass::Timeout, "the watch fell silent".to_owned())),
            }
        }
        if opened.elapsed() < SUSPICIOUSLY_SHORT {
            return Err(self.watch_error(ErrorClass::Unreachable, "the watch was cut at once".to_owned()));
        }
        self.status.touch();
        Ok(())
    }

    fn take<T>(&mut self, event: WatchEvent<T>) -> Result<(), CallError>
    where
        H: WatchHandler<T>,
        T: Versioned,
    {
        self.status.touch();
        match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                self.version = Some(item.resource_version().to_owned());
                self.handler.apply(item);
            }
            WatchEvent::Deleted(item) => {
                self.version = Some(item.resource_version().to_owned());
                self.handler.delete(item);
            }
            WatchEvent::Bookmark(bookmark) => self.version = Some(bookmark.metadata.resource_version),
            WatchEvent::Error(status) => {
                return Err(self.watch_error(
                    classify_status(status.code, &status.reason, &status.message),
                    status.message,
                ));
            }
        }
        Ok(())
    }

    fn answered<T>(&mut self)
    where
        H: WatchHandler<T>,
    {
        self.status.touch();
        if std::mem::take(&mut self.outage) {
            self.handler.recovered();
        }
    }

    /// Records a failure and returns how long to wait.
    fn on_error<T>(&mut self, error: &CallError) -> Duration
    where
        H: WatchHandler<T>,
    {
        self.status.failed(error.class);
        self.outage = error.class.is_outage();
        self.version_in_doubt |= self.outage;
        // Warn only about the first failure of a series. A missing kind is logged when its state changes.
        if self.backoff.failures() == 0 && error.class != ErrorClass::KindMissing {
            tracing::warn!(watch = %self.status.name(), class = error.class.as_str(), %error, "watch failed");
        } else {
            tracing::debug!(watch = %self.status.name(), class = error.class.as_str(), %error, "watch failed");
        }
        match error.class {
            ErrorClass::NotFound | ErrorClass::KindMissing => {
                self.version = None;
                self.backoff.reset();
                // A 404 for a list means that the kind is not served. The server did answer, so the watch is not stale.
                self.status.touch();
                if self.status.set(KindState::Missing) == KindState::Synced {
                    self.handler.kind_gone();
                }
                return jittered(MISSING_RETRY);
            }
            ErrorClass::Forbidden => {
                self.refusals = self.refusals.saturating_add(1);
                // An API server that just started refuses everybody.
                if self.refusals >= BELIEVE_REFUSALS_AFTER || self.status.state() != KindState::Synced {
                    self.version = None;
                    self.status.set(KindState::Forbidden);
                }
            }
            ErrorClass::Gone => self.version = None,
            ErrorClass::Conflict
            | ErrorClass::Invalid
            | ErrorClass::KindTerminating
            | ErrorClass::Server
            | ErrorClass::TooLarge
            | ErrorClass::Decode => {
                if self.backoff.failures() >= GIVE_UP_VERSION_AFTER {
                    self.version = None;
                }
            }
            ErrorClass::Unauthenticated | ErrorClass::Throttled | ErrorClass::Timeout | ErrorClass::Unreachable => {}
        }
        self.backoff.next()
    }

    fn watch_error(&self, class: ErrorClass, message: String) -> CallError {
        CallError {
            verb: "watch",
            kind: self.scope.resource.kind,
            object: self.scope.namespace.clone().unwrap_or_default(),
            class,
            message,
        }
    }
}

/// Whether a resourceVersion is later than another. Of versions that are no numbers nothing is known.
pub(crate) fn is_ahead(version: &str, of: &str) -> bool {
    let parsed = |text: &str| text.parse::<u64>().ok();
    parsed(version).zip(parsed(of)).is_some_and(|(one, other)| one > other)
}

#[cfg(test)]
mod tests;

//! One watch: list, follow, relist. Each runs in a task of its own with a backoff of its own, so that a broken one
//! delays nobody else (kube-rs's `Controller` merges all watches behind one backoff).
//!
//! It must not know what it watches: a [`WatchHandler`] takes the objects.

use std::sync::Arc;
use std::time::Duration;

use controller_core::facts::KindState;
use futures::{Stream, StreamExt};
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::cluster::{CallError, Cluster, ErrorClass, Scope, classify, classify_status};
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
    /// Refusals since the last watch that opened.
    refusals: u32,
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
            refusals: 0,
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
                Some(version) if Instant::now() < self.relist_at => self.follow::<T>(version).await,
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
            let page = self.cluster.list::<T>(&self.scope, &next).await?;
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
        self.relist_at = Instant::now() + jittered(RELIST_EVERY);
        // A kind that may be listed and not watched is known only in part: it is in sync once a watch has opened.
        if self.status.state() != KindState::Forbidden {
            self.status.set(KindState::Synced);
        }
        Ok(())
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
                return Err(self.watch_error(classify_status(status.code, &status.reason), status.message));
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
                // An API server that just started, or whose authentication is away for a moment, refuses everybody.
                if self.refusals >= BELIEVE_REFUSALS_AFTER || self.status.state() != KindState::Synced {
                    self.version = None;
                    self.status.set(KindState::Forbidden);
                }
            }
            ErrorClass::Gone => self.version = None,
            ErrorClass::Conflict | ErrorClass::Invalid | ErrorClass::Server | ErrorClass::Decode => {
                if self.backoff.failures() >= GIVE_UP_VERSION_AFTER {
                    self.version = None;
                }
            }
            ErrorClass::Throttled | ErrorClass::Timeout | ErrorClass::Unreachable => {}
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use controller_core::watched::WatchedKind;
    use http::{Request, Response};
    use http_body_util::StreamBody;
    use http_body_util::combinators::UnsyncBoxBody;
    use hyper::body::{Bytes, Frame};
    use kube::client::Body;
    use serde::Deserialize;

    use super::*;
    use crate::cluster::Resource;
    use crate::watch::status::WatchStatuses;

    const POD: Resource = Resource {
        group: "",
        version: "v1",
        kind: "Pod",
        plural: "pods",
    };

    #[derive(Debug, Clone, Deserialize)]
    struct Item {
        metadata: Meta,
    }

    #[derive(Debug, Clone, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta {
        name: String,
        resource_version: String,
    }

    impl Versioned for Item {
        fn resource_version(&self) -> &str {
            &self.metadata.resource_version
        }
    }

    /// A handler that records each call.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Notes {
        fn add(&self, note: impl Into<String>) {
            self.0.lock().unwrap().push(note.into());
        }

        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl WatchHandler<Item> for Notes {
        fn init(&mut self) {
            self.add("init");
        }

        fn init_apply(&mut self, item: Item) {
            self.add(format!("init_apply {}", item.metadata.name));
        }

        fn init_done(&mut self) {
            self.add("init_done");
        }

        fn apply(&mut self, item: Item) {
            self.add(format!("apply {}", item.metadata.name));
        }

        fn delete(&mut self, item: Item) {
            self.add(format!("delete {}", item.metadata.name));
        }

        fn recovered(&mut self) {
            self.add("recovered");
        }
    }

    /// How the API server answers a watch.
    #[derive(Clone, Copy)]
    enum Answer {
        /// A body, and then the end.
        Says(u16, &'static str),
        /// A body, and then nothing for ever.
        Holds(&'static str),
        /// A body, and 50 s later a broken connection.
        Breaks(&'static str),
    }

    const LIST: &str =
        r#"{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a","resourceVersion":"3"}}]}"#;
    const CHANGE: &str =
        "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"6\"}}}\n";

    type Bodied = UnsyncBoxBody<Bytes, std::io::Error>;

    fn whole(text: &'static str) -> impl Stream<Item = Result<Frame<Bytes>, std::io::Error>> {
        futures::stream::iter([Ok(Frame::data(Bytes::from_static(text.as_bytes())))])
    }

    fn body(answer: Answer) -> (u16, Bodied) {
        match answer {
            Answer::Says(code, text) => (code, UnsyncBoxBody::new(StreamBody::new(whole(text)))),
            Answer::Holds(text) => {
                let held = StreamBody::new(whole(text).chain(futures::stream::pending()));
                (200, UnsyncBoxBody::new(held))
            }
            Answer::Breaks(text) => {
                let broken = futures::stream::once(async {
                    tokio::time::sleep(Duration::from_secs(50)).await;
                    Err(std::io::Error::other("connection reset"))
                });
                (200, UnsyncBoxBody::new(StreamBody::new(whole(text).chain(broken))))
            }
        }
    }

    /// Runs a watch against an API server that lists one object and answers watches in this order, the last one for
    /// ever. Returns, after `span`, what the handler was called with and the resource versions that watches began at.
    async fn run(list: (u16, &'static str), watches: &'static [Answer], span: Duration) -> (Vec<String>, Vec<String>) {
        let (told, begun, _) = run_counting(list, watches, span).await;
        (told, begun)
    }

    /// The same, with the number of changes of the kind's state.
    async fn run_counting(
        list: (u16, &'static str),
        watches: &'static [Answer],
        span: Duration,
    ) -> (Vec<String>, Vec<String>, usize) {
        let begun = Notes::default();
        let asked = begun.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let (code, body) = if query.contains("watch=true") {
                let count = asked.0.lock().unwrap().len();
                let version = query.split("resourceVersion=").nth(1).unwrap_or_default();
                asked.add(version);
                body(watches[count.min(watches.len() - 1)])
            } else {
                body(Answer::Says(list.0, list.1))
            };
            async move { Ok::<_, tower::BoxError>(Response::builder().status(code).body(body).unwrap()) }
        });
        let cluster = Cluster::over(kube::Client::new(service, "default"));
        let statuses = WatchStatuses::new();
        let status = statuses.add(WatchedKind::Pod, "Pod", None);
        let mut changes = statuses.changes();
        let counting = tokio::spawn(async move {
            let mut count = 0;
            while changes.changed().await.is_ok() {
                count += 1;
            }
            count
        });
        let scope = Scope {
            resource: POD,
            namespace: None,
            label_selector: None,
            metadata_only: false,
        };
        let notes = Notes::default();
        let watch = Watch::new(cluster, scope, notes.clone(), status);
        let _ = tokio::time::timeout(span, watch.run::<Item>()).await;
        drop(statuses);
        (notes.take(), begun.take(), counting.await.unwrap())
    }

    const LISTED: [&str; 3] = ["init", "init_apply a", "init_done"];

    #[tokio::test(start_paused = true)]
    async fn events_after_the_list_reach_the_handler_and_move_the_version_on() {
        let (calls, begun) = run((200, LIST), &[Answer::Holds(CHANGE)], Duration::from_secs(70)).await;
        assert_eq!(calls, [&LISTED[..], &["apply a", "recovered", "apply a"]].concat());
        // The connection was silent for longer than the server lets a watch live: the watch starts again from its last
        // version and does not list.
        assert_eq!(begun, ["5", "6"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_410_leads_to_a_list_whether_it_comes_as_status_or_in_the_stream() {
        let gone = r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#;
        let in_stream = r#"{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}"#;
        for answer in [Answer::Says(410, gone), Answer::Says(200, in_stream)] {
            let watches: &'static [Answer] = Box::leak(Box::new([answer, Answer::Holds("")]));
            let (calls, begun) = run((200, LIST), watches, Duration::from_secs(10)).await;
            assert_eq!(calls, [LISTED, LISTED].concat());
            assert_eq!(begun, ["5", "5"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_cut_continues_from_its_version_after_a_growing_wait() {
        let (calls, begun) = run((200, LIST), &[Answer::Says(200, "")], Duration::from_secs(60)).await;
        // Cut by the transport: no list, and no hot loop.
        assert_eq!(calls.iter().filter(|note| *note == "init").count(), 1);
        assert!((4..=10).contains(&begun.len()), "{begun:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_the_server_never_accepts_leads_to_a_list() {
        let (calls, _) = run((200, LIST), &[Answer::Says(500, "garbage")], Duration::from_secs(120)).await;
        assert!(calls.iter().filter(|note| *note == "init").count() >= 2, "{calls:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_is_not_served_reaches_the_handler_with_nothing() {
        let (calls, _) = run(
            (404, "404 page not found"),
            &[Answer::Holds("")],
            Duration::from_secs(60),
        )
        .await;
        assert_eq!(calls, [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_lived_is_opened_again_at_once_however_it_ended() {
        let span = Duration::from_secs(600);
        let (_, begun) = run((200, LIST), &[Answer::Breaks(CHANGE)], span).await;
        // Each lives for 50 s, and the wait between two is less than a second.
        assert!(begun.len() >= 12, "{}", begun.len());
    }

    const REFUSED: Answer = Answer::Says(
        403,
        r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}"#,
    );

    #[tokio::test(start_paused = true)]
    async fn a_refusal_or_two_do_not_count_as_a_missing_permission() {
        let watches = &[Answer::Breaks(""), REFUSED, REFUSED, Answer::Holds("")];
        let (told, begun, changes) = run_counting((200, LIST), watches, Duration::from_secs(110)).await;
        assert_eq!((begun.len(), changes), (4, 1), "{told:?}");
        assert_eq!(told.iter().filter(|note| *note == "init").count(), 1, "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_may_be_listed_and_not_watched_changes_its_state_once() {
        let (told, _, changes) = run_counting((200, LIST), &[REFUSED], Duration::from_secs(300)).await;
        // From pending to in sync, and from there to forbidden; its objects are still listed now and then.
        assert_eq!(changes, 2, "{told:?}");
        assert!(told.iter().filter(|note| *note == "init").count() > 2, "{told:?}");
    }
}

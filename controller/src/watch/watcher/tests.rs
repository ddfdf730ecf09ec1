//! A watch against a fake API server whose answers the test sets.

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

/// A list at a version that is later than those of all events.
const EMPTY: &str = r#"{"metadata":{"resourceVersion":"1000"},"items":[]}"#;
const LIST: &str = r#"{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a","resourceVersion":"3"}}]}"#;
const CHANGE: &str = "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"6\"}}}\n";

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
    let answer = move |query: &str| {
        if query.contains("watch=true") {
            let count = asked.0.lock().unwrap().len();
            let version = query.split("resourceVersion=").nth(1).unwrap_or_default();
            asked.add(version);
            body(watches[count.min(watches.len() - 1)])
        } else if is_look_at_version(query) {
            body(Answer::Says(200, EMPTY))
        } else {
            body(Answer::Says(list.0, list.1))
        }
    };
    let (told, changes) = run_against(answer, span).await;
    (told, begun.take(), changes)
}

/// The short list by which the watch learns the API server's latest version.
fn is_look_at_version(query: &str) -> bool {
    query
        .split('&')
        .any(|parameter| parameter.trim_start_matches('?') == "limit=1")
}

/// Runs a watch for `span` against an API server that answers each query so. Returns what the handler was called with and
/// the number of changes of the kind's state.
async fn run_against(
    answer: impl Fn(&str) -> (u16, Bodied) + Send + Sync + 'static,
    span: Duration,
) -> (Vec<String>, usize) {
    let service = tower::service_fn(move |request: Request<Body>| {
        let (code, body) = answer(request.uri().query().unwrap_or_default());
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
    (notes.take(), counting.await.unwrap())
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

#[tokio::test(start_paused = true)]
async fn after_an_outage_from_which_the_api_server_came_back_with_an_earlier_state_everything_is_listed() {
    for (restored, lists) in [("4", 2), ("5", 1), ("90", 1)] {
        let watches = Mutex::new(0);
        let (told, _) = run_against(
            move |query| {
                if query.contains("watch=true") {
                    let mut count = watches.lock().unwrap();
                    *count += 1;
                    // The connection breaks once.
                    return body(if *count == 1 {
                        Answer::Breaks("")
                    } else {
                        Answer::Holds("")
                    });
                }
                if is_look_at_version(query) {
                    let list = format!(r#"{{"metadata":{{"resourceVersion":"{restored}"}},"items":[]}}"#);
                    return body(Answer::Says(200, list.leak()));
                }
                body(Answer::Says(200, LIST))
            },
            Duration::from_secs(80),
        )
        .await;
        let begun = told.iter().filter(|note| *note == "init").count();
        assert_eq!(begun, lists, "restored at {restored}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_take_too_long_get_smaller_until_one_comes() {
    let (told, _) = run_against(
        |query| {
            let limit = query.split('&').find_map(|parameter| parameter.strip_prefix("limit="));
            match limit.map(|limit| limit.parse::<u32>().unwrap()) {
                Some(limit) if limit > 100 => body(Answer::Holds("")),
                Some(_) => body(Answer::Says(200, LIST)),
                None => body(Answer::Holds("")),
            }
        },
        Duration::from_secs(120),
    )
    .await;
    assert!(told.ends_with(&LISTED.map(str::to_owned)), "{told:?}");
}

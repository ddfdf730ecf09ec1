//! Many very large MonitoredApis, as one author may make them: they must cost nobody else anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use controller_core::facts::KindState;
use controller_core::watched::WatchedKind;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Frame};
use kube::client::Body;

use crate::cache::namespaced_name::NamespacedName;
use crate::cluster::{Cluster, Scope, kinds};
use crate::watch::handler::CacheHandler;
use crate::watch::observe::ApiItem;
use crate::watch::watcher::Watch;
use crate::work::context::Context;
use crate::work::gather;

const LARGE: usize = 300;
const MIB: usize = 1024 * 1024;

/// Item `index` of the list: a large MonitoredApi; the last one is small.
fn item(index: usize, filler: &Bytes) -> Vec<Bytes> {
    let (name, filler) = if index < LARGE {
        (format!("large-{index}"), filler.clone())
    } else {
        ("orders".to_owned(), Bytes::new())
    };
    let comma = if index == 0 { "" } else { "," };
    let head = format!(
        r#"{comma}{{"metadata":{{"namespace":"shop","name":"{name}","uid":"u{index}","resourceVersion":"{index}",
            "generation":1}},"spec":{{"image":"i","podAnnotations":{{"note":""#
    );
    vec![head.into(), filler, Bytes::from_static(br#""}}}"#)]
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The answer to a list, whose bytes are made as they are read and counted in `read`.
fn page(query: &str, filler: &Bytes, read: Arc<AtomicUsize>) -> UnsyncBoxBody<Bytes, std::io::Error> {
    let limit: usize = parameter(query, "limit").unwrap().parse().unwrap();
    let from: usize = parameter(query, "continue").map_or(0, |next| next.parse().unwrap());
    let to = (from + limit).min(LARGE + 1);
    let next = if to > LARGE { String::new() } else { to.to_string() };
    let head = format!(r#"{{"metadata":{{"resourceVersion":"900","continue":"{next}"}},"items":["#);
    let filler = filler.clone();
    let items = (from..to).flat_map(move |index| {
        let mut item = item(index, &filler);
        if let Some(head) = item.first_mut().filter(|_| index == from) {
            *head = Bytes::from(String::from_utf8_lossy(head).trim_start_matches(',').to_owned());
        }
        item
    });
    let chunks = std::iter::once(Bytes::from(head))
        .chain(items)
        .chain([Bytes::from_static(b"]}")]);
    let frames = futures::stream::iter(chunks).map(move |chunk| {
        read.fetch_add(chunk.len(), Ordering::Relaxed);
        Ok(Frame::data(chunk))
    });
    UnsyncBoxBody::new(StreamBody::new(frames))
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn hundreds_of_large_resources_keep_nobody_from_being_reconciled() {
    let filler = Bytes::from(vec![b'x'; MIB]);
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = if query.contains("watch=true") {
            UnsyncBoxBody::new(StreamBody::new(futures::stream::pending()))
        } else {
            let read = Arc::new(AtomicUsize::new(0));
            let (reading, seen) = (Arc::clone(&read), Arc::clone(&seen));
            let body = page(&query, &filler, read);
            let counted = http_body_util::BodyStream::new(body).inspect(move |_| {
                seen.fetch_max(reading.load(Ordering::Relaxed), Ordering::Relaxed);
            });
            UnsyncBoxBody::new(StreamBody::new(counted))
        };
        async move { Ok::<_, tower::BoxError>(Response::new(body)) }
    });
    let context = Context::for_tests(Cluster::over(kube::Client::new(service, "default")));
    let kind = WatchedKind::MonitoredApi;
    let status = context.watches.add(kind, "MonitoredApi", None);
    let handler = CacheHandler::new(Arc::clone(&context.store), Arc::clone(&context.queue), kind, None);
    let scope = Scope {
        resource: kinds::MONITORED_API,
        namespace: None,
        label_selector: None,
        metadata_only: false,
    };
    let before = resident();
    let watch = Watch::new(context.cluster.clone(), scope, handler, status);
    tokio::select! {
        () = watch.run::<ApiItem>() => {}
        () = context.watches.settled(Duration::ZERO) => {}
    }
    assert_eq!(context.watches.state(kind, "shop"), KindState::Synced);
    assert_eq!(context.store.api_names().len(), LARGE + 1);

    let orders = gather::cached(&context, &NamespacedName::new("shop", "orders")).unwrap();
    assert!(orders.api.is_ok(), "{:?}", orders.api);
    let large = gather::cached(&context, &NamespacedName::new("shop", "large-7")).unwrap();
    let violation = large.api.unwrap_err().remove(0).to_string();
    assert!(violation.starts_with("spec: 1025 KiB is more than"), "{violation}");

    let (most, grown) = (most.load(Ordering::Relaxed), resident().saturating_sub(before));
    assert!(most <= 18 * MIB, "an answer of {most} bytes was taken");
    assert!(grown <= 96 * MIB, "the process grew by {grown} bytes");
}

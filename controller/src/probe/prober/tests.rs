//! A thousand pods that answer badly in every way, and some that answer well.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use controller_core::facts::PodFacts;
use controller_core::watched::WatchedKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::cache::namespaced_name::NamespacedName;
use crate::cache::versioned_map::Source;
use crate::probe::board::{Pods, Wanted};
use crate::watch::observe::PodItem;
use crate::work::scripted_api;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
/// A page of promhttp, as it was captured.
const GOOD: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/dialects/promhttp/pages/v1.25.0/default.after.text"
));
/// What a pod of this path does.
const HOSTILE: [&str; 8] = [
    "/silent",
    "/drip",
    "/endless",
    "/names",
    "/series",
    "/gzip",
    "/metadata",
    "/garbage",
];

/// Answers as the path says, until the reader leaves.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = [0; 1024];
    let read = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    match path.as_str() {
        "/metrics" => stream.write_all(&[HEAD, GOOD.as_bytes()].concat()).await,
        "/silent" => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(())
        }
        "/drip" => {
            stream.write_all(HEAD).await?;
            loop {
                stream.write_all(b"a").await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        // A page of a hundred megabytes and more.
        "/endless" => {
            stream.write_all(HEAD).await?;
            let part = "# a comment of no use to anybody at all\n".repeat(1_000);
            loop {
                stream.write_all(part.as_bytes()).await?;
            }
        }
        "/names" => {
            stream.write_all(HEAD).await?;
            for number in 0_u64.. {
                let line = format!("# HELP family_{number} {}\nfamily_{number} 1\n", "text ".repeat(100));
                stream.write_all(line.as_bytes()).await?;
            }
            Ok(())
        }
        // A million series of one family.
        "/series" => {
            stream.write_all(HEAD).await?;
            stream.write_all(b"# TYPE http_requests_total counter\n").await?;
            for number in 0_u64..1_000_000 {
                let line = format!("http_requests_total{{code=\"200\",path=\"/items/{number}\"}} 1\n");
                stream.write_all(line.as_bytes()).await?;
            }
            Ok(())
        }
        "/gzip" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n")
                .await?;
            loop {
                stream.write_all(&[0; 4096]).await?;
            }
        }
        "/metadata" => {
            let answer = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\n\r\n";
            stream.write_all(answer.as_bytes()).await
        }
        _ => loop {
            stream.write_all(&[0xff, 0x00, b'\n', b'{']).await?;
        },
    }
}

/// Serves all pods on one port, on a thread of its own: they are other machines. Returns the port.
fn pods() -> u16 {
    let (send, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap().port()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A reader that leaves ends the answer.
                tokio::spawn(answer(stream));
            }
        });
    });
    port.recv().unwrap()
}

fn key(name: &str) -> NamespacedName {
    NamespacedName::new("shop", name)
}

/// A ready pod of an API that serves its page at `path`.
fn subscribe(context: &Context, name: &str, port: u16, path: &str) {
    let pod = PodItem {
        namespace: "shop".to_owned(),
        resource_version: "1".to_owned(),
        owner: name.to_owned(),
        facts: PodFacts {
            name: format!("{name}-1"),
            uid: format!("uid of {name}"),
            template_hash: "1".to_owned(),
            phase: "Running".to_owned(),
            ready: true,
            // Never an address that the operator takes from a pod object.
            address: Some(IpAddr::from([127, 0, 0, 1])),
            ..PodFacts::default()
        },
    };
    context.store.upsert(WatchedKind::Pod, pod, Source::Event(1));
    let wanted = Wanted {
        port,
        path,
        declared: None,
        pods: Pods::Ready("1"),
        listed: None,
    };
    context.probes.subscribe(&key(name), Some(wanted), None);
}

/// Resident memory of this process, in MiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4 / 1024
}

#[tokio::test]
async fn a_thousand_hostile_pods_take_little_memory_and_delay_no_other() {
    let port = pods();
    let (context, _) = scripted_api::context(Vec::new());
    for index in 0..1_000 {
        let path = HOSTILE[index % HOSTILE.len()];
        subscribe(&context, &format!("hostile-{index}"), port, path);
    }
    let before = resident();
    let most = Arc::new(AtomicUsize::new(before));
    let (stop, term) = (CancellationToken::new(), CancellationToken::new());
    let prober = tokio::spawn(probe(Arc::clone(&context), stop.clone(), term));
    let seen = Arc::clone(&most);
    let watch = tokio::spawn(async move {
        loop {
            seen.fetch_max(resident(), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    // Once the hostile pods have had their second each, others wait for nobody.
    let is_known = |name: &str| {
        let finding = context.probes.finding(&key(name));
        finding.is_some_and(|finding| finding.known.is_some())
    };
    let wait = async |name: &str| {
        let begun = Instant::now();
        subscribe(&context, name, port, "/metrics");
        while !is_known(name) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{name} is not known after a minute"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        begun.elapsed()
    };
    let together = wait("begun-with-them").await;
    let later = wait("begun-later").await;
    stop.cancel();
    prober.await.unwrap();
    watch.abort();
    let grown = most.load(Ordering::Relaxed).saturating_sub(before);
    println!("known after {together:?} beside a thousand new ones, after {later:?} later; {grown} MiB more");
    assert!(later < Duration::from_secs(10), "{later:?}");
    assert!(grown < 160, "{grown} MiB more");
    for index in 0..HOSTILE.len() {
        let name = format!("hostile-{index}");
        assert!(!is_known(&name), "{name}");
    }
}

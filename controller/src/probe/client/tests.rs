use std::future::Future;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const TIME: Duration = Duration::from_secs(1);

/// Serves one connection after another with `answer`, which gets the stream once the request has been read.
async fn pod<F: Future<Output = std::io::Result<()>> + Send + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            // A pod that goes on when its reader has left gets an error, which is its own affair.
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answering(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    pod(move |mut stream| {
        let answer = answer.clone();
        async move { stream.write_all(&answer).await }
    })
    .await
}

fn page(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

const GOOD: &str =
    "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\"} 7\n";

#[tokio::test]
async fn a_page_is_read_in_both_formats_and_in_whatever_parts_it_comes() {
    let whole = read_page(answering(page("", GOOD)).await, "/metrics", TIME)
        .await
        .unwrap();
    assert_eq!(whole.families.len(), 1);
    assert_eq!(
        (whole.families[0].name.as_str(), whole.families[0].samples),
        ("http_requests_total", 1)
    );
    let in_parts = pod(|mut stream| async move {
        for byte in page("", GOOD).as_bytes().chunks(7) {
            stream.write_all(byte).await?;
            stream.flush().await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await;
    assert_eq!(read_page(in_parts, "/metrics", TIME).await.unwrap(), whole);
    let open_metrics = "HTTP/1.1 200 OK\r\ncontent-type: application/openmetrics-text\r\n\r\n# TYPE http_requests counter\nhttp_requests_total{code=\"200\"} 7\n# EOF\n";
    let read = read_page(answering(open_metrics).await, "/metrics", TIME)
        .await
        .unwrap();
    assert_eq!(read.families[0].name, "http_requests_total");
    let unended = page("", GOOD.trim_end());
    assert_eq!(
        read_page(answering(unended).await, "/metrics", TIME).await.unwrap(),
        whole
    );
}

#[tokio::test]
async fn each_answer_that_is_no_page_has_a_class() {
    let status = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n");
    let cases = [
        (status("404 Not Found"), PageError::NotFound),
        (status("401 Unauthorized"), PageError::Unauthorized),
        (status("403 Forbidden"), PageError::Unauthorized),
        (status("500 Internal Server Error"), PageError::ErrorStatus),
        (status("204 No Content"), PageError::ErrorStatus),
        (page("content-encoding: gzip\r\n", GOOD), PageError::Compressed),
        (page("", "http requests 7\n"), PageError::Malformed),
        (page("", "\u{1f}\u{8b}\u{8}\u{0}binary\n"), PageError::Malformed),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>".to_owned(),
            PageError::WebPage,
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), PageError::Unreachable),
        (
            format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(64 << 10)),
            PageError::Unreachable,
        ),
        (
            page("", GOOD).replace("content-length: ", "content-length: 9"),
            PageError::Unreachable,
        ),
    ];
    for (answer, error) in cases {
        let address = answering(answer.clone()).await;
        assert_eq!(
            read_page(address, "/metrics", TIME).await,
            Err(error),
            "{}",
            &answer[..answer.len().min(80)]
        );
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    assert_eq!(read_page(address, "/metrics", TIME).await, Err(PageError::NoListener));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let reached = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&reached);
    let other = pod(move |mut stream| {
        seen.store(true, std::sync::atomic::Ordering::SeqCst);
        async move { stream.write_all(page("", GOOD).as_bytes()).await }
    })
    .await;
    for target in [
        format!("http://{other}/metrics"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(
            read_page(answering(answer).await, "/metrics", TIME).await,
            Err(PageError::Redirected)
        );
    }
    assert!(!reached.load(std::sync::atomic::Ordering::SeqCst));
}

/// Sends a head and then the part again and again, until the reader leaves. Returns how many bytes were taken.
async fn endless(part: &'static [u8]) -> (SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&sent);
    let address = pod(move |mut stream| {
        let counted = std::sync::Arc::clone(&counted);
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(part).await?;
                counted.fetch_add(part.len(), std::sync::atomic::Ordering::SeqCst);
            }
        }
    })
    .await;
    (address, sent)
}

#[tokio::test]
async fn an_endless_page_ends_at_the_limits_of_bytes_lines_samples_and_names() {
    let patient = Duration::from_secs(60);
    // Comments count as bytes, a line without an end as one, and samples as samples.
    for part in [
        &b"# a comment of no use\n"[..],
        &b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..],
        &b"up 1\n"[..],
    ] {
        let (address, sent) = endless(part).await;
        let read = read_page(address, "/metrics", patient).await;
        assert_eq!(read, Err(PageError::TooLarge), "{:?}", std::str::from_utf8(part));
        // What is in the buffers of both ends comes on top.
        let sent = sent.load(std::sync::atomic::Ordering::SeqCst);
        assert!(sent < LIMITS.bytes + (16 << 20), "{sent} bytes were taken");
    }
    let names: String = (0..100_000).map(|name| format!("family_{name} 1\n")).collect();
    assert_eq!(
        read_page(answering(page("", &names)).await, "/metrics", patient).await,
        Err(PageError::TooLarge)
    );
}

#[tokio::test]
async fn a_pod_that_answers_a_byte_a_second_or_nothing_is_left_in_time() {
    let dripping = pod(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        loop {
            stream.write_all(b"a").await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let silent = pod(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
        Ok(())
    })
    .await;
    for address in [dripping, silent] {
        let begun = Instant::now();
        assert_eq!(read_page(address, "/metrics", TIME).await, Err(PageError::TooSlow));
        assert!(begun.elapsed() < TIME * 3, "{:?}", begun.elapsed());
    }
}

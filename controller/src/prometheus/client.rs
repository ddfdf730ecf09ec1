//! One GET to a Prometheus, bounded in time, bytes and redirects (none), whose answer is parsed while it arrives.

use std::io::{self, BufReader, Read};
use std::time::Duration;

use controller_core::prometheus::{AskError, BoundedReader};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that wait for the next round.
const IDLE: Duration = Duration::from_secs(45);
/// Parts of an answer that wait for the parser.
const PARTS: usize = 8;

/// How much of an answer is waited for and read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    pub(crate) bytes: usize,
}

/// The client. It follows no redirect, sends no credentials and asks for no compression.
#[derive(Debug, Clone)]
pub(crate) struct Client(HttpClient<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Client {
    pub(crate) fn new() -> Self {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let mut builder = HttpClient::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_max_idle_per_host(1);
        Self(builder.build(https))
    }

    /// Asks `address` for `path`, and parses the answer.
    pub(crate) async fn get<T: Send + 'static>(
        &self,
        address: &str,
        path: &str,
        bounds: Bounds,
        parse: impl FnOnce(&mut dyn Read) -> Result<T, AskError> + Send + 'static,
    ) -> Result<T, AskError> {
        let answered = async {
            let body = self.send(address, path).await?;
            parse_body(body, bounds.bytes, parse).await
        };
        tokio::time::timeout(bounds.time, answered)
            .await
            .unwrap_or(Err(AskError::TooSlow))
    }

    async fn send(&self, address: &str, path: &str) -> Result<Incoming, AskError> {
        let uri: Uri = format!("{address}{path}").parse().map_err(|_| AskError::Unreachable)?;
        let request = Request::get(uri)
            .header(http::header::ACCEPT, "application/json")
            .header(
                http::header::USER_AGENT,
                concat!("monitored-api/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .map_err(|_| AskError::Unreachable)?;
        let answer = self.0.request(request).await.map_err(|_| AskError::Unreachable)?;
        let status = answer.status();
        match status {
            _ if status.is_success() => Ok(answer.into_body()),
            _ if status.is_redirection() => Err(AskError::Redirected),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(AskError::Refused),
            _ => Err(AskError::Failed),
        }
    }
}

/// Parses a body on a thread for blocking work, part by part.
async fn parse_body<T: Send + 'static>(
    mut body: Incoming,
    max_bytes: usize,
    parse: impl FnOnce(&mut dyn Read) -> Result<T, AskError> + Send + 'static,
) -> Result<T, AskError> {
    let (send, parts) = mpsc::channel(PARTS);
    let parsed = tokio::task::spawn_blocking(move || {
        let parts = Parts {
            parts,
            current: Bytes::new(),
        };
        parse(&mut BufReader::new(BoundedReader::new(parts, max_bytes)))
    });
    while let Some(frame) = body.frame().await {
        let part = frame
            .map(|frame| frame.into_data().unwrap_or_default())
            .map_err(|_| io::ErrorKind::ConnectionReset);
        // The parser that has enough, or refuses what it reads, listens no more.
        if send.send(part).await.is_err() {
            break;
        }
    }
    drop(send);
    parsed.await.unwrap_or(Err(AskError::NotUnderstood))
}

/// The parts of a body, as a reader.
#[derive(Debug)]
struct Parts {
    parts: mpsc::Receiver<Result<Bytes, io::ErrorKind>>,
    current: Bytes,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.current = part?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        let part = self.current.split_to(count);
        buffer.iter_mut().zip(&part).for_each(|(to, from)| *to = *from);
        Ok(count)
    }
}

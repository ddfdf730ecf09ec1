//! A client of one connection, HTTP/1.1 or HTTP/2, and sockets that misbehave.

use std::net::SocketAddr;

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

pub const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// Why a request has no answer.
#[derive(Debug)]
pub struct Unanswered {
    pub error: hyper::Error,
    /// It never went out, or the server's goodbye says that it was not taken up.
    pub may_be_repeated: bool,
}

/// Whether the server said goodbye on HTTP/2, without a fault, before it took the request up (GOAWAY; RFC 9113, 6.8).
fn is_left_out(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("not a result of an error"))
}

/// An open connection. Closed when dropped.
pub struct Client {
    sender: Sender,
    driver: tokio::task::JoinHandle<()>,
}

enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Client {
    pub async fn connect(address: SocketAddr, protocol: Protocol) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await?;
                let driver = tokio::spawn(async move { drop(connection.await) });
                Self {
                    sender: Sender::Http1(sender),
                    driver,
                }
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                let driver = tokio::spawn(async move { drop(connection.await) });
                Self {
                    sender: Sender::Http2(sender),
                    driver,
                }
            }
        })
    }

    /// Whether another request may be sent. HTTP/1.1 waits until the last answer was read.
    pub async fn is_ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    pub async fn send(&mut self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        self.try_send(request).await.map_err(TrySendError::into_error)
    }

    /// The error has the request in it if that never went out.
    async fn try_send(
        &mut self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                request
                    .headers_mut()
                    .insert("host", hyper::header::HeaderValue::from_static("test"));
                sender.try_send_request(request).await
            }
            Sender::Http2(sender) => {
                let uri = format!("http://test{}", request.uri());
                *request.uri_mut() = uri.parse().unwrap();
                sender.try_send_request(request).await
            }
        }
    }

    /// Status and text of a `GET`.
    pub async fn get(&mut self, path: &str) -> hyper::Result<(StatusCode, String)> {
        self.try_get(path).await.map_err(|unanswered| unanswered.error)
    }

    /// The same, and whether a request without an answer may be sent again elsewhere, as every client with a pool of
    /// connections does.
    pub async fn try_get(&mut self, path: &str) -> Result<(StatusCode, String), Unanswered> {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.try_send(request).await.map_err(|failed| {
            let unsent = failed.message().is_some();
            let error = failed.into_error();
            Unanswered {
                may_be_repeated: unsent || is_left_out(&error),
                error,
            }
        })?;
        let status = response.status();
        let text = response.into_body().collect().await.map_err(|error| Unanswered {
            may_be_repeated: false,
            error,
        })?;
        Ok((status, String::from_utf8_lossy(&text.to_bytes()).into_owned()))
    }

    /// Waits until the server has closed the connection.
    pub async fn closed(self) {
        let Self { sender, driver } = self;
        driver.await.unwrap();
        drop(sender);
    }

    /// Breaks the connection off, now.
    pub fn abort(self) {
        self.driver.abort();
    }
}

//! A client of one connection, HTTP/1.1 or HTTP/2, and sockets that misbehave.

use std::net::SocketAddr;

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

pub const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

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

    pub async fn send(&mut self, mut request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                request
                    .headers_mut()
                    .insert("host", hyper::header::HeaderValue::from_static("test"));
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                let uri = format!("http://test{}", request.uri());
                *request.uri_mut() = uri.parse().unwrap();
                sender.send_request(request).await
            }
        }
    }

    /// Status and text of a `GET`.
    pub async fn get(&mut self, path: &str) -> hyper::Result<(StatusCode, String)> {
        let response = self.send(Request::get(path).body(Body::empty()).unwrap()).await?;
        let status = response.status();
        let text = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
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

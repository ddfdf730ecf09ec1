//! Connections, and single requests on them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::engine::error::LoadError;
use crate::record::{Failure, Outcome};
use crate::target::Origin;

/// A request with a body that is sent in one piece.
pub(super) type Message = Request<Full<Bytes>>;

/// Makes connections to one host.
#[derive(Debug)]
pub(super) struct Connector {
    /// Looked up once, so that the test asks no name server.
    addresses: Vec<SocketAddr>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    http2: bool,
    /// As messages name it.
    name: String,
}

impl Connector {
    /// Looks the host up.
    pub(super) async fn new(origin: &Origin, tls: &Arc<ClientConfig>, http2: bool) -> Result<Self, LoadError> {
        let Origin { secure, host, port } = origin;
        let scheme = if *secure { "https" } else { "http" };
        let shown = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        let name = format!("{scheme}://{shown}:{port}");
        let unreachable = |reason: String| LoadError::Unreachable {
            origin: name.clone(),
            reason,
        };
        let addresses: Vec<_> = lookup_host((host.as_str(), *port))
            .await
            .map_err(|error| unreachable(error.to_string()))?
            .collect();
        let tls = if *secure {
            let server = ServerName::try_from(host.clone()).map_err(|error| unreachable(error.to_string()))?;
            Some((Arc::clone(tls), server))
        } else {
            None
        };
        Ok(Self {
            addresses,
            tls,
            http2,
            name,
        })
    }

    /// Makes a connection and closes it, so that a service that can't be reached is told before the test.
    pub(super) async fn check(&self, timeout: Duration) -> Result<(), LoadError> {
        let origin = || self.name.clone();
        let connected = tokio::time::timeout(timeout, self.connect()).await;
        match connected.unwrap_or_else(|_| Err(ConnectError::Tcp(format!("no connection within {timeout:?}")))) {
            Ok(_) => Ok(()),
            Err(ConnectError::Tcp(reason)) => Err(LoadError::Unreachable {
                origin: origin(),
                reason,
            }),
            Err(ConnectError::Tls(reason)) => Err(LoadError::Handshake {
                origin: origin(),
                reason,
            }),
            Err(ConnectError::Http(_)) => Err(LoadError::NoHttp2 { origin: origin() }),
        }
    }

    pub(super) async fn connect(&self) -> Result<Sender, ConnectError> {
        let tcp = TcpStream::connect(self.addresses.as_slice())
            .await
            .map_err(|error| ConnectError::Tcp(error.to_string()))?;
        tcp.set_nodelay(true)
            .map_err(|error| ConnectError::Tcp(error.to_string()))?;
        let Some((config, server)) = &self.tls else {
            return self.handshake(tcp).await;
        };
        let tls = TlsConnector::from(Arc::clone(config))
            .connect(server.clone(), tcp)
            .await
            .map_err(|error| not_encrypted(&error))?;
        if self.http2 && tls.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(ConnectError::Http("no HTTP/2".to_owned()));
        }
        self.handshake(tls).await
    }

    async fn handshake<S>(&self, stream: S) -> Result<Sender, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(stream);
        let wrong = |error: hyper::Error| ConnectError::Http(told(&error));
        // A connection whose task has ended refuses its next request, which is where its end is noticed.
        if self.http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.map_err(wrong)?;
            tokio::spawn(connection);
            Ok(Sender::Http2(sender))
        } else {
            let (sender, connection) = http1::handshake(stream).await.map_err(wrong)?;
            tokio::spawn(connection);
            Ok(Sender::Http1(sender))
        }
    }
}

/// Why there is no TLS session.
fn not_encrypted(error: &std::io::Error) -> ConnectError {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            ConnectError::Http(error.to_string())
        }
        _ => ConnectError::Tls(error.to_string()),
    }
}

/// At which step a connection failed, and what was said.
#[derive(Debug)]
pub(super) enum ConnectError {
    Tcp(String),
    Tls(String),
    Http(String),
}

impl From<ConnectError> for Outcome {
    fn from(error: ConnectError) -> Self {
        let (ConnectError::Tcp(detail) | ConnectError::Tls(detail) | ConnectError::Http(detail)) = error;
        Self::Failed {
            failure: Failure::Connect,
            detail,
        }
    }
}

/// Takes requests for a connection.
#[derive(Debug)]
pub(super) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A request that was not answered.
struct Unanswered {
    error: hyper::Error,
    /// The request, where not a byte of it was sent.
    unsent: Option<Message>,
}

impl Sender {
    /// Whether the connection takes further requests.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Http1(sender) => !sender.is_closed(),
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    /// A sender for the same connection; `None` where it takes one request at a time.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    /// Sends a request and reads its whole answer. A request of which nothing was sent, because the server had closed the
    /// connection meanwhile, is given back.
    pub(super) async fn exchange(&mut self, message: Message) -> Result<Outcome, Message> {
        match self.send(message).await {
            Ok(response) => Ok(read(response).await),
            Err(Unanswered {
                unsent: Some(message), ..
            }) => Err(message),
            Err(Unanswered { error, unsent: None }) => Ok(failed(&error)),
        }
    }

    async fn send(&mut self, message: Message) -> Result<Response<Incoming>, Unanswered> {
        match self {
            Self::Http1(sender) => {
                if let Err(error) = sender.ready().await {
                    let unsent = Some(message);
                    return Err(Unanswered { error, unsent });
                }
                sender
                    .try_send_request(message)
                    .await
                    .map_err(|mut refused| Unanswered {
                        unsent: refused.take_message(),
                        error: refused.into_error(),
                    })
            }
            Self::Http2(sender) => {
                if let Err(error) = sender.ready().await {
                    let unsent = Some(message);
                    return Err(Unanswered { error, unsent });
                }
                sender
                    .try_send_request(message)
                    .await
                    .map_err(|mut refused| Unanswered {
                        unsent: refused.take_message(),
                        error: refused.into_error(),
                    })
            }
        }
    }
}

async fn read(response: Response<Incoming>) -> Outcome {
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut bytes = 0;
    while !body.is_end_stream() {
        match body.frame().await {
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(error)) => return failed(&error),
            None => break,
        }
    }
    Outcome::Answered { status, bytes }
}

fn failed(error: &hyper::Error) -> Outcome {
    let failure = if error.is_parse() {
        Failure::Protocol
    } else {
        Failure::ConnectionLost
    };
    Outcome::Failed {
        failure,
        detail: told(error),
    }
}

/// An error with its causes.
fn told(error: &hyper::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The HTTP version of requests.
pub(super) const fn version(http2: bool) -> Version {
    if http2 { Version::HTTP_2 } else { Version::HTTP_11 }
}

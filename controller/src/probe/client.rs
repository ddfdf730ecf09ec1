//! One GET to a pod, bounded in time, bytes and memory, whose page is read while it arrives.
//!
//! It goes to the address that it is given: there are no names to look up, no proxy and no redirect, and it carries no
//! credentials. What the pod answers leaves this file as a [`Page`] or as a class of error.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use controller_core::detect::{Page, PageReader};
use controller_core::probe::PageError;
use exposition::{Format, Limits, ReadError};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of the headers of an answer.
const MAX_HEAD: usize = 16 * 1024;
/// Bytes of a line.
const MAX_LINE: usize = 64 * 1024;
/// What is read of a page. A page of ten thousand series has about 1.5 MiB.
const LIMITS: Limits = Limits {
    bytes: 8 << 20,
    samples: 50_000,
    labels: 64,
    metadata: 256 << 10,
};

/// Reads the page of metrics at an address and a path, within a time.
pub(crate) async fn read_page(address: SocketAddr, path: &str, time: Duration) -> Result<Page, PageError> {
    let page = async {
        let stream = connect(address).await?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD).max_headers(64);
        let connection = builder.handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connection.map_err(|_| PageError::Unreachable)?;
        // The connection ends with this request, whatever the pod still sends.
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let answer = sender.send_request(request(address, path)?).await;
        let answer = answer.map_err(|_| PageError::Unreachable)?;
        let format = format(answer.status(), answer.headers())?;
        read_body(answer.into_body(), format).await
    };
    tokio::time::timeout(time, page)
        .await
        .unwrap_or(Err(PageError::TooSlow))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, PageError> {
    match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Err(PageError::NoListener),
        Ok(Err(_)) | Err(_) => Err(PageError::Unreachable),
    }
}

fn request(address: SocketAddr, path: &str) -> Result<Request<Empty<Bytes>>, PageError> {
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(ACCEPT, Format::ACCEPT)
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, concat!("monitored-api/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new());
    request.map_err(|_| PageError::NotFound)
}

/// The format of the page that an answer announces.
fn format(status: StatusCode, headers: &HeaderMap) -> Result<Format, PageError> {
    match status {
        StatusCode::OK => {}
        _ if status.is_redirection() => return Err(PageError::Redirected),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(PageError::Unauthorized),
        StatusCode::NOT_FOUND => return Err(PageError::NotFound),
        _ => return Err(PageError::ErrorStatus),
    }
    let value = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if !matches!(value(CONTENT_ENCODING), "" | "identity") {
        return Err(PageError::Compressed);
    }
    match value(CONTENT_TYPE) {
        html if html.starts_with("text/html") => Err(PageError::WebPage),
        open_metrics if open_metrics.starts_with("application/openmetrics-text") => Ok(Format::OpenMetrics),
        _ => Ok(Format::Text),
    }
}

async fn read_body(mut body: Incoming, format: Format) -> Result<Page, PageError> {
    let mut reader = PageReader::new(format, LIMITS);
    let mut line = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| PageError::Unreachable)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let mut rest = &*data;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (last, after) = rest.split_at(end);
            append(&mut line, last)?;
            reader.push_line(&line).map_err(|error| class(&error))?;
            line.clear();
            rest = after.get(1..).unwrap_or_default();
        }
        append(&mut line, rest)?;
    }
    if !line.is_empty() {
        reader.push_line(&line).map_err(|error| class(&error))?;
    }
    reader.finish().map_err(|error| class(&error))
}

fn append(line: &mut Vec<u8>, part: &[u8]) -> Result<(), PageError> {
    if line.len() + part.len() > MAX_LINE {
        return Err(PageError::TooLarge);
    }
    line.extend_from_slice(part);
    Ok(())
}

fn class(error: &ReadError) -> PageError {
    match error.reason.is_of_limits() {
        true => PageError::TooLarge,
        false => PageError::Malformed,
    }
}

#[cfg(test)]
mod tests;

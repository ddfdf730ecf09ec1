//! `monitored-app healthcheck`: asks a service for its health, for containers that have no shell and no curl.
//!
//! Plain HTTP/1.1 over the standard library: no runtime to start, no TLS.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

/// How long connecting, sending and receiving may take each. Under Docker's and Kubernetes' usual timeouts.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why a service does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    /// Not a URL that this can ask.
    #[error("{url} is not of the form http://host:port/path")]
    Url {
        /// What was given.
        url: String,
    },
    /// No answer.
    #[error("{authority} does not answer: {source}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// Why.
        source: io::Error,
    },
    /// An answer that is not 2xx.
    #[error("{url} answered {answer:?}")]
    Unhealthy {
        /// What was asked.
        url: String,
        /// The first line of the answer.
        answer: String,
    },
}

/// Asks a URL; well if the answer is 2xx.
///
/// # Errors
/// The URL cannot be asked, nothing answers, or the answer is not 2xx.
pub fn check(url: &str) -> Result<(), HealthcheckError> {
    let (authority, path) = split(url).ok_or_else(|| HealthcheckError::Url { url: url.to_owned() })?;
    let answer = ask(authority, path).map_err(|source| HealthcheckError::Unreachable {
        authority: authority.to_owned(),
        source,
    })?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if answer.starts_with("HTTP/1.") && status.len() == 3 && status.starts_with('2') {
        return Ok(());
    }
    Err(HealthcheckError::Unhealthy {
        url: url.to_owned(),
        answer,
    })
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    (!authority.is_empty() && url.chars().all(|character| character.is_ascii_graphic())).then_some((authority, path))
}

/// The first line of the answer.
fn ask(authority: &str, path: &str) -> io::Result<String> {
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let with_port = if has_port {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in with_port.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => return exchange(stream, authority, path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(mut stream: TcpStream, authority: &str, path: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut line = Vec::new();
    // A status line is short; what answers with more is not our service.
    BufReader::new(stream.take(256)).read_until(b'\n', &mut line)?;
    let line = line.trim_ascii_end();
    Ok(String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_urls_are_asked() {
        assert_eq!(
            split("http://127.0.0.1:8000/health/ready"),
            Some(("127.0.0.1:8000", "/health/ready"))
        );
        assert_eq!(split("http://[::1]:8000"), Some(("[::1]:8000", "/")));
        assert_eq!(split("https://127.0.0.1/"), None);
        assert_eq!(split("http:///x"), None);
        assert_eq!(split("http://a/ HTTP/1.1\r\nx:"), None);
    }
}

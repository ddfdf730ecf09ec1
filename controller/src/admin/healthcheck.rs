//! Asks a running operator whether it is well: for images without a shell.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail};

/// Longest wait for the connection, and for the answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// GETs a plain HTTP URL; anything but 200 is an error.
pub(crate) fn ask(url: &str) -> anyhow::Result<()> {
    let rest = url
        .strip_prefix("http://")
        .with_context(|| format!("{url}: expected http://HOST:PORT/PATH"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = if authority.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let address = host
        .to_socket_addrs()
        .with_context(|| format!("{host}: no such host"))?
        .next()
        .with_context(|| format!("{host}: no such host"))?;
    let mut stream =
        TcpStream::connect_timeout(&address, PATIENCE).with_context(|| format!("nothing answers on {host}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: a server that answers early and closes would break the pipe of the next.
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream
        .take(4096)
        .read_to_string(&mut answer)
        .with_context(|| format!("no answer from {host}"))?;
    let status = answer.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        bail!("{url} answered {status}: {}", body.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_well_operator_passes() {
        ask(&server("HTTP/1.1 200 OK\r\n\r\nok\n")).unwrap();
    }

    #[test]
    fn an_unwell_one_fails_with_its_own_words() {
        let error = ask(&server(
            "HTTP/1.1 503 Service Unavailable\r\n\r\nthe event loop hangs\n",
        ))
        .unwrap_err();
        assert!(error.to_string().contains("the event loop hangs"), "{error}");
    }

    #[test]
    fn another_scheme_is_refused_with_what_was_expected() {
        let error = ask("https://127.0.0.1/healthz").unwrap_err();
        assert!(error.to_string().contains("expected http://"), "{error}");
    }
}

//! Waits for a connection's first request without taking its bytes out of the kernel's buffer. hyper's buffers are
//! allocated only when a whole head is there, so a client that sends nothing, or a head byte by byte, takes little memory.

use std::{
    io::{ErrorKind, Result},
    time::Instant,
};

use rustix::net::{RecvFlags, recv};
use tokio::{io::Interest, net::TcpStream};

use super::activity::Activity;

/// A longer head is read by hyper as it arrives, because the kernel's buffer may have no room for all of it.
const LONG_BYTES: usize = 4 * 1024;

/// How requests of Kubernetes' probes begin.
const PROBES: [&[u8]; 3] = [b"GET /health/live ", b"GET /health/ready ", b"GET /health/startup "];
/// As many bytes as the longest of them has.
const PROBE_BYTES: usize = 20;
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Length of a frame header, which follows the preface (RFC 9113, 4.1).
const FRAME_HEAD_BYTES: usize = 9;

/// Waits until the head of the first request is there, or bytes that cannot be one, or the client has closed. Reads no
/// byte.
///
/// # Errors
/// The connection is broken.
pub(super) async fn first_head(stream: &TcpStream, activity: &Activity) -> Result<()> {
    loop {
        if stream.ready(Interest::READABLE).await?.is_read_closed() {
            return Ok(());
        }
        // `WouldBlock` makes tokio treat the socket as not readable until more bytes arrive.
        match stream.try_io(Interest::READABLE, || look(stream, activity)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            looked => return looked,
        }
    }
}

/// Whether the first request is a probe's. Reads no byte. Call it after [`first_head`].
pub(super) fn is_probe(stream: &TcpStream) -> bool {
    let mut seen = [0; PROBE_BYTES];
    let length = recv(stream, &mut seen[..], RecvFlags::PEEK).map_or(0, |(length, _)| length);
    let seen = seen.get(..length).unwrap_or_default();
    PROBES.iter().any(|probe| seen.starts_with(probe))
}

fn look(stream: &TcpStream, activity: &Activity) -> Result<()> {
    let mut seen = [0; LONG_BYTES];
    let (head, _) = recv(stream, &mut seen[..], RecvFlags::PEEK)?;
    let seen = seen.get(..head).unwrap_or_default();
    if !seen.is_empty() {
        activity.read(Instant::now());
    }
    if needs_more(seen) {
        return Err(ErrorKind::WouldBlock.into());
    }
    Ok(())
}

/// Whether these bytes may be the incomplete beginning of a request's head.
fn needs_more(seen: &[u8]) -> bool {
    if seen.is_empty() || seen.len() >= LONG_BYTES {
        return false;
    }
    if HTTP2_PREFACE.starts_with(seen) || seen.starts_with(HTTP2_PREFACE) {
        return seen.len() < HTTP2_PREFACE.len() + FRAME_HEAD_BYTES;
    }
    let is_binary = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\r' | b'\n' | b'\t');
    let first = seen.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_other = first.len() < seen.len() && !first.windows(5).any(|window| window == b"HTTP/");
    // hyper takes lines that end without a carriage return, too.
    let ended = seen.windows(2).any(|pair| pair == b"\n\n") || seen.windows(3).any(|three| three == b"\n\r\n");
    !(ended || is_other || seen.iter().any(is_binary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_waited_for_to_its_empty_line() {
        for part in [
            "G",
            "GET / HT",
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n\r",
            "PRI",
            "PRI * HTTP/2.0\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            assert!(needs_more(part.as_bytes()), "{part:?}");
        }
        assert!(!needs_more(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(!needs_more(b"GET / HTTP/1.1\nHost: x\n\nbody"));
        assert!(!needs_more(&[HTTP2_PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat()));
    }

    #[test]
    fn bytes_that_cannot_become_a_head_are_not_waited_for() {
        assert!(!needs_more(b""), "the client's end");
        assert!(!needs_more(b"\x16\x03\x01"), "TLS");
        assert!(!needs_more(b"hello\r\n"), "some other protocol");
        assert!(!needs_more(&[b'a'; LONG_BYTES]), "too long");
    }
}

//! The accept loop: accepts connections up to the cap, until the process stops.
//!
//! Our own, because axum 0.8's `serve` has no timeouts: a client that sends nothing would hold a connection for ever.

mod activity;
mod arrival;
mod body;
mod connection;
mod io;
mod per_address;
mod progress;

use std::{
    io::{ErrorKind, Result},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
};

use self::per_address::ConnectionsPerAddress;
use crate::{config::Limits, telemetry::Connections};

/// The largest head of a request, bytes; it is the size of hyper's read buffer. A larger one is answered with 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Connections that the kernel holds while we are busy.
const BACKLOG: u32 = 1_024;
/// File descriptors that are not connections: the store's files, the runtime's, the log, refused clients'.
const OTHER_FILES: u64 = 128;
/// Pause after a failed accept (no file descriptors, usually), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Refused clients that are sent a response at the same time; further ones are closed without one, because each takes a
/// file descriptor.
const REFUSALS: usize = OTHER_FILES as usize / 2;
/// How long a refused client may take to read that.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);
/// The response to a connection over the cap.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Binds the address. Where the kernel has no IPv6, `[::]` means every IPv4 address.
///
/// # Errors
/// The address is taken or not ours.
pub fn listen(address: SocketAddr) -> Result<TcpListener> {
    listen_by(address, bind)
}

fn listen_by<T>(address: SocketAddr, bind: impl Fn(SocketAddr) -> Result<T>) -> Result<T> {
    match bind(address) {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && lacks_ipv6(&error) => {
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
        }
        result => result,
    }
}

fn lacks_ipv6(error: &std::io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(
        code,
        Some(rustix::io::Errno::AFNOSUPPORT | rustix::io::Errno::ADDRNOTAVAIL)
    )
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // `[::]` takes IPv4 too, whatever the host's default is.
            rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
            socket
        }
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `closing` becomes true, then waits for connections to end, at most for the grace. Those that are served
/// count as open in `connections`.
pub async fn serve(
    listener: TcpListener,
    service: Router,
    limits: Limits,
    grace: Duration,
    connections: Connections,
    mut closing: watch::Receiver<bool>,
) {
    let cap = connection_cap(limits.connections);
    let permits = Arc::new(Semaphore::new(cap as usize));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let per_address = ConnectionsPerAddress::new(limits.connections_per_ip);
    let settings = connection::ConnectionSettings::new(limits);
    loop {
        let accepted = tokio::select! {
            _ = closing.wait_for(|close| *close) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        let permit = Arc::clone(&permits).try_acquire_owned().ok();
        let Some(room) = permit.zip(per_address.enter(client.ip())) else {
            if let Ok(refusal) = Arc::clone(&refusals).try_acquire_owned() {
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(REFUSAL_PATIENCE, refuse(stream)).await;
                    drop(refusal);
                });
            }
            continue;
        };
        let open = connections.open();
        let serving = connection::serve(stream, service.clone(), settings.clone(), closing.clone());
        tokio::spawn(async move {
            serving.await;
            drop((room, open));
        });
    }
    drop(listener);
    if tokio::time::timeout(grace, permits.acquire_many(cap)).await.is_err() {
        let open = cap as usize - permits.available_permits();
        tracing::warn!(
            connections = open,
            "the grace period is over: open connections are closed"
        );
    }
}

/// The cap, no higher than what the limit on open files leaves. Raises that limit as far as it may go.
fn connection_cap(wanted: usize) -> u32 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() {
        limit.maximum
    } else {
        limit.current
    };
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES).max(1));
    let cap = room.min(u64::try_from(wanted).unwrap_or(u64::MAX));
    if cap < wanted as u64 {
        tracing::warn!(cap, wanted, "the limit on open files lowers the cap on connections");
    }
    u32::try_from(cap).unwrap_or(u32::MAX)
}

/// Sends the client a 503, then reads until the client closes: a connection that is closed while its request is unread
/// is reset, and the client would never see the response.
async fn refuse(mut stream: TcpStream) -> Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1_024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

async fn pause_after(error: &std::io::Error) {
    // These errors concern one connection only, which is already gone.
    if matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
    ) {
        return;
    }
    tracing::warn!(error = %error, "accepting a connection failed");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, io::Error};

    use rustix::io::Errno;

    use super::*;

    /// What is bound on a machine that answers IPv6 addresses with this error.
    fn bound(address: &str, error: Errno) -> Result<Vec<SocketAddr>> {
        let tried = RefCell::new(Vec::new());
        listen_by(address.parse().unwrap(), |address| {
            tried.borrow_mut().push(address);
            if address.is_ipv6() {
                return Err(Error::from(error));
            }
            Ok(())
        })?;
        Ok(tried.into_inner())
    }

    #[test]
    fn where_ipv6_is_missing_every_address_is_every_ipv4_address() {
        for missing in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
            let tried = bound("[::]:8000", missing).unwrap();
            assert_eq!(tried.last(), Some(&"0.0.0.0:8000".parse().unwrap()));
        }
    }

    #[test]
    fn an_address_that_was_named_and_a_port_that_is_taken_are_errors() {
        assert!(bound("[::1]:8000", Errno::AFNOSUPPORT).is_err());
        assert!(bound("[::]:8000", Errno::ADDRINUSE).is_err());
    }
}

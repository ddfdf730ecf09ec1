//! The accept loop: accepts connections up to the cap, until the process stops.
//!
//! Our own, because axum 0.8's `serve` has no timeouts: a client that sends nothing would hold a connection for ever.
//!
//! It has a thread of its own, which also waits for first requests, answers probes and sends clients away. All other requests
//! are served by the main runtime. So probes are answered however many requests there are.

mod activity;
mod arrival;
mod body;
mod connection;
mod io;
mod over_cap;
mod own_thread;
mod per_address;
mod pressure;
mod progress;
mod room;
mod waiting;

use std::{
    io::{ErrorKind, Result},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use rustix::net::sockopt;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use self::{
    connection::{ConnectionSettings, FirstRequest},
    over_cap::{ANSWERS_OVER_CAP, OverCap},
    per_address::{AddressGuard, ConnectionsPerAddress},
    pressure::Pressure,
    room::ServedConnections,
};
use crate::{config::Limits, telemetry::Connections};

/// The largest head of a request, bytes; it is the size of hyper's read buffer. A larger one is answered with 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Connections that the kernel holds until they are accepted; one more has to try again after a second, which is as long as
/// probes wait. As many as Linux allows by default.
const BACKLOG: u32 = 4_096;
/// File descriptors that are not clients': the store's files, the runtime's, the log.
const OTHER_FILES: u64 = 64;
/// Pause after a failed accept (no file descriptors, usually), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The most clients over the cap that may wait for their request to arrive, and the most of them that may wait for a connection
/// that closes. Where memory allows few connections, no more may wait than are served.
const MOST_WAITING: u64 = 1_024;
/// So many may always wait.
const LEAST_WAITING: u64 = 64;

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
            sockopt::set_ipv6_v6only(&socket, false)?;
            socket
        }
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `closing` becomes true, then waits for connections to end, at most for the grace. Those that are served
/// count as open in `connections`. Requests are served by the runtime that calls this.
///
/// # Errors
/// The thread that accepts connections cannot be made.
pub async fn serve(
    listener: TcpListener,
    service: Router,
    limits: Limits,
    grace: Duration,
    connections: Connections,
    closing: watch::Receiver<bool>,
) -> Result<()> {
    let main = Handle::current();
    if let Some(bytes) = limits.socket_buffer_bytes() {
        bound_buffers(&listener, bytes);
    }
    let listener = listener.into_std()?;
    own_thread::run("accept", move || async move {
        match TcpListener::from_std(listener) {
            Ok(listener) => accept(listener, service, limits, grace, connections, closing, main).await,
            Err(error) => tracing::error!(%error, "connections cannot be accepted"),
        }
    })
    .await
}

/// Accepts connections on the thread that calls this, and has `main` serve their requests.
async fn accept(
    listener: TcpListener,
    service: Router,
    limits: Limits,
    grace: Duration,
    connections: Connections,
    mut closing: watch::Receiver<bool>,
    main: Handle,
) {
    let (cap, waiting) = connection_cap(limits.connections);
    let permits = Arc::new(Semaphore::new(cap as usize));
    let per_address = ConnectionsPerAddress::new(limits.connections_per_ip);
    let pressure = Pressure::new(Instant::now());
    let served = ServedConnections::default();
    let settings = ConnectionSettings::new(limits, pressure.clone(), served.clone());
    let over_cap = OverCap::new(waiting, Arc::clone(&permits), served);
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
        let share = per_address.enter(client.ip());
        let serving = Serving {
            service: service.clone(),
            settings: settings.clone(),
            connections: connections.clone(),
            closing: closing.clone(),
            main: main.clone(),
        };
        match (permit, share) {
            (Some(permit), Some(share)) => drop(tokio::spawn(serving.serve(stream, permit, share))),
            (Some(_), None) => {
                let place = over_cap.enter().await;
                over_cap.spawn_refusal(stream, place);
            }
            (None, share) => {
                pressure.sent_away(Instant::now());
                let place = over_cap.enter().await;
                over_cap.spawn_answer(stream, place, share, serving);
            }
        }
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

/// Bounds what may wait in the kernel for each connection that is accepted from now on, in each direction.
fn bound_buffers(listener: &TcpListener, bytes: usize) {
    // The kernel doubles the number.
    let asked = bytes / 2;
    let bounded = sockopt::set_socket_send_buffer_size(listener, asked)
        .and_then(|()| sockopt::set_socket_recv_buffer_size(listener, asked));
    if let Err(error) = bounded {
        tracing::warn!(%error, "the buffers of connections cannot be bounded");
    }
}

/// The cap, no higher than what the limit on open files leaves, and how many clients over it may wait. Raises that limit
/// as far as it may go.
fn connection_cap(wanted: usize) -> (u32, usize) {
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
    let files = files.unwrap_or(u64::MAX);
    let waiting = (files / 16).clamp(8, MOST_WAITING);
    let others = OTHER_FILES + 2 * (ANSWERS_OVER_CAP + waiting);
    let room = files.saturating_sub(others).max(1);
    let cap = room.min(u64::try_from(wanted).unwrap_or(u64::MAX));
    if cap < wanted as u64 {
        tracing::warn!(cap, wanted, "the limit on open files lowers the cap on connections");
    }
    let waiting = waiting.min(cap.max(LEAST_WAITING));
    (u32::try_from(cap).unwrap_or(u32::MAX), waiting as usize)
}

/// What a connection needs to be served.
#[derive(Debug)]
struct Serving {
    service: Router,
    settings: ConnectionSettings,
    connections: Connections,
    closing: watch::Receiver<bool>,
    /// Serves requests other than probes'.
    main: Handle,
}

impl Serving {
    /// Serves a connection to its end, for as long as it has its permit and its address's share.
    async fn serve(mut self, stream: TcpStream, permit: OwnedSemaphorePermit, share: AddressGuard) {
        let held = (permit, share, self.connections.open());
        let Some(first) = FirstRequest::wait(stream, &self.settings, &mut self.closing).await else {
            return;
        };
        if first.is_probe() {
            self.answer_probe(first).await;
        } else {
            first.serve_on(&self.main, self.service, self.settings, self.closing, held);
        }
    }

    /// Serves a connection over the cap, which does not count as open.
    async fn serve_probe(mut self, stream: TcpStream) {
        if let Some(first) = FirstRequest::wait(stream, &self.settings, &mut self.closing).await {
            self.answer_probe(first).await;
        }
    }

    /// Answers one request, here: further ones might be others than probes'.
    async fn answer_probe(self, first: FirstRequest) {
        let settings = self.settings.for_one_request();
        // Boxed, so that a connection that still waits takes less memory.
        Box::pin(first.serve(self.service, settings, self.closing)).await;
    }
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

//! Ports on which a program can listen.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context as _, Result};

/// Ports of 127.0.0.1 on which nobody listens; all are different.
///
/// # Errors
/// When the system has none left.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    // All are held until the last is found, so that none is found twice.
    let mut listeners = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// One of them, as an address.
///
/// # Errors
/// When the system has none left.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let [port] = free_ports()?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

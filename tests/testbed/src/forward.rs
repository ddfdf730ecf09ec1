//! Forwarders: they accept on 127.0.0.1 of the host, connect inside the test bed, and copy bytes in both directions.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::wire;

/// Listens on 127.0.0.1:`port` (0: any free one) and forwards to `target` inside until the process ends; returns the port.
pub(crate) fn listen(inner_socket: PathBuf, port: u16, target: String) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("listen on port {port}"))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (socket, target) = (inner_socket.clone(), target.clone());
            std::thread::spawn(move || {
                // If the connection inside is refused, the one outside is closed.
                if let Ok(server) = wire::dial(&socket, &target) {
                    copy_both_ways(&client, &server);
                }
            });
        }
    });
    Ok(port)
}

fn copy_both_ways(client: &TcpStream, server: &TcpStream) {
    // TCP_NODELAY: otherwise small writes wait for acknowledgements. If it can't be set, that only costs time.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    std::thread::scope(|scope| {
        scope.spawn(|| copy(client, server));
        copy(server, client);
    });
}

/// Copies until the end of `from`, then tells `to` that no more will come.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    // A broken connection ends this direction either way.
    let result = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    if result.is_err() {
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

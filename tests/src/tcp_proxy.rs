//! A TCP proxy by which a test cuts every open and new connection, and later lets them through again.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

#[derive(Debug, Default)]
struct Shared {
    cut: AtomicBool,
    ended: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    /// How much later arrives what a client sends.
    delay: Mutex<Duration>,
}

impl Shared {
    fn close_all(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A running proxy; it stops when this is dropped.
#[derive(Debug)]
pub struct TcpProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl TcpProxy {
    /// Starts a proxy on 127.0.0.1 for an address.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listen on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if of_thread.ended.load(Ordering::SeqCst) {
                    return;
                }
                // When the proxy cuts, the client's connection ends at once.
                if !of_thread.cut.load(Ordering::SeqCst) {
                    // If the upstream is gone, the client sees the same.
                    let _ = join(&of_thread, client, upstream);
                }
            }
        });
        Ok(Self { shared, address })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections, and from now on every new one.
    pub fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
        self.shared.close_all();
    }

    /// From now on, what a client sends arrives so much later.
    pub fn delay(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// Lets new connections through again.
    pub fn heal(&self) {
        self.shared.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.close_all();
        // Wakes the thread that accepts; it may be gone.
        let _ = TcpStream::connect(self.address);
    }
}

fn join(shared: &Arc<Shared>, client: TcpStream, upstream: SocketAddr) -> Result<()> {
    let server = TcpStream::connect(upstream)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    {
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push(client.try_clone()?);
        open.push(server.try_clone()?);
    }
    let of_thread = Arc::clone(shared);
    copy(client.try_clone()?, server.try_clone()?, move || {
        let delay = *of_thread.delay.lock().unwrap_or_else(PoisonError::into_inner);
        thread::sleep(delay);
    });
    copy(server, client, || ());
    if shared.cut.load(Ordering::SeqCst) {
        // The cut happened after the check above.
        shared.close_all();
    }
    Ok(())
}

/// Calls `wait` before everything that it passes on.
fn copy(mut from: TcpStream, mut to: TcpStream, wait: impl Fn() + Send + 'static) {
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let Some(bytes) = buffer.get(..count) else { break };
            wait();
            if to.write_all(bytes).is_err() {
                break;
            }
        }
        for stream in [from, to] {
            // The other direction may have ended it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}

//! Why a load test cannot begin.

use std::io;
use std::path::PathBuf;

/// Why a load test cannot begin. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The system refuses what the generator needs.
    #[error("can't start the load generator: {0}")]
    Start(#[from] io::Error),
    /// Nothing answers there.
    #[error("{origin}: {reason}: start the service, or correct the address")]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// What the system said.
        reason: String,
    },
    /// No encrypted connection is possible.
    #[error(
        "{origin}: TLS: {reason}: name the file of its root certificates by --cacert, accept any certificate by --insecure, or use http://"
    )]
    Handshake {
        /// Scheme, host and port.
        origin: String,
        /// What rustls said.
        reason: String,
    },
    /// The server speaks HTTP/1.1 only.
    #[error("{origin}: the server does not speak HTTP/2: leave out --http2")]
    NoHttp2 {
        /// Scheme, host and port.
        origin: String,
    },
    /// The file of root certificates can't be used.
    #[error("--cacert: {}: {reason}: use a PEM file with the root certificates of the service", file.display())]
    Certificates {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS can't be set up at all.
    #[error("can't set up TLS: {0}")]
    Tls(String),
    /// Too many connections for this process.
    #[error(
        "{option}: {needed} open files would be needed, and at most {allowed} are allowed: use fewer connections, or raise the limit by ulimit -n {needed}"
    )]
    OpenFiles {
        /// The option that sets the number of connections.
        option: &'static str,
        /// Connections, and what else the process has open.
        needed: u64,
        /// The limit.
        allowed: u64,
    },
    /// The process was interrupted before the first request.
    #[error("stopped before the test began")]
    Stopped,
}

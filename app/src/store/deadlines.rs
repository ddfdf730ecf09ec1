//! How long statements may take, on both databases.

use std::{io, time::Duration};

/// How long a statement may take. PostgreSQL gives up by itself (see `pools.rs`), SQLite is interrupted.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement is waited for: for a server that is not there any more without the connection having ended, and a
/// disk that does not answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

/// The error of a statement that was waited for too long.
pub(super) fn late() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::TimedOut.into())
}

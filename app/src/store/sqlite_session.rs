//! A connection to SQLite in use. SQLite runs a statement on a thread of the connection until it ends, so a statement that
//! takes too long, or whose request is gone, is interrupted here: else it would hold its connection as long as it likes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Sqlite, SqliteConnection, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteQueryResult, SqliteRow},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    deadlines::{ANSWER_TIMEOUT, STATEMENT_TIMEOUT, late},
    sql::Statement,
};

/// Instructions of SQLite's machine between two looks at the clock: well below a millisecond of work.
const LOOK_EVERY: i32 = 4_000;
/// Stands for a time when no statement may be interrupted.
const NEVER: u64 = u64::MAX;

/// A connection, perhaps in a transaction.
#[derive(Debug)]
enum Connection {
    Plain(PoolConnection<Sqlite>),
    Transaction(Transaction<'static, Sqlite>),
}

impl Connection {
    fn get(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Plain(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }
}

/// When the running statement is given up.
#[derive(Debug)]
struct GiveUp {
    started: Instant,
    /// Milliseconds after `started`; [`NEVER`] while no statement runs.
    at: AtomicU64,
}

impl GiveUp {
    fn set(&self, after: Duration) {
        let at = self.started.elapsed().saturating_add(after).as_millis();
        self.at.store(u64::try_from(at).unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Whether the statement may go on. Says no once: what follows it on the connection, as a rollback, is another
    /// statement.
    fn may_go_on(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        if at == NEVER || self.started.elapsed().as_millis() < u128::from(at) {
            return true;
        }
        self.at.store(NEVER, Ordering::Relaxed);
        false
    }
}

/// Interrupts the running statement, if there is one, when it is dropped.
#[derive(Debug)]
struct Interrupt(Arc<GiveUp>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        if self.0.at.load(Ordering::Relaxed) != NEVER {
            self.0.at.store(0, Ordering::Relaxed);
        }
    }
}

/// A connection in use; one that is dropped without a commit is rolled back, and its statement is interrupted.
#[derive(Debug)]
pub(super) struct SqliteSession {
    running: Interrupt,
    limit: Duration,
    connection: Connection,
    /// Given back last.
    _place: Option<OwnedSemaphorePermit>,
}

impl SqliteSession {
    /// Uses a connection.
    pub(super) async fn plain(connection: PoolConnection<Sqlite>) -> Result<Self, sqlx::Error> {
        Self::new(Connection::Plain(connection), None).await
    }

    /// Uses a connection in a transaction, and gives a place back when it ends.
    pub(super) async fn transaction(
        transaction: Transaction<'static, Sqlite>,
        place: OwnedSemaphorePermit,
    ) -> Result<Self, sqlx::Error> {
        Self::new(Connection::Transaction(transaction), Some(place)).await
    }

    async fn new(connection: Connection, place: Option<OwnedSemaphorePermit>) -> Result<Self, sqlx::Error> {
        let mut session = Self {
            running: Interrupt(Arc::new(GiveUp {
                started: Instant::now(),
                at: AtomicU64::new(NEVER),
            })),
            limit: STATEMENT_TIMEOUT,
            connection,
            _place: place,
        };
        let give_up = Arc::clone(&session.running.0);
        // Replaces that of the session before. Waits for the connection's thread, which that session's statement may
        // still hold for a moment.
        let locking = session.connection.get().lock_handle();
        let mut handle = tokio::time::timeout(ANSWER_TIMEOUT, locking)
            .await
            .map_err(|_| late())??;
        handle.set_progress_handler(LOOK_EVERY, move || give_up.may_go_on());
        drop(handle);
        Ok(session)
    }

    /// Sets another limit for each statement.
    #[cfg(test)]
    fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(super) async fn all(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.running.0.set(self.limit);
        // The second limit is for a disk that does not answer: SQLite looks at no clock then.
        let work = statement.query().fetch_all(self.connection.get());
        let rows = tokio::time::timeout(ANSWER_TIMEOUT, work).await.map_err(|_| late())?;
        self.running.0.at.store(NEVER, Ordering::Relaxed);
        rows
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        self.running.0.set(self.limit);
        let work = statement.query().execute(self.connection.get());
        let done: Result<SqliteQueryResult, _> =
            tokio::time::timeout(ANSWER_TIMEOUT, work).await.map_err(|_| late())?;
        self.running.0.at.store(NEVER, Ordering::Relaxed);
        Ok(done?.rows_affected())
    }

    /// Commits the transaction; does nothing if there is none.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.connection {
            Connection::Plain(_) => Ok(()),
            Connection::Transaction(transaction) => transaction.commit().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

    use super::*;
    use crate::store::sql::statement;

    /// Counts as long as it may.
    const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

    async fn pool() -> SqlitePool {
        let options = SqlitePoolOptions::new().max_connections(1);
        options
            .acquire_timeout(Duration::from_secs(5))
            .connect("sqlite::memory:")
            .await
            .unwrap()
    }

    async fn session(pool: &SqlitePool) -> SqliteSession {
        SqliteSession::plain(pool.acquire().await.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_statement_that_takes_too_long_is_interrupted_and_the_connection_goes_on() {
        let pool = pool().await;
        let mut session = session(&pool).await.within(Duration::from_millis(50));
        let error = session.all(statement(ENDLESS)).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("9"));
        assert_eq!(session.all(statement("SELECT 1")).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_statement_whose_request_is_gone_gives_its_connection_back() {
        let pool = pool().await;
        let mut session = session(&pool).await;
        let running = tokio::spawn(async move { session.all(statement(ENDLESS)).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(50)).await;
        running.abort();
        let start = Instant::now();
        let mut next = self::session(&pool).await;
        assert_eq!(next.all(statement("SELECT 1")).await.unwrap().len(), 1);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_transaction_whose_request_is_gone_is_rolled_back() {
        let pool = pool().await;
        sqlx::raw_sql("CREATE TABLE t (x)").execute(&pool).await.unwrap();
        let place = Arc::new(tokio::sync::Semaphore::new(1));
        let transaction = pool.begin().await.unwrap();
        let permit = Arc::clone(&place).acquire_owned().await.unwrap();
        let mut session = SqliteSession::transaction(transaction, permit).await.unwrap();
        session.execute(statement("INSERT INTO t VALUES (1)")).await.unwrap();
        let running = tokio::spawn(async move { session.all(statement(ENDLESS)).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(50)).await;
        running.abort();
        let mut next = self::session(&pool).await;
        assert!(next.all(statement("SELECT x FROM t")).await.unwrap().is_empty());
        assert_eq!(place.available_permits(), 1);
    }
}

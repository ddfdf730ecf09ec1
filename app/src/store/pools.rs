//! The connections to the database, of either kind, and what differs between the kinds apart from how a statement runs.
//!
//! SQLite: one connection writes (SQLite has one writer anyway; waiting in our pool is bounded and fair, waiting in
//! SQLite is neither), some read. PostgreSQL: all do everything. One more answers the readiness probe, so that a busy
//! service does not look like a dead store. Lists and summaries, which may read a whole table, leave some connections to
//! requests that read or write one row.

use std::{fs, path::Path, str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, PgPool, Pool, SqlitePool,
    migrate::MigrateError,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgConnection},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Semaphore;

use super::{
    StoreError,
    deadlines::STATEMENT_TIMEOUT,
    fault::{Class, Fault},
    migrations,
    session::{PostgresSession, Session},
    sql::statement,
    sqlite_session::SqliteSession,
};
use crate::config::Database;

/// How long a request waits for a connection, and SQLite for a lock of another process, before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a start waits for a connection to PostgreSQL before it tries again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// SQLite's readers. Each is a thread and up to 2 MiB of page cache.
const READERS: u32 = 4;
/// Connections of requests to PostgreSQL. About ten replicas fit into the hundred connections that a server allows by
/// default.
const POSTGRES_CONNECTIONS: u32 = 8;
/// Connections that lists and summaries leave to other requests.
const KEPT_FROM_SCANS: u32 = 1;
/// The page cache of a SQLite connection. A negative number means KiB. SQLite's own default is 2 MiB a connection.
const CACHE_KIB: &str = "-1024";
/// Size to which the write-ahead log is truncated after a checkpoint; a long read may have let it grow.
const LOG_BYTES: &str = "67108864";
/// Prepared statements that a connection keeps.
const PREPARED: usize = 32;
/// A PostgreSQL connection that was idle for longer is tested before it is used.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
/// Time for the readiness probe's statement; together with getting a connection the probe has a second.
const PROBE_TIMEOUT: Duration = Duration::from_millis(900);

/// The connections.
#[derive(Debug, Clone)]
pub(super) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        probe: SqlitePool,
        scans: Arc<Semaphore>,
    },
    Postgres {
        all: PgPool,
        probe: PgPool,
        scans: Arc<Semaphore>,
        migrating: Box<PgConnectOptions>,
    },
}

/// Connections of a pool now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) open: u32,
    pub(super) idle: u32,
    pub(super) max: u32,
}

impl Usage {
    fn of<D: sqlx::Database>(pool: &Pool<D>) -> Self {
        Self {
            open: pool.size(),
            idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
            max: pool.options().get_max_connections(),
        }
    }
}

impl Pools {
    /// Prepares the pools. Opens nothing yet.
    pub(super) fn open(database: &Database) -> Result<Self, StoreError> {
        match database {
            Database::Memory => {
                // Each connection to `:memory:` is a database of its own, so there is one, and it is kept.
                let only = sqlite_pool(1).connect_lazy_with(sqlite_options().in_memory(true));
                Ok(Self::Sqlite {
                    writer: only.clone(),
                    readers: only.clone(),
                    probe: only,
                    scans: scans(1),
                })
            }
            Database::File(path) => {
                make_directory(path)?;
                let options = sqlite_options()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // FULL syncs the log at every commit, so that an acknowledged write survives a power cut.
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("journal_size_limit", LOG_BYTES);
                let reading = options.clone().create_if_missing(false).pragma("query_only", "true");
                Ok(Self::Sqlite {
                    writer: sqlite_pool(1).connect_lazy_with(options),
                    readers: sqlite_pool(READERS).connect_lazy_with(reading.clone()),
                    probe: sqlite_pool(1).connect_lazy_with(reading),
                    scans: scans(READERS),
                })
            }
            Database::Postgres(url) => {
                let options = PgConnectOptions::from_str(url.reveal())
                    .map_err(|error| StoreError::Migrate(Fault::from(&error)))?
                    .application_name("monitored-app")
                    .statement_cache_capacity(PREPARED)
                    .disable_statement_logging();
                let bounded = options.clone().options([
                    ("statement_timeout", STATEMENT_TIMEOUT.as_millis().to_string()),
                    ("idle_in_transaction_session_timeout", "60000".to_owned()),
                    // An acknowledged write is on the server's disk, even if the server's default is weaker.
                    ("synchronous_commit", "on".to_owned()),
                ]);
                Ok(Self::Postgres {
                    all: postgres_pool(POSTGRES_CONNECTIONS).connect_lazy_with(bounded.clone()),
                    probe: postgres_pool(1).connect_lazy_with(bounded),
                    scans: scans(POSTGRES_CONNECTIONS),
                    migrating: Box::new(options),
                })
            }
        }
    }

    /// Brings the schema up to date, once however many processes start, and opens what the first requests need.
    pub(super) async fn migrate(&self) -> Result<(), MigrateError> {
        match self {
            Self::Sqlite {
                writer, readers, probe, ..
            } => {
                let migrations = migrations::sqlite();
                // sqlx has no migration lock for SQLite, so the write lock of one transaction around all migrations
                // serves.
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
                migrations.run_direct(None, &mut *transaction, false).await?;
                transaction.commit().await?;
                for pool in [probe, readers] {
                    pool.acquire().await?;
                }
                Ok(())
            }
            Self::Postgres {
                all, probe, migrating, ..
            } => {
                let migrations = migrations::postgres();
                // Waiting for the lock and migrating may take longer than statements of requests may.
                let connecting = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(migrating));
                let mut connection = connecting.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                let done = migrations.run_direct(None, &mut connection, false).await;
                // The lock ends with the connection, so an error while closing it does no harm.
                let _ = connection.close().await;
                done?;
                for pool in [probe, all] {
                    pool.acquire().await?;
                }
                Ok(())
            }
        }
    }

    /// Whether a start waits and tries again after this error.
    pub(super) fn is_worth_waiting(&self, fault: &Fault) -> bool {
        match (self, fault.class()) {
            // A server may still be starting, so it is tried again. A file that cannot be opened is a mistake in the
            // settings, and trying again does not help.
            (Self::Sqlite { .. } | Self::Postgres { .. }, Class::Contended)
            | (Self::Postgres { .. }, Class::Temporary) => true,
            (Self::Sqlite { .. }, Class::Temporary) | (_, Class::Refused | Class::Permanent) => false,
        }
    }

    /// The connections that requests use; the probe has its own.
    pub(super) fn usage(&self) -> Usage {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                // In memory there is one connection for all.
                if Arc::ptr_eq(&writer.connect_options(), &readers.connect_options()) {
                    return Usage::of(writer);
                }
                let (writing, reading) = (Usage::of(writer), Usage::of(readers));
                Usage {
                    open: writing.open + reading.open,
                    idle: writing.idle + reading.idle,
                    max: writing.max + reading.max,
                }
            }
            Self::Postgres { all, .. } => Usage::of(all),
        }
    }

    /// A connection to read with.
    pub(super) async fn reader(&self) -> Result<Session, sqlx::Error> {
        match self {
            Self::Sqlite { readers, .. } => sqlite(readers).await,
            Self::Postgres { all, .. } => Ok(Session::Postgres(PostgresSession::new(all.acquire().await?))),
        }
    }

    /// A connection to write with; each statement is a transaction.
    pub(super) async fn writer(&self) -> Result<Session, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => sqlite(writer).await,
            Self::Postgres { all, .. } => Ok(Session::Postgres(PostgresSession::new(all.acquire().await?))),
        }
    }

    /// Begins a transaction whose statements all see the same snapshot, and may read whole tables.
    pub(super) async fn snapshot(&self) -> Result<Session, sqlx::Error> {
        let (Self::Sqlite { scans, .. } | Self::Postgres { scans, .. }) = self;
        let place = tokio::time::timeout(ACQUIRE_TIMEOUT, Arc::clone(scans).acquire_owned()).await;
        let place = place
            .map_err(|_| sqlx::Error::PoolTimedOut)?
            .map_err(|_| sqlx::Error::PoolClosed)?;
        match self {
            Self::Sqlite { readers, .. } => {
                let transaction = readers.begin().await?;
                Ok(Session::Sqlite(SqliteSession::transaction(transaction, place).await?))
            }
            Self::Postgres { all, .. } => {
                let session = PostgresSession::new(all.acquire().await?).holding(place);
                let begun = session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
                Ok(Session::Postgres(begun.await?))
            }
        }
    }

    /// Whether the store answers, on a connection of its own, within a second.
    pub(super) async fn answers(&self) -> bool {
        let asked = async {
            let mut session = match self {
                Self::Sqlite { probe, .. } => sqlite(probe).await?,
                Self::Postgres { probe, .. } => {
                    Session::Postgres(PostgresSession::new(probe.acquire().await?).within(PROBE_TIMEOUT))
                }
            };
            // Reads a page of the file, and a table that only a migrated database has.
            session.optional(statement("SELECT id FROM data LIMIT 1")).await
        };
        asked.await.is_ok()
    }

    /// Closes all connections; SQLite's writer last, so that SQLite folds its log into the file.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, probe, ..
            } => {
                probe.close().await;
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { all, probe, .. } => {
                probe.close().await;
                all.close().await;
            }
        }
    }
}

async fn sqlite(pool: &SqlitePool) -> Result<Session, sqlx::Error> {
    Ok(Session::Sqlite(SqliteSession::plain(pool.acquire().await?).await?))
}

/// Places for lists and summaries on so many connections.
fn scans(connections: u32) -> Arc<Semaphore> {
    let places = connections.saturating_sub(KEPT_FROM_SCANS).max(1);
    Arc::new(Semaphore::new(places as usize))
}

fn sqlite_options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .busy_timeout(ACQUIRE_TIMEOUT)
        .foreign_keys(true)
        .pragma("cache_size", CACHE_KIB)
        .statement_cache_capacity(PREPARED)
        // Slow statements would be logged with their text.
        .disable_statement_logging()
}

fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A connection to a file does not go stale; and a memory database would be lost with its connection.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn postgres_pool(connections: u32) -> PoolOptions<sqlx::Postgres> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(Some(Duration::from_mins(5)))
        .max_lifetime(Some(Duration::from_mins(30)))
        // A round trip for each request is saved: a connection that was just used is alive, or fails as it would then.
        .test_before_acquire(false)
        .before_acquire(|connection: &mut PgConnection, idle| {
            Box::pin(async move {
                if idle.idle_for < TRUSTED_IDLE {
                    return Ok(true);
                }
                Ok(connection.ping().await.is_ok())
            })
        })
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => {
            fs::create_dir_all(directory).map_err(|source| StoreError::Open {
                path: directory.display().to_string(),
                source,
            })
        }
        Some(_) | None => Ok(()),
    }
}

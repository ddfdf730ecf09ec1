//! The store: pools, migrations and errors here, SQL of one table a file beside it. SQL stands nowhere else.
//!
//! One connection writes (SQLite has one writer anyway; waiting in our pool is bounded and fair, waiting in SQLite is
//! neither), some read, and one answers the readiness probe, so that a busy service does not look like a dead store.

mod data;
mod metrics;

use std::{fmt, fs, path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{
    data::{CategorySummary, Filter, Item, NewItem, Page, Sort, SortField, Summary},
    metrics::StoreMetrics,
};
use crate::config::Database;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a request waits for a connection, and SQLite for a lock of another process, before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// Readers. Each is a thread and up to 2 MiB of page cache.
const READERS: u32 = 4;
/// Page cache of a connection: negative, so KiB. SQLite's own default is 2 MiB a connection.
const CACHE_KIB: &str = "-1024";

/// What the write-ahead log is cut back to after a checkpoint; a long reader may have let it grow.
const LOG_BYTES: &str = "67108864";

/// Why the store did not do what was asked. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory of the file cannot be made.
    #[error("the directory {path} of the database cannot be made")]
    Open {
        /// The directory.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the database cannot be opened or migrated")]
    Migrate {
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// No connection in time, or the file is locked, full or gone. May work later.
    #[error("{operation} found the store unavailable")]
    Unavailable {
        /// What was asked.
        operation: Operation,
        /// Why.
        source: sqlx::Error,
    },
    /// Anything else: a fault of this program.
    #[error("{operation} failed in the store")]
    Failed {
        /// What was asked.
        operation: Operation,
        /// Why.
        source: sqlx::Error,
    },
}

/// What is asked of the store, a bounded set: labels of the store's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A page of items.
    ListData,
    /// One item.
    GetData,
    /// A new item.
    InsertData,
    /// Many new items.
    InsertManyData,
    /// A changed item.
    UpdateData,
    /// One item less.
    DeleteData,
    /// Figures over all items.
    SummarizeData,
}

impl Operation {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::ListData,
        Self::GetData,
        Self::InsertData,
        Self::InsertManyData,
        Self::UpdateData,
        Self::DeleteData,
        Self::SummarizeData,
    ];

    /// The labels `operation` and `table`.
    #[must_use]
    pub const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::ListData => ("list", "data"),
            Self::GetData => ("get", "data"),
            Self::InsertData => ("insert", "data"),
            Self::InsertManyData => ("insert_many", "data"),
            Self::UpdateData => ("update", "data"),
            Self::DeleteData => ("delete", "data"),
            Self::SummarizeData => ("summarize", "data"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, table) = self.labels();
        write!(f, "{operation} {table}")
    }
}

/// The store; a clone is the same.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    probe: SqlitePool,
    metrics: StoreMetrics,
}

impl Store {
    /// Prepares the pools. Opens nothing yet; [`Store::migrate`] does.
    ///
    /// # Errors
    /// The file's directory cannot be made.
    pub fn open(database: &Database, metrics: StoreMetrics) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .busy_timeout(ACQUIRE_TIMEOUT)
            .foreign_keys(true)
            .pragma("cache_size", CACHE_KIB)
            .statement_cache_capacity(32);
        match database {
            Database::Memory => {
                // Each connection to `:memory:` is a database of its own, so there is one, and it is kept.
                let only = pool(1).connect_lazy_with(options.in_memory(true));
                Ok(Self {
                    writer: only.clone(),
                    readers: only.clone(),
                    probe: only,
                    metrics,
                })
            }
            Database::File(path) => {
                make_directory(path)?;
                let options = options
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // FULL syncs the log at every commit: what was acknowledged survives a power cut too.
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("journal_size_limit", LOG_BYTES);
                let reading = options.clone().create_if_missing(false).pragma("query_only", "true");
                Ok(Self {
                    writer: pool(1).connect_lazy_with(options),
                    readers: pool(READERS).connect_lazy_with(reading.clone()),
                    probe: pool(1).connect_lazy_with(reading),
                    metrics,
                })
            }
        }
    }

    /// Opens the database, brings its schema up to date, and opens the connections that the first requests need.
    ///
    /// # Errors
    /// The database cannot be opened, or a migration fails.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATIONS
            .run(&self.writer)
            .await
            .map_err(|source| StoreError::Migrate { source })?;
        for pool in [&self.probe, &self.readers] {
            let opened = pool.acquire().await;
            opened.map_err(|source| StoreError::Migrate { source: source.into() })?;
        }
        Ok(())
    }

    /// Whether the store answers, on a connection of its own. The caller bounds the time.
    pub async fn answers(&self) -> bool {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&self.probe)
            .await
            .is_ok()
    }

    /// Closes all connections; the writer last, so that SQLite folds its log into the file.
    pub async fn close(&self) {
        self.probe.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Runs an operation, measures it, and tells what may work later from what will not.
    async fn run<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let running = self.metrics.start(operation);
        let result = work.await;
        running.end(result.is_ok());
        result.map_err(|source| {
            if is_temporary(&source) {
                StoreError::Unavailable { operation, source }
            } else {
                StoreError::Failed { operation, source }
            }
        })
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A connection to a file does not go stale; and a memory database would be lost with its connection.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
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

/// SQLite's primary result codes that may pass: BUSY, LOCKED, IOERR, FULL, CANTOPEN.
fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i32>().ok());
            code.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
        }
        _ => false,
    }
}

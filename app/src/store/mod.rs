//! The store: its operations and errors. Each table's SQL is in a file of this folder, and SQL is nowhere else.
//!
//! One text of SQL serves SQLite and PostgreSQL (`sql.rs`); what differs stands in `pools.rs`, `session.rs` and the
//! migrations.

mod data;
mod deadlines;
mod fault;
mod metrics;
mod migrations;
mod operation;
mod pools;
mod products;
mod session;
mod sql;
mod sqlite_session;
mod users;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, time::MissedTickBehavior};

pub use self::{
    data::{CategorySummary, Filter, Item, ItemPage, ItemSummary, NewItem, Sort, SortField},
    fault::Fault,
    metrics::StoreMetrics,
    operation::Operation,
    products::{Product, ProductPage},
    users::{NewUser, User, UserChange, UserPage},
};
use self::{fault::Class, pools::Pools};
use crate::config::Database;

/// The pause between two attempts to open a database that does not answer yet. It doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(1);
/// How long the store may take to answer a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an answer to a probe is good for others who ask.
const PROBE_SHARED: Duration = Duration::from_millis(500);

/// Why an operation of the store failed. The texts are for the log.
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
    Migrate(#[source] Fault),
    /// There was no connection in time, or the database is locked, full or gone. A later attempt may succeed.
    #[error("{operation} found the store unavailable: {fault}")]
    Unavailable {
        /// The operation.
        operation: Operation,
        /// Why.
        fault: Fault,
    },
    /// Anything else: a fault of this program.
    #[error("{operation} failed in the store: {fault}")]
    Failed {
        /// The operation.
        operation: Operation,
        /// Why.
        fault: Fault,
    },
}

/// The store; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    metrics: StoreMetrics,
    probed: Arc<Mutex<Option<Probed>>>,
}

/// The latest answer to a probe of the store.
#[derive(Debug, Clone, Copy)]
struct Probed {
    at: Instant,
    /// How long the store took; `None` if it did not answer.
    took: Option<Duration>,
}

impl Store {
    /// Prepares the connections. Opens nothing yet; [`Store::migrate`] does.
    ///
    /// # Errors
    /// The file's directory cannot be made, or the URL cannot be used.
    pub fn open(database: &Database, metrics: StoreMetrics) -> Result<Self, StoreError> {
        Ok(Self {
            pools: Pools::open(database)?,
            metrics,
            probed: Arc::default(),
        })
    }

    /// Opens the database, brings its schema up to date, and opens the connections that the first requests need. Waits
    /// for a server that does not answer yet, and for another process that migrates.
    ///
    /// # Errors
    /// The database cannot be opened, or a migration fails.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut pause = RETRY_MIN;
        loop {
            let Err(error) = self.pools.migrate().await else {
                return Ok(());
            };
            let fault = Fault::from(&error);
            if !self.pools.is_worth_waiting(&fault) {
                return Err(StoreError::Migrate(fault));
            }
            tracing::warn!(error = %fault, "the store cannot be prepared yet");
            tokio::time::sleep(pause).await;
            pause = RETRY_MAX.min(pause * 2);
        }
    }

    /// How long the store took to answer, on a connection of its own; `None` if it does not answer within a second. All
    /// who ask within a moment share one answer: however many they are, they cannot make the store look dead.
    pub async fn answers(&self) -> Option<Duration> {
        let asking = async {
            // Held while the store is asked. If the one who asks leaves, the next one does.
            let mut probed = self.probed.lock().await;
            if let Some(probed) = probed.filter(|probed| probed.at.elapsed() < PROBE_SHARED) {
                return probed.took;
            }
            let asked = Instant::now();
            let took = self.pools.answers().await.then(|| asked.elapsed());
            *probed = Some(Probed {
                at: Instant::now(),
                took,
            });
            took
        };
        tokio::time::timeout(PROBE_TIMEOUT, asking).await.ok().flatten()
    }

    /// Updates the metrics of the connections at this interval, and never returns.
    pub async fn watch_connections(self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.metrics.show(self.pools.usage());
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pools.close().await;
        *self.probed.lock().await = None;
    }

    /// Runs an operation, measures it, and sorts its errors into temporary and permanent ones.
    async fn run<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let running = self.metrics.start(operation);
        let result = work.await;
        running.end(result.is_ok());
        result.map_err(|error| {
            let fault = Fault::from(&error);
            match fault.class() {
                Class::Temporary | Class::Contended | Class::Refused => StoreError::Unavailable { operation, fault },
                Class::Permanent => StoreError::Failed { operation, fault },
            }
        })
    }
}

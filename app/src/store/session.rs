//! A connection in use: the one place where a statement goes to one database or the other.

use std::time::Duration;

use sqlx::{Postgres, pool::PoolConnection};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    deadlines::{ANSWER_TIMEOUT, late},
    sql::{DatabaseRow, Statement},
    sqlite_session::SqliteSession,
};

/// A connection in use, perhaps in a transaction; one that is dropped without a commit is rolled back.
#[derive(Debug)]
pub(super) enum Session {
    Sqlite(SqliteSession),
    Postgres(PostgresSession),
}

/// A connection to PostgreSQL. It returns to its pool only if no statement or transaction is unfinished on it, because
/// the pool would wait for that without a bound.
#[derive(Debug)]
pub(super) struct PostgresSession {
    connection: PoolConnection<Postgres>,
    clean: bool,
    limit: Duration,
    /// Held until the session ends.
    place: Option<OwnedSemaphorePermit>,
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        if !self.clean {
            self.connection.close_on_drop();
        }
    }
}

impl PostgresSession {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self {
            connection,
            clean: true,
            limit: ANSWER_TIMEOUT,
            place: None,
        }
    }

    /// Gives a place back when it ends.
    pub(super) fn holding(self, place: OwnedSemaphorePermit) -> Self {
        let mut session = self;
        session.place = Some(place);
        session
    }

    /// Sets a shorter limit for each statement.
    pub(super) fn within(self, limit: Duration) -> Self {
        let mut session = self;
        session.limit = limit;
        session
    }

    /// Begins a transaction.
    pub(super) async fn begin(mut self, text: &'static str) -> Result<Self, sqlx::Error> {
        self.control(text).await?;
        self.clean = false;
        Ok(self)
    }

    async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.control("COMMIT").await?;
        self.clean = true;
        Ok(())
    }

    /// A statement without parameters and rows, in one round trip.
    async fn control(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        self.clean = false;
        let work = sqlx::raw_sql(text).execute(&mut *self.connection);
        let done = tokio::time::timeout(self.limit, work).await.map_err(|_| late())?;
        self.clean = done.is_ok();
        done.map(drop)
    }

    async fn all(&mut self, statement: Statement) -> Result<Vec<DatabaseRow>, sqlx::Error> {
        let before = std::mem::replace(&mut self.clean, false);
        let work = statement.query().fetch_all(&mut *self.connection);
        let rows = tokio::time::timeout(self.limit, work).await.map_err(|_| late())?;
        self.clean = before && !rows.as_ref().is_err_and(cannot_serve);
        Ok(rows?.into_iter().map(DatabaseRow::Postgres).collect())
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        let before = std::mem::replace(&mut self.clean, false);
        let work = statement.query().execute(&mut *self.connection);
        let done = tokio::time::timeout(self.limit, work).await.map_err(|_| late())?;
        self.clean = before && !done.as_ref().is_err_and(cannot_serve);
        Ok(done?.rows_affected())
    }
}

/// Whether the server says that this connection is of no more use: it has become read-only (a former primary), or shuts
/// down. Closed, the next one is made to the server that has taken over.
fn cannot_serve(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ends_connection(&code))
}

fn ends_connection(code: &str) -> bool {
    matches!(code, "25006" | "57P01" | "57P02" | "57P03")
}

impl Session {
    /// All rows of a statement.
    pub(super) async fn all(&mut self, statement: Statement) -> Result<Vec<DatabaseRow>, sqlx::Error> {
        match self {
            Self::Sqlite(session) => {
                let rows = session.all(statement).await?;
                Ok(rows.into_iter().map(DatabaseRow::Sqlite).collect())
            }
            Self::Postgres(session) => session.all(statement).await,
        }
    }

    /// The first row of a statement, if there is one.
    pub(super) async fn optional(&mut self, statement: Statement) -> Result<Option<DatabaseRow>, sqlx::Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// The first row of a statement.
    pub(super) async fn one(&mut self, statement: Statement) -> Result<DatabaseRow, sqlx::Error> {
        self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// How many rows a statement changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(session) => session.execute(statement).await,
            Self::Postgres(session) => session.execute(statement).await,
        }
    }

    /// Commits the transaction; does nothing if there is none.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(session) => session.commit().await,
            Self::Postgres(session) => session.commit().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_to_a_former_primary_or_to_one_that_stops_is_not_used_again() {
        for code in ["25006", "57P01", "57P02", "57P03"] {
            assert!(ends_connection(code), "{code}");
        }
        for code in ["23505", "40001", "55P03", "57014", "42601"] {
            assert!(!ends_connection(code), "{code}");
        }
    }
}

//! Errors of a database in texts of our own, which are safe to log: those of the drivers may hold SQL, values, users or
//! addresses.

use std::{fmt, io};

use sqlx::migrate::MigrateError;

/// Why a database operation failed; safe to log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    class: Class,
    what: &'static str,
    /// SQLSTATE of PostgreSQL, result code of SQLite.
    code: Option<String>,
}

/// The kinds of failure, by what to do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Another attempt may succeed.
    Temporary,
    /// Another process holds a lock, mostly for a moment. Another attempt may succeed.
    Contended,
    /// The database refuses the connection: the settings are wrong. A start fails; a running service keeps trying.
    Refused,
    /// A fault of this program.
    Permanent,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match &self.code {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl Fault {
    const fn new(class: Class, what: &'static str) -> Self {
        Self {
            class,
            what,
            code: None,
        }
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }
}

impl From<&sqlx::Error> for Fault {
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::new(Class::Temporary, "no connection in time"),
            sqlx::Error::PoolClosed => Self::new(Class::Temporary, "connections are closed"),
            sqlx::Error::WorkerCrashed => Self::new(Class::Temporary, "the connection's thread is gone"),
            sqlx::Error::Io(error) => Self::new(Class::Temporary, io_fault(error.kind())),
            // A connection that is cut in the middle of a message looks like this.
            sqlx::Error::Protocol(_) => Self::new(Class::Temporary, "the connection talks nonsense"),
            sqlx::Error::Tls(_) => Self::new(Class::Refused, "TLS cannot be agreed on"),
            sqlx::Error::Configuration(_) => Self::new(Class::Refused, "the connection's settings cannot be used"),
            sqlx::Error::Database(error) => {
                let code = error.code().map(|code| code.into_owned());
                let (class, what) = match code.as_deref() {
                    Some(code) if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() => {
                        postgres_fault(code)
                    }
                    Some(code) => sqlite_fault(code),
                    None => (Class::Permanent, "the database fails without a code"),
                };
                Self { class, what, code }
            }
            sqlx::Error::RowNotFound => Self::new(Class::Permanent, "a row is missing"),
            sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
                Self::new(Class::Permanent, "a column is missing")
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::new(Class::Permanent, "a value cannot be read")
            }
            sqlx::Error::Encode(_) => Self::new(Class::Permanent, "a value cannot be written"),
            _ => Self::new(Class::Permanent, "the driver fails"),
        }
    }
}

impl From<&MigrateError> for Fault {
    fn from(error: &MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::from(error),
            MigrateError::VersionMismatch(_) => {
                Self::new(Class::Permanent, "a migration differs from the one that was applied")
            }
            MigrateError::Dirty(_) => Self::new(Class::Permanent, "a migration was applied in part"),
            _ => Self::new(Class::Permanent, "a migration fails"),
        }
    }
}

fn io_fault(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::TimedOut => "the database does not answer in time",
        io::ErrorKind::ConnectionRefused => "the connection is refused",
        _ => "the connection is lost",
    }
}

/// By SQLSTATE, first its class: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres_fault(code: &str) -> (Class, &'static str) {
    match code {
        "25006" => (Class::Temporary, "the database can only be read"),
        "53100" => (Class::Temporary, "the database's disk is full"),
        "53300" => (Class::Temporary, "the database has too many connections"),
        "55P03" => (Class::Contended, "a lock is taken"),
        "57014" => (Class::Temporary, "the database took too long"),
        "57P01" | "57P02" | "57P03" => (Class::Temporary, "the database starts or stops"),
        "40001" | "40P01" => (Class::Contended, "the database chose others first"),
        "42501" => (Class::Refused, "the database denies a right"),
        _ => match code.get(..2) {
            Some("08") => (Class::Temporary, "the connection is lost"),
            Some("53") => (Class::Temporary, "the database has too few resources"),
            Some("58") => (Class::Temporary, "the database's machine fails"),
            Some("28") => (Class::Refused, "the database refuses the credentials"),
            Some("3D" | "3F") => (Class::Refused, "there is no such database"),
            _ => (Class::Permanent, "the database refuses the statement"),
        },
    }
}

/// By primary result code, the low byte: <https://www.sqlite.org/rescode.html>.
fn sqlite_fault(code: &str) -> (Class, &'static str) {
    match code.parse::<i32>().map(|code| code & 0xff) {
        Ok(5 | 6) => (Class::Contended, "the file is locked"),
        Ok(8) => (Class::Temporary, "the file can only be read"),
        Ok(9) => (Class::Temporary, "the database took too long"),
        Ok(10) => (Class::Temporary, "the disk fails"),
        Ok(13) => (Class::Temporary, "the disk is full"),
        Ok(14) => (Class::Temporary, "the file cannot be opened"),
        Ok(11 | 26) => (Class::Permanent, "the file is damaged"),
        _ => (Class::Permanent, "the database refuses the statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_errors_are_distinguished_from_permanent_ones() {
        for (code, class) in [
            ("08006", Class::Temporary),
            ("25006", Class::Temporary),
            ("53100", Class::Temporary),
            ("53300", Class::Temporary),
            ("57014", Class::Temporary),
            ("57P03", Class::Temporary),
            ("40001", Class::Contended),
            ("40P01", Class::Contended),
            ("28P01", Class::Refused),
            ("3D000", Class::Refused),
            ("42501", Class::Refused),
            ("42601", Class::Permanent),
            ("22003", Class::Permanent),
        ] {
            assert_eq!(postgres_fault(code).0, class, "{code}");
        }
        for (code, class) in [
            ("5", Class::Contended),
            ("517", Class::Contended),
            ("13", Class::Temporary),
            ("9", Class::Temporary),
            ("10", Class::Temporary),
            ("8", Class::Temporary),
            ("11", Class::Permanent),
            ("1", Class::Permanent),
        ] {
            assert_eq!(sqlite_fault(code).0, class, "{code}");
        }
    }

    #[test]
    fn a_fault_says_nothing_that_the_driver_said() {
        let error = sqlx::Error::Protocol("canary".to_owned());
        assert!(!Fault::from(&error).to_string().contains("canary"));
        let error = sqlx::Error::Io(io::Error::other("canary"));
        assert_eq!(Fault::from(&error).to_string(), "the connection is lost");
    }
}

//! Statements, parameters and rows, the same for both databases. What is written here must mean the same to both:
//! parameters are `$1`, `$2`, … in the order of their binding, texts compare by their bytes (the schema sees to that).

use sqlx::{
    AssertSqlSafe, Decode, Encode, Postgres, Row as _, SqlSafeStr as _, SqlStr, Sqlite, Type,
    database::{Database, HasStatementCache},
    postgres::PgRow,
    query::Query,
    sqlite::SqliteRow,
};

/// A value for a statement.
#[derive(Debug, Clone)]
pub(super) enum Parameter {
    Integer(i64),
    Real(f64),
    Flag(bool),
    Text(Option<String>),
}

impl From<i64> for Parameter {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Parameter {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Parameter {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<&String> for Parameter {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<&Option<String>> for Parameter {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

/// A statement and its parameters.
#[derive(Debug)]
pub(super) struct Statement {
    text: SqlStr,
    parameters: Vec<Parameter>,
    /// Whether the connection keeps it prepared.
    kept: bool,
}

/// A statement whose text is known before it runs.
pub(super) fn statement(text: &'static str) -> Statement {
    Statement {
        text: text.into_sql_str(),
        parameters: Vec::new(),
        kept: true,
    }
}

impl Statement {
    /// The value of the next parameter.
    pub(super) fn bind(mut self, value: impl Into<Parameter>) -> Self {
        self.parameters.push(value.into());
        self
    }

    /// The statement for a database's driver.
    pub(super) fn query<DB: Database + HasStatementCache>(self) -> Query<'static, DB, DB::Arguments>
    where
        DB::Arguments: sqlx::IntoArguments<DB>,
        i64: Encode<'static, DB> + Type<DB>,
        f64: Encode<'static, DB> + Type<DB>,
        bool: Encode<'static, DB> + Type<DB>,
        Option<String>: Encode<'static, DB> + Type<DB>,
    {
        let query = sqlx::query(self.text).persistent(self.kept);
        self.parameters
            .into_iter()
            .fold(query, |query, parameter| match parameter {
                Parameter::Integer(value) => query.bind(value),
                Parameter::Real(value) => query.bind(value),
                Parameter::Flag(value) => query.bind(value),
                Parameter::Text(value) => query.bind(value),
            })
    }
}

/// Builds a statement whose text depends on the request. Texts of clients become parameters, never SQL.
#[derive(Debug)]
pub(super) struct StatementBuilder {
    text: String,
    parameters: Vec<Parameter>,
}

impl StatementBuilder {
    pub(super) fn new(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            parameters: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Writes the next parameter.
    pub(super) fn push_parameter(&mut self, value: impl Into<Parameter>) -> &mut Self {
        self.parameters.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.parameters.len().to_string());
        self
    }

    /// A row of parameters in parentheses.
    pub(super) fn push_row(&mut self, values: impl IntoIterator<Item = Parameter>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", " }).push_parameter(value);
        }
        self.push(")")
    }

    pub(super) fn finish(self) -> Statement {
        Statement {
            text: AssertSqlSafe(self.text).into_sql_str(),
            parameters: self.parameters,
            kept: true,
        }
    }

    /// Does the same as `finish`, for a text that is too long or too rare to be kept prepared.
    pub(super) fn finish_once(self) -> Statement {
        Statement {
            kept: false,
            ..self.finish()
        }
    }
}

/// A row of either database.
#[derive(Debug)]
pub(super) enum DatabaseRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl DatabaseRow {
    /// The value of a column.
    pub(super) fn get<T>(&self, column: &str) -> Result<T, sqlx::Error>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

/// A type that can be read from a row of its table.
pub(super) trait FromRow: Sized {
    fn from_row(row: &DatabaseRow) -> Result<Self, sqlx::Error>;
}

/// All rows as a table's type.
pub(super) fn read_all<T: FromRow>(rows: &[DatabaseRow]) -> Result<Vec<T>, sqlx::Error> {
    rows.iter().map(T::from_row).collect()
}

/// The row as a table's type, if there is one.
pub(super) fn read_optional<T: FromRow>(row: Option<DatabaseRow>) -> Result<Option<T>, sqlx::Error> {
    row.as_ref().map(T::from_row).transpose()
}

/// The error for a stored value that this program would not have written.
pub(super) fn undecodable(source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_the_order_of_their_binding() {
        let mut builder = StatementBuilder::new("INSERT INTO t VALUES ");
        builder
            .push_row([Parameter::Integer(1), Parameter::Flag(true)])
            .push(", ")
            .push_row([Parameter::Integer(2), Parameter::Flag(false)]);
        let statement = builder.finish();
        assert_eq!(statement.text.as_str(), "INSERT INTO t VALUES ($1, $2), ($3, $4)");
        assert_eq!(statement.parameters.len(), 4);
    }
}

//! SQL of the table `users`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Operation, Store, StoreError,
    sql::{DatabaseRow, FromRow, read_all, read_optional, statement},
};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct User {
    /// Given by the store, never twice.
    pub id: i64,
    /// An anonymous user has none.
    pub name: Option<String>,
    /// An anonymous user has none.
    pub email: Option<String>,
}

/// A user as a client gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewUser {
    /// If there is one.
    pub name: Option<String>,
    /// If there is one.
    pub email: Option<String>,
    /// The other fields that the client sent: a JSON object.
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// A change of a user; a field that is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// The new name.
    pub name: Option<String>,
    /// The new email.
    pub email: Option<String>,
}

/// A part of the users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users, by id.
    pub users: Vec<User>,
    /// How many there are in all.
    pub total: i64,
}

impl FromRow for User {
    fn from_row(row: &DatabaseRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            email: row.get("email")?,
        })
    }
}

impl Store {
    /// A page of users, and how many there are, both of the same moment.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn list_users(&self, limit: u32, offset: u32) -> Result<UserPage, StoreError> {
        let page = statement("SELECT id, name, email FROM users ORDER BY id LIMIT $1 OFFSET $2")
            .bind(limit)
            .bind(offset);
        self.run(Operation::ListUsers, async {
            let mut snapshot = self.pools.snapshot().await?;
            let count = snapshot.one(statement("SELECT count(*) AS count FROM users"));
            let total = count.await?.get("count")?;
            let users = read_all(&snapshot.all(page).await?)?;
            snapshot.commit().await?;
            Ok(UserPage { users, total })
        })
        .await
    }

    /// How many users there are.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        self.run(Operation::CountUsers, async {
            let count = statement("SELECT count(*) AS count FROM users");
            let count: i64 = self.pools.reader().await?.one(count).await?.get("count")?;
            // A count is never negative.
            Ok(u64::try_from(count).unwrap_or_default())
        })
        .await
    }

    /// A user, if there is one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn get_user(&self, id: i64) -> Result<Option<User>, StoreError> {
        let query = statement("SELECT id, name, email FROM users WHERE id = $1").bind(id);
        self.run(Operation::GetUser, async {
            read_optional(self.pools.reader().await?.optional(query).await?)
        })
        .await
    }

    /// Stores a user.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn insert_user(&self, user: NewUser) -> Result<User, StoreError> {
        let rest = serde_json::Value::Object(user.rest).to_string();
        let insert = statement(
            "INSERT INTO users (name, email, rest, created_at) VALUES ($1, $2, $3, $4) RETURNING id, name, email",
        )
        .bind(&user.name)
        .bind(&user.email)
        .bind(&rest)
        .bind(Timestamp::now().as_microsecond());
        self.run(Operation::InsertUser, async {
            User::from_row(&self.pools.writer().await?.one(insert).await?)
        })
        .await
    }

    /// Changes a user, if there is one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn update_user(&self, id: i64, change: &UserChange) -> Result<Option<User>, StoreError> {
        let update = statement(
            "UPDATE users SET name = coalesce($1, name), email = coalesce($2, email) WHERE id = $3 \
             RETURNING id, name, email",
        )
        .bind(&change.name)
        .bind(&change.email)
        .bind(id);
        self.run(Operation::UpdateUser, async {
            read_optional(self.pools.writer().await?.optional(update).await?)
        })
        .await
    }

    /// Deletes a user; whether there was one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn delete_user(&self, id: i64) -> Result<bool, StoreError> {
        let delete = statement("DELETE FROM users WHERE id = $1").bind(id);
        self.run(Operation::DeleteUser, async {
            Ok(self.pools.writer().await?.execute(delete).await? > 0)
        })
        .await
    }

    /// Marks a user as welcomed; `false` if the user has been deleted.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn welcome_user(&self, id: i64) -> Result<bool, StoreError> {
        let update = statement("UPDATE users SET welcomed_at = $1 WHERE id = $2")
            .bind(Timestamp::now().as_microsecond())
            .bind(id);
        self.run(Operation::WelcomeUser, async {
            Ok(self.pools.writer().await?.execute(update).await? > 0)
        })
        .await
    }
}

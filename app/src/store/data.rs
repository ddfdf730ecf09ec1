//! SQL of the table `data`.

mod types;

use jiff::Timestamp;
use sqlx::{FromRow, QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

pub use self::types::{CategorySummary, Filter, Item, NewItem, Page, Sort, SortField, Summary};
use super::{Operation, Store, StoreError};

impl<'r> FromRow<'r, SqliteRow> for Item {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        let metadata: Option<String> = row.try_get("metadata")?;
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            category: row.try_get("category")?,
            value: row.try_get("value")?,
            active: row.try_get("active")?,
            metadata: metadata
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(undecodable)?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
        })
    }
}

fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_microsecond(row.try_get(column)?).map_err(undecodable)
}

fn undecodable(source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(source))
}

impl Store {
    /// A page of items, and how many there are, both of the same moment.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn list_data(&self, filter: &Filter, sort: Sort, limit: u32, offset: u32) -> Result<Page, StoreError> {
        self.run(Operation::ListData, async {
            let mut snapshot = self.readers.begin().await?;
            let mut count = QueryBuilder::<Sqlite>::new("SELECT count(*) FROM data");
            push_filter(&mut count, filter);
            let total = count.build_query_scalar().fetch_one(&mut *snapshot).await?;
            let mut list = QueryBuilder::<Sqlite>::new("SELECT * FROM data");
            push_filter(&mut list, filter);
            list.push(" ORDER BY ")
                .push(sort.field.column())
                .push(if sort.descending { " DESC" } else { " ASC" });
            // The id makes the order total, so that pages neither repeat nor skip.
            list.push(", id LIMIT ")
                .push_bind(limit)
                .push(" OFFSET ")
                .push_bind(offset);
            let items = list.build_query_as().fetch_all(&mut *snapshot).await?;
            snapshot.commit().await?;
            Ok(Page {
                items,
                total,
                limit,
                offset,
            })
        })
        .await
    }

    /// An item, if there is one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn get_data(&self, id: i64) -> Result<Option<Item>, StoreError> {
        let query = sqlx::query_as("SELECT * FROM data WHERE id = ?").bind(id);
        self.run(Operation::GetData, query.fetch_optional(&self.readers)).await
    }

    /// Stores an item.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn insert_data(&self, item: &NewItem) -> Result<Item, StoreError> {
        let mut insert = insert_of(std::slice::from_ref(item));
        self.run(Operation::InsertData, insert.build_query_as().fetch_one(&self.writer))
            .await
    }

    /// Stores all items, or none.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn insert_many_data(&self, items: &[NewItem]) -> Result<Vec<Item>, StoreError> {
        self.run(Operation::InsertManyData, async {
            let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            let mut stored: Vec<Item> = insert_of(items).build_query_as().fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            // SQLite promises no order of returned rows, but ids grow in the order of the values.
            stored.sort_by_key(|item| item.id);
            Ok(stored)
        })
        .await
    }

    /// Replaces an item, if there is one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn update_data(&self, id: i64, item: &NewItem) -> Result<Option<Item>, StoreError> {
        let query = sqlx::query_as(
            "UPDATE data SET name = ?, description = ?, category = ?, value = ?, active = ?, metadata = ?, \
             updated_at = ? WHERE id = ? RETURNING *",
        )
        .bind(&item.name)
        .bind(&item.description)
        .bind(&item.category)
        .bind(item.value)
        .bind(item.active)
        .bind(&item.metadata)
        .bind(Timestamp::now().as_microsecond())
        .bind(id);
        self.run(Operation::UpdateData, query.fetch_optional(&self.writer))
            .await
    }

    /// Deletes an item; whether there was one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn delete_data(&self, id: i64) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM data WHERE id = ?").bind(id);
        let done = self.run(Operation::DeleteData, query.execute(&self.writer)).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Figures over all items, of one moment.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn summarize_data(&self) -> Result<Summary, StoreError> {
        self.run(Operation::SummarizeData, async {
            let mut snapshot = self.readers.begin().await?;
            let all = sqlx::query("SELECT count(*), min(value), max(value), avg(value), total(value) FROM data")
                .fetch_one(&mut *snapshot)
                .await?;
            let rows = sqlx::query(
                "SELECT count(*), min(value), max(value), avg(value), total(value), category FROM data \
                 GROUP BY category ORDER BY category",
            )
            .fetch_all(&mut *snapshot)
            .await?;
            snapshot.commit().await?;
            let categories = rows.iter().map(category_summary).collect::<Result<_, sqlx::Error>>()?;
            Ok(Summary {
                count: all.try_get(0)?,
                min: all.try_get(1)?,
                max: all.try_get(2)?,
                mean: all.try_get(3)?,
                sum: all.try_get(4)?,
                categories,
            })
        })
        .await
    }
}

fn category_summary(row: &SqliteRow) -> Result<CategorySummary, sqlx::Error> {
    Ok(CategorySummary {
        count: row.try_get(0)?,
        min: row.try_get(1)?,
        max: row.try_get(2)?,
        mean: row.try_get(3)?,
        sum: row.try_get(4)?,
        category: row.try_get(5)?,
    })
}

fn insert_of(items: &[NewItem]) -> QueryBuilder<Sqlite> {
    let now = Timestamp::now().as_microsecond();
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO data (name, description, category, value, active, metadata, created_at, updated_at) ",
    );
    insert.push_values(items, |mut row, item| {
        row.push_bind(item.name.clone())
            .push_bind(item.description.clone())
            .push_bind(item.category.clone())
            .push_bind(item.value)
            .push_bind(item.active)
            .push_bind(item.metadata.clone())
            .push_bind(now)
            .push_bind(now);
    });
    insert.push(" RETURNING *");
    insert
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    query.push(" WHERE 1");
    if let Some(category) = &filter.category {
        query.push(" AND category = ").push_bind(category.clone());
    }
    if let Some(name) = &filter.name {
        query
            .push(" AND instr(lower(name), lower(")
            .push_bind(name.clone())
            .push(")) > 0");
    }
    if let Some(min) = filter.min_value {
        query.push(" AND value >= ").push_bind(min);
    }
    if let Some(max) = filter.max_value {
        query.push(" AND value <= ").push_bind(max);
    }
    if let Some(active) = filter.active {
        query.push(" AND active = ").push_bind(active);
    }
    if let Some(after) = filter.created_after {
        query.push(" AND created_at > ").push_bind(after.as_microsecond());
    }
    if let Some(before) = filter.created_before {
        query.push(" AND created_at < ").push_bind(before.as_microsecond());
    }
}

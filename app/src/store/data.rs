//! SQL of the table `data`.

mod types;

use jiff::Timestamp;

pub use self::types::{CategorySummary, Filter, Item, ItemPage, ItemSummary, NewItem, Sort, SortField};
use super::{
    Operation, Store, StoreError,
    sql::{
        DatabaseRow, FromRow, Parameter, Statement, StatementBuilder, read_all, read_optional, statement, undecodable,
    },
};

impl FromRow for Item {
    fn from_row(row: &DatabaseRow) -> Result<Self, sqlx::Error> {
        let metadata: Option<String> = row.get("metadata")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            description: row.get("description")?,
            category: row.get("category")?,
            value: row.get("value")?,
            active: row.get("active")?,
            metadata: metadata
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(undecodable)?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
        })
    }
}

fn time(row: &DatabaseRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_microsecond(row.get(column)?).map_err(undecodable)
}

impl Store {
    /// A page of items and the number of all items, from the same snapshot.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn list_data(
        &self,
        filter: &Filter,
        sort: Sort,
        limit: u32,
        offset: u32,
    ) -> Result<ItemPage, StoreError> {
        self.run(Operation::ListData, async {
            let mut snapshot = self.pools.snapshot().await?;
            let mut count = StatementBuilder::new("SELECT count(*) AS count FROM data");
            push_filter(&mut count, filter);
            let total = snapshot.one(count.finish()).await?.get("count")?;
            let mut list = StatementBuilder::new("SELECT * FROM data");
            push_filter(&mut list, filter);
            list.push(" ORDER BY ")
                .push(sort.field.column())
                .push(if sort.descending { " DESC" } else { " ASC" });
            // The id makes the order total, so that pages neither repeat nor skip.
            list.push(", id LIMIT ")
                .push_parameter(limit)
                .push(" OFFSET ")
                .push_parameter(offset);
            let items = read_all(&snapshot.all(list.finish()).await?)?;
            snapshot.commit().await?;
            Ok(ItemPage {
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
        let query = statement("SELECT * FROM data WHERE id = $1").bind(id);
        self.run(Operation::GetData, async {
            read_optional(self.pools.reader().await?.optional(query).await?)
        })
        .await
    }

    /// Stores an item.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn insert_data(&self, item: &NewItem) -> Result<Item, StoreError> {
        let insert = insert_of(std::slice::from_ref(item)).finish();
        self.run(Operation::InsertData, async {
            Item::from_row(&self.pools.writer().await?.one(insert).await?)
        })
        .await
    }

    /// Stores all items, or none.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn insert_many_data(&self, items: &[NewItem]) -> Result<Vec<Item>, StoreError> {
        self.run(Operation::InsertManyData, async {
            // One statement: all or nothing without a transaction of our own.
            let rows = self.pools.writer().await?.all(insert_of(items).finish_once()).await?;
            let mut stored: Vec<Item> = read_all(&rows)?;
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
        let query = statement(
            "UPDATE data SET name = $1, description = $2, category = $3, value = $4, active = $5, metadata = $6, \
             updated_at = $7 WHERE id = $8 RETURNING *",
        )
        .bind(&item.name)
        .bind(&item.description)
        .bind(&item.category)
        .bind(item.value)
        .bind(item.active)
        .bind(&item.metadata)
        .bind(Timestamp::now().as_microsecond())
        .bind(id);
        self.run(Operation::UpdateData, async {
            read_optional(self.pools.writer().await?.optional(query).await?)
        })
        .await
    }

    /// Deletes an item; whether there was one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn delete_data(&self, id: i64) -> Result<bool, StoreError> {
        let query = statement("DELETE FROM data WHERE id = $1").bind(id);
        self.run(Operation::DeleteData, async {
            Ok(self.pools.writer().await?.execute(query).await? > 0)
        })
        .await
    }

    /// Figures over all items, from one snapshot.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn summarize_data(&self) -> Result<ItemSummary, StoreError> {
        self.run(Operation::SummarizeData, async {
            let mut snapshot = self.pools.snapshot().await?;
            let all = snapshot.one(figures("", "")).await?;
            let by_category = figures(", category", " GROUP BY category ORDER BY category");
            let rows = snapshot.all(by_category).await?;
            snapshot.commit().await?;
            let (count, sum) = (all.get("count")?, all.get("sum")?);
            Ok(ItemSummary {
                count,
                min: all.get("min")?,
                max: all.get("max")?,
                mean: mean(sum, count),
                sum,
                categories: read_all(&rows)?,
            })
        })
        .await
    }
}

fn figures(column: &'static str, grouping: &'static str) -> Statement {
    let mut query = StatementBuilder::new(
        "SELECT count(*) AS count, min(value) AS min, max(value) AS max, coalesce(sum(value), 0.0) AS sum",
    );
    query.push(column).push(" FROM data").push(grouping);
    query.finish()
}

/// The mean is computed here, because PostgreSQL's `avg` fails for values whose squares are too large.
fn mean(sum: f64, count: i64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

impl FromRow for CategorySummary {
    fn from_row(row: &DatabaseRow) -> Result<Self, sqlx::Error> {
        let (count, sum) = (row.get("count")?, row.get("sum")?);
        Ok(Self {
            category: row.get("category")?,
            count,
            min: row.get("min")?,
            max: row.get("max")?,
            mean: mean(sum, count),
            sum,
        })
    }
}

fn insert_of(items: &[NewItem]) -> StatementBuilder {
    let now = Timestamp::now().as_microsecond();
    let mut insert = StatementBuilder::new(
        "INSERT INTO data (name, description, category, value, active, metadata, created_at, updated_at) VALUES ",
    );
    for (index, item) in items.iter().enumerate() {
        insert.push(if index == 0 { "" } else { ", " });
        insert.push_row([
            Parameter::from(&item.name),
            Parameter::from(&item.description),
            Parameter::from(&item.category),
            Parameter::from(item.value),
            Parameter::from(item.active),
            Parameter::from(&item.metadata),
            Parameter::from(now),
            Parameter::from(now),
        ]);
    }
    insert.push(" RETURNING *");
    insert
}

fn push_filter(query: &mut StatementBuilder, filter: &Filter) {
    query.push(" WHERE TRUE");
    if let Some(category) = &filter.category {
        query.push(" AND category = ").push_parameter(category);
    }
    if let Some(name) = &filter.name {
        query.push(" AND lower(name) LIKE ").push_parameter(&contains(name));
        query.push(r" ESCAPE '\'");
    }
    if let Some(min) = filter.min_value {
        query.push(" AND value >= ").push_parameter(min);
    }
    if let Some(max) = filter.max_value {
        query.push(" AND value <= ").push_parameter(max);
    }
    if let Some(active) = filter.active {
        query.push(" AND active = ").push_parameter(active);
    }
    if let Some(after) = filter.created_after {
        query.push(" AND created_at > ").push_parameter(after.as_microsecond());
    }
    if let Some(before) = filter.created_before {
        query.push(" AND created_at < ").push_parameter(before.as_microsecond());
    }
}

/// The pattern of texts that contain `part`. Only ASCII letters are lowered, as both databases do.
fn contains(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

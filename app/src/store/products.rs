//! SQL of the table `products`.

use super::{
    Operation, Store, StoreError,
    sql::{DatabaseRow, FromRow, read_all, read_optional, statement},
};

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The client's choice.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its price in cents.
    pub price_cents: i64,
    /// How many there are.
    pub amount: i64,
}

/// A part of the products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPage {
    /// The products, by id.
    pub products: Vec<Product>,
    /// How many there are in all.
    pub total: i64,
}

impl FromRow for Product {
    fn from_row(row: &DatabaseRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            price_cents: row.get("price_cents")?,
            amount: row.get("amount")?,
        })
    }
}

impl Store {
    /// A page of products and the number of all products, from the same snapshot.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn list_products(&self, limit: u32, offset: u32) -> Result<ProductPage, StoreError> {
        let page = statement("SELECT * FROM products ORDER BY id LIMIT $1 OFFSET $2")
            .bind(limit)
            .bind(offset);
        self.run(Operation::ListProducts, async {
            let mut snapshot = self.pools.snapshot().await?;
            let count = snapshot.one(statement("SELECT count(*) AS count FROM products"));
            let total = count.await?.get("count")?;
            let products = read_all(&snapshot.all(page).await?)?;
            snapshot.commit().await?;
            Ok(ProductPage { products, total })
        })
        .await
    }

    /// A product, if there is one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn get_product(&self, id: i64) -> Result<Option<Product>, StoreError> {
        let query = statement("SELECT * FROM products WHERE id = $1").bind(id);
        self.run(Operation::GetProduct, async {
            read_optional(self.pools.reader().await?.optional(query).await?)
        })
        .await
    }

    /// Stores a product; `false` if its id is taken.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn insert_product(&self, product: &Product) -> Result<bool, StoreError> {
        let insert = statement(
            "INSERT INTO products (id, name, price_cents, amount) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
        )
        .bind(product.id)
        .bind(&product.name)
        .bind(product.price_cents)
        .bind(product.amount);
        self.run(Operation::InsertProduct, async {
            Ok(self.pools.writer().await?.execute(insert).await? > 0)
        })
        .await
    }

    /// Replaces the product with this id; `false` if there is none.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn update_product(&self, product: &Product) -> Result<bool, StoreError> {
        let update = statement("UPDATE products SET name = $1, price_cents = $2, amount = $3 WHERE id = $4")
            .bind(&product.name)
            .bind(product.price_cents)
            .bind(product.amount)
            .bind(product.id);
        self.run(Operation::UpdateProduct, async {
            Ok(self.pools.writer().await?.execute(update).await? > 0)
        })
        .await
    }

    /// Deletes a product; whether there was one.
    ///
    /// # Errors
    /// The store is not available, or failed.
    pub async fn delete_product(&self, id: i64) -> Result<bool, StoreError> {
        let delete = statement("DELETE FROM products WHERE id = $1").bind(id);
        self.run(Operation::DeleteProduct, async {
            Ok(self.pools.writer().await?.execute(delete).await? > 0)
        })
        .await
    }
}

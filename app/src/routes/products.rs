//! `/products`: products under ids that clients choose. Prices are JSON numbers outside and whole cents inside.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    body::{JsonBody, created},
    endpoint::Endpoint,
    fields::{FieldReader, MAX_WHOLE},
    params::{Id, Params},
    schemas::{named, required_text},
};
use crate::{
    error::{Problem, Slug},
    state::AppState,
    store::Product,
};

const MAX_NAME: usize = 200;
/// Products of one list.
const MAX_LIMIT: u32 = 1_000;
/// The largest price: fifteen digits, as many as a JSON number keeps exactly.
const MAX_CENTS: i64 = 999_999_999_999_999;
/// The same as a price.
const MAX_PRICE: f64 = 9_999_999_999_999.99;

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/products", "listProducts", "Products by id", list)
            .page(MAX_LIMIT, MAX_LIMIT)
            .response::<Vec<ProductJson>>(StatusCode::OK, "The products")
            .with_headers(&[("X-Total-Count", "How many there are in all")])
            .uses_store(),
        Endpoint::post("/products", "createProduct", "Store a product", create)
            .body(new_product, example(7))
            .response::<ProductJson>(StatusCode::CREATED, "The product as it is stored")
            .with_headers(&[("Location", "Path of the new product")])
            .problem(Slug::Conflict)
            .uses_store(),
        Endpoint::get("/products/{id}", "getProduct", "Read a product", read)
            .stored_id("The product's id")
            .response::<ProductJson>(StatusCode::OK, "The product"),
        Endpoint::put("/products/{id}", "replaceProduct", "Replace a product", replace)
            .stored_id("The product's id")
            .about("The id may be left out of the body; if it is there, it has to be the path's.")
            .body(changed_product, example(1))
            .response::<ProductJson>(StatusCode::OK, "The product as it is stored now"),
        Endpoint::delete("/products/{id}", "deleteProduct", "Delete a product", remove)
            .stored_id("The product's id")
            .empty_response(StatusCode::NO_CONTENT, "It is gone"),
    ]
}

fn example(id: i64) -> Value {
    json!({"id": id, "name": "Laptop", "price": 999.99, "amount": 10})
}

fn new_product(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "NewProduct", schema(&["id", "name", "price", "amount"]))
}

fn changed_product(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "ChangedProduct", schema(&["name", "price", "amount"]))
}

/// The schema of what [`product`] reads.
fn schema(required: &[&str]) -> Value {
    let whole = json!({"type": "integer", "minimum": 0, "maximum": MAX_WHOLE});
    json!({
        "type": "object",
        "required": required,
        "properties": {
            "id": whole,
            "name": required_text(MAX_NAME),
            "price": {"type": "number", "minimum": 0, "maximum": MAX_PRICE, "multipleOf": 0.01},
            "amount": whole,
        },
    })
}

/// A product.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Product")]
struct ProductJson {
    /// The client's choice.
    id: i64,
    /// What it is called.
    name: String,
    /// What it costs; at most two decimals.
    price: f64,
    /// How many there are.
    amount: i64,
}

impl From<Product> for ProductJson {
    fn from(product: Product) -> Self {
        let Product {
            id,
            name,
            price_cents,
            amount,
        } = product;
        Self {
            id,
            name,
            // With up to fifteen digits the nearest floating-point number prints as exactly this decimal.
            price: price_cents as f64 / 100.0,
            amount,
        }
    }
}

async fn list(State(state): State<AppState>, mut params: Params) -> Result<Response, Problem> {
    let (limit, offset) = params.page(MAX_LIMIT, MAX_LIMIT);
    params.finish()?;
    let page = state.store().list_products(limit, offset).await?;
    let products: Vec<_> = page.products.into_iter().map(ProductJson::from).collect();
    Ok(([(TOTAL, HeaderValue::from(page.total))], Json(products)).into_response())
}

async fn create(State(state): State<AppState>, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    let product = product(&body, None)?;
    if !state.store().insert_product(&product).await? {
        return Err(Problem::new(Slug::Conflict, "There is a product with this id already"));
    }
    Ok(created(
        &format!("/products/{}", product.id),
        &ProductJson::from(product),
    ))
}

async fn read(State(state): State<AppState>, Id(id): Id) -> Result<Json<ProductJson>, Problem> {
    let product = state.store().get_product(id).await?;
    product.map(|product| Json(product.into())).ok_or_else(no_such_product)
}

async fn replace(
    State(state): State<AppState>,
    Id(id): Id,
    JsonBody(body): JsonBody,
) -> Result<Json<ProductJson>, Problem> {
    let product = product(&body, Some(id))?;
    if state.store().update_product(&product).await? {
        Ok(Json(product.into()))
    } else {
        Err(no_such_product())
    }
}

async fn remove(State(state): State<AppState>, Id(id): Id) -> Result<StatusCode, Problem> {
    if state.store().delete_product(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_product())
    }
}

fn no_such_product() -> Problem {
    Problem::new(Slug::NotFound, "There is no product with this id")
}

/// A product from a body; the path's id, if there is one, may be repeated in it.
fn product(body: &Value, path: Option<i64>) -> Result<Product, Problem> {
    let mut reader = FieldReader::default();
    let product = reader.object(body).map(|fields| Product {
        id: match path {
            Some(path) if !fields.contains_key("id") => path,
            Some(path) => {
                let id = reader.whole(fields, "id");
                if reader.violations.is_empty() && id != path {
                    reader.complain("id", "not a valid id: use the id of the path, or leave it out");
                }
                path
            }
            None => reader.whole(fields, "id"),
        },
        name: reader.required_text(fields, "name", MAX_NAME),
        price_cents: price(&mut reader, fields.get("price")),
        amount: reader.whole(fields, "amount"),
    });
    reader.finish(product)
}

fn price(reader: &mut FieldReader, value: Option<&Value>) -> i64 {
    let cents = value.and_then(cents);
    if cents.is_none() {
        reader.complain(
            "price",
            format!("not a valid number: use a number from 0 to {MAX_PRICE} with at most two decimals"),
        );
    }
    cents.unwrap_or_default()
}

/// Cents of a price, from its decimal digits: floating-point arithmetic would sometimes be off by a cent.
fn cents(value: &Value) -> Option<i64> {
    let text = value.as_f64()?.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    if decimals.len() > 2 {
        return None;
    }
    let cents = format!("{whole}{decimals:0<2}").parse().ok()?;
    (0..=MAX_CENTS).contains(&cents).then_some(cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_taken_by_its_digits_and_comes_back_the_same() {
        for (text, wanted) in [
            ("999.99", Some(99_999)),
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("0.1", Some(10)),
            ("0.29", Some(29)),
            ("1.10", Some(110)),
            ("19.99", Some(1_999)),
            ("1e2", Some(10_000)),
            ("9999999999999.99", Some(MAX_CENTS)),
            ("10000000000000", None),
            ("1e300", None),
            ("1.005", None),
            ("0.30000000000000004", None),
            ("1e-3", None),
            ("-0.01", None),
            ("\"1\"", None),
            ("null", None),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(cents(&value), wanted, "{text}");
        }
        assert_eq!(MAX_PRICE, MAX_CENTS as f64 / 100.0);
    }

    #[test]
    fn every_price_up_to_the_largest_prints_as_it_was_given() {
        // Steps that are coprime to powers of ten visit every pattern of digits.
        for cents in (0..MAX_CENTS).step_by(1_234_567_891_011) {
            let answer = ProductJson::from(Product {
                id: 1,
                name: String::new(),
                price_cents: cents,
                amount: 0,
            });
            let price = serde_json::to_value(&answer).unwrap()["price"].clone();
            assert_eq!(super::cents(&price), Some(cents));
        }
    }

    #[test]
    fn an_id_in_the_body_must_be_the_paths() {
        let body = |id: i64| json!({"id": id, "name": "a", "price": 1, "amount": 2});
        assert_eq!(product(&body(7), Some(7)).unwrap().id, 7);
        assert!(product(&body(8), Some(7)).is_err());
        let without = json!({"name": "a", "price": 1, "amount": 2});
        assert_eq!(product(&without, Some(7)).unwrap().id, 7);
        assert!(product(&without, None).is_err());
    }
}

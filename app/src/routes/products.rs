//! `/products`: products under ids that clients choose. Prices are JSON numbers outside and whole cents inside.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    Resource,
    body::JsonBody,
    fields::Reader,
    params::{Id, Params},
};
use crate::{
    error::{Problem, Slug},
    state::AppState,
    store::Product,
};

pub(super) const MAX_NAME: usize = 200;
/// Products of one list.
pub(super) const MAX_LIMIT: u32 = 1_000;
/// As many digits as a JSON number keeps exactly: fifteen.
const MAX_CENTS: i64 = 999_999_999_999_999;
/// The same as a price.
pub(super) const MAX_PRICE: f64 = 9_999_999_999_999.99;

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

pub(super) fn resource() -> Resource {
    const COLLECTION: &[(Method, StatusCode)] = &[(Method::GET, StatusCode::OK), (Method::POST, StatusCode::CREATED)];
    const PRODUCT: &[(Method, StatusCode)] = &[
        (Method::GET, StatusCode::OK),
        (Method::PUT, StatusCode::OK),
        (Method::DELETE, StatusCode::NO_CONTENT),
    ];
    Resource::default()
        .at("/products", COLLECTION, get(list).post(create))
        .at("/products/{id}", PRODUCT, get(read).put(replace).delete(remove))
}

/// A product.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Product")]
pub(super) struct Answer {
    /// The client's choice.
    id: i64,
    /// What it is called.
    name: String,
    /// What it costs; at most two decimals.
    price: f64,
    /// How many there are.
    amount: i64,
}

impl From<Product> for Answer {
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
            // Up to fifteen digits the number that is nearest to the fraction prints as the decimal.
            price: price_cents as f64 / 100.0,
            amount,
        }
    }
}

async fn list(State(state): State<AppState>, mut params: Params) -> Result<Response, Problem> {
    let limit = params.number("limit", MAX_LIMIT, 1, MAX_LIMIT);
    let offset = params.number("offset", 0, 0, u32::MAX);
    params.finish()?;
    let page = state.store().list_products(limit, offset).await?;
    let products: Vec<_> = page.products.into_iter().map(Answer::from).collect();
    Ok(([(TOTAL, HeaderValue::from(page.total))], Json(products)).into_response())
}

async fn create(State(state): State<AppState>, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    let product = product(&body, None)?;
    if !state.store().insert_product(&product).await? {
        return Err(Problem::new(Slug::Conflict, "There is a product with this id already"));
    }
    let location = HeaderValue::try_from(format!("/products/{}", product.id));
    let mut response = (StatusCode::CREATED, Json(Answer::from(product))).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn read(State(state): State<AppState>, Id(id): Id) -> Result<Json<Answer>, Problem> {
    let product = state.store().get_product(id).await?;
    product.map(|product| Json(product.into())).ok_or_else(no_such_product)
}

async fn replace(State(state): State<AppState>, Id(id): Id, JsonBody(body): JsonBody) -> Result<Json<Answer>, Problem> {
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
    let mut reader = Reader::default();
    let product = reader.object(body).map(|fields| Product {
        id: match path {
            Some(path) if !fields.contains_key("id") => path,
            Some(path) => {
                let id = reader.whole(fields, "id");
                if reader.violations.is_empty() && id != path {
                    reader.complain("id", "must be the path's");
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

fn price(reader: &mut Reader, value: Option<&Value>) -> i64 {
    let cents = value.and_then(cents);
    if cents.is_none() {
        reader.complain(
            "price",
            format!("must be a number from 0 to {MAX_PRICE} with at most two decimals"),
        );
    }
    cents.unwrap_or_default()
}

/// Cents of a price, by its decimal digits: arithmetic on fractions would be off by a cent now and then.
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
    use serde_json::json;

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
            let answer = Answer::from(Product {
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

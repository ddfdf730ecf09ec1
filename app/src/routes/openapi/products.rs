//! Rows of `/products`.

use axum::http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::{
    operation::Operation,
    schemas::{NOT_BLANK, id, named, whole_number},
};
use crate::{
    error::Slug,
    routes::{
        fields::MAX_WHOLE,
        products::{Answer, MAX_LIMIT, MAX_NAME, MAX_PRICE},
    },
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/products", "listProducts", "Products by id")
            .query("limit", "How many at most", limit())
            .query("offset", "How many to leave out", offset())
            .answers::<Vec<Answer>>(StatusCode::OK, "The products")
            .with_headers(&[("X-Total-Count", "How many there are in all")])
            .uses_store(),
        Operation::new(Method::POST, "/products", "createProduct", "Store a product")
            .body(new_product, example(7))
            .answers::<Answer>(StatusCode::CREATED, "The product as it is stored")
            .with_headers(&[("Location", "Path of the new product")])
            .problem(Slug::Conflict)
            .uses_store(),
        with_id(Operation::new(
            Method::GET,
            "/products/{id}",
            "getProduct",
            "Read a product",
        ))
        .answers::<Answer>(StatusCode::OK, "The product"),
        with_id(Operation::new(
            Method::PUT,
            "/products/{id}",
            "replaceProduct",
            "Replace a product",
        ))
        .about("The id may be left out of the body; if it is there, it has to be the path's.")
        .body(changed_product, example(1))
        .answers::<Answer>(StatusCode::OK, "The product as it is stored now"),
        with_id(Operation::new(
            Method::DELETE,
            "/products/{id}",
            "deleteProduct",
            "Delete a product",
        ))
        .answers_empty(StatusCode::NO_CONTENT, "It is gone"),
    ]
}

fn limit() -> Value {
    whole_number(1, MAX_LIMIT.into(), Some(MAX_LIMIT.into()))
}

fn offset() -> Value {
    whole_number(0, u32::MAX.into(), Some(0))
}

fn with_id(operation: Operation) -> Operation {
    operation
        .path("id", "The product's id", id(), 1)
        .problem(Slug::NotFound)
        .uses_store()
}

fn example(id: i64) -> Value {
    json!({"id": id, "name": "Laptop", "price": 999.99, "amount": 10})
}

fn new_product(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "NewProduct", product(&["id", "name", "price", "amount"]))
}

fn changed_product(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "ChangedProduct", product(&["name", "price", "amount"]))
}

fn product(required: &[&str]) -> Value {
    let whole = json!({"type": "integer", "minimum": 0, "maximum": MAX_WHOLE});
    json!({
        "type": "object",
        "required": required,
        "properties": {
            "id": whole,
            "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": NOT_BLANK},
            "price": {"type": "number", "minimum": 0, "maximum": MAX_PRICE, "multipleOf": 0.01},
            "amount": whole,
        },
    })
}

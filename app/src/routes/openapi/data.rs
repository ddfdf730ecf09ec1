//! Rows of `/api/v1/data`.

use axum::http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::{
    operation::Operation,
    schemas::{NOT_BLANK, boolean, id, named, number, text_up_to, time, whole_number},
};
use crate::{
    error::Slug,
    routes::data::{Created, DEFAULT_LIMIT, MAX_LIMIT, input},
    store::{Item, Page, SortField, Summary},
};

const LOCATION: &[(&str, &str)] = &[("Location", "Path of the new item")];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        list(),
        Operation::new(Method::POST, "/api/v1/data", "createItem", "Store an item")
            .body(new_item, example())
            .answers::<Item>(StatusCode::CREATED, "The item as it is stored")
            .with_headers(LOCATION)
            .uses_store(),
        with_id(Operation::new(
            Method::GET,
            "/api/v1/data/{id}",
            "getItem",
            "Read an item",
        ))
        .answers::<Item>(StatusCode::OK, "The item"),
        with_id(Operation::new(
            Method::PUT,
            "/api/v1/data/{id}",
            "replaceItem",
            "Replace an item",
        ))
        .about("What is left out gets its default, not its former value.")
        .body(new_item, example())
        .answers::<Item>(StatusCode::OK, "The item as it is stored now"),
        with_id(Operation::new(
            Method::DELETE,
            "/api/v1/data/{id}",
            "deleteItem",
            "Delete an item",
        ))
        .answers_empty(StatusCode::NO_CONTENT, "It is gone"),
        Operation::new(
            Method::POST,
            "/api/v1/data/bulk",
            "createItems",
            "Store many items, all or none",
        )
        .about("One transaction. A violation names the item by its place, from 0.")
        .body(new_items, json!([example()]))
        .answers::<Created>(StatusCode::CREATED, "The items in the order in which they were given")
        .uses_store(),
        Operation::new(
            Method::GET,
            "/api/v1/data/stats/summary",
            "summarizeItems",
            "Figures over all items",
        )
        .answers::<Summary>(StatusCode::OK, "The figures")
        .uses_store(),
    ]
}

fn list() -> Operation {
    let fields = SortField::ALL.iter().map(|field| field.column());
    let sort: Vec<_> = fields
        .flat_map(|field| [field.to_owned(), format!("-{field}")])
        .collect();
    let [min_value, max_value] = [number(), number()];
    Operation::new(Method::GET, "/api/v1/data", "listItems", "A page of items")
        .query(
            "limit",
            "How many at most",
            whole_number(1, MAX_LIMIT.into(), Some(DEFAULT_LIMIT.into())),
        )
        .query(
            "offset",
            "How many to leave out",
            whole_number(0, u32::MAX.into(), Some(0)),
        )
        .query(
            "sort",
            "By which field; with a minus sign, largest first",
            json!({"type": "string", "enum": sort, "default": "id"}),
        )
        .query("category", "Exactly this category", text_up_to(input::MAX_CATEGORY))
        .query(
            "q",
            "The name contains this, whatever the case of ASCII letters",
            text_up_to(input::MAX_NAME),
        )
        .query("min_value", "At least this value", min_value)
        .query("max_value", "At most this value", max_value)
        .query("active", "Active or not", boolean())
        .query("created_after", "Stored after this", time())
        .query("created_before", "Stored before this", time())
        .answers::<Page>(StatusCode::OK, "The items, and how many there are in all")
        .uses_store()
}

fn with_id(operation: Operation) -> Operation {
    operation
        .path("id", "The item's id", id(), 1)
        .problem(Slug::NotFound)
        .uses_store()
}

fn example() -> Value {
    json!({"name": "Ada", "category": "people", "value": 1.5, "metadata": {"born": 1815}})
}

fn new_item(generator: &mut SchemaGenerator) -> Schema {
    named(
        generator,
        "NewItem",
        json!({
            "type": "object",
            "required": ["name", "category", "value"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": input::MAX_NAME, "pattern": NOT_BLANK},
                "description": {"type": ["string", "null"], "maxLength": input::MAX_DESCRIPTION},
                "category": {"type": "string", "minLength": 1, "maxLength": input::MAX_CATEGORY, "pattern": NOT_BLANK},
                "value": {"type": "number", "minimum": -input::MAX_VALUE, "maximum": input::MAX_VALUE},
                "active": {"type": ["boolean", "null"], "default": true},
                "metadata": {
                    "type": ["object", "null"],
                    "description": format!("At most {} bytes as JSON", input::MAX_METADATA_BYTES),
                },
            },
        }),
    )
}

fn new_items(generator: &mut SchemaGenerator) -> Schema {
    let item = new_item(generator);
    let items = json!({"type": "array", "items": item, "minItems": 1, "maxItems": input::MAX_BULK});
    let wrapped = json!({"type": "object", "required": ["items"], "properties": {"items": items}});
    named(generator, "NewItems", json!({"anyOf": [items, wrapped]}))
}

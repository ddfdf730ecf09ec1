//! `/api/v1/data`: items, one by one, many at once, and figures over them.

mod input;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    body::{JsonBody, created},
    endpoint::Endpoint,
    params::{Id, Params},
    schemas,
};
use crate::{
    error::{Problem, Slug},
    state::AppState,
    store::{Filter, Item, ItemPage, ItemSummary, Sort, SortField},
};

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 200;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = one_by_one();
    endpoints.extend(many());
    endpoints
}

fn one_by_one() -> Vec<Endpoint> {
    vec![
        with_filter(Endpoint::get("/api/v1/data", "listItems", "A page of items", list))
            .response::<ItemPage>(StatusCode::OK, "The items, and how many there are in all")
            .uses_store(),
        Endpoint::post("/api/v1/data", "createItem", "Store an item", create)
            .body(input::new_item, input::example())
            .response::<Item>(StatusCode::CREATED, "The item as it is stored")
            .with_headers(&[("Location", "Path of the new item")])
            .uses_store(),
        Endpoint::get("/api/v1/data/{id}", "getItem", "Read an item", read)
            .stored_id("The item's id")
            .response::<Item>(StatusCode::OK, "The item"),
        Endpoint::put("/api/v1/data/{id}", "replaceItem", "Replace an item", replace)
            .stored_id("The item's id")
            .about("What is left out gets its default, not its former value.")
            .body(input::new_item, input::example())
            .response::<Item>(StatusCode::OK, "The item as it is stored now"),
        Endpoint::delete("/api/v1/data/{id}", "deleteItem", "Delete an item", remove)
            .stored_id("The item's id")
            .empty_response(StatusCode::NO_CONTENT, "It is gone"),
    ]
}

fn many() -> Vec<Endpoint> {
    vec![
        Endpoint::post(
            "/api/v1/data/bulk",
            "createItems",
            "Store many items, all or none",
            create_many,
        )
        .about("One transaction. A violation names the item by its place, from 0.")
        .body(input::new_items, json!([input::example()]))
        .response::<CreatedItems>(StatusCode::CREATED, "The items in the order in which they were given")
        .uses_store(),
        Endpoint::get(
            "/api/v1/data/stats/summary",
            "summarizeItems",
            "Figures over all items",
            summarize,
        )
        .response::<ItemSummary>(StatusCode::OK, "The figures")
        .uses_store(),
    ]
}

/// Adds the query parameters that [`list`] reads.
fn with_filter(endpoint: Endpoint) -> Endpoint {
    let fields = SortField::ALL.iter().map(|field| field.column());
    let sort: Vec<_> = fields
        .flat_map(|field| [field.to_owned(), format!("-{field}")])
        .collect();
    endpoint
        .page(DEFAULT_LIMIT, MAX_LIMIT)
        .query(
            "sort",
            "By which field; with a minus sign, largest first",
            json!({"type": "string", "enum": sort, "default": "id"}),
        )
        .query(
            "category",
            "Exactly this category",
            schemas::text_up_to(input::MAX_CATEGORY),
        )
        .query(
            "q",
            "The name contains this, whatever the case of ASCII letters",
            schemas::text_up_to(input::MAX_NAME),
        )
        .query("min_value", "At least this value", schemas::number())
        .query("max_value", "At most this value", schemas::number())
        .query("active", "Active or not", schemas::boolean())
        .query("created_after", "Stored after this", schemas::time())
        .query("created_before", "Stored before this", schemas::time())
}

async fn list(State(state): State<AppState>, mut params: Params) -> Result<Json<ItemPage>, Problem> {
    let (limit, offset) = params.page(DEFAULT_LIMIT, MAX_LIMIT);
    let sort = params.read(
        "sort",
        "not a valid sort order: use a field, or a field after a minus sign, for example -value",
        parse_sort,
    );
    let filter = read_filter(&mut params);
    params.finish()?;
    let sort = sort.unwrap_or(Sort {
        field: SortField::Id,
        descending: false,
    });
    Ok(Json(state.store().list_data(&filter, sort, limit, offset).await?))
}

fn read_filter(params: &mut Params) -> Filter {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let time = |text: &str| text.parse::<Timestamp>().ok();
    Filter {
        category: params.stored_text("category", input::MAX_CATEGORY),
        name: params.stored_text("q", input::MAX_NAME),
        min_value: params.read("min_value", "not a valid number: use a number", number),
        max_value: params.read("max_value", "not a valid number: use a number", number),
        active: params.read("active", "not a valid boolean: use true or false", |text| {
            text.parse().ok()
        }),
        created_after: params.read(
            "created_after",
            "not a valid time: use RFC 3339, for example 2026-01-31T12:00:00Z",
            time,
        ),
        created_before: params.read(
            "created_before",
            "not a valid time: use RFC 3339, for example 2026-01-31T12:00:00Z",
            time,
        ),
    }
}

fn parse_sort(text: &str) -> Option<Sort> {
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let field = SortField::ALL.iter().copied().find(|field| field.column() == name)?;
    Some(Sort { field, descending })
}

async fn create(State(state): State<AppState>, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    let item = input::item(&body).map_err(Problem::invalid)?;
    let stored = state.store().insert_data(&item).await?;
    Ok(created(&format!("/api/v1/data/{}", stored.id), &stored))
}

/// What a bulk request stored.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Created")]
struct CreatedItems {
    /// How many.
    count: usize,
    /// The items in the order in which they were given.
    items: Vec<Item>,
}

async fn create_many(
    State(state): State<AppState>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<CreatedItems>), Problem> {
    let items = input::items(&body).map_err(Problem::invalid)?;
    let items = state.store().insert_many_data(&items).await?;
    let count = items.len();
    Ok((StatusCode::CREATED, Json(CreatedItems { count, items })))
}

async fn read(State(state): State<AppState>, Id(id): Id) -> Result<Json<Item>, Problem> {
    state.store().get_data(id).await?.map(Json).ok_or_else(no_such_item)
}

async fn replace(State(state): State<AppState>, Id(id): Id, JsonBody(body): JsonBody) -> Result<Json<Item>, Problem> {
    let item = input::item(&body).map_err(Problem::invalid)?;
    let item = state.store().update_data(id, &item).await?;
    item.map(Json).ok_or_else(no_such_item)
}

async fn remove(State(state): State<AppState>, Id(id): Id) -> Result<StatusCode, Problem> {
    if state.store().delete_data(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_item())
    }
}

async fn summarize(State(state): State<AppState>) -> Result<Json<ItemSummary>, Problem> {
    Ok(Json(state.store().summarize_data().await?))
}

fn no_such_item() -> Problem {
    Problem::new(Slug::NotFound, "There is no item with this id")
}

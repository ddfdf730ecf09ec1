//! `/api/v1/data`: items, one by one, many at once, and figures over them.

pub(super) mod input;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Resource,
    body::JsonBody,
    params::{Id, Params},
};
use crate::{
    error::{Problem, Slug},
    state::AppState,
    store::{Filter, Item, Page, Sort, SortField, Summary},
};

pub(super) const DEFAULT_LIMIT: u32 = 20;
pub(super) const MAX_LIMIT: u32 = 200;

pub(super) fn resource() -> Resource {
    const COLLECTION: &[(Method, StatusCode)] = &[(Method::GET, StatusCode::OK), (Method::POST, StatusCode::CREATED)];
    const ITEM: &[(Method, StatusCode)] = &[
        (Method::GET, StatusCode::OK),
        (Method::PUT, StatusCode::OK),
        (Method::DELETE, StatusCode::NO_CONTENT),
    ];
    Resource::default()
        .at("/api/v1/data", COLLECTION, get(list).post(create))
        .at("/api/v1/data/{id}", ITEM, get(read).put(replace).delete(remove))
        .at(
            "/api/v1/data/bulk",
            &[(Method::POST, StatusCode::CREATED)],
            post(create_many),
        )
        .at(
            "/api/v1/data/stats/summary",
            &[(Method::GET, StatusCode::OK)],
            get(summarize),
        )
}

async fn list(State(state): State<AppState>, mut params: Params) -> Result<Json<Page>, Problem> {
    let limit = params.number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT);
    let offset = params.number("offset", 0, 0, u32::MAX);
    let sort = params.read("sort", "must be a field, or a field after a minus sign", parse_sort);
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
        min_value: params.read("min_value", "must be a number", number),
        max_value: params.read("max_value", "must be a number", number),
        active: params.read("active", "must be true or false", |text| text.parse().ok()),
        created_after: params.read("created_after", "must be a time as in RFC 3339", time),
        created_before: params.read("created_before", "must be a time as in RFC 3339", time),
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
    let mut response = (StatusCode::CREATED, Json(&stored)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/data/{}", stored.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What a bulk request stored.
#[derive(Serialize, JsonSchema)]
pub(super) struct Created {
    /// How many.
    count: usize,
    /// The items in the order in which they were given.
    items: Vec<Item>,
}

async fn create_many(State(state): State<AppState>, JsonBody(body): JsonBody) -> Result<impl IntoResponse, Problem> {
    let items = input::items(&body).map_err(Problem::invalid)?;
    let items = state.store().insert_many_data(&items).await?;
    Ok((
        StatusCode::CREATED,
        Json(Created {
            count: items.len(),
            items,
        }),
    ))
}

async fn read(State(state): State<AppState>, Id(id): Id) -> Result<Json<Item>, Problem> {
    state.store().get_data(id).await?.map(Json).ok_or_else(no_such_item)
}

async fn replace(State(state): State<AppState>, Id(id): Id, JsonBody(body): JsonBody) -> Result<Json<Item>, Problem> {
    let item = input::item(&body).map_err(Problem::invalid)?;
    state
        .store()
        .update_data(id, &item)
        .await?
        .map(Json)
        .ok_or_else(no_such_item)
}

async fn remove(State(state): State<AppState>, Id(id): Id) -> Result<StatusCode, Problem> {
    if state.store().delete_data(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_item())
    }
}

async fn summarize(State(state): State<AppState>) -> Result<Json<Summary>, Problem> {
    Ok(Json(state.store().summarize_data().await?))
}

fn no_such_item() -> Problem {
    Problem::new(Slug::NotFound, "There is no item with this id")
}

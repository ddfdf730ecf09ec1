//! `/items/{item_id}`: says what it was asked.

use axum::{
    Json,
    extract::Path,
    http::{Method, StatusCode},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Resource, params::Params};
use crate::error::Problem;

pub(super) fn resource() -> Resource {
    Resource::default().at("/items/{item_id}", &[(Method::GET, StatusCode::OK)], get(read))
}

/// What was asked.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Echo {
    /// The path's.
    item_id: i64,
    /// The query's, or null.
    q: Option<String>,
}

async fn read(Path(item_id): Path<String>, mut params: Params) -> Result<Json<Echo>, Problem> {
    let item_id = item_id.parse().ok();
    if item_id.is_none() {
        params.complain("item_id", "must be a whole number");
    }
    let q = params.verbatim("q").map(str::to_owned);
    params.finish()?;
    Ok(Json(Echo {
        item_id: item_id.unwrap_or_default(),
        q,
    }))
}

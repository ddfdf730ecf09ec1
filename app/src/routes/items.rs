//! `/items/{item_id}`: answers with its own parameters.

use axum::{Json, extract::Path, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{endpoint::Endpoint, params::Params, schemas};
use crate::error::Problem;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/items/{item_id}", "readItem", "Says what it was asked", read)
            .path("item_id", "Any whole number", schemas::id(), 1)
            .query("q", "Any text", schemas::text())
            .response::<ItemEcho>(StatusCode::OK, "What was asked"),
    ]
}

/// What was asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Echo")]
struct ItemEcho {
    /// The path's.
    item_id: i64,
    /// The query's, or null.
    q: Option<String>,
}

async fn read(Path(item_id): Path<String>, mut params: Params) -> Result<Json<ItemEcho>, Problem> {
    let item_id = item_id.parse().ok();
    if item_id.is_none() {
        params.complain("item_id", "not a valid number: use a whole number");
    }
    let q = params.verbatim("q").map(str::to_owned);
    params.finish()?;
    Ok(Json(ItemEcho {
        item_id: item_id.unwrap_or_default(),
        q,
    }))
}

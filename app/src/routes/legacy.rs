//! `GET /update` and `GET /cpu`: figures of the metrics page that a client sets, as source system S4 has them.

use std::borrow::Cow;

use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{endpoint::Endpoint, params::Params, schemas};
use crate::{
    error::{Problem, Violation},
    state::AppState,
};

/// The most users that can be set: whole numbers up to here are exact in a gauge.
const MAX_USERS: u64 = (1 << 53) - 1;
/// The process uses everything that it may use.
const MAX_PERCENT: f64 = 100.0;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/update", "setUsers", "Set the number of active users", update)
            .query("users", "How many", schemas::whole_number(0, MAX_USERS, None))
            .required(42)
            .response::<ActiveUsersReply>(StatusCode::OK, "It is set"),
        Endpoint::get("/cpu", "setCpu", "Set the CPU usage that the metrics show", cpu)
            .about("In the dialects `native` and `s4`; in every other one the figure is always what was measured.")
            .query(
                "value",
                "Percent",
                json!({"type": "number", "minimum": 0, "maximum": MAX_PERCENT}),
            )
            .required(12.5)
            .response::<CpuUsageReply>(StatusCode::OK, "It is set"),
    ]
}

/// What was set.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UsersSet")]
struct ActiveUsersReply {
    message: &'static str,
    /// What `app_active_users` is now.
    active_users: u64,
}

/// What was set.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CpuSet")]
struct CpuUsageReply {
    message: &'static str,
    /// What `app_cpu_usage_percent` is now, in the dialects in which it can be set.
    cpu_usage_percent: f64,
}

async fn update(State(state): State<AppState>, params: Params) -> Result<Json<ActiveUsersReply>, Problem> {
    let must = format!("not a valid number: use a whole number from 0 to {MAX_USERS}");
    let read = |text: &str| text.parse().ok().filter(|users| *users <= MAX_USERS);
    let users = required(params, "users", must, read)?;
    state.metrics().active_users().set(users);
    Ok(Json(ActiveUsersReply {
        message: "Users set",
        active_users: users,
    }))
}

async fn cpu(State(state): State<AppState>, params: Params) -> Result<Json<CpuUsageReply>, Problem> {
    let must = format!("not a valid number: use a number from 0 to {MAX_PERCENT}");
    let read = |text: &str| text.parse().ok().filter(|value| (0.0..=MAX_PERCENT).contains(value));
    let percent = required(params, "value", must, read)?;
    state.metrics().cpu().set(percent);
    Ok(Json(CpuUsageReply {
        message: "CPU usage set",
        cpu_usage_percent: percent,
    }))
}

/// The only parameter, which has to be given.
fn required<T>(
    mut params: Params,
    field: &'static str,
    must: String,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Problem> {
    let value = params.read(field, Cow::Owned(must.clone()), read);
    params.finish()?;
    value.ok_or_else(|| {
        Problem::invalid(vec![Violation {
            index: None,
            field,
            detail: must,
        }])
    })
}

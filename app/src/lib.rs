//! The reference API: an instrumented axum service on SQLite or PostgreSQL. `main.rs` runs it; tests build it
//! piece by piece.

pub mod background;
pub mod cache;
pub mod compute;
pub mod config;
pub mod error;
pub mod insight;
pub mod routes;
pub mod run;
pub mod serve;
pub mod shutdown;
pub mod state;
pub mod store;
pub mod telemetry;

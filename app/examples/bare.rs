//! The least that an axum service can be, to measure the reference API against: the same paths, without metrics, limits,
//! logs or a store. Prints the address on which it listens.

use std::hint::black_box;

use axum::{Json, Router, extract::Path, routing::get};
use serde_json::{Value, json};

fn fibonacci(n: u32) -> u64 {
    if n < 2 {
        u64::from(n)
    } else {
        fibonacci(black_box(n - 1)) + fibonacci(black_box(n - 2))
    }
}

async fn compute(Path(n): Path<u32>) -> Json<Value> {
    let result = tokio::task::spawn_blocking(move || fibonacci(n))
        .await
        .unwrap_or_default();
    Json(json!({"n": n, "result": result}))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let routes = Router::new()
        .route("/", get(async || Json(json!({"message": "bare"}))))
        .route("/health/live", get(async || Json(json!({"status": "alive"}))))
        .route("/compute/{n}", get(compute));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, routes).await
}

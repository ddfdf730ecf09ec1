//! The reference API: an instrumented axum service.

fn main() {}

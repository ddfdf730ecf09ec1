//! HTTP metrics for any tower or axum service in one line.

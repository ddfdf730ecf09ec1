//! How pages are changed. The programs stand in `bin/`; `cargo xtask campaign fuzz` builds and runs them.

mod draw;
pub mod mutate;

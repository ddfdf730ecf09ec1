//! What crosses the rooms: images, generated files, and the whole chain on a real cluster. Tests and `cargo xtask` drive it.

pub mod chain;
mod eventually;
pub mod foreign;
pub mod image;
pub mod prometheus;
mod traffic;
pub mod workspace;

pub use eventually::eventually;
pub use traffic::Traffic;

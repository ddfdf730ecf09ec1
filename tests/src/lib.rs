//! What crosses the rooms: images, generated files, and the whole chain on a real cluster. Tests and `cargo xtask` drive it.

mod eventually;
pub mod image;
pub mod prometheus;
mod traffic;
pub mod workspace;

pub use eventually::eventually;
pub use traffic::Traffic;

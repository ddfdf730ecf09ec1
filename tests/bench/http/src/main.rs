//! What the HTTP layer costs, beside an empty layer, the `prometheus` crate with a lookup of labels for each request, and
//! axum-prometheus. `cargo xtask bench http` builds it and prints the table.
//!
//! `count LAYER NUMBER` only sends so many requests: to be run under valgrind, twice with different numbers, so that the
//! difference is what requests cost without the start. `time` and `encode` take their own time.

mod encode;
mod mix;
mod peers;
mod timed;

use std::{env, process::ExitCode};

use mix::Layered;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["count", layer, number] => count(layer, number),
        ["time"] => {
            timed::print();
            ExitCode::SUCCESS
        }
        ["encode"] => {
            encode::print();
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}

fn count(layer: &str, number: &str) -> ExitCode {
    let layer = Layered::ALL.iter().find(|layered| layered.name() == layer);
    let Some((layer, number)) = layer.zip(number.parse().ok()) else {
        return ExitCode::from(2);
    };
    let runtime = mix::runtime();
    // axum-prometheus starts a task when its layer is made.
    let _entered = runtime.enter();
    runtime.block_on(mix::send(&layer.router(), number));
    ExitCode::SUCCESS
}

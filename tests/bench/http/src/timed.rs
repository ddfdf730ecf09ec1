//! Nanoseconds per request, all layers in turn in short slices, so that what else the machine does hits all alike.

use std::time::Instant;

use crate::mix::{self, Layered};

const ROUNDS: usize = 200;
const REQUESTS: usize = 2_000;

pub fn print() {
    let runtime = mix::runtime();
    // axum-prometheus starts a task when its layer is made.
    let _entered = runtime.enter();
    let routers = Layered::ALL.map(|layered| (layered, layered.router()));
    let mut slices: Vec<Vec<f64>> = vec![Vec::with_capacity(ROUNDS); routers.len()];
    for _ in 0..ROUNDS {
        for ((_, router), slices) in routers.iter().zip(&mut slices) {
            let start = Instant::now();
            runtime.block_on(mix::send(router, REQUESTS));
            slices.push(start.elapsed().as_secs_f64() * 1e9 / REQUESTS as f64);
        }
    }
    for ((layered, _), slices) in routers.iter().zip(&mut slices) {
        slices.sort_by(f64::total_cmp);
        let tenth = slices.get(ROUNDS / 10).copied().unwrap_or_default();
        println!("{} {tenth:.0}", layered.name());
    }
}

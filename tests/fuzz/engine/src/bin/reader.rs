//! Looks for pages of which a property of the reader or the writer does not hold.

#![no_main]

use fuzz_engine::mutate;
use fuzz_properties::reader;
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};

fuzz_target!(|page: &[u8]| {
    if let Err(broken) = reader::check(page) {
        panic!("{broken:#}");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::page(data, size, max_size, seed) });

fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| { mutate::cross(one, other, out, seed) });

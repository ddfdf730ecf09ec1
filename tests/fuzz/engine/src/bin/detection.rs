//! Looks for pages of which a property of detection, of the status or of the rules does not hold.

#![no_main]

use fuzz_engine::mutate;
use fuzz_properties::{Depth, detection};
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};

/// One page in so many has its objects built: that takes most of the time even so.
const BUILT: Depth = Depth::OneOf(64);

fuzz_target!(|page: &[u8]| {
    if let Err(broken) = detection::check(page, BUILT) {
        panic!("{broken:#}");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::page(data, size, max_size, seed) });

fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| { mutate::cross(one, other, out, seed) });

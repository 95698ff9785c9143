//! Archives: their directory, the checks, and unpacking.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::unpack(bytes);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzzing::mutate_container(data, size, max_size, seed)
});

//! DOC: the streams of a compound file.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::read(bytes, extractor::doc::read);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzzing::mutate_container(data, size, max_size, seed)
});

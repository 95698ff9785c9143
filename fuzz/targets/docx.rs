//! DOCX: the parts of a package.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::read(bytes, extractor::docx::read);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzzing::mutate_container(data, size, max_size, seed)
});

//! XLSX, XLS and ODS.
#![no_main]

use extractor::spreadsheet;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// Where the name of a zip's first entry stands; an `OpenDocument` begins with this one.
const FIRST_NAME: std::ops::Range<usize> = 30..38;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    match bytes.get(FIRST_NAME) {
        Some(b"mimetype") => fuzzing::read(bytes, spreadsheet::read_ods),
        _ => fuzzing::read(bytes, spreadsheet::read),
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzzing::mutate_container(data, size, max_size, seed)
});

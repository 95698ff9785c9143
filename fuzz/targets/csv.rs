//! CSV in all its encodings and with all its separators.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::read(bytes, extractor::text::csv::read);
});

//! Whole PDF files.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| fuzzing::read_pdf(bytes.to_vec()));
});

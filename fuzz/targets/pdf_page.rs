//! The layout of PDF pages: the input is what they draw, the file around it is sound.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| fuzzing::read_pdf(fuzzing::around(bytes)));
});

//! IFC models.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::read(bytes, extractor::ifc::read);
});

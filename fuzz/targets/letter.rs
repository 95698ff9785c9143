//! Letters with attachments.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    // Whatever does not begin like a zip is taken for a letter.
    if !extractor::archive::is_zip(bytes) {
        fuzzing::unpack(bytes);
    }
});

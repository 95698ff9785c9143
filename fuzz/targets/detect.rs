//! The format of a file, by its content under several names.
#![no_main]

use extractor::detect::detect;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 7] = ["a", "a.docx", "a.xlsx", "a.csv", "a.md", "a.json", "a.gge"];

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| {
        for name in NAMES {
            // The outer error says that the storage failed, and the document is tried again.
            let answer = detect(&mut fuzzing::AsFile::new(bytes), name);
            assert!(answer.is_ok(), "{answer:?}");
        }
    });
});

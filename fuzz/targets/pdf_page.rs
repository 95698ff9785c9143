//! The layout of PDF pages: the input is what they draw, the file around it is sound.
#![no_main]

use extractor::model::Message;
use extractor::pdf;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| {
        let mut last = 0;
        let mut check = |read: pdf::PdfPage| {
            drop(fuzzing::check(&Message::Page(read.page), &mut last));
        };
        drop(pdf::read(Arc::new(fuzzing::around(bytes)), &mut check));
    });
});

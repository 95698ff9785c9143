//! Scans: the frames of an image, made ready for recognition.
#![no_main]

use extractor::detect::detect;
use extractor::ocr;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

/// A page is reduced to so many pixels: what follows does not depend on them.
const PIXELS: u64 = 1 << 18;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| {
        let Ok(Ok(detected)) = detect(&mut Cursor::new(bytes), "a") else { return };
        let Ok(frames) = ocr::frame_sizes(bytes, detected.format, 100) else { return };
        let last = u32::try_from(frames.len() - 1).unwrap_or(0);
        if let Ok(drawn) = ocr::frame(bytes, detected.format, last, PIXELS) {
            let turns = u8::try_from(bytes.len() % 4).unwrap_or(0);
            let mut pipe = Vec::new();
            ocr::prepare(drawn, turns).write(&mut pipe).expect("memory takes everything");
            ocr::Rendered::read(pipe).expect("the parent reads what the child writes");
        }
    });
});

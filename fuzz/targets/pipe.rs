//! What a child that was taken over may send to the parent.
#![no_main]

use extractor::frames::read_message;
use extractor::ocr::Rendered;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| {
        let mut stream = bytes;
        while let Ok(Some(_)) = read_message(&mut stream) {}
        if let Ok(rendered) = Rendered::read(bytes.to_vec()) {
            let pixels = u64::from(rendered.head.width) * u64::from(rendered.head.height);
            assert_eq!(rendered.grey().len() as u64, pixels);
        }
    });
});

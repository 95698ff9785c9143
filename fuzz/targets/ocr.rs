//! What the tools for recognition write, and the pages composed from it.
#![no_main]

use extractor::model::Message;
use extractor::ocr::{self, Boxes, Head, Recognised};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::guarded(|| {
        let text = String::from_utf8_lossy(bytes);
        let recognised =
            if text.starts_with('<') { ocr::bbox_pages(&text, 1) } else { tables(&text) };
        let mut last = 0;
        for page in ocr::compose(&recognised) {
            drop(fuzzing::check(&Message::Page(page), &mut last));
        }
    });
});

/// The first line is the head of all images as JSON; the tables of words are parted by form feeds.
fn tables(text: &str) -> Vec<Recognised> {
    let (head, tables) = text.split_once('\n').unwrap_or_default();
    let head: Head = serde_json::from_str(head).unwrap_or_default();
    (1..)
        .zip(tables.split('\u{c}'))
        .map(|(number, table)| Recognised {
            number,
            head: head.clone(),
            words: ocr::words(table),
            boxes: Boxes::Ink,
            quarter_turns: 0,
        })
        .collect()
}

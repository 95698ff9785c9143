//! DWG, and as DXF what the library makes of it.
#![no_main]

use acadrust::entities::{EntityType, Text};
use acadrust::types::{DxfVersion, Vector3};
use acadrust::{CadDocument, DwgWriter};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(init: fuzzing::watch_panics(), |bytes: &[u8]| {
    fuzzing::read(bytes, extractor::dwg::read);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Nobody has a drawing at hand, and nothing else becomes one.
    if data[..size].starts_with(b"AC10") {
        return fuzzing::mutate_in_place(data, size, max_size, seed);
    }
    let drawing = drawing().unwrap_or_default();
    let size = drawing.len().min(max_size);
    data[..size].copy_from_slice(&drawing[..size]);
    size
});

/// A drawing of two texts in the oldest form that is written: its sections are not packed.
fn drawing() -> Option<Vec<u8>> {
    let mut document = CadDocument::new();
    document.version = DxfVersion::AC1015;
    for (place, words) in [(10.0, "ФП-1"), (5.0, "Бетон B25")] {
        let text = Text::with_value(words, Vector3::new(0.0, place, 0.0)).with_height(2.5);
        document.add_entity(EntityType::Text(text)).ok()?;
    }
    DwgWriter::write_to_vec(&document).ok()
}

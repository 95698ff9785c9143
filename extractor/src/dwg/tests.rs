//! DWG files made here by the library's writer, read back.

use crate::reader::tests::pages_of;
use acadrust::entities::{EntityType, Text};
use acadrust::types::{DxfVersion, Vector3};
use acadrust::{CadDocument, DwgWriter};
use proptest::prelude::*;
use shared::outcome::Code;

fn drawing() -> Vec<u8> {
    let mut document = CadDocument::new();
    document.version = DxfVersion::AC1032;
    for (place, words) in [(10.0, "Фундаментная плита ФП-1"), (5.0, "Бетон B25 W6 F150")]
    {
        let text = Text::with_value(words, Vector3::new(0.0, place, 0.0)).with_height(2.5);
        document.add_entity(EntityType::Text(text)).unwrap();
    }
    DwgWriter::write_to_vec(&document).unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<String>, Code> {
    let blocks = pages_of(super::read, bytes)?.into_iter().flat_map(|page| page.blocks);
    Ok(blocks.map(|block| block.text).collect())
}

#[test]
fn the_words_of_a_drawing_are_read_from_top_to_bottom() {
    assert_eq!(read(&drawing()).unwrap(), ["Фундаментная плита ФП-1", "Бетон B25 W6 F150"]);
}

#[test]
fn a_cut_drawing_is_damaged() {
    assert_eq!(read(&drawing()[..200]).err(), Some(Code::DamagedFile));
    assert_eq!(read(b"AC1032").err(), Some(Code::DamagedFile));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = drawing();
        *place.get_mut(&mut bytes) = byte;
        drop(read(&bytes));
    }
}

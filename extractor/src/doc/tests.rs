//! DOC files made here, read back.

use crate::model::{Block, BlockKind, Page};
use crate::reader::tests::pages_of;
use cfb::CompoundFile;
use proptest::prelude::*;
use shared::outcome::Code;
use std::io::{Cursor, Write};

/// Where the text begins in the main stream; before it stands the FIB.
const TEXT: usize = 1536;

/// A paragraph: its text with its end mark, its style, its property changes.
type Paragraph<'a> = (&'a str, u16, Vec<u8>);

fn put(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_short(bytes: &mut [u8], offset: usize, value: u16) {
    bytes[offset..offset + 2].copy_from_slice(&value.to_le_bytes());
}

/// A page of paragraph properties; `bounds` are the places of the paragraphs in the stream.
fn property_page(bounds: &[u32], paragraphs: &[Paragraph<'_>]) -> Vec<u8> {
    let mut page = vec![0_u8; 512];
    let mut free = 511;
    for (index, bound) in bounds.iter().enumerate() {
        put(&mut page, 4 * index, *bound);
    }
    for (index, (_, style, changes)) in paragraphs.iter().enumerate() {
        let mut entry = style.to_le_bytes().to_vec();
        entry.extend(changes);
        if entry.len() % 2 == 0 {
            entry.push(0);
        }
        let words = u8::try_from(entry.len().div_ceil(2)).unwrap();
        let start = (free - entry.len() - 1) & !1;
        page[start] = words;
        page[start + 1..start + 1 + entry.len()].copy_from_slice(&entry);
        page[4 * bounds.len() + 13 * index] = u8::try_from(start / 2).unwrap();
        free = start;
    }
    page[511] = u8::try_from(paragraphs.len()).unwrap();
    page
}

/// Styles 0 «Normal», 1 «heading 1», 2 «toc 1».
fn style_sheet() -> Vec<u8> {
    let mut sheet = vec![4, 0, 3, 0, 10, 0];
    for built_in in [0_u16, 1, 19] {
        let mut style = vec![0_u8; 10];
        put_short(&mut style, 0, built_in);
        put_short(&mut style, 2, 0xFFF1);
        style.extend([1, 0, b'x', 0, 0, 0, 2, 0, 0, 0]);
        sheet.extend(u16::try_from(style.len()).unwrap().to_le_bytes());
        sheet.extend(style);
    }
    sheet
}

/// One list of two levels: «1.», «1.1».
fn lists() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut formats = vec![1, 0];
    let mut format = vec![0_u8; 28];
    put(&mut format, 0, 77);
    formats.extend(format);
    let mut levels = Vec::new();
    for text in [&[0_u16, u16::from(b'.')][..], &[0, u16::from(b'.'), 1]] {
        let mut level = vec![0_u8; 28];
        put(&mut level, 0, 5);
        levels.extend(level);
        levels.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        levels.extend(text.iter().flat_map(|unit| unit.to_le_bytes()));
    }
    let mut overview = vec![0_u8; 4 + 16 + 4];
    put(&mut overview, 0, 1);
    put(&mut overview, 4, 77);
    (formats, levels, overview)
}

/// A document with these flags in its header.
fn doc(paragraphs: &[Paragraph<'_>], flags: u16) -> Vec<u8> {
    let mut main = vec![0_u8; TEXT];
    let mut bounds = vec![u32::try_from(TEXT).unwrap()];
    let mut count = 0_u32;
    for (text, ..) in paragraphs {
        let units: Vec<u16> = text.encode_utf16().collect();
        count += u32::try_from(units.len()).unwrap();
        main.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        bounds.push(u32::try_from(main.len()).unwrap());
    }
    main.resize(main.len().next_multiple_of(512), 0);
    let page = u32::try_from(main.len() / 512).unwrap();
    main.extend(property_page(&bounds, paragraphs));

    let mut tables = Vec::new();
    let mut table = |index: usize, bytes: &[u8]| {
        put(&mut main, 154 + 8 * index, u32::try_from(tables.len()).unwrap());
        put(&mut main, 158 + 8 * index, u32::try_from(bytes.len()).unwrap());
        tables.extend_from_slice(bytes);
    };
    let mut pieces = vec![2_u8, 16, 0, 0, 0];
    pieces.extend([0_u32, count].iter().flat_map(|number| number.to_le_bytes()));
    pieces.extend([0, 0]);
    pieces.extend(u32::try_from(TEXT).unwrap().to_le_bytes());
    pieces.extend([0, 0]);
    table(33, &pieces);
    let places: Vec<u8> =
        [bounds[0], *bounds.last().unwrap(), page].iter().flat_map(|n| n.to_le_bytes()).collect();
    table(13, &places);
    table(1, &style_sheet());
    let (formats, levels, overview) = lists();
    table(73, &formats);
    tables.extend(levels);
    let mut table = |index: usize, bytes: &[u8]| {
        put(&mut main, 154 + 8 * index, u32::try_from(tables.len()).unwrap());
        put(&mut main, 158 + 8 * index, u32::try_from(bytes.len()).unwrap());
        tables.extend_from_slice(bytes);
    };
    table(74, &overview);
    put_short(&mut main, 0, 0xA5EC);
    put_short(&mut main, 2, 0x00C1);
    put_short(&mut main, 10, flags);
    put(&mut main, 76, count);

    let mut container = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    container.create_stream("/WordDocument").unwrap().write_all(&main).unwrap();
    container.create_stream("/0Table").unwrap().write_all(&tables).unwrap();
    container.flush().unwrap();
    container.into_inner().into_inner()
}

fn read(bytes: &[u8]) -> Result<Vec<Page>, Code> {
    pages_of(super::read, bytes)
}

fn blocks(paragraphs: &[Paragraph<'_>]) -> Vec<Block> {
    read(&doc(paragraphs, 0)).unwrap().into_iter().flat_map(|page| page.blocks).collect()
}

/// A change with an operand of one byte.
fn change(code: u16, value: u8) -> Vec<u8> {
    let [low, high] = code.to_le_bytes();
    vec![low, high, value]
}

/// The definition of a row with cells that end at these edges; the first may go on from above.
fn row(edges: &[u16], joins_above: bool) -> Vec<u8> {
    let cells = edges.len() - 1;
    let mut definition = vec![u8::try_from(cells).unwrap()];
    definition.extend(edges.iter().flat_map(|edge| edge.to_le_bytes()));
    for cell in 0..cells {
        let mut shape = vec![0_u8; 20];
        shape[0] = if joins_above && cell == 0 { 1 << 5 } else { 0 };
        definition.extend(shape);
    }
    let length = u16::try_from(definition.len() + 1).unwrap();
    let mut changes =
        [change(0x2416, 1), change(0x2417, 1), 0xD608_u16.to_le_bytes().to_vec()].concat();
    changes.extend(length.to_le_bytes());
    changes.extend(definition);
    changes
}

#[test]
fn text_headings_lists_and_pages() {
    let list = |level: u8| [change(0x260A, level), vec![0x0B, 0x46, 1, 0]].concat();
    let blocks = blocks(&[
        ("Основания\r", 1, Vec::new()),
        ("Общие\r", 0, list(0)),
        ("Пункт\r", 0, list(1)),
        ("\u{13}PAGEREF x\u{14}Раздел 3\u{15}\r", 0, Vec::new()),
        ("Раздел 4\r", 2, Vec::new()),
        ("По\u{1f}сле\u{b}Конец\u{1e}1\r", 0, change(0x2403, 1)),
    ]);
    let seen: Vec<_> = blocks.iter().map(|block| (&block.kind, block.text.as_str())).collect();
    assert_eq!(
        seen,
        [
            (&BlockKind::Heading { level: 1 }, "Основания"),
            (&BlockKind::Paragraph, "5. Общие"),
            (&BlockKind::Paragraph, "5.5 Пункт"),
            (&BlockKind::Contents, "Раздел 3"),
            (&BlockKind::Contents, "Раздел 4"),
            (&BlockKind::Paragraph, "После\nКонец-1"),
        ]
    );
    assert!(blocks[5].centered);
    let pages = read(&doc(&[("Раз\u{c}Два\r", 0, Vec::new()), ("Три\r", 0, change(0x2407, 1))], 0));
    let numbers: Vec<u32> = pages.unwrap().iter().map(|page| page.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn tables_come_from_the_edges_of_their_cells() {
    let inside = || change(0x2416, 1);
    let blocks = blocks(&[
        ("Имя\u{7}", 0, inside()),
        ("Расход\u{7}", 0, inside()),
        ("\u{7}", 0, row(&[0, 1000, 3000], false)),
        ("\u{7}", 0, inside()),
        ("летом\u{7}", 0, inside()),
        ("зимой\u{7}", 0, inside()),
        ("\u{7}", 0, row(&[0, 1000, 2000, 3000], true)),
        ("Песок\r", 0, inside()),
        ("мытый\u{7}", 0, inside()),
        ("1,5\u{7}", 0, inside()),
        ("2,5\u{7}", 0, inside()),
        ("\u{7}", 0, row(&[0, 1000, 2000, 3000], false)),
        ("После\r", 0, Vec::new()),
    ]);
    let BlockKind::Table(table) = &blocks[0].kind else { panic!("{blocks:?}") };
    assert_eq!(
        table.rows,
        [vec!["Имя", "Расход", ""], vec!["", "летом", "зимой"], vec!["Песок мытый", "1,5", "2,5"],]
    );
    assert_eq!(blocks[1].text, "После");
}

#[test]
fn locked_old_and_damaged_files_have_their_codes() {
    let paragraphs: [Paragraph<'_>; 1] = [("Текст\r", 0, Vec::new())];
    assert_eq!(read(&doc(&paragraphs, 0x0100)).err(), Some(Code::PasswordProtected));
    // The flag of the other table stream, which is not there.
    assert_eq!(read(&doc(&paragraphs, 0x0200)).err(), Some(Code::DamagedFile));
    assert_eq!(read(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").err(), Some(Code::DamagedFile));
}

#[test]
fn text_that_two_pieces_claim_is_read_once() {
    let mut bytes = doc(&[("Текст\r", 0, Vec::new())], 0);
    // The table of one piece: a two, its length, the bounds 0 and 6 of the piece.
    let table = [2, 16, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0];
    let place = bytes.windows(table.len()).position(|window| window == table).unwrap();
    put(&mut bytes, place + 9, u32::MAX);
    let text = super::file::WordFile::open(&bytes, &Default::default()).unwrap();
    let length = text.main.len();
    assert!(super::text::Text::new(&text).unwrap().units(0, u32::MAX).count() <= length);
    let bounds: Vec<u8> = [0_u32, 9, 0, 9, 12].iter().flat_map(|at| at.to_le_bytes()).collect();
    let stories: Vec<_> = super::file::stories(&bounds).collect();
    assert_eq!(stories, [(0, 9), (9, 9), (9, 9), (9, 12)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn changed_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = doc(
            &[("Имя\u{7}", 0, change(0x2416, 1)), ("\u{7}", 0, row(&[0, 1000], false)), ("Текст\r", 1, Vec::new())],
            0,
        );
        for (place, byte) in changes {
            *place.get_mut(&mut bytes) = byte;
        }
        drop(read(&bytes));
    }
}

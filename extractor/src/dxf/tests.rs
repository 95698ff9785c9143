use super::markup::{formatted, plain};
use crate::model::{Block, Message};
use crate::reader::{Limits, ReadError, Sink};
use encoding_rs::WINDOWS_1251;
use proptest::prelude::*;
use shared::outcome::Code;

fn dxf(groups: &[(i32, &str)]) -> String {
    groups.iter().map(|(code, value)| format!("{code:>3}\n{value}\n")).collect()
}

const DRAWING: &[(i32, &str)] = &[
    (0, "SECTION"),
    (2, "HEADER"),
    (9, "$ACADVER"),
    (1, "AC1015"),
    (9, "$DWGCODEPAGE"),
    (3, "ANSI_1251"),
    (0, "ENDSEC"),
    (0, "SECTION"),
    (2, "TABLES"),
    (0, "LAYER"),
    (2, "Штамп"),
    (0, "ENDSEC"),
    (0, "SECTION"),
    (2, "BLOCKS"),
    (0, "BLOCK"),
    (2, "Форма"),
    (0, "TEXT"),
    (8, "0"),
    (1, "Изм."),
    (10, "1"),
    (20, "1"),
    (40, "2"),
    (0, "ATTDEF"),
    (2, "ШИФР"),
    (1, "образец"),
    (0, "ENDBLK"),
    (0, "ENDSEC"),
    (0, "SECTION"),
    (2, "ENTITIES"),
    (0, "TEXT"),
    (8, "Текст"),
    (1, "справа %%c12"),
    (10, "50"),
    (20, "100.2"),
    (40, "3"),
    (0, "TEXT"),
    (8, "Текст"),
    (1, "слева"),
    (10, "5"),
    (20, "100"),
    (40, "3"),
    (0, "MTEXT"),
    (8, "Текст"),
    (3, "\\A1;{\\fArial|b1;При"),
    (1, "мечание}\\PБетон \\U+0412\\S1^2;"),
    (10, "5"),
    (20, "50"),
    (40, "3"),
    (0, "DIMENSION"),
    (8, "Размеры"),
    (42, "3000.0000001"),
    (0, "INSERT"),
    (2, "Форма"),
    (8, "Штамп"),
    (10, "200"),
    (20, "0"),
    (0, "ATTRIB"),
    (8, "Штамп"),
    (2, "ШИФР"),
    (1, "12-КЖ"),
    (0, "SEQEND"),
    (0, "ENDSEC"),
    (0, "EOF"),
];

fn read(bytes: &[u8]) -> (Vec<Block>, Result<(), ReadError>) {
    let mut blocks = Vec::new();
    let mut send = |message: Message| {
        if let Message::Page(page) = message {
            blocks.extend(page.blocks);
        }
        Ok(())
    };
    let result = super::read(bytes, &Limits::default(), &mut Sink::new(&mut send));
    (blocks, result)
}

fn lines(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn texts_title_block_and_dimensions() {
    let text = dxf(DRAWING);
    let (bytes, _, _) = WINDOWS_1251.encode(&text);
    let (blocks, result) = read(&bytes);
    assert_eq!(result, Ok(()));
    assert_eq!(
        lines(&blocks),
        ["ШИФР: 12-КЖ", "слева справа Ø12", "Примечание\nБетон В1/2", "Изм.", "Размеры: 3000"]
    );
}

#[test]
fn the_binary_form_reads_the_same() {
    let mut bytes = b"AutoCAD Binary DXF\r\n\x1a\0".to_vec();
    for (code, value) in DRAWING {
        bytes.extend(i16::try_from(*code).unwrap().to_le_bytes());
        match code {
            10..=59 => bytes.extend(value.parse::<f64>().unwrap().to_le_bytes()),
            _ => {
                bytes.extend(WINDOWS_1251.encode(value).0.iter());
                bytes.push(0);
            }
        }
    }
    let (blocks, result) = read(&bytes);
    assert_eq!(result, Ok(()));
    assert_eq!(lines(&blocks)[1], "слева справа Ø12");
}

#[test]
fn codes_inside_texts() {
    assert_eq!(
        plain("%%uБолт%%u %%c16 +5%%d %%p0.000 50%%% \\U+0416"),
        "Болт Ø16 +5° ±0.000 50% Ж"
    );
    assert_eq!(formatted("\\H2.5x;\\C1;a\\~b\\\\c {\\Ld\\l}^Ie"), "a b\\c d e");
    assert_eq!(plain("%%065 %%999 100%%"), "A %%999 100%%");
}

#[test]
fn a_cut_drawing_keeps_what_was_read() {
    let text = dxf(DRAWING);
    let cut = text.find("INSERT").unwrap();
    let (blocks, result) = read(&text.as_bytes()[..cut]);
    assert_eq!(result.unwrap_err().code, Code::DamagedFile);
    assert!(!blocks.is_empty());
}

#[test]
fn a_block_that_inserts_itself_ends() {
    let groups = [
        (0, "SECTION"),
        (2, "BLOCKS"),
        (0, "BLOCK"),
        (2, "Я"),
        (0, "INSERT"),
        (2, "Я"),
        (0, "INSERT"),
        (2, "Я"),
        (0, "TEXT"),
        (1, "т"),
        (0, "ENDBLK"),
        (0, "ENDSEC"),
        (0, "SECTION"),
        (2, "ENTITIES"),
        (0, "INSERT"),
        (2, "Я"),
        (0, "ENDSEC"),
        (0, "EOF"),
    ];
    assert_eq!(read(dxf(&groups).as_bytes()).1, Ok(()));
}

/// A file of a megabyte that would cost the square of that.
#[test]
fn what_is_said_a_hundred_thousand_times_is_read_once_each() {
    let sections = "0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n2\nA\n0\nTEXT\n1\nт\n".repeat(20_000);
    assert!(read(sections.as_bytes()).1.is_err());
    let texts: String =
        (0..100_000).map(|n| format!("0\nTEXT\n1\nт\n8\n{n}\n410\n{n}\n")).collect();
    let drawing = format!("0\nSECTION\n2\nENTITIES\n{texts}0\nENDSEC\n0\nEOF\n");
    assert_eq!(read(drawing.as_bytes()).0.len(), 20_000);
    assert_eq!(plain(&"\\u+".repeat(300_000)).len(), 900_000);
}

#[test]
fn a_long_text_is_not_inserted_without_end() {
    let block = format!("0\nBLOCK\n2\nA\n0\nTEXT\n1\n{}\n0\nENDBLK\n", "т".repeat(100_000));
    let inserts = "0\nINSERT\n2\nA\n".repeat(100_000);
    let drawing = format!(
        "0\nSECTION\n2\nBLOCKS\n{block}0\nENDSEC\n0\nSECTION\n2\nENTITIES\n{inserts}0\nENDSEC\n0\nEOF\n"
    );
    assert_eq!(read(drawing.as_bytes()).1.unwrap_err().code, Code::ArchiveLimits);
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = dxf(DRAWING).into_bytes();
        *place.get_mut(&mut bytes) = byte;
        let _ = read(&bytes);
    }

    #[test]
    fn any_codes_are_survived(text in "[\\\\%{}^;UuSPAc0-9+Жx ]{0,40}") {
        plain(&text);
        formatted(&text);
    }
}

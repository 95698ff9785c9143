use super::{csv, json, markdown, read};
use crate::model::{Block, BlockKind, Message};
use crate::reader::{Limits, ReadError, Sink};
use encoding_rs::IBM866;
use proptest::prelude::*;
use shared::outcome::Code;

type Read = fn(&[u8], &Limits, &mut Sink<'_>) -> Result<(), ReadError>;

fn pages(read: Read, bytes: &[u8]) -> Vec<Vec<Block>> {
    let mut pages = Vec::new();
    let mut send = |message: Message| {
        if let Message::Page(page) = message {
            pages.push(page.blocks);
        }
        Ok(())
    };
    read(bytes, &Limits::default(), &mut Sink::new(&mut send)).unwrap();
    pages
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn wrapped_text_is_joined_and_clauses_stay_apart() {
    let text = "   4.2.1 Основания и фундаменты зданий должны проектиро-\n\
                ваться с учетом неравномерных осадок, которые возника-\n\
                ют при подработке территории горными выработками и при\n\
                замачивании грунтов.\n   4.2.2 Второй пункт о том же самом предмете, что и пер-\n\
                вый, но короче.\n- первое;\n- второе.\n\u{c}Следующая страница\n\u{c}";
    let pages = pages(read, text.as_bytes());
    assert_eq!(pages.len(), 2);
    let lines = texts(&pages[0]);
    assert!(lines[0].starts_with("4.2.1 Основания и фундаменты зданий должны проектироваться с"));
    assert!(lines[0].ends_with("замачивании грунтов."), "{lines:?}");
    assert_eq!(lines[1], "4.2.2 Второй пункт о том же самом предмете, что и первый, но короче.");
    assert_eq!(&lines[2..], ["- первое;", "- второе."]);
    assert_eq!(pages[0][2].kind, BlockKind::ListItem);
}

#[test]
fn a_drawn_table_in_an_old_encoding() {
    let text = "Таблица 1\r\n┌───────┬──────┐\r\n│ Грунт │Откос │\r\n│       │      │\r\n\
                ├───────┼──────┤\r\n│Песок  │1:0,5 │\r\n│мелкий │      │\r\n└───────┴──────┘\r\nДалее";
    let (bytes, _, _) = IBM866.encode(text);
    let blocks = pages(read, &bytes).remove(0);
    assert_eq!(blocks[0].kind, BlockKind::Caption);
    let BlockKind::Table(table) = &blocks[1].kind else { panic!("{blocks:?}") };
    assert_eq!(table.rows, [["Грунт", "Откос"], ["Песок мелкий", "1:0,5"]]);
    assert_eq!(blocks[2].text, "Далее");
}

#[test]
fn markdown_structure() {
    let text = "# Раздел 1\n\nТекст **жирный** и [ссылка](http://a) 11.8*8.3\nдалее\n\n\
                | Имя | Число |\n|---|---|\n| а | 1 |\n\n- пункт\n- второй\n";
    let blocks = pages(markdown::read, text.as_bytes()).remove(0);
    assert_eq!(blocks[0].kind, BlockKind::Heading { level: 1 });
    assert_eq!(blocks[1].text, "Текст жирный и ссылка 11.8*8.3 далее");
    assert_eq!(blocks[2].text, "Имя\tЧисло\nа\t1");
    assert_eq!(texts(&blocks[3..]), ["- пункт", "- второй"]);
}

#[test]
fn csv_with_semicolons_and_decimal_commas() {
    let text = "Наименование;Объем\n\"Песок; мелкий\";12,5\nЩебень;3,25\n";
    let blocks = pages(csv::read, text.as_bytes()).remove(0);
    assert_eq!(blocks[0].text, "Наименование\tОбъем\nПесок; мелкий\t12,5\nЩебень\t3,25");
    let BlockKind::Table(table) = &blocks[0].kind else { panic!() };
    assert_eq!(table.header_rows, 1);
}

#[test]
fn json_reads_as_lines_and_tables() {
    let text =
        r#"{"шифр":"КЖ-1","листы":[{"н":1,"имя":"План"},{"н":2,"имя":"Разрез"}],"теги":["а","б"]}"#;
    let blocks = pages(json::read, text.as_bytes()).remove(0);
    let lines = texts(&blocks);
    assert!(lines.contains(&"шифр: КЖ-1") && lines.contains(&"теги: а, б"), "{lines:?}");
    assert!(
        blocks.iter().any(|block| matches!(&block.kind, BlockKind::Table(t) if t.rows.len() == 3))
    );
}

#[test]
fn lines_that_are_no_table_are_asked_in_passing() {
    let rules = "+--+--+\n".repeat(20_000);
    let bars = "||a||\n".repeat(20_000);
    assert!(pages(read, (rules + &bars).as_bytes())[0].len() >= 40_000);
    assert_eq!(texts(&pages(markdown::read, "[".repeat(500_000).as_bytes())[0])[0].len(), 500_000);
}

#[test]
fn one_long_row_does_not_make_all_rows_long() {
    let table = format!("|а|{}\n{}", "б|".repeat(100_000), "|а|б|\n".repeat(100_000));
    for read in [read as Read, markdown::read] {
        let blocks = pages(read, table.as_bytes()).remove(0);
        let cells = |block: &Block| match &block.kind {
            BlockKind::Table(table) => table.rows.iter().map(Vec::len).sum(),
            _ => 0,
        };
        let cells: usize = blocks.iter().map(cells).sum();
        assert!((300_000..8_000_000).contains(&cells), "{cells}");
    }
}

#[test]
fn long_keys_are_not_repeated_without_end() {
    let inside: String = (0..1000).map(|key| format!("\"{key}\":1,")).collect();
    let text = format!("{{\"{}\":{{{inside}\"я\":1}}}}", "ж".repeat(100_000));
    let mut ignore = |_: Message| Ok(());
    let read = json::read(text.as_bytes(), &Limits::default(), &mut Sink::new(&mut ignore));
    assert_eq!(read.unwrap_err().code, Code::ArchiveLimits);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut send = |_: Message| Ok(());
        for read in [read as Read, markdown::read, csv::read, json::read] {
            drop(read(&bytes, &Limits::default(), &mut Sink::new(&mut send)));
        }
    }
}

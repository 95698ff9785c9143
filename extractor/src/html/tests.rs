use crate::model::{Block, BlockKind, Message};
use crate::reader::{Limits, Sink};
use encoding_rs::WINDOWS_1251;
use proptest::prelude::*;
use shared::outcome::Code;

fn read(bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut send = |message: Message| {
        if let Message::Page(page) = message {
            blocks.extend(page.blocks);
        }
        Ok(())
    };
    drop(super::read(bytes, &Limits::default(), &mut Sink::new(&mut send)));
    blocks
}

#[test]
fn structure_of_a_page() {
    let blocks = read(
        "<html><head><title>Т</title><style>p{}</style></head><body><script>x</script>\
         <h2>Раздел&nbsp;1</h2><p align=center><b>Общие</b>\n положения<br>вторая</p>\
         <ol start=3><li>третий<li>четвёртый</ol><ul><li>- свой знак</ul></body>"
            .as_bytes(),
    );
    let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(
        texts,
        ["Раздел 1", "Общие положения\nвторая", "3. третий", "4. четвёртый", "- свой знак"]
    );
    assert_eq!(blocks[0].kind, BlockKind::Heading { level: 2 });
    assert!(blocks[1].centered && !blocks[1].bold);
}

#[test]
fn merged_cells_layout_tables_and_form_heads() {
    let blocks = read(
        "<table><tr><td>Номер №</td><td>ОС-1</td></tr></table>\
         <table><tr><td><p>Текст</p><table><thead><tr><th rowspan=2>Имя<th colspan=2>Расход</tr>\
         <tr><th>лето<th>зима</tr></thead><tr><td>а<td>1<td>2</tr></table></td></tr></table>"
            .as_bytes(),
    );
    assert_eq!(blocks[0].text, "Номер № ОС-1");
    assert_eq!(blocks[1].text, "Текст");
    let BlockKind::Table(table) = &blocks[2].kind else { panic!("{blocks:?}") };
    assert_eq!(table.rows, [["Имя", "Расход", ""], ["", "лето", "зима"], ["а", "1", "2"]]);
    assert_eq!(table.header_rows, 2);
}

#[test]
fn charset_is_declared_or_found() {
    let page = "<html><meta charset=windows-1251><p>Узел крепления</p>";
    let (bytes, _, _) = WINDOWS_1251.encode(page);
    assert_eq!(read(&bytes)[0].text, "Узел крепления");
    let undeclared = page.replace("<meta charset=windows-1251>", "");
    let (bytes, _, _) = WINDOWS_1251.encode(&undeclared);
    assert_eq!(read(&bytes)[0].text, "Узел крепления");
}

#[test]
fn deep_nesting_needs_no_stack() {
    let deep = "<div>".repeat(20_000) + "дно";
    assert_eq!(read(deep.as_bytes())[0].text, "дно");
}

#[test]
fn blocks_without_an_end_are_refused() {
    let refused = |html: String| {
        let mut ignore = |_| Ok(());
        super::read(html.as_bytes(), &Limits::default(), &mut Sink::new(&mut ignore)).is_err()
    };
    assert!(refused("<DIV class=a>".repeat(100_000)));
    assert!(refused("<ul><li>".repeat(100_000)));
    assert!(!refused("<div>а</div>".repeat(50_000)));
}

#[test]
fn empty_rows_of_a_wide_table_are_not_filled_without_end() {
    let wide = "<td rowspan=60000>а".repeat(1000);
    let html = format!("<table><tr>{wide}{}</table>", "<tr></tr>".repeat(100_000));
    let mut ignore = |_| Ok(());
    let read = super::read(html.as_bytes(), &Limits::default(), &mut Sink::new(&mut ignore));
    assert_eq!(read.unwrap_err().code, Code::ArchiveLimits);
}

proptest! {
    #[test]
    fn any_markup_is_read(html in "(<(/)?(table|tr|td|th colspan=9|td rowspan=9|p|ol|li|b|br|pre|thead|sup)>|а|1| ){0,60}") {
        read(html.as_bytes());
    }
}

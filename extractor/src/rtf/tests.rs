//! RTF files made here, read back.

use crate::model::{Block, BlockKind, Message, Page};
use crate::reader::{Limits, Sink};
use proptest::prelude::*;
use shared::outcome::Code;

/// What is read: the pages, and the code of a warning.
fn read(bytes: &[u8]) -> (Vec<Page>, Option<Code>) {
    let (mut pages, mut warned) = (Vec::new(), None);
    let mut send = |message: Message| {
        match message {
            Message::Page(page) => pages.push(page),
            Message::Warning { code, .. } => warned = code,
            _ => {}
        }
        Ok(())
    };
    super::read(bytes, &Limits::default(), &mut Sink::new(&mut send)).unwrap();
    (pages, warned)
}

/// The blocks of a body; letters that are not ASCII stand as Unicode characters.
fn blocks(body: &str) -> Vec<Block> {
    let head = r"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}{\f1\fcharset2 Symbol;}{\f2\fcharset161 Arial Greek;}}
        {\stylesheet{\s1 Heading 1;}{\s2\outlinelevel1 Own;}{\s3 toc 1;}{\*\cs4 Strong;}}";
    let mut text = String::new();
    for character in format!("{head}{body}}}").chars() {
        match u32::from(character) {
            code @ ..128 => text.push(char::from_u32(code).unwrap()),
            code => text.push_str(&format!("\\u{code}?")),
        }
    }
    let (pages, warned) = read(text.as_bytes());
    assert_eq!(warned, None);
    pages.into_iter().flat_map(|page| page.blocks).collect()
}

fn texts(body: &str) -> Vec<String> {
    blocks(body).into_iter().map(|block| block.text).collect()
}

#[test]
fn letters_in_every_form() {
    assert_eq!(texts(r"\pard \'d1\'cf 45\par {\f2 \'e1}\'e1 \f1\'b7\par"), ["СП 45", "αб •"]);
    assert_eq!(
        texts(r"{\uc2\u1057 ??\u1055\'3f\'3f}{\uc0\u32 .}1\~м\_п\emdash\par"),
        ["СП .1 м-п—"]
    );
    assert_eq!(texts(r"\u-10179?\u-8704?\par a\{b\}\\c\par"), ["😀", r"a{b}\c"]);
    assert_eq!(texts(r"{\upr{\'3f}{\*\ud{Ж}}}ук\par"), ["Жук"]);
}

#[test]
fn what_is_not_text_is_left_out() {
    let body = r"{\info{\title Имя}{\operator Кто}}{\pict\pngblip 8950}{\*\unknown слово}{\v скрыто}{\deleted нет}
        {\field{\*\fldinst HYPERLINK x}{\fldrslt да}}{\object{\*\objdata 00}{\result и это}}\bin3 {{{ всё\par";
    assert_eq!(texts(body), ["даи это всё"]);
}

#[test]
fn numbers_headings_and_lists() {
    let body = r"\pard\s1 {\listtext 5.\tab}Основания\par \pard\s2 Грунты\par \pard {\listtext\f1\'b7\tab}пески\par
        {\listtext а)\tab}глины\par {\listtext 5.1\tab}Пункт\par \pard\s3 Раздел 3\par \pard\outlinelevel0\qc\b Часть\b0\par";
    let blocks = blocks(body);
    let seen: Vec<_> = blocks.iter().map(|block| (&block.kind, block.text.as_str())).collect();
    assert_eq!(
        seen,
        [
            (&BlockKind::Heading { level: 1 }, "5. Основания"),
            (&BlockKind::Heading { level: 2 }, "Грунты"),
            (&BlockKind::ListItem, "• пески"),
            (&BlockKind::ListItem, "а) глины"),
            (&BlockKind::Paragraph, "5.1 Пункт"),
            (&BlockKind::Contents, "Раздел 3"),
            (&BlockKind::Heading { level: 1 }, "Часть"),
        ]
    );
    assert!(blocks[6].bold && blocks[6].centered);
}

#[test]
fn tables_come_from_the_edges_of_their_cells() {
    let body = r"\trowd\trhdr\clvmgf\cellx1000\cellx3000\intbl Имя\cell Расход\cell\row
        \trowd\trhdr\clvmrg\cellx1000\cellx2000\cellx3000\intbl\cell летом\cell зимой\cell\row
        \trowd\cellx1010\cellx2000\cellx3000\intbl Песок\par мытый\cell 1,5\cell 2,5\cell\row
        \pard После\par";
    let blocks = blocks(body);
    let BlockKind::Table(table) = &blocks[0].kind else { panic!("{blocks:?}") };
    assert_eq!(table.header_rows, 2);
    assert_eq!(
        table.rows,
        [vec!["Имя", "Расход", ""], vec!["", "летом", "зимой"], vec!["Песок мытый", "1,5", "2,5"],]
    );
    assert_eq!(blocks[1].text, "После");
}

#[test]
fn pages_notes_boxes_and_running_lines() {
    let file = r"{\rtf1{\header\pard Top\par}\pard One{\footnote\pard Note\par} end\par
        {\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt\pard Box\par}}}Two\page\par Three\par\sect\sectd Four\par\sect\sectd\sbknone Five\par
        \pard\pagebb Six\par}";
    let (pages, warned) = read(file.as_bytes());
    assert_eq!(warned, None);
    assert_eq!(pages[0].furniture, ["Top"]);
    let seen: Vec<Vec<&str>> = pages
        .iter()
        .map(|page| page.blocks.iter().map(|block| block.text.as_str()).collect())
        .collect();
    assert_eq!(
        seen,
        [vec!["One end", "1 Note", "Two", "Box"], vec!["Three"], vec!["Four", "Five"], vec!["Six"],]
    );
}

#[test]
fn a_cut_file_gives_what_is_there_and_a_deep_one_is_refused() {
    let (pages, warned) = read(br"{\rtf1\pard One\par {\b Tw");
    assert_eq!(warned, Some(Code::DamagedFile));
    assert_eq!(pages[0].blocks[1].text, "Tw");
    let mut ignore = |_: Message| Ok(());
    let deep = [b"{\\rtf1 ".to_vec(), b"{".repeat(100_000)].concat();
    let error = super::read(&deep, &Limits::default(), &mut Sink::new(&mut ignore)).unwrap_err();
    assert_eq!(error.code, Code::ArchiveLimits);
}

#[test]
fn many_headers_are_not_all_compared() {
    let headers: String = (0..20_000).map(|n| format!("{{\\header {n}\\par}}")).collect();
    let (pages, _) = read(format!("{{\\rtf1{headers}}}").as_bytes());
    assert_eq!(pages[0].furniture.len(), 500);
}

#[test]
fn a_drawing_of_many_cells_is_not_copied_for_every_row() {
    let shape: String = (0..50_000).map(|edge| format!("\\cellx{}", edge * 50)).collect();
    let body =
        format!("\\trowd{shape}\\intbl {}\\pard end\\par", "a\\cell b\\cell\\row ".repeat(50_000));
    assert_eq!(blocks(&body).len(), 2);
}

proptest! {
    #[test]
    fn any_tokens_are_read_without_a_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "\\par ", "\\cell ", "\\row ", "\\trowd ", "\\cellx-9 ", "\\cellx2147483647 ",
            "\\u-1 ", "\\uc99 ", "{\\footnote ", "{\\shptxt ", "{\\header ", "{\\field", "{\\*\\fldinst ",
            "{\\fldrslt ", "\\intbl ", "\\pard ", "\\sect ", "\\page ", "\\bin9999999999 ", "\\'", "\\",
            "text ", "\\f7 ", "{\\fonttbl", "\\fcharset204 ", "{\\stylesheet{", "\\clmrg ", "{\\listtext 1 ",
        ]), 0..60),
    ) {
        let _pages = read(format!("{{\\rtf1{}", words.concat()).as_bytes());
    }
}

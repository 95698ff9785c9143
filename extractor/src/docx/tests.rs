//! DOCX files made here, read back.

use crate::model::{Block, BlockKind, Page};
use crate::package::tests::zip_of;
use crate::reader::tests::pages_of;
use proptest::prelude::*;
use shared::outcome::Code;

const NUMBERING: &str = r#"<numbering><abstractNum abstractNumId="0">
    <lvl ilvl="0"><start val="5"/><numFmt val="decimal"/><lvlText val="%1"/></lvl>
    <lvl ilvl="1"><start val="9"/><numFmt val="decimal"/><lvlText val="%1.%2"/></lvl>
    <lvl ilvl="2"><numFmt val="bullet"/><lvlText val=""/></lvl></abstractNum>
    <num numId="1"><abstractNumId val="0"/></num></numbering>"#;

const STYLES: &str = r#"<styles>
    <style type="paragraph" styleId="1"><name val="heading 1"/><pPr><numPr><numId val="1"/></numPr></pPr></style>
    <style type="paragraph" styleId="2"><name val="Пункт"/><pPr><numPr><ilvl val="1"/><numId val="1"/></numPr></pPr></style>
    <style type="paragraph" styleId="t"><name val="toc 1"/></style></styles>"#;

const NOTES: &str = r#"<footnotes><footnote id="0" type="separator"><p/></footnote>
    <footnote id="2"><p><r><t>Текст сноски</t></r></p></footnote></footnotes>"#;

fn docx(body: &str) -> Vec<u8> {
    let relation = |kind: &str, target: &str| {
        format!("<Relationship Id=\"{kind}\" Type=\"http://x/{kind}\" Target=\"{target}\"/>")
    };
    let root = format!(
        "<Relationships>{}</Relationships>",
        relation("officeDocument", "word/document.xml")
    );
    let related = format!(
        "<Relationships>{}{}{}{}</Relationships>",
        relation("styles", "styles.xml"),
        relation("numbering", "/word/numbering.xml"),
        relation("footnotes", "footnotes.xml"),
        relation("header", "header1.xml"),
    );
    let document = format!("<document><body>{body}</body></document>");
    zip_of(&[
        ("_rels/.rels", root.as_bytes()),
        ("word/_rels/document.xml.rels", related.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", STYLES.as_bytes()),
        ("word/numbering.xml", NUMBERING.as_bytes()),
        ("word/footnotes.xml", NOTES.as_bytes()),
        (
            "word/header1.xml",
            "<hdr><p><r><t>СП 1.2</t></r></p><p><r><t>Страница 3</t></r></p></hdr>".as_bytes(),
        ),
    ])
}

fn pages(bytes: &[u8]) -> Result<Vec<Page>, Code> {
    pages_of(super::read, bytes)
}

fn blocks(body: &str) -> Vec<Block> {
    pages(&docx(body)).unwrap().into_iter().flat_map(|page| page.blocks).collect()
}

fn lines(body: &str) -> Vec<String> {
    blocks(body).into_iter().map(|block| block.text).collect()
}

fn paragraph(style: &str, content: &str) -> String {
    format!("<p><pPr><pStyle val=\"{style}\"/></pPr>{content}</p>")
}

fn run(text: &str) -> String {
    format!("<r><t xml:space=\"preserve\">{text}</t></r>")
}

#[test]
fn clause_numbers_come_from_the_lists() {
    let body = paragraph("1", &run("Земляные работы"))
        + &paragraph("2", &run("Первый пункт."))
        + &paragraph("2", &run("Котлованы."))
        + &format!(
            "<p><pPr><numPr><ilvl val=\"2\"/><numId val=\"1\"/></numPr></pPr>{}</p>",
            run("пункт")
        );
    let blocks = blocks(&body);
    let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(texts, ["5 Земляные работы", "5.9 Первый пункт.", "5.10 Котлованы.", "• пункт"]);
    assert_eq!(blocks[0].kind, BlockKind::Heading { level: 1 });
    assert_eq!(blocks[2].kind, BlockKind::Paragraph);
    assert_eq!(blocks[3].kind, BlockKind::ListItem);
}

#[test]
fn changes_are_accepted_and_hidden_text_is_not_read() {
    let body = format!(
        "<p>{}<del><r><delText>старое</delText></r></del><ins>{}</ins>\
         <r><rPr><vanish/></rPr><t>скрыто</t></r></p>\
         <p><pPr><rPr><del/></rPr></pPr>{}</p><p>{}</p>",
        run("Было "),
        run("новое"),
        run("начало и "),
        run("конец")
    );
    assert_eq!(lines(&body), ["Было новое", "начало и конец"]);
}

#[test]
fn fields_show_results_and_alternatives_count_once() {
    let body = "<p><r><fldChar fldCharType=\"begin\"/></r><r><instrText>SEQ Таблица</instrText></r>\
         <r><fldChar fldCharType=\"separate\"/></r><r><t>7</t></r><r><fldChar fldCharType=\"end\"/></r>\
         <r><AlternateContent><Choice><drawing><txbxContent><p><r><t>В рамке</t></r></p></txbxContent></drawing></Choice>\
         <Fallback><pict><txbxContent><p><r><t>В рамке</t></r></p></txbxContent></pict></Fallback></AlternateContent></r></p>";
    assert_eq!(lines(body), ["7", "В рамке"]);
}

#[test]
fn powers_symbols_and_notes() {
    let raised =
        |text: &str| format!("<r><rPr><vertAlign val=\"superscript\"/></rPr><t>{text}</t></r>");
    let body = format!(
        "<p>{}{}{}{}{}<r><sym font=\"Symbol\" char=\"F0B1\"/></r><r><footnoteReference id=\"2\"/></r></p>",
        run("10"),
        raised("-5"),
        run(" м"),
        raised("2"),
        run(" ")
    );
    assert_eq!(lines(&body), ["10^-5 м2 ±", "1 Текст сноски"]);
}

#[test]
fn merged_cells_and_nested_tables() {
    let cell = |properties: &str, text: &str| {
        format!("<tc><tcPr>{properties}</tcPr><p>{}</p></tc>", run(text))
    };
    let nested = format!("<tc><tbl><tr>{}{}</tr></tbl><p/></tc>", cell("", "а"), cell("", "б"));
    let body = format!(
        "<tbl><tr>{}{}</tr><tr>{}{}{}</tr><tr>{}{}{}</tr></tbl>",
        cell("<vMerge val=\"restart\"/>", "Имя"),
        cell("<gridSpan val=\"2\"/>", "Расход"),
        cell("<vMerge/>", ""),
        cell("", "лето"),
        cell("", "зима"),
        cell("", "Песок"),
        cell("", "1,5"),
        nested
    );
    let blocks = blocks(&body);
    let BlockKind::Table(table) = &blocks[0].kind else { panic!("{blocks:?}") };
    assert_eq!(table.rows, [["Имя", "Расход", ""], ["", "лето", "зима"], ["Песок", "1,5", "а б"]]);
    assert_eq!(table.header_rows, 2);
}

#[test]
fn pages_contents_and_running_headers() {
    let body = paragraph("t", &run("Раздел 1 5"))
        + "<p><r><br type=\"page\"/></r></p><p><r><lastRenderedPageBreak/><t>Вторая</t></r></p>"
        + "<p><r><t>начало</t><lastRenderedPageBreak/><t> конец</t></r></p><p><r><t>Третья</t></r></p>";
    let pages = pages(&docx(&body)).unwrap();
    let texts: Vec<Vec<&str>> =
        pages.iter().map(|page| page.blocks.iter().map(|b| b.text.as_str()).collect()).collect();
    assert_eq!(texts, [vec!["Раздел 1 5"], vec!["Вторая", "начало конец"], vec!["Третья"]]);
    assert_eq!(pages[0].blocks[0].kind, BlockKind::Contents);
    assert_eq!(pages[0].furniture, ["СП 1.2"]);
}

#[test]
fn typed_numbers_and_breaks_inside_sentences() {
    let body = "<p><r><t>4.3.Перекрытия</t></r></p><p><r><t>пункт</t><br/><t>продолжен</t><br/><t>1.2 Новый</t></r></p>";
    assert_eq!(lines(body), ["4.3. Перекрытия", "пункт продолжен", "1.2 Новый"]);
}

#[test]
fn bad_files_have_their_codes() {
    let good = docx("<p/>");
    assert_eq!(pages(&good[..good.len() - 30]).unwrap_err(), Code::DamagedFile);
    assert_eq!(pages(&zip_of(&[("a.txt", b"x")])).unwrap_err(), Code::DamagedFile);
    let bomb = docx(&" ".repeat(40 << 20));
    assert_eq!(pages(&bomb).unwrap_err(), Code::ArchiveLimits);
    let entity = "<!DOCTYPE d [<!ENTITY x \"y\">]><document/>";
    let entity = zip_of(&[("word/document.xml", entity.as_bytes())]);
    assert_eq!(pages(&entity).unwrap_err(), Code::XmlExternalEntity);
}

#[test]
fn a_note_that_is_referred_to_again_is_not_printed_again() {
    let reference = "<r><t>Текст</t><footnoteReference id=\"2\"/></r>";
    let body = format!("<p>{reference}</p>").repeat(3);
    assert_eq!(lines(&body), ["Текст", "1 Текст сноски", "Текст", "Текст"]);
}

#[test]
fn open_fields_do_not_pile_up() {
    let begin = "<r><fldChar fldCharType=\"begin\"/><fldChar fldCharType=\"separate\"/></r>";
    let body = format!("<p>{}</p>", begin.repeat(50_000) + &run("а").repeat(50_000));
    assert_eq!(lines(&body)[0].chars().count(), 50_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = docx(&paragraph("2", &run("Пункт")));
        *place.get_mut(&mut bytes) = byte;
        drop(pages(&bytes));
    }

    #[test]
    fn any_arrangement_of_elements_is_read(
        names in prop::collection::vec(prop::sample::select(vec![
            "p", "r", "t", "tbl", "tr", "tc", "sdt", "sdtContent", "fldChar", "oMath", "f", "num",
            "AlternateContent", "Choice", "txbxContent", "drawing", "hyperlink", "ins", "del",
        ]), 0..40),
    ) {
        let open: String = names.iter().map(|name| format!("<{name}>х")).collect();
        let close: String = names.iter().rev().map(|name| format!("</{name}>")).collect();
        drop(pages(&docx(&(open + &close))));
    }
}

//! ODT files made here, read back.

use crate::model::{Block, BlockKind, Page};
use crate::package::tests::zip_of;
use crate::reader::tests::pages_of;
use proptest::prelude::*;
use shared::outcome::Code;

const STYLES: &str = r#"<document-styles><styles>
    <style name="Heading" family="paragraph" class="text"><text-properties font-weight="bold"/></style>
    <style name="Contents_20_1" family="paragraph" class="index"/>
    <outline-style><outline-level-style level="1" num-format="1" start-value="5"/>
      <outline-level-style level="2" num-format="1" display-levels="2"/></outline-style>
    </styles><master-styles><master-page name="Standard">
      <header><p>СП 1.2</p></header><footer><p>Страница <page-number>3</page-number></p></footer>
    </master-page></master-styles></document-styles>"#;

const AUTOMATIC: &str = r#"<automatic-styles>
    <style name="P1" family="paragraph" parent-style-name="Heading"><paragraph-properties text-align="center"/></style>
    <style name="P2" family="paragraph"><paragraph-properties break-before="page"/></style>
    <style name="T1" family="text"><text-properties font-weight="bold"/></style>
    <style name="T2" family="text"><text-properties display="none"/></style>
    <list-style name="L1">
      <list-level-style-number level="1" num-format="1" start-value="4"/>
      <list-level-style-number level="2" num-format="1" display-levels="2"/>
      <list-level-style-number level="3" num-format="а, б, .., аа, аб, ... (ru)" num-suffix=")"/>
    </list-style>
    <list-style name="L2"><list-level-style-bullet level="1" bullet-char="-"/></list-style>
    <list-style name="L3"><list-level-style-number level="1" num-format="1" num-list-format="(%1%)"/></list-style>
    </automatic-styles>"#;

fn odt(body: &str) -> Vec<u8> {
    let content =
        format!("<document-content>{AUTOMATIC}<body><text>{body}</text></body></document-content>");
    let meta = "<document-meta><meta><title>Отчёт</title><document-statistic page-count=\"2\"/></meta></document-meta>";
    zip_of(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content.as_bytes()),
        ("styles.xml", STYLES.as_bytes()),
        ("meta.xml", meta.as_bytes()),
    ])
}

fn pages(bytes: &[u8]) -> Result<Vec<Page>, Code> {
    pages_of(super::read, bytes)
}

fn blocks(body: &str) -> Vec<Block> {
    pages(&odt(body)).unwrap().into_iter().flat_map(|page| page.blocks).collect()
}

fn texts(body: &str) -> Vec<String> {
    blocks(body).into_iter().map(|block| block.text).collect()
}

#[test]
fn words_are_set_apart_as_they_are_written() {
    let body = r#"<p><span>СП</span> <span>45</span><s c="3"/>п.<tab/>5<line-break/>Грунты
        и <span style-name="T2">скрыто</span>сваи<note><note-citation>1</note-citation>
        <note-body><p>Сноска.</p></note-body></note></p>"#;
    let blocks = blocks(body);
    assert_eq!(blocks[0].text, "СП 45 п. 5\nГрунты и сваи");
    assert_eq!((&blocks[1].kind, blocks[1].text.as_str()), (&BlockKind::Footnote, "1 Сноска."));
}

#[test]
fn lists_and_headings_are_numbered() {
    let body = r#"<h outline-level="1">Основания</h>
        <h outline-level="2">Общие положения</h>
        <list style-name="L1" id="a"><list-item><p>Область</p>
          <list><list-item><p>Пункт</p><p>Продолжение</p>
            <list><list-item><p>первый</p></list-item><list-item><p>второй</p></list-item></list>
          </list-item><list-item><p>Второй пункт</p></list-item></list></list-item></list>
        <p>Между ними</p>
        <list continue-list="a" style-name="L1"><list-item><p>Дальше</p></list-item></list>
        <list style-name="L1"><list-item start-value="9"><p>Заново</p></list-item></list>
        <list style-name="L2"><list-item><p>тире</p></list-item></list>
        <list style-name="L3"><list-item><p>скобки</p></list-item></list>"#;
    assert_eq!(
        texts(body),
        [
            "5 Основания",
            "5.1 Общие положения",
            "4 Область",
            "4.1 Пункт",
            "Продолжение",
            "а) первый",
            "б) второй",
            "4.2 Второй пункт",
            "Между ними",
            "5 Дальше",
            "9 Заново",
            "– тире",
            "(1) скобки",
        ]
    );
    let kinds: Vec<BlockKind> = blocks(body).into_iter().map(|block| block.kind).collect();
    assert_eq!(kinds[0], BlockKind::Heading { level: 1 });
    assert_eq!(kinds[3], BlockKind::Paragraph);
    assert_eq!(kinds[5], BlockKind::ListItem);
}

#[test]
fn tables_keep_their_merged_cells_once() {
    let body = r#"<table><table-column/><table-header-rows><table-row>
          <table-cell number-rows-spanned="2"><p>Имя</p></table-cell>
          <table-cell number-columns-spanned="2"><p>Расход</p></table-cell><covered-table-cell/></table-row>
        <table-row><covered-table-cell/><table-cell><p>летом</p></table-cell><table-cell><p>зимой</p></table-cell></table-row>
        </table-header-rows><table-row><table-cell><p>Песок</p><p>мытый</p></table-cell>
          <table-cell number-columns-repeated="2"><p>1,5</p></table-cell></table-row></table>"#;
    let blocks = blocks(body);
    let BlockKind::Table(table) = &blocks[0].kind else { panic!("{blocks:?}") };
    assert_eq!(table.header_rows, 2);
    assert_eq!(
        table.rows,
        [vec!["Имя", "Расход", ""], vec!["", "летом", "зимой"], vec!["Песок мытый", "1,5", "1,5"],]
    );
}

#[test]
fn pages_are_those_that_the_file_records() {
    let body = r#"<p>Первая</p><p><soft-page-break/>Вторая <soft-page-break/>до третьей</p>
        <p>Третья</p><p style-name="P2">Четвёртая</p>"#;
    let pages = pages(&odt(body)).unwrap();
    let texts: Vec<_> =
        pages.iter().map(|page| (page.number, page.blocks[0].text.as_str())).collect();
    let first = [(1, "Первая"), (2, "Вторая до третьей"), (3, "Третья"), (4, "Четвёртая")];
    assert_eq!(texts, first);
    assert_eq!(pages[0].furniture, ["СП 1.2", "Страница 3"]);
}

#[test]
fn contents_changes_boxes_and_comments() {
    let body = r##"<tracked-changes><changed-region><deletion><p>удалено</p></deletion></changed-region></tracked-changes>
        <table-of-content><index-body><p>1 Область 3</p></index-body></table-of-content>
        <p style-name="P1">Жирно<annotation><p>замечание</p></annotation>
          <frame><text-box><p>В рамке</p></text-box></frame></p>
        <p><a href="#x">5 Основания</a></p><section><p>В разделе</p></section>
        <p><frame><text-box><p>В рамке</p></text-box></frame></p>"##;
    let blocks = blocks(body);
    let seen: Vec<_> = blocks.iter().map(|block| (&block.kind, block.text.as_str())).collect();
    assert_eq!(
        seen,
        [
            (&BlockKind::Contents, "1 Область 3"),
            (&BlockKind::Paragraph, "Жирно"),
            (&BlockKind::Paragraph, "В рамке"),
            (&BlockKind::Contents, "5 Основания"),
            (&BlockKind::Paragraph, "В разделе"),
        ]
    );
    assert!(blocks[1].bold && blocks[1].centered);
}

#[test]
fn an_encrypted_file_is_named() {
    let manifest = "<manifest><file-entry full-path=\"content.xml\"><encryption-data/></file-entry></manifest>";
    let bytes =
        zip_of(&[("META-INF/manifest.xml", manifest.as_bytes()), ("content.xml", b"\x00\x01")]);
    assert_eq!(pages(&bytes).err(), Some(Code::PasswordProtected));
}

#[test]
fn repetitions_within_repetitions_end() {
    let open =
        "<table><table-row number-rows-repeated=\"64\"><table-cell number-columns-repeated=\"64\">";
    let close = "</table-cell></table-row></table>";
    let body = format!("{}<p>а</p>{}", open.repeat(12), close.repeat(12));
    assert!(texts(&body).len() < 300_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = odt("<list style-name=\"L1\"><list-item><p>а</p></list-item></list><table><table-row><table-cell><p>1</p></table-cell></table-row></table>");
        *place.get_mut(&mut bytes) = byte;
        drop(pages(&bytes));
    }
}

use super::number_text;
use super::regions::{Row, blocks};
use crate::model::{Block, BlockKind};
use crate::package::tests::zip_of;
use crate::reader::tests::pages_of;
use proptest::prelude::*;
use shared::outcome::Code;

/// A workbook of one sheet from its rows of inline strings and numbers.
fn workbook(sheet: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{related}\"><sheets>\
         <sheet name=\"Лист 1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{related}/{kind}\" Target=\"{target}\"/>")
    };
    let relations = |inside: String| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             {inside}</Relationships>"
        )
    };
    let sheet = format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>");
    zip_of(&[
        ("[Content_Types].xml", b"<Types/>"),
        (
            "_rels/.rels",
            relations(relation("rId1", "officeDocument", "xl/workbook.xml")).as_bytes(),
        ),
        ("xl/workbook.xml", book.as_bytes()),
        (
            "xl/_rels/workbook.xml.rels",
            relations(relation("rId1", "worksheet", "worksheets/sheet1.xml")).as_bytes(),
        ),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn rows(rows: &[(u32, &[&str])]) -> String {
    rows.iter()
        .map(|(number, cells)| {
            let cells: String = cells
                .iter()
                .zip('A'..)
                .filter(|(text, _)| !text.is_empty())
                .map(|(text, column)| match text.parse::<f64>() {
                    Ok(_) => format!("<c r=\"{column}{number}\"><v>{text}</v></c>"),
                    Err(_) => format!(
                        "<c r=\"{column}{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"
                    ),
                })
                .collect();
            format!("<row r=\"{number}\">{cells}</row>")
        })
        .collect()
}

fn read(bytes: &[u8]) -> Result<Vec<Block>, Code> {
    Ok(pages_of(super::read, bytes)?.into_iter().flat_map(|page| page.blocks).collect())
}

#[test]
fn a_form_becomes_lines_and_one_table() {
    let sheet = rows(&[
        (1, &["Ведомость объемов работ №", "ВОР-1"]),
        (2, &["Дата", "01.01.2025"]),
        (4, &["№", "Наименование", "Ед.", "Объем"]),
        (5, &["1", "2", "3", "4"]),
        (6, &["Раздел 1"]),
        (7, &["1", "Песок", "м3", "8.415000000000001"]),
        (9, &["2", "Щебень", "м3", "20"]),
        (14, &["Составил", "Иванов"]),
    ]);
    let blocks = read(&workbook(&sheet)).unwrap();
    assert_eq!(blocks[0].text, "Ведомость объемов работ № ВОР-1");
    assert_eq!(blocks[1].text, "Дата: 01.01.2025");
    let BlockKind::Table(table) = &blocks[2].kind else { panic!("{blocks:?}") };
    assert_eq!(table.header_rows, 2);
    assert_eq!(table.rows[3], ["1", "Песок", "м3", "8.415"]);
    assert_eq!(table.rows[4], ["2", "Щебень", "м3", "20"]);
    assert_eq!(blocks[3].text, "Составил: Иванов");
}

/// An `OpenDocument` workbook of one sheet.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\">\
         <office:body><office:spreadsheet><table:table table:name=\"Лист 1\">{rows}\
         </table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let manifest = "<manifest:manifest xmlns:manifest=\"m\"/>";
    zip_of(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
        ("META-INF/manifest.xml", manifest.as_bytes()),
    ])
}

fn read_ods(bytes: &[u8]) -> Result<Vec<Block>, Code> {
    Ok(pages_of(super::read_ods, bytes)?.into_iter().flat_map(|page| page.blocks).collect())
}

#[test]
fn an_open_document_workbook_is_read_alike() {
    let text = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let number = |value: &str| {
        format!(
            "<table:table-cell office:value-type=\"float\" office:value=\"{value}\"><text:p>x</text:p></table:table-cell>"
        )
    };
    let date = "<table:table-cell office:value-type=\"date\" office:date-value=\"2017-07-01T14:30:00\"><text:p>x</text:p></table:table-cell>";
    let row = |cells: String| format!("<table:table-row>{cells}</table:table-row>");
    let rows = [
        row(text("№") + &text("Материал") + &text("Объем")),
        row(number("1") + &text("Песок") + &number("8.415000000000001")),
        row(number("2") + &text("Щебень") + &number("20")),
        row(text("Дата") + date),
    ]
    .concat();
    let blocks = read_ods(&ods(&rows)).unwrap();
    let BlockKind::Table(table) = &blocks[0].kind else { panic!("{blocks:?}") };
    assert_eq!(table.rows[1], ["1", "Песок", "8.415"]);
    assert!(blocks[0].text.ends_with("Дата\t01.07.2017 14:30\t"), "{}", blocks[0].text);
}

#[test]
fn an_endless_repetition_is_refused_or_cut() {
    let cell = "<table:table-cell table:number-columns-repeated=\"999999\" office:value-type=\"float\" office:value=\"1\"/>";
    let row =
        format!("<table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row>");
    assert_eq!(read_ods(&ods(&row)).err(), Some(Code::ArchiveLimits));
}

#[test]
fn numbers_are_shown_without_noise() {
    assert_eq!(number_text(0.1 + 0.2), "0.3");
    assert_eq!(number_text(12.0), "12");
    assert_eq!(number_text(-0.0), "0");
    assert_eq!(number_text(1e-7), "0.0000001");
    assert_eq!(number_text(f64::NAN), "");
}

#[test]
fn a_far_cell_costs_nothing() {
    let sheet = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>\
                 <row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>";
    assert_eq!(read(&workbook(sheet)).unwrap().len(), 2);
}

/// Rows that have no column in common, with empty rows between them.
#[test]
fn scattered_cells_are_read_in_proportion() {
    let row = |number: u32, column: u32| Row {
        number,
        cells: (0..3).map(|next| (column * 3 + next, "1".to_owned())).collect(),
    };
    let diagonal: Vec<Row> = (0..5000).map(|number| row(number, number)).collect();
    let apart: Vec<Row> = (0..50_000).map(|number| row(number * 2, 0)).collect();
    for rows in [diagonal, apart] {
        let cells = |block: &Block| match &block.kind {
            BlockKind::Table(table) => table.rows.iter().map(Vec::len).sum(),
            _ => 0,
        };
        let cells: usize = blocks(&rows, &[]).iter().map(cells).sum();
        assert!((15_000..2_000_000).contains(&cells), "{cells}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = workbook(&rows(&[(1, &["а", "1"]), (2, &["б", "2"])]));
        *place.get_mut(&mut bytes) = byte;
        drop(read(&bytes));
    }
}

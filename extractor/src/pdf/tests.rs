//! Whole files, built here byte by byte.

use super::{PdfError, PdfPage, PdfSummary, Verdict, read};
use crate::model::BlockKind;
use std::sync::Arc;

/// A PDF with one content stream per page, Helvetica as `/F1` and Helvetica-Bold as `/F2`.
fn pdf(pages: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    let mut object = |out: &mut Vec<u8>, body: &str| {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{body}\nendobj\n", offsets.len()).into_bytes());
    };
    object(&mut out, "<< /Type /Catalog /Pages 2 0 R >>");
    let kids: String = (0..pages.len()).map(|index| format!("{} 0 R ", 5 + 2 * index)).collect();
    object(&mut out, &format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()));
    object(&mut out, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
    object(&mut out, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>");
    for (index, content) in pages.iter().enumerate() {
        object(
            &mut out,
            &format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
                 /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
                6 + 2 * index
            ),
        );
        object(&mut out, &format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).into_bytes());
    for offset in &offsets {
        out.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    out.extend(
        format!(
            "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
            offsets.len() + 1
        )
        .into_bytes(),
    );
    out
}

fn text(x: f32, y: f32, size: f32, text: &str) -> String {
    format!("BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET\n")
}

fn pages(bytes: Vec<u8>) -> (Vec<PdfPage>, Result<PdfSummary, PdfError>) {
    let mut pages = Vec::new();
    let summary = read(Arc::new(bytes), &mut |page| pages.push(page));
    (pages, summary)
}

#[test]
fn text_is_read_page_by_page_without_running_lines() {
    let contents: Vec<String> = (1..=9)
        .map(|number| {
            text(60.0, 810.0, 9.0, "Company standard")
                + &text(
                    60.0,
                    700.0,
                    12.0,
                    &format!("{number}.1 Clause of page {number} begins here and"),
                )
                + &text(60.0, 686.0, 12.0, "goes on in the next line.")
                + &text(290.0, 30.0, 9.0, &format!("{number}"))
        })
        .collect();
    let (pages, summary) = pages(pdf(&contents));
    assert_eq!(summary.unwrap().pages, 9);
    for (index, read) in pages.iter().enumerate() {
        let number = index + 1;
        assert_eq!(read.page.number as usize, number);
        assert_eq!(read.page.furniture, ["Company standard".to_owned(), number.to_string()]);
        let texts: Vec<&str> = read.page.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(
            texts,
            [format!(
                "{number}.1 Clause of page {number} begins here and goes on in the next line."
            )]
        );
        assert_eq!(read.layer.verdict, Verdict::Good);
    }
}

#[test]
fn a_ruled_table_becomes_rows_and_cells() {
    let mut content = String::new();
    for y in [700, 680, 660] {
        content += &format!("50 {y} m 350 {y} l S\n");
    }
    for x in [50, 150, 350] {
        content += &format!("{x} 660 m {x} 700 l S\n");
    }
    content += &text(55.0, 685.0, 10.0, "Class");
    content += &text(155.0, 685.0, 10.0, "Distance, m");
    content += &text(55.0, 665.0, 10.0, "IV");
    content += &text(155.0, 665.0, 10.0, "12");
    let (pages, _) = pages(pdf(&[content]));
    let BlockKind::Table(cells) = &pages[0].page.blocks[0].kind else {
        panic!("{:?}", pages[0].page.blocks)
    };
    assert_eq!(cells.rows, [["Class", "Distance, m"], ["IV", "12"]]);
}

#[test]
fn turned_pages_are_read_upright() {
    let content = "BT /F1 12 Tf 0 1 -1 0 300 100 Tm (Sideways text of a landscape table) Tj ET\n";
    let (pages, _) = pages(pdf(&[content.to_owned()]));
    assert_eq!(pages[0].page.blocks[0].text, "Sideways text of a landscape table");
    assert_eq!(pages[0].page.size, Some([842.0, 595.0]));
}

#[test]
fn empty_damaged_and_cut_files_are_told_apart() {
    assert_eq!(pages(Vec::new()).1, Err(PdfError::Empty));
    assert!(matches!(pages(b"%PDF-1.4 nothing".to_vec()).1, Err(PdfError::Damaged(_))));
    assert!(matches!(pages(b"<html></html>".to_vec()).1, Err(PdfError::Damaged(_))));
    let whole = pdf(&[text(60.0, 700.0, 12.0, "First page"), text(60.0, 700.0, 12.0, "Second")]);
    assert!(!pages(whole.clone()).1.unwrap().damaged);
    let cut = whole.windows(6).position(|window| window == b"Second").unwrap();
    let (read, summary) = pages(whole[..cut].to_vec());
    if let Ok(summary) = summary {
        assert!(summary.damaged);
        assert!(read.iter().any(|page| page.page.blocks.iter().any(|b| b.text == "First page")));
    } else {
        panic!("the first page of a cut file is readable");
    }
}

#[test]
fn a_page_is_painted() {
    let bytes = pdf(&[text(60.0, 700.0, 40.0, "Painted")]);
    let file = super::PdfFile::open(Arc::new(bytes)).unwrap();
    let painted = file.render_page(0, 72.0).unwrap();
    assert_eq!((painted.width, painted.height), (595, 842));
    let grey = image::load_from_memory(&painted.png).unwrap().to_luma8();
    assert!(grey.pixels().any(|pixel| pixel.0[0] < 50));
    assert_eq!(grey.get_pixel(5, 5).0[0], 255);
    assert!(file.render_page(1, 72.0).is_err());
}

#[test]
fn a_page_without_text_needs_recognition_or_is_blank() {
    let (drawn, _) = pages(pdf(&["0 0 m 500 500 l S\n".to_owned()]));
    assert_eq!(drawn[0].layer.verdict, Verdict::Image);
    let (blank, _) = pages(pdf(&[" ".to_owned()]));
    assert_eq!(blank[0].layer.verdict, Verdict::Blank);
    assert!(blank[0].page.blocks.is_empty());
}

//! PDF files, and a sound one around page contents.

use crate::check;
use extractor::model::Message;
use extractor::pdf;
use std::sync::Arc;

/// The codes of Windows-1251 as the font's text: Latin as it is, Russian from 0xC0 on.
const TO_UNICODE: &[u8] = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap
1 begincodespacerange <00> <FF> endcodespacerange
3 beginbfrange <20> <7E> <0020> <C0> <FF> <0410> <AD> <AD> <00AD> endbfrange
1 beginbfchar <B9> <2116> endbfchar
endcmap end end";
const FIRST_PAGE: usize = 6;
const PAGES: usize = 8;

/// Reads a file and checks every page.
pub fn read_pdf(file: Vec<u8>) {
    let mut last = 0;
    let mut on_page = |read: pdf::PdfPage| drop(check(&Message::Page(read.page), &mut last));
    drop(pdf::read(Arc::new(file), &mut on_page));
}

/// A file of up to eight pages, whose contents are parted by form feeds. Their fonts are `/F1` and,
/// bold, `/F2`.
pub fn around(contents: &[u8]) -> Vec<u8> {
    let contents: Vec<&[u8]> = contents.splitn(PAGES, |byte| *byte == b'\x0c').collect();
    let kids: String =
        (0..contents.len()).map(|index| format!("{} 0 R ", FIRST_PAGE + 2 * index)).collect();
    let font = |name: &str| {
        format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /ToUnicode 5 0 R >>").into_bytes()
    };
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()).into_bytes(),
        font("Helvetica"),
        font("Helvetica-Bold"),
        stream(TO_UNICODE),
    ];
    for (index, content) in contents.iter().enumerate() {
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
            FIRST_PAGE + 1 + 2 * index
        );
        objects.push(page.into_bytes());
        objects.push(stream(content));
    }
    file(&objects)
}

fn stream(content: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

/// The objects, numbered from 1, with their table and the trailer.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let size = objects.len() + 1;
    let mut table = format!("xref\n0 {size}\n0000000000 65535 f \n");
    for (number, object) in (1..).zip(objects) {
        table += &format!("{:010} 00000 n \n", file.len());
        file.extend(format!("{number} 0 obj\n").into_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let trailer = format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.extend(table.into_bytes());
    file.extend(trailer.into_bytes());
    file
}
